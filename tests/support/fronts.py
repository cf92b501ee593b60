"""What every front is started with in the tests over HTTP, and what must be the same in all of their answers."""

import base64
import contextlib
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from tests.support import servers
from tests.support.misbehaving import MisbehavingStore
from tests.support.servers import Answer, Server

BUCKET = "canary-bucket"
CLOSED_BUCKET = "canary-closed"
SECRET, OLD_SECRET = "canary-new-secret", "canary-old-secret"
ACCESS_KEY = "canary-access-key"
_DISK_CLASS = "django.core.files.storage.FileSystemStorage"
# The server's own, and those that the site's middleware adds to whatever passes it.
_NOT_OURS = {"date", "server", "connection", "keep-alive", "referrer-policy", "cross-origin-opener-policy"}
_FOR_BODIES = {"content-length", "x-content-type-options"}
_LIBRARIES = ("Traceback", 'File "', "vips", "boto", "errno", "django", "urllib", "jpeg:", "VipsJpeg", "gunicorn")


@dataclass(frozen=True)
class Fronts:
    """All fronts at work on the same storages. `canaries` are texts that no error may hold."""

    servers: tuple[Server, ...]
    canaries: tuple[str, ...]

    def ask(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """The answer of every front to `path`, which must be the same, and disclose nothing internal."""
        answers = {front.name: front.get(path, method=method, headers=headers) for front in self.servers}
        return self.agreed(answers)

    def agreed(self, answers: Mapping[str, Answer]) -> Answer:
        """The one answer that all fronts gave."""
        first = next(iter(answers.values()))
        for name, answer in answers.items():
            self._check_discretion(answer)
            assert answer.status == first.status, {name: answer.status for name, answer in answers.items()}
            assert comparable(answer) == comparable(first), name
            assert answer.body == first.body, name
        return first

    def _check_discretion(self, answer: Answer) -> None:
        text = str(dict(answer.headers))
        if not answer.headers.get("content-type", "").startswith("image/"):
            text += answer.body.decode("latin-1")
        own = text.replace(answer.headers.get("server", "\0"), "")
        found = [canary for canary in (*self.canaries, *_LIBRARIES) if canary in own]
        assert not found, f"{found} in {own}"


def comparable(answer: Answer) -> dict[str, str]:
    """The headers that are ours, without what no two answers have in common: the durations in Server-Timing."""
    headers = {name: value for name, value in answer.headers.items() if name not in _NOT_OURS}
    if not answer.body and answer.status in (204, 304):
        # A site's middleware adds these to its own answers without a body too.
        headers = {name: value for name, value in headers.items() if name not in _FOR_BODIES}
    if "server-timing" in headers:
        headers["server-timing"] = re.sub(r";dur=[0-9.]+", "", headers["server-timing"])
    return headers


def signature(message: str, secret: str = SECRET, length: int = 22) -> str:
    """Written independently from the documentation: HMAC-SHA256 of the decoded path, base64url, shortened."""
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")[:length]


def fill_bucket(endpoint: str, originals: Path, bucket: str = BUCKET) -> None:
    """Create `bucket` with all of `originals` in it."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=bucket)
    for path in sorted(originals.rglob("*")):
        if path.is_file() and path.stat().st_size < 1_000_000:
            client.put_object(Bucket=bucket, Key=str(path.relative_to(originals)), Body=path.read_bytes())
    client.close()


def s3_storage(name: str, endpoint: str, bucket: str = BUCKET, **more: object) -> dict[str, object]:
    keys = {"access_key": ACCESS_KEY, "secret_key": "secret"}
    return {"name": name, "driver": "s3", "bucket": bucket, "base_url": endpoint, **keys, **more}


@contextlib.contextmanager
def running_fronts(originals: Path, s3: str, directory: Path) -> Iterator[Fronts]:
    """Every front, with one storage for each thing that is to be seen over HTTP."""
    root = str(originals)
    local = {"driver": "local", "root": root}
    secrets = {"signature_secret_key": [SECRET, OLD_SECRET]}
    memory = {"enabled": True, "max_size_mb": 16}
    closed = f"http://127.0.0.1:{servers.free_port()}"
    with MisbehavingStore() as store:
        storages = [
            {"name": "local", **local},
            {"name": "signed", **local, **secrets},
            {"name": "limited", **local, "allowed_sizes": ["90x60", "x"], "formats": ["webp", "png"]},
            {"name": "small", **local, "limits": {"max_source_mb": 0.02, "max_side": 500}},
            {"name": "hasty", **local, "limits": {"render_seconds": 0.01}},
            {"name": "cached", **local, "cache": {"memory": memory}},
            {
                "name": "shared-with-scripts",
                **local,
                "cache_control": "private, max-age=60",
                "headers": {"Access-Control-Allow-Origin": "*", "Vary": "Origin", "X-Extra": "yes"},
            },
            {"name": "data", **local, "formats": ["json", "webp"], "cache": {"memory": memory}},
            {"name": "plain-class", "driver": _DISK_CLASS, "options": {"location": root}},
            {"name": "class-signed", "driver": _DISK_CLASS, "options": {"location": root}, **secrets},
            s3_storage("s3", s3),
            {**s3_storage("s3-signed", s3), **secrets},
            s3_storage("s3-closed", closed, CLOSED_BUCKET),
            s3_storage("s3-unavailable", store.url, "unavailable"),
            s3_storage("s3-denied", store.url, "denied"),
            s3_storage("s3-hang", store.url, "hang", limits={"fetch_seconds": 0.3}),
        ]
        in_sites = [{"name": "alias", "driver": "django", "alias": "photos"}]
        settings = {
            "STORAGES": {
                "default": {"BACKEND": _DISK_CLASS},
                "photos": {"BACKEND": _DISK_CLASS, "OPTIONS": {"location": root}},
            }
        }
        limits = {"renders": 1, "queue_length": 1}
        document = {"storages": storages, "limits": limits, "run_dir": str(directory / "run")}
        with servers.every_front(document, directory, only_in_sites=in_sites, settings=settings) as running:
            ports = [url.rpartition(":")[2] for url in (s3, closed, store.url)]
            canaries = (root, str(directory), BUCKET, CLOSED_BUCKET, SECRET, OLD_SECRET, ACCESS_KEY, *ports)
            yield Fronts(running, canaries)
