"""The manifests are valid, fit each other and the image, and start a server that works as they say."""

import contextlib
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import thumbs
from tests.support import servers
from tests.support.deployed import DEPLOY, swapped
from tests.support.documented_install import install
from tests.support.fronts import SECRET, signature
from tests.support.image_steps import MAGE_UID
from tests.support.monitoring import adapter_rule
from tests.support.processes import descendants
from tests.support.servers import ROOT, Server
from tests.support.waiting import WAIT_SECONDS, eventually

FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS: list[dict[str, Any]] = [each for path in FILES for each in yaml.safe_load_all(path.read_text())]
IDS = [f"{each['kind']} {each['metadata']['name']}" for each in MANIFESTS]
OLDEST = "1.29"


def manifest(kind: str, name: str = "mage") -> dict[str, Any]:
    (found,) = (each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


POD: dict[str, Any] = manifest("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def configuration() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(manifest("ConfigMap")["data"]["storages.json"])
    return read


def mounts() -> dict[str, dict[str, Any]]:
    """The volumes by the paths where the container has them."""
    volumes = {each["name"]: each for each in POD["volumes"]}
    assert set(volumes) == {each["name"] for each in CONTAINER["volumeMounts"]}
    return {each["mountPath"]: volumes[each["name"]] for each in CONTAINER["volumeMounts"]}


def mebibytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


# ------------------------------------------------------------------------------------------ the files


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_every_manifest_is_valid(version: str) -> None:
    for each in MANIFESTS:
        assert version.startswith(kubernetes_validate.validate(each, version, strict=True))


def test_a_manifest_with_a_wrong_key_or_type_is_not() -> None:
    for change in ({"replica": 2}, {"replicas": "two"}):
        wrong = copy.deepcopy(manifest("Deployment"))
        wrong["spec"] |= change
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, OLDEST, strict=True)


def test_there_is_all_that_a_deployment_needs() -> None:
    assert sorted(IDS) == [
        "ConfigMap mage",
        "Deployment mage",
        "Deployment mage-memcached",
        "HorizontalPodAutoscaler mage",
        "PodDisruptionBudget mage",
        "Service mage",
        "Service mage-memcached",
    ]


@pytest.mark.parametrize("name", ["mage", "mage-memcached"])
def test_services_and_budgets_select_the_pods_and_their_ports(name: str) -> None:
    deployment, service = manifest("Deployment", name)["spec"], manifest("Service", name)["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert service["selector"].items() <= labels.items()
    (container,) = deployment["template"]["spec"]["containers"]
    assert {port["targetPort"] for port in service["ports"]} <= {port["name"] for port in container["ports"]}
    if name == "mage":
        for selector in (
            manifest("PodDisruptionBudget")["spec"]["selector"],
            POD["topologySpreadConstraints"][0]["labelSelector"],
        ):
            assert selector["matchLabels"].items() <= labels.items()


def test_the_autoscaler_has_pods_to_spare_and_a_metric_that_the_adapter_gives() -> None:
    spec = manifest("HorizontalPodAutoscaler")["spec"]
    target = spec["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "mage")
    assert "replicas" not in manifest("Deployment")["spec"]  # each `kubectl apply` would set them again
    assert spec["minReplicas"] > manifest("PodDisruptionBudget")["spec"]["maxUnavailable"]
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] == adapter_rule()["name"]["as"]


def test_the_deployment_fits_the_image() -> None:
    image = dict(re.findall(r"(\w+)=(\S+)", DOCKERFILE.partition("\nENV ")[2].partition("\nUSER ")[0]))
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == image["PORT"]
    assert CONTAINER["image"].endswith(f":{thumbs.__version__}")
    assert not {"command", "args"} & set(CONTAINER)  # the image's own
    assert POD["securityContext"]["runAsUser"] == MAGE_UID
    assert f"--uid {MAGE_UID} " in DOCKERFILE
    assert image["STORAGES_CONFIG_SEARCH"] == "/etc/mage/storages.json"
    assert mounts()["/etc/mage"]["configMap"] == {"name": manifest("ConfigMap")["metadata"]["name"]}
    annotations = manifest("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == image["PORT"]
    assert annotations["prometheus.io/path"] == "/metrics"


def test_every_variable_of_the_configuration_is_set_and_secrets_come_from_the_secret() -> None:
    variables = {each["name"]: each for each in CONTAINER["env"]}
    assert set(re.findall(r"\$\{(\w+)\}", json.dumps(configuration()))) <= set(variables)
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY", "PICTURES_SECRET"):
        assert variables[name]["valueFrom"] == {"secretKeyRef": {"name": "mage", "key": name}}
    texts = [(DEPLOY / "kubernetes/deployment.yaml").read_text(), (ROOT / "docs/deployment.md").read_text()]
    for text in texts:
        command = text[text.index("kubectl create secret generic mage") :].partition("\n\n")[0]
        made = set(re.findall(r"--from-literal=(\w+)=", command))
        assert made == {name for name, each in variables.items() if "valueFrom" in each}


def test_everything_that_the_server_writes_is_below_a_volume_with_room_for_it() -> None:
    read = configuration()
    disks = [storage["cache"]["disk"] for storage in read["storages"]]
    (cache,) = (volume for path, volume in mounts().items() if path == "/var/cache/mage")
    for directory in (read["run_dir"], *(disk["dir"] for disk in disks)):
        # The mount itself is writable by all, so Mage would refuse it.
        assert Path(directory).parent == Path("/var/cache/mage")
    room = mebibytes(cache["emptyDir"]["sizeLimit"])
    assert sum(disk["max_size_mb"] for disk in disks) < room
    requests, limits = CONTAINER["resources"]["requests"], CONTAINER["resources"]["limits"]
    assert room <= mebibytes(requests["ephemeral-storage"]) < mebibytes(limits["ephemeral-storage"])
    tmp = mounts()["/tmp"]["emptyDir"]
    assert tmp["medium"] == "Memory"
    assert mebibytes(tmp["sizeLimit"]) < mebibytes(limits["memory"]) // 8


def test_the_configuration_finds_memcached() -> None:
    (service,) = manifest("Service", "mage-memcached")["spec"]["ports"]
    assert configuration()["caches"]["fleet"]["location"] == f"mage-memcached:{service['port']}"


def test_a_pod_gets_the_time_that_it_takes_to_stop() -> None:
    command = (ROOT / "thumbs" / "management" / "commands" / "run_thumb_server.py").read_text()
    supervisor = (ROOT / "thumbs" / "server" / "supervisor.py").read_text()
    graceful = int(re.findall(r'"--graceful-timeout", "(\d+)"', command)[0])
    janitor = float(re.findall(r"_GRACE_SECONDS = ([\d.]+)", supervisor)[0])
    sleep, seconds = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    assert POD["terminationGracePeriodSeconds"] > int(seconds) + graceful + janitor


@pytest.mark.parametrize("name", ["mage", "mage-memcached"])
def test_pods_run_with_as_little_as_the_restricted_standard_allows(name: str) -> None:
    spec = manifest("Deployment", name)["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def test_the_commented_pod_monitor_finds_the_pods() -> None:
    text = (DEPLOY / "kubernetes" / "deployment.yaml").read_text()
    block = text[text.index("# apiVersion: monitoring.coreos.com") :]
    monitor = yaml.safe_load(re.sub(r"^# ?", "", block, flags=re.MULTILINE))
    labels = manifest("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["spec"]["jobLabel"]] == "mage"  # alerts and dashboard select this job
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in CONTAINER["ports"]}


# ----------------------------------------------------------------------------------------- the server


@dataclass(frozen=True)
class Started:
    """What the manifests start: the server, and the directories that stand for its volumes."""

    server: Server
    cache: Path
    tmp: Path


def _may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    steps = "mount --make-rprivate / && mount -t tmpfs mnt /mnt && mknod /mnt/null c 1 3 && mount -o bind,remount,ro /"
    command = ["unshare", "--mount", "sh", "-c", steps]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _confined(command: list[str], writable: list[Path], devices: Path) -> list[str]:
    """`command` as the pod runs it: no capabilities, no more privileges, user 10001, and a read-only root.

    Where other users may not use this Python, it stays root without capabilities. Where this process may not mount,
    the root is as it is.
    """
    python = Path(sys.executable).resolve()
    usable = all(place.stat().st_mode & 0o001 for place in (python, *python.parents))
    account = ["--reuid", str(MAGE_UID), "--regid", str(MAGE_UID), "--clear-groups"] if usable else []
    dropped = ["setpriv", *account, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *command]
    if os.getuid() != 0:
        return command
    if not _may_mount():
        return dropped
    null = f"{devices}/null"  # a container has devices of its own, which every user may open
    steps = ["mount --make-rprivate /", f"mount -t tmpfs -o mode=755 devices {devices}", f"mknod -m 666 {null} c 1 3"]
    steps += [f"mount --bind {null} /dev/null", *(f"mount --bind {path} {path}" for path in writable)]
    script = " && ".join((*steps, "mount -o bind,remount,ro /", 'exec "$@"'))
    return ["unshare", "--mount", "sh", "-c", script, "sh", *dropped]


@pytest.fixture(scope="module", params=[0o777, 0o2777], ids=["emptyDir", "emptyDir with fsGroup"])
def started(
    request: pytest.FixtureRequest, originals: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    logs = tmp_path_factory.mktemp("pod")
    with contextlib.ExitStack() as stack:
        # Not pytest's directory, which only its owner may enter.
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pod-")))
        root.chmod(0o755)
        install(root)
        (root / "dev").mkdir()
        volumes = {path: root / path.strip("/") for path in mounts()}
        for path, directory in volumes.items():
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o755 if "configMap" in mounts()[path] else request.param)
        moto, memcached = (stack.enter_context(each(logs)) for each in (servers.moto, servers.memcached))
        values = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "PICTURES_SECRET": SECRET}
        environ = {each["name"]: each.get("value") or values[each["name"]] for each in CONTAINER["env"]}
        environ["S3_ENDPOINT"] = f"http://127.0.0.1:{moto}"
        _fill(environ, originals / "quarters.jpg")
        swaps = {"/var/cache/mage": str(volumes["/var/cache/mage"]), "mage-memcached:11211": f"127.0.0.1:{memcached}"}
        swaps["0.05"] = "10"  # for a machine that is busy with other tests
        config = volumes["/etc/mage"] / "storages.json"
        config.write_text(swapped(manifest("ConfigMap")["data"]["storages.json"], swaps))
        port, log = servers.free_port(), logs / "server.log"
        environ |= {"STORAGES_CONFIG_SEARCH": str(config), "PORT": str(port), "TMPDIR": str(volumes["/tmp"])}
        environ |= {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": CONTAINER["resources"]["limits"]["cpu"]}
        environ |= {"PYTHONUNBUFFERED": "1"}
        command = json.loads(re.findall(r"^CMD (\[.*\])", DOCKERFILE, re.MULTILINE)[0])
        written = [volumes["/var/cache/mage"], volumes["/tmp"]]
        confined = _confined([sys.executable, *command[1:]], written, root / "dev")
        with servers.running(confined, log=log, environ=environ, directory=root / "opt/mage/app") as process:
            servers.wait_for_port(port, process, log)
            yield Started(Server("pod", port, process, log), *written)


def _fill(environ: dict[str, str], picture: Path) -> None:
    """Make the bucket of the configuration, with a picture."""
    import boto3  # noqa: PLC0415 - with its extra

    client = boto3.client(
        "s3",
        endpoint_url=environ["S3_ENDPOINT"],
        region_name="eu-central-1",
        aws_access_key_id=environ["S3_ACCESS_KEY"],
        aws_secret_access_key=environ["S3_SECRET_KEY"],
    )
    (storage,) = configuration()["storages"]
    client.create_bucket(Bucket=storage["bucket"], CreateBucketConfiguration={"LocationConstraint": storage["region"]})
    client.put_object(Bucket=storage["bucket"], Key="tom.jpg", Body=picture.read_bytes())


@pytest.mark.slow
def test_what_the_manifests_start_answers_probes_pictures_and_prometheus_and_stops(started: Started) -> None:
    server = started.server
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = CONTAINER[probe]["httpGet"]["path"].removeprefix("/")
        eventually(lambda path=path: server.get(path).status == 200)  # type: ignore[misc]
    path = f"pictures/thumbs/{signature('/pictures/thumbs/400x300/tom.jpg')}/400x300/tom.jpg"
    answers = [server.get(path) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], (answers, server.log.read_text())
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT"]
    assert list((started.cache / "pictures").rglob("*"))
    for name in ("pictures", "run"):
        assert (started.cache / name).stat().st_mode & 0o777 == 0o700
    eventually(lambda: json.loads(server.get("ready").body)["storages"] == {"pictures": "reachable"})
    ready = json.loads(server.get("ready").body)
    assert ready["caches"] == {"pictures": {"memory": True, "disk": True, "shared": True}}
    assert ready["isolation"]["process"]
    assert ready["isolation"]["seccomp"]
    assert b"mage_workers 2.0" in server.get("metrics").body
    assert any(started.tmp.iterdir())  # the counts of the workers
    for line in server.log.read_text().splitlines():
        assert isinstance(json.loads(line), dict)  # LOG_FORMAT
    _check_confinement(server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WAIT_SECONDS) == 0, server.log.read_text()


def _check_confinement(server: Server) -> None:
    if os.getuid() != 0:
        return
    for pid in (server.process.pid, *descendants(server.process.pid)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = dict(
                line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
            )
            if _may_mount():
                assert " / / ro," in Path(f"/proc/{pid}/mountinfo").read_text()
            assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"]) == (0, 0, "1")
