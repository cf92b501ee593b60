"""Reads the dialects of a document, and finds what is wrong with them: alone, with each other, with the storages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from thumbs.conf.dialects import KEYS_OF, UNSIGNED, DialectConf
from thumbs.conf.document import DocumentConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.rules import MISPLACED, SIGNATURE_SHORT
from thumbs.errors import BadRequest
from thumbs.problems import INCOMPLETE, WRONG_VALUE, Problem, nearest
from thumbs.request.dialects.dialect import IMAGOR, IMGPROXY, THUMBOR
from thumbs.request.dialects.imgproxy_options import apply_presets
from thumbs.request.dialects.imgproxy_values import Options

SAME_PATH = "thumbs.E035"
UNSIGNED_DIALECT = "thumbs.E036"
_MINIMUM_LENGTH = 8  # characters, of 6 bits each: a forger has to try each signature in a request

_NO_HEX = "must be hex digits, as in IMGPROXY_KEY and IMGPROXY_SALT."
_WITH_COMMAS = "must be a list of hex digits, one value for each pair, not values with commas between them."
_DEFAULTS = {each.name: each.default for each in fields(DialectConf)}


def dialects_of(
    document: DocumentConf, storages: Sequence[StorageConf], problems: list[Problem]
) -> tuple[DialectConf, ...]:
    """The dialects of `document`. What is wrong with them is added to `problems`."""
    found: list[DialectConf] = []
    for number, item in enumerate(document.dialects or ()):
        where = f"dialects[{_label(item, number)}]"
        before = len(problems)
        conf = read(DialectConf, item, where, problems)
        if len(problems) == before:
            problems.extend(problem.within(where) for problem in _problems(conf, document, storages))
        if any(conf.path == other.path for other in found):
            problems.append(Problem(SAME_PATH, f"{where}.path", f"is that of another dialect: {conf.path}"))
        elif len(problems) == before:
            found.append(conf)
    return tuple(found)


def _label(item: object, number: int) -> object:
    path = item.get("path") if isinstance(item, Mapping) else None
    return path if isinstance(path, str) else number


def _problems(conf: DialectConf, document: DocumentConf, storages: Sequence[StorageConf]) -> Iterator[Problem]:
    yield from _misplaced(conf)
    yield from _sources(conf, {storage.name: storage for storage in storages})
    if conf.dialect == IMGPROXY:
        yield from _keys_of_imgproxy(conf)
        yield from _presets(conf)
    yield from _signature_is_long_enough(conf)
    if conf.dialect in UNSIGNED and conf.key:
        yield Problem(MISPLACED, "key", f"is of no use: URLs of {conf.dialect} have no signature.")
    if conf.dialect in (THUMBOR, IMAGOR) and conf.unsafe and not conf.key:
        yield Problem(INCOMPLETE, "unsafe", "has no effect without a key: no URL is signed then.")
    if conf.watermark is not None and conf.watermark not in document.watermarks:
        hint = nearest(conf.watermark, document.watermarks) if document.watermarks else 'Set "watermarks".'
        yield Problem(WRONG_VALUE, "watermark", "must be the name of a watermark of this configuration.", hint)


def _misplaced(conf: DialectConf) -> Iterator[Problem]:
    for name, owners in KEYS_OF.items():
        value = getattr(conf, name)
        if conf.dialect not in owners and value and value != _DEFAULTS[name]:
            yield Problem(MISPLACED, name, f"is a key of {' and '.join(owners)}, and this dialect is {conf.dialect}.")


def _sources(conf: DialectConf, storages: Mapping[str, StorageConf]) -> Iterator[Problem]:
    if not conf.sources:
        yield Problem(INCOMPLETE, "sources", "names no storage: there is nothing to serve.")
    for prefix, name in conf.sources.items():
        where = f"sources[{prefix}]"
        storage = storages.get(name)
        if storage is None:
            yield Problem(WRONG_VALUE, where, "must be the name of a storage.", nearest(name, storages))
        elif storage.private:
            yield Problem(INCOMPLETE, where, f"is storage {name}, which is private: only a view of the site serves it.")
        elif storage.signature_secret_key and not conf.is_signed:
            sentence = (
                f"is storage {name}, which has a signature_secret_key, and URLs of this dialect need no signature."
            )
            yield Problem(UNSIGNED_DIALECT, where, sentence, _remedy(conf, name))


def _remedy(conf: DialectConf, name: str) -> str:
    if conf.dialect in UNSIGNED:
        return f"URLs of {conf.dialect} are never signed. Give it a storage of its own, with allowed_sizes."
    if conf.unsafe:
        return 'Remove "unsafe", or the signature_secret_key of the storage.'
    return f'Set "key" of the dialect, or give it another storage than {name}, with allowed_sizes.'


def _keys_of_imgproxy(conf: DialectConf) -> Iterator[Problem]:
    for name in ("key", "salt"):
        for value in getattr(conf, name):
            try:
                bytes.fromhex("" if value.startswith("${") else value)  # an absent variable is a problem of its own
            except ValueError:
                yield Problem(WRONG_VALUE, name, _WITH_COMMAS if "," in value else _NO_HEX)
    if len(conf.key) != len(conf.salt):
        yield Problem(INCOMPLETE, "salt", f"has {len(conf.salt)} values, and key {len(conf.key)}: each key needs one.")


def _signature_is_long_enough(conf: DialectConf) -> Iterator[Problem]:
    """It may be shorter than one of our own: the URLs of the other server are in use, with their length."""
    if not conf.key or conf.dialect in UNSIGNED or conf.signature_characters >= _MINIMUM_LENGTH:
        return
    if conf.dialect == IMGPROXY:
        sentence = f"must be at least {_MINIMUM_LENGTH * 6 // 8}: shorter signatures can be guessed."
        yield Problem(SIGNATURE_SHORT, "signature_size", sentence)
    elif 0 < conf.signature_length < _MINIMUM_LENGTH:
        sentence = f"must be at least {_MINIMUM_LENGTH}: shorter signatures can be guessed."
        yield Problem(SIGNATURE_SHORT, "signature_length", sentence)
    else:
        sentence = f"must leave at least {_MINIMUM_LENGTH} characters of the digest: shorter signatures can be guessed."
        yield Problem(SIGNATURE_SHORT, "signature_start", sentence)


def _presets(conf: DialectConf) -> Iterator[Problem]:
    for name in conf.presets:
        options = Options()
        try:
            apply_presets(options, [name], conf.presets)
        except BadRequest as error:
            yield Problem(WRONG_VALUE, f"presets[{name}]", f"must be options as in a URL. {error.detail}")
        if options.cachebuster:  # URLs that have none would be immutable
            yield Problem(WRONG_VALUE, f"presets[{name}]", "must be options without cachebuster: it belongs in a URL.")
    if conf.presets_only and not conf.presets:
        yield Problem(INCOMPLETE, "presets_only", "offers nothing, for there are no presets.")
