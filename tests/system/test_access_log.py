"""A standalone server writes the access log to its output."""

import json
from pathlib import Path

from tests.support import servers


def test_a_standalone_server_writes_it_to_its_output(originals: Path, tmp_path: Path) -> None:
    document = {"storages": [{"name": "photos", "driver": "local", "root": str(originals)}], "access_log": True}
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server:
        server.get("photos/thumbs/40x30/quarters.jpg", headers={"X-Request-ID": "abc-1"})
        server.get("photos/thumbs/0x0/quarters.jpg", headers={"X-Request-ID": "abc-2"})
    told = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert [(line["request_id"], line["status"]) for line in told] == [("abc-1", 200), ("abc-2", 400)]
