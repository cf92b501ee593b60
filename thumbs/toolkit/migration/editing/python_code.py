"""Python code with the positions of its nodes, and the rules for changing a call safely."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from thumbs.toolkit.migration.editing.edits import Edit, Remark, Unmapped

# What a thumbnail of Mage has under the same name, and under another one.
SAME, RENAMED = ("url", "width", "height"), {"x": "width", "y": "height"}


@dataclass(slots=True)
class Module:
    """The text of a module and its tree. Raises SyntaxError for what is no Python."""

    text: str
    tree: ast.Module = field(init=False)
    _starts: list[int] = field(init=False)
    _lines: list[str] = field(init=False)
    _parents: dict[ast.AST, ast.AST] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text.removeprefix("\ufeff"))
        self._lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", self.text)  # as the tokenizer counts lines
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self._parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The characters of a node. `ast` counts columns in bytes of UTF-8."""
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 1, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        text = self._lines[line - 1]
        bom = 1 if line == 1 and self.text.startswith("\ufeff") else 0
        return self._starts[line - 1] + bom + len(text[bom:].encode()[:column].decode())

    def code(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def check_place(self, node: ast.AST | None) -> None:
        """Raise `Unmapped` inside an f-string, where positions are wrong before Python 3.12."""
        while node is not None:
            if isinstance(node, ast.JoinedStr):
                raise Unmapped("It stands in an f-string: take it out first.")
            node = self.parent(node)

    def remark(self, node: ast.expr | ast.stmt, sentence: str) -> Remark:
        code = " ".join(ast.unparse(node).split())
        return Remark(node.lineno, code if len(code) <= 120 else f"{code[:117]}...", sentence)

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def imports(self) -> Iterator[ast.ImportFrom | ast.Import]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom | ast.Import))

    def imported(self, package: str) -> dict[str, str]:
        """Names of the module that stand for names of a package: `get_thumbnail` for `sorl.thumbnail.get_thumbnail`."""
        return {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in self.imports()
            if isinstance(node, ast.ImportFrom) and node.level == 0 and _within(node.module or "", package)
            for alias in node.names
        }

    def bound(self) -> set[str]:
        """Every name that the module gives a value: variables, arguments, functions, classes, imports."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                    names.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    names.add(name)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    names.add(name)
                case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                    names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
                case ast.Global(names=more) | ast.Nonlocal(names=more):
                    names |= set(more)
        return names

    def loads_of(self, name: str) -> int:
        """How often a name is read, also as the start of a dotted name."""
        return sum(
            1
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and node.id == name and node.ctx.__class__ is ast.Load
        )


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def results(module: Module, call: ast.expr) -> Iterator[Edit]:
    """The edits of what is read of a call's result. Raises `Unmapped` where the result goes further than that.

    Safe is `call(…).url`, and `name = call(…)` in a function that only reads `name.url` or asks whether it is true.
    """
    parent = module.parent(call)
    if isinstance(parent, ast.Attribute):
        yield from _attribute(module, parent)
        return
    if not (isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name)):
        raise Unmapped("Its result goes on: check that url, width and height are all that is read of it.")
    name, scope = parent.targets[0].id, _scope(module, parent)
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        raise Unmapped("Its result is a name of the module or of a class, which other code may read.")
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and node.id == name and node is not parent.targets[0]:
            above = module.parent(node)
            if isinstance(above, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield from _attribute(module, above)
            elif not (isinstance(above, ast.If | ast.IfExp) and above.test is node):
                raise Unmapped(f"{name} goes on: check that url, width and height are all that is read of it.")


def _scope(module: Module, node: ast.AST) -> ast.AST:
    above = module.parent(node)
    while above is not None and not isinstance(
        above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    ):
        node, above = above, module.parent(above)
    return above or node


def _attribute(module: Module, node: ast.Attribute) -> Iterator[Edit]:
    if node.attr in RENAMED:
        module.check_place(node)
        end = module.span(node)[1]
        yield Edit(end - len(node.attr), end, RENAMED[node.attr])
    elif node.attr not in SAME:
        raise Unmapped(f"A thumbnail of Mage has url, width and height, and no {node.attr}.")


def our_function(module: Module) -> tuple[str, str]:
    """How the module calls `thumbs.thumb`, and the import for that; empty where it has one. Raises `Unmapped`.

    A module often calls a variable `thumb`; then the function is `thumbs.thumb`.
    """
    has = {
        (node.module, alias.name, alias.asname)
        for node in module.imports()
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    plain = any(
        alias.name == "thumbs" and not alias.asname
        for node in module.imports()
        if isinstance(node, ast.Import)
        for alias in node.names
    )
    bound = module.bound()
    if ("thumbs", "thumb", None) in has and not _rebound(module, "thumb"):
        return "thumb", ""
    if plain and not _rebound(module, "thumbs"):
        return "thumbs.thumb", ""
    if "thumb" not in bound:
        return "thumb", "from thumbs import thumb"
    if "thumbs" not in bound:
        return "thumbs.thumb", "import thumbs"
    raise Unmapped("The module has a thumb and a thumbs of its own: import thumbs.thumb under another name.")


def _rebound(module: Module, name: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.arg) and node.arg == name)
        for node in ast.walk(module.tree)
    )
