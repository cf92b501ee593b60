"""The extras of the distribution: what each one installs, and the error where the configuration needs a missing one."""

from collections.abc import Iterator
from importlib.util import find_spec

from thumbs.problems import Problem

DISTRIBUTION = "mage-thumbs"
MISSING_EXTRA = "thumbs.E021"
MISSING_OTEL = "thumbs.E045"
# The packages that each extra of pyproject.toml installs, by the name that they are imported with.
PACKAGES = {
    "s3": ("boto3", "urllib3"),
    "storages": ("storages",),
    "memcached": ("pymemcache",),
    "redis": ("redis",),
    "metrics": ("prometheus_client",),
    "server": ("gunicorn",),
    "turbo": ("simplejpeg", "numpy"),
    "jxl": ("imagecodecs",),
    "heic": ("pillow_heif",),
    # Other packages install `opentelemetry` alone, which is only the API.
    "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
}
# Not in the extra `all`: the wheels of pillow-heif hold x265, and so are under the GPL as a whole.
SEPARATE = ("heic",)
# Other packages that come with one of these.
_ALONG = {"botocore": "s3", "s3transfer": "s3", "opentelemetry": "otel"}


def is_installed(extra: str) -> bool:
    """Whether all packages of `extra` can be found. Nothing is imported."""
    return all(map(is_found, PACKAGES[extra]))


def command(*extras: str) -> str:
    """What installs `extras`."""
    return f'pip install "{DISTRIBUTION}[{",".join(extras)}]"'


def missing(where: str, needed_by: str, *extras: str) -> Iterator[Problem]:
    """The problem at the key `where`, where `needed_by` needs `extras` and one of them is not installed."""
    absent = [extra for extra in extras if not is_installed(extra)]
    if absent:
        problem = MISSING_OTEL if "otel" in absent else MISSING_EXTRA
        yield Problem(problem, where, sentence(needed_by, *absent), f"Run: {command(*absent)}")


def sentence(needed_by: str, *extras: str) -> str:
    """That `needed_by` needs the packages of `extras`."""
    packages = [name for extra in extras for name in PACKAGES[extra] if not is_found(name)]
    are = "which is" if len(packages) == 1 else "which are"
    return f"{needed_by} needs {' and '.join(packages)}, {are} not installed."


def extras_behind(error: BaseException) -> tuple[str, ...]:
    """The extras whose packages `error` misses: that of the ImportError in its chain. Empty if it is another error."""
    by_package = {package: extra for extra, packages in PACKAGES.items() for package in packages} | _ALONG
    current: BaseException | None = error
    while current is not None:
        if isinstance(current, ImportError):
            extra = by_package.get((current.name or "").partition(".")[0])
            if extra is not None and not is_installed(extra):
                return (extra,)
        current = current.__cause__ or current.__context__
    return ()


def is_found(package: str) -> bool:
    """Whether `package` can be found. Of a dotted name, the packages above it are imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a package without a spec, as a test or a frozen program may have
        return False
