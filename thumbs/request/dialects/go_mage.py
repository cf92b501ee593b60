"""URLs of the Go program `mage`: the grammar of our own, of which it is an older form, without the name of a storage.

/[{signature}/]{size}/[filters:{filter};…/]{path}[/as/{name}.{extension}]
"""

import base64

from thumbs.errors import BadPath, BadSize, SignatureMissing, SignatureUnexpected
from thumbs.request import grammar
from thumbs.request.dialects.dialect import Asked, Dialect, require_match, unquoted
from thumbs.request.grammar import SIZE


def translate(raw: str, dialect: Dialect) -> Asked:
    """What the path `raw` asks for, from its first slash on. Raises `BadRequest` or `SignatureRefused`."""
    text = unquoted(raw.partition("?")[0])[1:]
    first, _, after = text.partition("/")
    if dialect.keys:
        if SIZE.fullmatch(first):
            raise SignatureMissing
        _verify(first, f"/{after}", dialect)
        text = after
    elif not SIZE.fullmatch(first):
        raise SignatureUnexpected if SIZE.fullmatch(after.partition("/")[0]) else BadSize
    size, _, rest = text.partition("/")
    if rest.startswith(grammar.PREFIXES):
        spelled, _, rest = rest.partition("/")
        prefix, _, filters = spelled.partition(":")
        kept = [each.strip() for each in filters.split(";") if each.strip()]
        rest = f"{prefix}:{';'.join(kept)}/{rest}" if kept else rest
    if not rest:
        raise BadPath
    target = grammar.parse(f"{size}/{rest}")
    transform = target.transform
    fields = {name: getattr(transform, name) for name in transform.__dataclass_fields__}
    if (transform.width is None) != (transform.height is None) and transform.upscale is None:
        fields["upscale"] = True  # it enlarges to one side, too
    stem = None if target.name is None else target.name.rpartition(".")[0]
    if transform.format is None:
        fields["format"] = dialect.format
    return Asked(target.path, fields, stem=stem, expires=target.expires)


def _verify(given: str, message: str, dialect: Dialect) -> None:
    start, stop = dialect.signature_start, dialect.signature_start + dialect.signature_length
    texts = [base64.urlsafe_b64encode(digest).decode("ascii") for digest in dialect.digests(message.encode())]
    require_match([text[start:stop] for text in texts], given)
