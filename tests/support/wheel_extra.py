"""`wheel_extra.py EXTRA ROOT`: what an extra of the distribution adds works in the environment that runs this script.

It imports nothing of the tests: only the wheel and the extra are installed where it runs. ROOT is an empty directory.
"""

import contextlib
import gzip
import http.server
import importlib
import io
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

SIZE = (90, 60)
WAIT_SECONDS = 120
NO_PROGRAM = 77  # the exit status where a server that the extra talks to is not installed
HOST = "127.0.0.1"


def site(root: Path, /, *, storage: dict[str, object] | None = None, **settings: Any) -> None:
    """Set Django up with one unsigned storage, by default the directory `root`, and run its checks."""
    import django  # noqa: PLC0415 - after `main` has looked at what is imported
    from django.conf import settings as django_settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    own: dict[str, object] = {"name": "here", "driver": "local", "root": str(root), "allowed_sizes": ["90x60"]}
    own |= {"cache": {"memory": {"enabled": True, "max_size_mb": 4}}} | (storage or {})
    if own["driver"] != "local":
        del own["root"]
    thumbs = {"STORAGES": [own], "RUN_DIR": str(root / "run"), **settings.pop("THUMBS", {})}
    django_settings.configure(
        INSTALLED_APPS=["thumbs"], ROOT_URLCONF="thumbs.urls", SECRET_KEY="x", THUMBS=thumbs, **settings
    )
    django.setup()
    call_command("check", fail_level="WARNING")


def got(name: str, *, filters: str = "", accept: str = "", layer: str = "source") -> tuple[str, bytes]:
    """The type and the body of a thumbnail, which has the size that was asked for and comes from `layer`."""
    from django.test import Client  # noqa: PLC0415 - after Django is set up

    answer = Client(headers={"accept": accept}).get(f"/here/thumbs/90x60/{filters and f'filters:{filters}/'}{name}")
    assert answer.status_code == 200, answer.content
    assert f'layer;desc="{layer}"' in answer["Server-Timing"], answer["Server-Timing"]
    return answer["Content-Type"], answer.content


def photo(root: Path) -> bytes:
    """A JPEG of 600 × 400 pixels, which is also `root/photo.jpg`."""
    import pyvips  # noqa: PLC0415 - not before the site has been checked without it

    noise = pyvips.Image.gaussnoise(600, 400, sigma=40, mean=128, seed=1).cast("uchar")
    body: bytes = noise.bandjoin([noise, noise.invert()]).copy(interpretation="srgb").write_to_buffer(".jpg", Q=90)
    (root / "photo.jpg").write_bytes(body)
    return body


# ------------------------------------------------------------------------------------------------- what is tried


def base(root: Path) -> None:
    site(root)
    photo(root)
    assert got("photo.jpg", filters="format(webp)")[0] == "image/webp"


def turbo(root: Path) -> None:
    site(root)
    data = photo(root)
    from thumbs.render.codecs import turbo as codec  # noqa: PLC0415 - it is what is tested

    calls: list[object] = []
    decode = codec.decode
    codec.decode = lambda *arguments: calls.append(decode(*arguments)) or calls[-1]  # type: ignore[func-returns-value]
    for output in ("jpeg", "webp"):
        assert got("photo.jpg", filters=f"format({output})")[0] == f"image/{output}"
    assert len(calls) == 2
    assert None not in calls
    assert decode(data[: len(data) // 2], (600, 400), 1) is None  # what is damaged is left to libvips


def jxl(root: Path) -> None:
    site(root, THUMBS={"INPUT_FORMATS": ["jpeg", "jxl"]})
    photo(root)
    kind, body = got("photo.jpg", filters="format(auto)", accept="image/jxl,image/avif,*/*")
    assert kind == "image/jxl", kind
    (root / "photo.jxl").write_bytes(body)
    assert got("photo.jxl", filters="format(png)")[0] == "image/png"


def heic(root: Path) -> None:
    site(root, THUMBS={"INPUT_FORMATS": ["jpeg", "heic"]})
    package: Any = importlib.import_module("pillow_heif")
    from PIL import Image  # noqa: PLC0415 - comes with it

    package.from_pillow(Image.open(io.BytesIO(photo(root)))).save(str(root / "photo.heic"))
    for output in ("png", "jpeg"):
        assert got("photo.heic", filters=f"format({output})")[0] == f"image/{output}"


def metrics(root: Path) -> None:
    site(root, THUMBS={"METRICS": True})
    photo(root)
    got("photo.jpg")
    from thumbs.wiring import build  # noqa: PLC0415 - after Django is set up

    assert b"mage_requests_total{" in build.metrics().exposition(None)[1]


def otel(root: Path) -> None:
    with collector() as (url, received):
        os.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        site(root, THUMBS={"TRACING": True})
        photo(root)
        got("photo.jpg")
        end = time.monotonic() + WAIT_SECONDS
        while not any(b"render" in body for body in received):
            assert time.monotonic() < end, "no span was sent"
            time.sleep(0.05)


def s3(root: Path) -> None:
    with bucket(photo(root)) as url:
        keys = {"bucket": "b", "base_url": url, "access_key": "a", "secret_key": "b"}
        site(root, storage={"driver": "s3", **keys})
        assert got("photo.jpg")[0] == "image/jpeg"


def storages(root: Path) -> None:
    with bucket(photo(root)) as url:
        options = {"bucket_name": "b", "endpoint_url": url, "access_key": "a", "secret_key": "b"}
        s3_storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        site(root, storage={"driver": "django", "alias": "bucket"}, STORAGES={"bucket": s3_storage})
        assert got("photo.jpg")[0] == "image/jpeg"


def memcached(root: Path) -> None:
    port = free_port()
    with program("memcached", "-l", HOST, "-p", str(port), "-U", "0", "-u", "root", port=port):
        options = {"connect_timeout": 0.5, "timeout": 0.5}
        _shared(root, "django.core.cache.backends.memcached.PyMemcacheCache", f"{HOST}:{port}", options)


def redis(root: Path) -> None:
    port = free_port()
    with program("redis-server", "--bind", HOST, "--port", str(port), "--save", "", "--dir", str(root), port=port):
        options = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
        _shared(root, "django.core.cache.backends.redis.RedisCache", f"redis://{HOST}:{port}", options)


def _shared(root: Path, backend: str, location: str, options: dict[str, float]) -> None:
    shared = {"BACKEND": backend, "LOCATION": location, "OPTIONS": options}
    own = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    site(root, storage={"cache": {"shared": {"alias": "shared"}}}, CACHES={"default": own, "shared": shared})
    photo(root)
    _, body = got("photo.jpg")
    assert got("photo.jpg", layer="shared")[1] == body


def server(root: Path) -> None:
    photo(root)
    port = free_port()
    storage = {"name": "here", "driver": "local", "root": str(root), "allowed_sizes": ["90x60"]}
    thumbs = {"STORAGES": [storage], "METRICS": True, "RUN_DIR": str(root / "run")}
    lines = {"INSTALLED_APPS": ["thumbs"], "SECRET_KEY": "x", "ROOT_URLCONF": "thumbs.urls", "THUMBS": thumbs}
    lines |= {"ASGI_APPLICATION": "shop_asgi.application"}
    application = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
    (root / "shop_asgi.py").write_text(application)
    (root / "shop.py").write_text("\n".join(f"{name} = {value!r}" for name, value in lines.items()))
    command = ["-m", "django", "run_thumb_server", "--settings", "shop", "--pythonpath", str(root)]
    command += ["--bind", f"{HOST}:{port}", "--workers", "1"]
    url = f"http://{HOST}:{port}/here/thumbs/90x60/photo.jpg"
    with program(sys.executable, *command, port=port), urllib.request.urlopen(url) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")


# ------------------------------------------------------------------------------------------------- servers


@contextlib.contextmanager
def bucket(body: bytes) -> Iterator[str]:
    """A service of one object, whatever its key, for reads as boto3 makes them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.send_response(200)
            for name, value in (
                ("Content-Length", str(len(body))),
                ("Content-Type", "image/jpeg"),
                ("ETag", '"1"'),
                ("Last-Modified", formatdate(1, usegmt=True)),
            ):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST, 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever, daemon=True)
        thread.start()
        yield f"http://{HOST}:{service.server_port}"
        service.shutdown()


@contextlib.contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A service that takes spans, and the bodies that it has got."""
    received: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST, 0), Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{service.server_port}", received
        service.shutdown()


@contextlib.contextmanager
def program(name: str, *arguments: str, port: int) -> Iterator[None]:
    """Run a server until the block ends, once it listens on `port`."""
    path = shutil.which(name)
    if path is None:
        sys.stdout.write(f"{name} is not installed\n")
        sys.exit(NO_PROGRAM)
    process = subprocess.Popen([path, *arguments], stdout=sys.stderr)
    try:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            assert process.poll() is None, f"{name} ended"
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                break
            assert time.monotonic() < end, f"{name} does not listen"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


TRIALS: dict[str, Callable[[Path], None]] = {
    trial.__name__: trial for trial in (base, turbo, jxl, heic, metrics, otel, s3, storages, memcached, redis, server)
}


def main(extra: str, root: str) -> None:
    assert "thumbs" not in sys.modules
    TRIALS[extra](Path(root))
    import thumbs  # noqa: PLC0415 - where it is imported from

    assert Path(thumbs.__file__ or "").is_relative_to(sys.prefix), thumbs.__file__
    sys.stdout.write(f"{extra} works\n")
    sys.stdout.flush()
    os._exit(0)  # threads of a render need not end


if __name__ == "__main__":
    main(*sys.argv[1:])
