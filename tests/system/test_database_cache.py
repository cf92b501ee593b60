"""A cache in the database: its layer gets a new connection for a broken one, and for no other."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support import servers

IN_A_DATABASE = """
import time
from django.conf import settings
from django.core.cache import caches
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "cache.sqlite"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "thumbnails"}},
)
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.backends.signals import connection_created
from thumbs.cache.entry import Entry
from thumbs.cache.adapters import AliasLayer
from thumbs.wiring.caches import _opener
call_command("createcachetable")
made = []
connection_created.connect(lambda **_: made.append(1), weak=False)
layer = AliasLayer(_opener("default"), "photos", 300)
now = time.time()
entry = Entry(b"picture", "image/webp", '"tag"', "v1", 0, now, now + 300)
layer.put("group/name", entry, now + 300)
assert layer.get("group/name").body == b"picture"

# The database has closed it, and a first call has met that.
before = len(made)
connection.errors_occurred = True
connection.is_usable = lambda: False
assert layer.get("group/name").body == b"picture"
assert len(made) == before + 1
del connection.is_usable

# No other cursor or transaction is touched.
before = len(made)
cursor = connection.cursor()
cursor.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n")
assert cursor.fetchone() == (1,)
layer.get("group/name")
assert len(cursor.fetchall()) == 499
connection.set_autocommit(False)
connection.cursor().execute("CREATE TABLE kept (i)")
connection.errors_occurred = True
layer.get("group/name")
connection.commit()
connection.set_autocommit(True)
connection.cursor().execute("SELECT * FROM kept")
assert len(made) == before
connection.close()
print("well")
"""


def test_a_cache_in_the_database_gets_a_new_connection_for_a_broken_one_and_for_no_other(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(servers.ROOT)}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_A_DATABASE],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("well\n", "")
