"""Django storages on real servers: Google's and Azure's emulators, and Debian's sshd."""

import contextlib
import importlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import Storage

from tests.support import servers
from tests.support.servers import ROOT

# Stores a file under a name, and a function that opens the storage.
Put = Callable[[str, bytes], object]
Store = tuple[Put, Callable[[], Storage]]

_AZURITE = ROOT / "var/npm/node_modules/azurite/dist/src/blob/main.js"
# The account of azurite, which its documentation names.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def _skip(reason: str) -> None:
    if os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


def _module(name: str, package: str) -> Any:
    """A module that no extra of Mage installs."""
    try:
        return importlib.import_module(name)
    except ImportError:
        _skip(f"{package} is not installed: pip install {package}")


def google_storage(location: str) -> Storage:
    """The bucket `pictures` at `STORAGE_EMULATOR_HOST`."""
    credentials = _module("google.auth.credentials", "google-cloud-storage")
    backend = _module("storages.backends.gcloud", "google-cloud-storage")
    storage: Storage = backend.GoogleCloudStorage(
        bucket_name="pictures", project_id="mage", credentials=credentials.AnonymousCredentials(), location=location
    )
    return storage


@contextlib.contextmanager
def google(location: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A bucket of `gcp-storage-emulator`."""
    emulator = _module("gcp_storage_emulator.server", "gcp-storage-emulator")
    port = servers.free_port()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="pictures")
    server.start()

    bucket: Any = google_storage(location).bucket  # type: ignore[attr-defined]
    try:
        yield (
            lambda name, data: bucket.blob(f"{location}{name}").upload_from_string(data),
            lambda: google_storage(location),
        )
    finally:
        server.stop()


@contextlib.contextmanager
def azure(location: str, directory: Path) -> Iterator[Store]:
    """A container of azurite, of npm."""
    with azurite(directory) as connection:
        yield azure_container(location, connection, "pictures")


@contextlib.contextmanager
def azurite(directory: Path) -> Iterator[str]:
    """A server for any number of containers: its start takes a second. Gives what connects to it."""
    _module("storages.backends.azure_storage", "azure-storage-blob")
    if not _AZURITE.exists():
        _skip("azurite is not installed: npm install --prefix var/npm azurite@3")
    port, log = servers.free_port(), directory / "azurite.log"
    options = ("--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
    command = [servers.service("node"), str(_AZURITE), "--blobHost", "127.0.0.1", "--blobPort", str(port), *options]
    where = f"BlobEndpoint=http://127.0.0.1:{port}/{_ACCOUNT};"
    with servers.running(command, log=log) as process:
        servers.wait_for_port(port, process, log)
        yield f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};{where}"


def azure_container(location: str, connection: str, name: str) -> Store:
    """A new container of that server."""
    backend = _module("storages.backends.azure_storage", "azure-storage-blob")

    def opened() -> Storage:
        storage: Storage = backend.AzureStorage(connection_string=connection, azure_container=name, location=location)
        return storage

    container: Any = opened().client  # type: ignore[attr-defined]
    container.create_container()
    return lambda name, data: container.upload_blob(f"{location}{name}", data), opened


@contextlib.contextmanager
def sftp(directory: Path) -> Iterator[Store]:
    """A directory behind Debian's sshd, which serves nothing but SFTP, to this user and by a key."""
    backend = _module("storages.backends.sftpstorage", "paramiko")
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""
    if not program:
        _skip("sshd is not installed: apt-get install openssh-server")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd gives up its privileges
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(command, check=True)
    port, log, root = servers.free_port(), directory / "sshd.log", directory / "files"
    root.mkdir()
    lines = (
        *("ListenAddress 127.0.0.1", f"Port {port}", f"HostKey {directory}/host", "PidFile none"),
        *(f"AuthorizedKeysFile {directory}/client.pub", "StrictModes no", "UsePAM no", "PasswordAuthentication no"),
        *("Subsystem sftp internal-sftp", "ForceCommand internal-sftp", "PermitRootLogin prohibit-password"),
    )
    (directory / "sshd_config").write_text("\n".join(lines) + "\n")
    params = {
        "port": port,
        "username": pwd.getpwuid(os.getuid()).pw_name,
        "key_filename": str(directory / "client"),
        "allow_agent": False,
        "look_for_keys": False,
    }

    def put(name: str, data: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)

    def opened() -> Storage:
        storage: Storage = backend.SFTPStorage(
            host="127.0.0.1", root_path=str(root), params=params, known_host_file=str(directory / "known_hosts")
        )
        return storage

    with servers.running([program, "-D", "-e", "-f", str(directory / "sshd_config")], log=log) as process:
        servers.wait_for_port(port, process, log)
        yield put, opened
