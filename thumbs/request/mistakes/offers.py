"""Finds what a storage does not offer of a thumbnail, and filters that do not go together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from thumbs.errors import SizeOverLimit
from thumbs.image.formats import FORMATS, OUTPUT_NAMES
from thumbs.image.outputs import JSON, usual_extension
from thumbs.image.transforms import AUTO, NO_PADDING, ORIGINAL, Color, Transform
from thumbs.problems import closest, nearest
from thumbs.request.filters import build_filters
from thumbs.request.grammar import Preset
from thumbs.request.mistakes import sizes
from thumbs.request.mistakes.keys import extension_of
from thumbs.request.mistakes.located import Mistake, Span
from thumbs.request.mistakes.wanted import Wanted
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import NOT_FOR_DATA, keeps_one_frame, output_without_format, without_name

_ANIMATED = ("webp", "gif")
_UNSIGNED = "URLs of this storage are not signed, and its formats do not name json."
_ALPHA = ", ".join(name for name, row in FORMATS.items() if row.alpha and row.output)


def offer_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """All that is wrong with the parts together, and with what the storage offers."""
    yield from _unknown_names(wanted)
    yield from _expired(wanted)
    yield from _two_formats(wanted)
    yield from _data_mistakes(wanted)
    yield from _output_mistakes(wanted)
    yield from _frames_mistakes(wanted)
    yield from _size_mistakes(wanted)
    yield from _preset_mistakes(wanted)


def _unknown_names(wanted: Wanted) -> Iterator[Mistake]:
    preset = wanted.parts.named("preset")
    if preset is not None and preset.fields is not None and wanted.presets is not None:
        yield from _unknown("preset", preset.arguments, str(preset.fields["preset"]), wanted.presets)
    watermark = wanted.transform.watermark
    if watermark is not None and wanted.policy is not None:
        span = wanted.source_of("watermark").partition(",")[0]
        yield from _unknown("watermark", span, watermark.name, wanted.policy.watermarks)


def _unknown(kind: str, span: Span, name: str, known: Mapping[str, object]) -> Iterator[Mistake]:
    if name not in known:
        near = closest(name, known) if span.text.lower() == name else ""
        hint = "" if near else f" {nearest(name, known)}" if known else " There are none."
        yield span.mistake(f"There is no {kind} {name!r}.{hint}", near)


def _expired(wanted: Wanted) -> Iterator[Mistake]:
    expires = wanted.parts.fields.get("expires")
    if wanted.now is not None and isinstance(expires, int) and expires <= wanted.now:
        yield wanted.source_of("expires").mistake("This time has passed: the URL has expired.")


def _two_formats(wanted: Wanted) -> Iterator[Mistake]:
    """A download name whose extension names another format than the filters."""
    output, named = wanted.transform.format, wanted.named_format
    if wanted.name is None or named is None or output == named:
        return
    if output == ORIGINAL:
        yield wanted.name.mistake("The stored file has its own format: it is not served under a download name.")
        return
    if output == AUTO:
        sentence = f"With a download name, the format is that of its extension, here {named}, and not auto."
        yield wanted.mistake_in("format", sentence, named)
        return
    extension = extension_of(wanted.name)
    span = wanted.name if extension is None else extension
    near = usual_extension(str(output))
    yield span.mistake(f"The format is {output}, and this extension names {named}.", near)


def _data_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """Data about a picture beside what only a picture has, data that are not asked for, or not offered."""
    transform, policy = wanted.transform, wanted.policy
    if transform.format != JSON:
        # What is not known may be the format.
        if transform.data and wanted.parts.complete and not wanted.lacks_preset:
            yield wanted.source_of("data").mistake("data needs format(json).")
        return
    for name in NOT_FOR_DATA:
        if getattr(transform, name) is not None:
            yield wanted.source_of(name).mistake(f"format(json) makes no picture: {name} does not go with it.")
    if policy is None or policy.offers(JSON):
        return
    if policy.formats is None:
        yield _not_offered(wanted, JSON, [], sentence=_UNSIGNED)
    else:
        yield _not_offered(wanted, JSON, [name for name in FORMATS if name in policy.formats])


def _output_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """An output format that the storage does not offer, or that cannot be transparent where a color is."""
    transform = wanted.transform
    output = transform.format
    if output == ORIGINAL:
        yield from _original_mistakes(wanted)
        return
    if output is None and wanted.key and wanted.key.text:
        name = wanted.key.text if wanted.policy is None else wanted.policy.file_name(wanted.key.text)
        output = output_without_format(transform, name, wanted.policy)
    offered = _offered(wanted)
    transparent = [name for name in ("fill", "background") if _is_transparent(getattr(transform, name))]
    if output == JSON:
        return
    if output in (None, AUTO):
        possible = [name for name in FORMATS if FORMATS[name].output and (offered is None or name in offered)]
        if not possible:
            yield wanted.source_of("format").mistake("This storage offers no format at all.")
        elif not any(FORMATS[name].alpha for name in possible):
            sentence = f"Of the formats of this storage, {', '.join(possible)}, none can be transparent."
            yield from (wanted.source_of(name).mistake(sentence) for name in transparent)
        return
    if not FORMATS[output].alpha:
        sentence = f"A transparent color needs an output format that can be transparent: {_ALPHA}. Here it is {output}."
        yield from (wanted.source_of(name).mistake(sentence) for name in transparent)
    if offered is not None and output not in offered:
        possible = [name for name in (*FORMATS, JSON) if name in offered]
        possible.sort(key=lambda name: bool(transparent) > _may_be_transparent(name))
        yield _not_offered(wanted, output, possible)


def _may_be_transparent(output: str) -> bool:
    return output == JSON or FORMATS[output].alpha


def _original_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """The stored file, where it is not offered, or with a size or filters, which would change it."""
    transform, policy = wanted.transform, wanted.policy
    if policy is not None and not policy.offers(ORIGINAL):
        sentence = "This storage does not offer the stored file: its formats in the configuration must name original."
        yield wanted.source_of("format").mistake(sentence)
    if transform != Transform(format=ORIGINAL, version=transform.version):
        sentence = "The stored file has no size but x and no filter but version and expires: nothing of it is changed."
        yield wanted.head.mistake(sentence)


def _offered(wanted: Wanted) -> frozenset[str] | None:
    """What `format` may name at the storage; None where no storage is known."""
    policy = wanted.policy
    if policy is None:
        return None
    return frozenset(name for name in (*OUTPUT_NAMES.values(), JSON) if policy.offers(name))


def _is_transparent(color: Color | None) -> bool:
    return color is not None and color.alpha == 0


def _not_offered(wanted: Wanted, output: str, offered: list[str], *, sentence: str = "") -> Mistake:
    near = next((name for name in offered if name != JSON), "")
    sentence = sentence or f"This storage does not offer {output}, only {', '.join(offered) or 'no format at all'}."
    if "format" in wanted.parts.fields:
        return wanted.mistake_in("format", sentence, near)
    if wanted.preset is not None and "format" in wanted.preset.fields:
        return wanted.source_of("format").mistake(sentence)
    extension = None if wanted.name is None else extension_of(wanted.name)
    if extension is not None:
        return extension.mistake(sentence, usual_extension(near) if near else "")
    sentence = f"Without a format filter, a thumbnail of this original is {output}. {sentence}"
    head, size = wanted.head, wanted.size
    if not near or not head.text or size.offset > head.offset:  # nor is there a place for a filter
        return head.last().mistake(sentence)
    before = "" if head.text.endswith((":", ";")) else ";" if head.end > size.end else "/filters:"
    return head.last().mistake(sentence, f"{before}format({near})")


def _frames_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """More than one frame in a format that is never animated."""
    transform = wanted.transform
    output = transform.format
    if transform.frames == 1 or output in (None, AUTO, JSON, ORIGINAL) or not keeps_one_frame(str(output)):
        return
    offered = _offered(wanted)
    animated = [name for name in _ANIMATED if offered is None or name in offered]
    sentence = f"More than one frame needs an animated output format: {' or '.join(_ANIMATED)}. Here it is {output}."
    if "format" in wanted.parts.fields and animated and wanted.named_format is None:
        yield wanted.mistake_in("format", sentence, animated[0])
    elif "frames" in wanted.parts.fields:
        yield wanted.mistake_in("frames", sentence, "first")
    else:
        yield wanted.source_of("frames").mistake(sentence)


def _size_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """A size over the limits, or one that the storage does not offer."""
    policy, transform = wanted.policy, wanted.transform
    if policy is None or wanted.sides is None or wanted.lacks_preset:
        return
    own = wanted.sides != (None, None) or wanted.preset is None
    size = wanted.size if own else wanted.source_of("preset")
    sides, dpr = (transform.width, transform.height), transform.dpr
    try:
        policy.output.check_target(transform)
    except SizeOverLimit:
        sentence, near = sizes.over_limit(sides, dpr, policy.output)
        if policy.sizes is not None:
            near = sizes.nearest_offered(sides, policy.sizes, dpr)
        yield size.mistake(sentence, near if own else "")
        return
    if policy.sizes is None:
        return
    if transform.padding != NO_PADDING:
        yield wanted.source_of("padding").mistake("This storage offers a closed set of sizes, so it makes no padding.")
    width, height = transform.target
    if f"{width or ''}x{height or ''}" not in policy.sizes:
        times = f"With dpr {dpr:g}, this is {width or ''}x{height or ''}. " if dpr != 1 else ""
        near = sizes.nearest_offered(sides, policy.sizes, dpr)
        sentence = f"{times}This storage offers only the sizes {', '.join(sorted(policy.sizes))}."
        yield size.mistake(sentence, near if own else "")


def _preset_mistakes(wanted: Wanted) -> Iterator[Mistake]:
    """A thumbnail that is none of the presets of a storage that makes no other."""
    policy = wanted.policy
    if policy is None or not policy.presets_only or wanted.sides is None or wanted.lacks_preset:
        return
    if not wanted.parts.complete:  # what is not known may be what a preset says
        return
    asked = replace(wanted.transform, version=None)
    unnamed = _without_name(wanted, policy)
    if policy.describes(asked) or (unnamed is not None and policy.describes(unnamed)):
        return
    sentence = f"This storage makes only what its presets say: {', '.join(sorted(policy.presets)) or 'there are none'}."
    named = wanted.named_format is not None and "format" not in wanted.parts.fields
    if named and wanted.name is not None and policy.describes(replace(asked, format=None)):
        yield wanted.name.mistake(f"{sentence} With this name, the format is {wanted.named_format}.")
        return
    part = wanted.parts.named("preset")
    name = str((part.fields or {}).get("preset", "")) if part is not None else ""
    near = name if name in policy.presets else closest(name, policy.presets) or _most_alike(asked, policy.presets)
    yield wanted.head.mistake(sentence, _as_preset(wanted, near) if near else "")


def _without_name(wanted: Wanted, policy: StoragePolicy) -> Transform | None:
    """What is asked for without the download name, where that is the same thumbnail."""
    if wanted.named_format is None or wanted.key is None or not wanted.key.text:
        return None
    return without_name(wanted.transform, policy.file_name(wanted.key.text), policy)


def _most_alike(asked: Transform, presets: Mapping[str, Preset]) -> str:
    """The name of the preset whose canonical text is most like that of `asked`."""
    texts = {_canonical(each.transform): name for name, each in presets.items()}
    return texts.get(closest(_canonical(asked), texts), "")


def _canonical(transform: Transform) -> str:
    return f"{transform.width or ''}x{transform.height or ''}/{build_filters(transform)}"


def _as_preset(wanted: Wanted, name: str) -> str:
    """The preset, with what may be added to it."""
    kept = [part.whole.text for part in wanted.parts.filters if part.row.name in ("version", "expires")]
    return f"x/filters:{';'.join((f'preset({name})', *kept))}" if wanted.url else " ".join((name, *kept))
