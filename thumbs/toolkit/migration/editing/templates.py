"""The tokens of a Django template with their positions, as Django's own lexer gives them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from django.template.base import DebugLexer, TokenType
from django.utils.text import smart_split

from thumbs.toolkit.migration.editing.edits import Edit, Remark

_NAMING = ("block", "endblock", "load")  # tags whose words are names, and no variables
_TAG_NAME = re.compile(r"\{%-?\s*(\w+)")


_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


@dataclass(frozen=True, slots=True)
class Token:
    """A tag, a variable, a comment or text, from `start` to `end`.

    `where` says what keeps it from running: `{% comment %}` or `{% verbatim %}`; it is empty for what runs.
    """

    kind: TokenType
    start: int
    end: int
    source: str
    line: int
    where: str = ""
    bits: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of a tag that runs, else an empty text."""
        return self.bits[0] if self.bits and not self.where else ""

    def replaced(self, text: str) -> Edit:
        return Edit(self.start, self.end, text)

    def remark(self, sentence: str) -> Remark:
        code = " ".join(self.source.split())
        return Remark(self.line, code if len(code) <= 120 else f"{code[:117]}...", sentence)


@dataclass(slots=True)
class Template:
    """The text of a template and its tokens."""

    text: str
    tokens: list[Token] = field(default_factory=list)

    def tags(self, *names: str) -> Iterator[Token]:
        return (token for token in self.tokens if token.name in names)

    def between(self, first: Token, last: Token) -> list[Token]:
        """The tokens after `first` and before `last`."""
        return [token for token in self.tokens if first.end <= token.start and token.end <= last.start]


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a variable: `name.first.rest|filter`, at these positions of the template."""

    start: int
    end: int
    path: tuple[str, ...]
    filter: str
    token: Token


def read(text: str) -> Template:
    """The template of `text`. A broken tag is text, as it is for the lexer."""
    template = Template(text)
    where = ""
    for token in DebugLexer(text).tokenize():
        start, end = token.position or (0, 0)
        source, kind = text[start:end], token.token_type
        bits = _bits(token.contents) if kind is TokenType.BLOCK else ()
        name = bits[0] if bits else ""
        if (where == "comment" and name == "endcomment") or (where == "verbatim" and name == "endverbatim"):
            where = ""
        template.tokens.append(Token(kind, start, end, source, token.lineno or 1, where, bits))
        if not where and name in ("comment", "verbatim"):
            where = name
    return template


def _bits(contents: str) -> tuple[str, ...]:
    """The words of a tag. A translated text stays one word, as in `Token.split_contents`."""
    words: list[str] = []
    parts = iter(smart_split(contents))
    for part in parts:
        if part.startswith(('_("', "_('")):
            sentinel = f"{part[2]})"
            whole = [part]
            while not whole[-1].endswith(sentinel):
                more = next(parts, None)
                if more is None:
                    break
                whole.append(more)
            part = " ".join(whole)  # noqa: PLW2901 - the word goes on
        words.append(part)
    return tuple(words)


def unread_tags(template: Template, names: frozenset[str]) -> Iterator[Remark]:
    """Where a tag of these names stands and does not run: in comments, in `{% verbatim %}`, over several lines."""
    for token in template.tokens:
        if token.kind is TokenType.VAR or (token.kind is TokenType.BLOCK and not token.where):
            continue
        for found in _TAG_NAME.finditer(token.source):
            if found[1] in names:
                line = token.line + token.source.count("\n", 0, found.start())
                end = token.source.find("%}", found.start())
                code = token.source[found.start() : end + 2 if end >= 0 else None]
                yield replace(token, source=code, line=line).remark(_why_unread(token))


def _why_unread(token: Token) -> str:
    if token.where:
        return f"It stands in {{% {token.where} %}} and does not run."
    if token.kind is TokenType.COMMENT:
        return "It stands in a comment and does not run."
    return "Django reads no tag over several lines, or without its end: this is text."


def filters_of(token: Token) -> list[str]:
    """The filters of a tag or variable that runs."""
    if token.where or token.kind not in (TokenType.BLOCK, TokenType.VAR):
        return []
    return re.findall(r"\|\s*(\w+)", _STRINGS.sub('""', token.source[2:-2]))


def uses(tokens: list[Token], name: str) -> Iterator[Use]:
    """Where tags and variables read the variable `name`; not in texts, as the name of an argument, or after `as`."""
    pattern = re.compile(
        r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
        rf"|(?<![\w.|-]){re.escape(name)}(?P<path>(?:\.\w+)*)(?![\w])(?P<filter>\|\w+)?(?P<equals>=(?!=))?"
    )
    for token in tokens:
        if token.where or token.kind not in (TokenType.BLOCK, TokenType.VAR) or token.name in _NAMING:
            continue
        inner = token.source[2:-2]
        for found in pattern.finditer(inner):
            if found["path"] is None or found["equals"] or re.search(r"\bas\s+$", inner[: found.start()]):
                continue
            if token.name and not inner[: found.start()].strip():  # a tag of this name
                continue
            start = token.start + 2 + found.start()
            end = start + len(name) + len(found["path"])
            path = tuple(found["path"].split(".")[1:])
            yield Use(start, end, path, (found["filter"] or "")[1:], token)
