"""The imports of a module after a conversion: without what is not read any more, with what the new code needs."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from thumbs.toolkit.migration.editing.edits import Conversion, Edit, Unmapped, applied
from thumbs.toolkit.migration.editing.python_code import Module, our_function, results


def convert_calls(module: Module, package: str, calls: Iterator[tuple[ast.expr, Callable[[], str]]]) -> Conversion:
    """Each call becomes one of `thumbs.thumb` with the arguments that its function gives, or is left alone."""
    done, needed = Conversion(), ""
    for node, arguments in calls:
        start, end = module.span(node)
        if any(start < edit.end and edit.start < end for edit in done.edits):
            continue  # a call in the arguments of another one: its turn comes when that one is written
        try:
            module.check_place(node)
            name, needed = our_function(module)
            edits = [Edit(*module.span(node), f"{name}({arguments()})"), *results(module, node)]
        except Unmapped as error:
            done.left.append(module.remark(node, str(error)))
        else:
            done.edits += edits
    if done.edits:
        done.edits += imports(module, package, done.edits, needed)
    return done


def imports(module: Module, package: str, edits: list[Edit], needed: str) -> list[Edit]:
    """Adds `needed` after the first import of the package, and drops its names that are not read any more."""
    dropped = _unread(module, package, edits)
    made: list[Edit] = []
    for node in module.imports():
        if not isinstance(node, ast.ImportFrom) or node.level or not _within(node.module, package):
            continue
        kept = [alias for alias in node.names if (alias.asname or alias.name) not in dropped]
        if len(kept) == len(node.names) and not needed:
            continue
        lines = [needed] if needed else []
        if kept:
            whole = module.code(node) if len(kept) == len(node.names) else _import(node, kept)
            lines = [whole, *lines]
        needed = ""
        made.append(_statement(module, node, lines))
    return made


def _statement(module: Module, node: ast.ImportFrom, lines: list[str]) -> Edit:
    start, end = module.span(node)
    begin = module.text.rfind("\n", 0, start) + 1
    newline = "\r\n" if "\r\n" in module.text else "\n"
    if lines:
        return Edit(start, end, (newline + module.text[begin:start]).join(lines))
    after = module.text.find("\n", end)
    alone = not module.text[begin:start].strip() and after >= 0 and not module.text[end:after].strip()
    only = isinstance(module.parent(node), ast.Module)
    return Edit(begin, after + 1, "") if alone and only else Edit(start, end, "pass")


def _import(node: ast.ImportFrom, kept: list[ast.alias]) -> str:
    names = ", ".join(f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in kept)
    return f"from {node.module} import {names}"


def _unread(module: Module, package: str, edits: list[Edit]) -> set[str]:
    """Names of the package that were read before the edits, and are not read after them."""
    imported = module.imported(package)
    after = Module(applied(module.text, [edit for edit in edits if not _is_import(module, edit, package)]))
    before, now = _reads(module), _reads(after)
    return {name for name in imported if before[name] and not now[name] and name not in _exported(module)}


def _is_import(module: Module, edit: Edit, package: str) -> bool:
    return any(
        edit.start <= module.span(node)[0] < max(edit.end, edit.start + 1)
        for node in module.imports()
        if isinstance(node, ast.ImportFrom) and not node.level and _within(node.module, package)
    )


def _reads(module: Module) -> Counter[str]:
    return Counter(
        node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def _exported(module: Module) -> set[str]:
    """The texts of `__all__`."""
    return {
        item.value
        for node in module.tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        for item in ast.walk(node.value)
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
    }


def _within(module: str | None, package: str) -> bool:
    return module is not None and (module == package or module.startswith(f"{package}."))


def left_imports(module: Module, changed: Module, package: str, advice: Mapping[str, str]) -> Conversion:
    """What a module imports of the package before and after its change, each name with what Mage has in its place."""
    done, still = Conversion(), {name for node in changed.imports() for name in _names(node, package)}
    for node in module.imports():
        names = [name.rpartition(".")[2] for name in _names(node, package) if name in still]
        if names:
            sentences = list(dict.fromkeys(advice[name] for name in names if name in advice))
            done.left.append(module.remark(node, " ".join(sentences or ["Mage has no equivalent that is known here."])))
    return done


def _names(node: ast.ImportFrom | ast.Import, package: str) -> list[str]:
    """The dotted names of the package that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if _within(alias.name, package)]
    if node.level or node.module is None:
        return []
    dotted = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in dotted if _within(name, package)]
