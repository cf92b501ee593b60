"""Every block of code in docs/django.md is run, in the order of the page, in a project that has just been begun."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.markdown import Block, blocks
from tests.support.pictures import encoded, scene
from tests.support.servers import ROOT
from tests.support.startproject import Project, startproject

GUIDE = ROOT / "docs" / "django.md"
MODELS = "photos/models.py"
SETTINGS = """
INSTALLED_APPS += ["photos", "rest_framework"]
ALLOWED_HOSTS = ["testserver"]
MEDIA_ROOT = BASE_DIR / "media"
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
TEMPLATES += [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "jinja2"],
        "OPTIONS": {"environment": "mysite.jinja.environment"},
    }
]
"""
# Run in the project: renders each template with a picture and without one, and fetches all pictures of the page.
RENDER = """
import html, re, sys
from django.core.files.base import ContentFile
from django.template.loader import get_template
from django.test import Client
from photos.models import Photo

data = open("tom.jpg", "rb").read()
photo = Photo.objects.create(title="Tom & <Jerry>", image=ContentFile(data, "tom.jpg"))
open("media/cats/tom.jpg", "wb").write(data)
for name in sys.argv[1:]:
    for row in (photo, Photo()):
        text = get_template(name).render({"photo": row})
        found = set(re.findall(r"/img/uploads/[^ \\"]+", html.unescape(text)))
        print(name, bool(row.pk), len(found))
        for url in found:
            assert Client().get(url).status_code == 200, url
        assert "Tom & <Jerry>" not in text
"""


_MODULES = """
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.test import Client, RequestFactory
from photos import serializers, views
from photos.models import Photo

admin = get_user_model().objects.create_superuser("admin", "", "password")
photo = Photo.objects.create(title="Tom", image=ContentFile(open("tom.jpg", "rb").read(), "tom.jpg"))
request = RequestFactory().get("/")
request.user = admin
assert views.picture(request, "a b")["X-Accel-Redirect"] == "/thumbs-internal/a%20b"
data = serializers.PhotoSerializer(photo, context={"request": request}).data
assert data["avatar"]["width"] == 64
client = Client()
client.force_login(admin)
assert b"/64x64/" in client.get("/admin/photos/photo/").content
assert Client().get("/private/bills/thumbs/x/a.jpg").status_code == 403
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = startproject(tmp_path_factory.mktemp("guide") / "project")
    settings = project.directory / "mysite" / "settings.py"
    settings.write_text(settings.read_text().replace('\nINSTALLED_APPS += ["thumbs"]\n', ""))  # the guide adds it
    photos = project.directory / "photos"
    for package in (photos, photos / "migrations"):
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    (project.directory / "media" / "cats").mkdir(parents=True)
    (project.directory / "bills").mkdir()
    (project.directory / "tom.jpg").write_bytes(encoded(scene(1800, 1200), "JPEG", quality=80))
    project.add("settings", SETTINGS)
    for block in blocks(GUIDE):
        if block.file == MODELS:
            (project.directory / MODELS).write_text(block.text)
        elif block.file.endswith(".py") and "/" not in block.file:
            project.add(block.file.removesuffix(".py"), "\n" + block.text)
        elif block.file:
            file = project.directory / block.file
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text)
    for arguments in (["makemigrations", "photos"], ["migrate"]):
        done = project.manage(*arguments)
        assert done.returncode == 0, done.stderr
    return project


def of(language: str, *, named: bool) -> list[Block]:
    return [block for block in blocks(GUIDE) if block.language == language and bool(block.file) is named]


def run(project: Project, program: str, *arguments: str) -> str:
    head = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'; django.setup()\n"
    done = subprocess.run(
        [sys.executable, "-c", head + program, *arguments],
        check=False, cwd=project.directory, env=project.environ, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {(block.language, bool(block.file)) for block in blocks(GUIDE)} <= {
        ("sh", False), ("python", True), ("python", False), ("html", True), ("json", False),
        ("nginx", False),  # run by test_private_server.py
    }  # fmt: skip


def test_the_answers_are_json() -> None:
    for block in of("json", named=False):
        assert json.loads(block.text)


def test_the_commands_succeed(project: Project) -> None:
    lines = [line for block in of("sh", named=False) for line in block.text.splitlines()]
    assert lines[0].startswith("pip install mage-thumbs")
    for line in lines:
        if line.startswith("python manage.py "):
            done = project.manage(*line.split()[2:])
            assert done.returncode == 0, (line, done.stderr)
            assert "WARNINGS" not in done.stderr


def test_the_templates_show_a_picture_and_nothing_without_one(project: Project) -> None:
    names = [Path(block.file).name for block in of("html", named=True)]
    printed = run(project, RENDER, *dict.fromkeys(names))
    with_picture = [line for line in printed.splitlines() if " True " in line]
    assert len(with_picture) == len(set(names))
    assert all(int(line.split()[-1]) >= 1 for line in with_picture), printed


def test_the_modules_of_the_guide_are_usable(project: Project) -> None:
    """Also those that no other test uses: a view, serializers, and an admin whose list shows the thumbnails."""
    run(project, _MODULES)


def test_the_tests_of_the_guide_pass_with_pytest_and_with_django(project: Project) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "photos", "--ds=mysite.settings"]
    done = subprocess.run(
        [*command, "-o", "python_files=test*.py"],
        check=False, cwd=project.directory, env=project.environ, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    done = project.manage("test", "photos.tests")
    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr


def test_the_python_code_runs(project: Project) -> None:
    for block in of("python", named=False):
        program = f"""
from django.core.files.base import ContentFile
from django.test import RequestFactory
from photos.models import Photo

request = RequestFactory().get("/")
photo = Photo.objects.create(title="Tom", image=ContentFile(open("tom.jpg", "rb").read(), "tom.jpg"))
{textwrap.dedent(block.text)}
"""
        run(project, program)
