"""Mutation operators: all mutants of the functions of a source file, made on the syntax tree, one change each."""

import ast
import re
from collections.abc import Callable, Iterator

from bench.mutants.mutation import Mutant, Text

_Edit = tuple[int, int, str, str]  # start, end, after, kind
_Function = ast.FunctionDef | ast.AsyncFunctionDef

_COMPARISON = re.compile(r"is\s+not\b|not\s+in\b|<=|>=|==|!=|<|>|\bis\b|\bin\b")
# The negation of an operator, then its neighbor that differs only at the boundary.
_FLIPS = {
    "<": (">=", "<="),
    "<=": (">", "<"),
    ">": ("<=", ">="),
    ">=": ("<", ">"),
    "==": ("!=",),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}


def mutants(path: str, source: bytes) -> list[Mutant]:
    """Every mutant of every function in `source`, in the order of the file. Those that do not compile are left out."""
    text = Text(path, source)
    found = []
    for name, function in _functions(ast.parse(source), ""):
        for start, end, after, kind in sorted(set(_edits(text, function))):
            mutant = Mutant(path, name, text.line_at(start), start, end, text.text(start, end), after, kind)
            if _compiles(mutant.apply(source)):
                found.append(mutant)
    return found


def _functions(parent: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    """Functions and methods by their qualified names. A nested function is part of the outer one."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, _Function):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _functions(node, prefix)


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "<mutant>", "exec")
    except SyntaxError:
        return False
    return True


def _edits(text: Text, function: _Function) -> Iterator[_Edit]:
    for statement in function.body:
        for node in _nodes(statement):
            for operator in _OPERATORS:
                yield from operator(text, node)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and all below it but annotations, decorators and f-strings, whose offsets Python 3.11 gets wrong."""
    if isinstance(node, ast.JoinedStr):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child)


# ------------------------------------------------------------------------------------- operators


def _comparisons(text: Text, node: ast.AST) -> Iterator[_Edit]:
    if not isinstance(node, ast.Compare):
        return
    left = node.left
    for right in node.comparators:
        between, until = text.span(left)[1], text.span(right)[0]
        found = _COMPARISON.search(text.text(between, until))
        if found is not None:
            start, end = (between + offset for offset in found.span())
            for other in _FLIPS[" ".join(found[0].split())]:
                yield start, end, other, "comparison"
        left = right


def _conditions(text: Text, node: ast.AST) -> Iterator[_Edit]:
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield _wrapped(text, node.test, "(not ({}))")  # of a comparison or a `not`, the operator is changed instead
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start, _ = text.span(node)
        yield start, start + len("not"), "", "condition"
    elif isinstance(node, ast.BoolOp):
        word, other = (b"and", "or") if isinstance(node.op, ast.And) else (b"or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            between, until = text.span(left)[1], text.span(right)[0]
            at = text.source.find(word, between, until)
            if at >= 0:
                yield at, at + len(word), other, "condition"


def _wrapped(text: Text, node: ast.expr, pattern: str) -> _Edit:
    start, end = text.span(node)
    return start, end, pattern.format(text.text(start, end)), "condition"


def _constants(text: Text, node: ast.AST) -> Iterator[_Edit]:
    if isinstance(node, ast.Compare):
        yield from _compared_texts(text, node)
    if not isinstance(node, ast.Constant):
        return
    start, end = text.span(node)
    value = node.value
    if isinstance(value, bool):
        yield start, end, str(not value), "constant"
    elif isinstance(value, int):
        yield start, end, str(value + 1), "constant"
        yield start, end, f"({value - 1})", "constant"
    elif isinstance(value, float):
        yield start, end, repr(value * 2 or 1.0), "constant"


def _compared_texts(text: Text, node: ast.Compare) -> Iterator[_Edit]:
    for side in (node.left, *node.comparators):
        for part in side.elts if isinstance(side, ast.Tuple | ast.Set | ast.List) else [side]:
            if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
                mark = "\0\1" if isinstance(part.value, str) else b"\0\1"  # the code has NUL alone
                yield *text.span(part), repr(mark), "constant"


def _statements(text: Text, node: ast.AST) -> Iterator[_Edit]:
    if _is_removable(node):
        assert isinstance(node, ast.stmt)
        yield *text.span(node), "pass", "removed statement"
    if isinstance(node, ast.Raise) and node.exc is not None:
        yield *text.span(node.exc), 'RuntimeError("mutant")', "raise"
    if isinstance(node, ast.Return) and node.value is not None:
        value = node.value
        if not isinstance(value, ast.Constant) or isinstance(value.value, str | bytes):
            yield *text.span(node.value), "None", "return"


def _is_removable(node: ast.AST) -> bool:
    """Statements whose removal leaves every name bound: without a name, a mutant fails at its first call."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom)
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    return isinstance(node, ast.AugAssign | ast.Raise | ast.Delete | ast.Continue | ast.Break)


_OPERATORS: tuple[Callable[[Text, ast.AST], Iterator[_Edit]], ...] = (
    _comparisons,
    _conditions,
    _constants,
    _statements,
)
