"""What a storage accepts, signs and answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from thumbs.errors import BadFilter, NotOffered, SourceNotAllowed
from thumbs.http.messages import NEGOTIABLE, Headers
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import JSON
from thumbs.image.quality import QualityTable
from thumbs.image.transforms import NO_PADDING, ORIGINAL, Transform
from thumbs.request import grammar
from thumbs.request.grammar import Naming, Preset
from thumbs.request.signing import Signer


@dataclass(frozen=True, slots=True, eq=False)
class StoragePolicy:
    """What a storage accepts, signs and answers with. A set that is None allows everything.

    `watermarks` maps each name to a text that changes with the file. `render_proxy`: thumbnails may be rendered from a
    proxy of the original, which gives other bytes. `turbo`: libjpeg-turbo decodes, which may too. `encoders` names what
    writes each of the formats that not every server can write (`Format.extra`): others of this kind are not offered.
    `naming` is None where a path is the key of an original; no segment of it is longer than `max_segment_bytes`, 0 for
    no limit. `fallback` is the key of the original that is shown where another one is missing. `namespace` is a text in
    every cache key. Where an answer is not `keepable`, no cache may keep it. `private`: a client gets only what a check
    of the site allows. `cache_tag_header` is the header that names the original to a CDN.
    """

    name: str
    qualities: Mapping[str, QualityTable]
    output: OutputLimits
    signer: Signer | None = None
    sizes: frozenset[str] | None = None
    presets: Mapping[str, Preset] = field(default_factory=dict)
    presets_only: bool = False
    watermarks: Mapping[str, str] = field(default_factory=dict)
    encoding: Encoding = field(default_factory=Encoding)
    render_proxy: bool = False
    turbo: bool = False
    formats: frozenset[str] | None = None
    encoders: Mapping[str, str] = field(default_factory=dict)
    cache_control: str | None = None
    headers: Headers = ()
    namespace: str = ""
    keepable: bool = True
    private: bool = False
    naming: Naming | None = None
    max_segment_bytes: int = grammar.MAX_SEGMENT_BYTES
    fallback: str | None = None
    cache_tag_header: bytes | None = None

    def check(self, requested: Transform, transform: Transform, unnamed: Transform | None = None) -> None:
        """Raise `SizeOverLimit`, `NotOffered` or `BadFilter` for a thumbnail that this storage makes of no source.

        `requested` is the transform of the URL, `transform` the same with all defaults. `unnamed` is that of the URL
        without its download name, where it is of the same thumbnail.
        """
        self.output.check_target(transform)
        width, height = transform.target
        if self.presets_only and not (self.describes(requested) or (unnamed is not None and self.describes(unnamed))):
            raise NotOffered
        # Padding could turn an offered size into any other: it is never offered where sizes are a closed set.
        size = f"{width or ''}x{height or ''}" if transform.padding == NO_PADDING else "padded"
        if self.sizes is not None and size not in self.sizes:
            raise NotOffered
        if not self.offers(transform.format):
            raise NotOffered
        if transform.watermark is not None and transform.watermark.name not in self.watermarks:
            raise BadFilter("There is no watermark of this name.")

    def describes(self, requested: Transform) -> bool:
        """Whether a preset describes this transform of a URL, which may have a version besides."""
        return replace(requested, version=None) in (each.transform for each in self.presets.values())

    def offers(self, output: str | None) -> bool:
        """Whether the storage makes thumbnails of this format.

        The stored file is given only where the formats name it; data about it by an unsigned storage too: they may be
        more than is to be shown.
        """
        if self.formats is not None:
            return output in self.formats and not self.lacks(output)
        if output == JSON:
            return self.signer is not None
        return output != ORIGINAL and not self.lacks(output)

    @property
    def negotiable(self) -> tuple[str, ...]:
        """The formats that a client may choose by its `Accept` header, the best first."""
        return tuple(name for name in NEGOTIABLE if self.offers(name))

    def lacks(self, output: str | None) -> bool:
        """Whether nothing is installed that writes this format."""
        row = FORMATS.get(output or "")
        return row is not None and row.extra is not None and row.name not in self.encoders

    def key_of(self, path: str) -> str:
        """The key of the original that the decoded `path` of a URL names. Raises `BadPath` or `SourceNotAllowed`."""
        grammar.check_path(path, max_segment_bytes=self.max_segment_bytes)
        if self.naming is None:
            return path
        try:
            return self.naming.canonical(path)
        except ValueError:
            raise SourceNotAllowed from None

    def path_of(self, source: str, prefix: str = "") -> str:
        """The decoded path that names `source`, a path or a URL. Raises `SourceNotAllowed`.

        `prefix` is the start of it that chose this storage, which is no part of a key.
        """
        if self.naming is None:
            return source[len(prefix) :]
        try:
            return self.naming.path_behind(prefix, source) if prefix else self.naming.path(source)
        except ValueError:
            raise SourceNotAllowed from None

    def file_name(self, path: str) -> str:
        """The part of a decoded path whose extension is that of the file."""
        return path if self.naming is None else self.naming.named(path)
