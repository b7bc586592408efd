"""Every code that the source can tell a problem by, found in the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.instrumentation import declarative

PACKAGE = Path(declarative.__file__).parent

#: What a problem is made of, before its code is known by anything else: Problem(mark, code, message, help).
_PLACES = {("", "Problem"): (1, "code")}

#: A function, by the file it is private to (none for one that others call as well) and its name.
_Name = tuple[str, str]

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Emitted:
    """The codes, each with where it is told; and the places where it cannot be seen which code that is."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


@dataclass
class _Source:
    """The package's modules, and what is needed to follow a code from where it is written to where it is told."""

    trees: dict[str, ast.Module]
    #: Who takes a code: a function -> the place and the name of that parameter.
    takers: dict[_Name, tuple[int, str]] = field(default_factory=lambda: dict(_PLACES))
    #: The value of a module's constant, by its name; of a function by the same, what it returns.
    constants: dict[str, ast.expr] = field(default_factory=dict)
    returns: dict[str, list[ast.expr]] = field(default_factory=dict)

    def functions(self) -> Iterator[tuple[_Name, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for file, tree in self.trees.items():
            yield from ((_name(file, node.name), node) for node in ast.walk(tree) if isinstance(node, _Function))

    def calls(self, names: Iterable[_Name]) -> Iterator[tuple[_Name, str, ast.Call, list[ast.AST]]]:
        """The calls of these functions: of which, where, and in what functions they stand."""
        wanted = set(names)
        for file, tree in self.trees.items():
            for call, around in _calls(tree, []):
                if (name := _name(file, _called(call))) in wanted:
                    yield name, f"{file}:{call.lineno}", call, around


def emitted(sources: dict[str, str] | None = None) -> Emitted:
    """The codes in these sources, by default those of the package."""
    texts = sources or {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
    }
    source = _Source({file: ast.parse(text) for file, text in texts.items()})
    for tree in source.trees.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                source.constants[node.targets[0].id] = node.value
    for (_, name), function in source.functions():
        found = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
        source.returns.setdefault(name, []).extend(found)
    _follow(source)
    told = Emitted()
    for taker, place, call, around in source.calls(source.takers):
        for code in _codes(source, source.takers[taker], call, around):
            if code is None:
                told.unclear.append(place)
            else:
                told.codes.setdefault(code, []).append(place)
    for name, function in source.functions():
        if name in source.takers:
            default = _default(function, source.takers[name][1])
            if isinstance(default, ast.Constant) and isinstance(default.value, str):
                told.codes.setdefault(default.value, []).append(":".join(name))
    return told


def _follow(source: _Source) -> None:
    """Find the functions that hand a code on, until there are no more."""
    while True:
        before = dict(source.takers)
        for taker, place, call, around in source.calls(before):
            given = _given(call, *before[taker])
            function = next((each for each in reversed(around) if isinstance(each, _Function)), None)
            if function is not None and isinstance(given, ast.Name):
                names = _parameters(function)
                if given.id in names:
                    taken = _name(place.rpartition(":")[0], function.name)
                    source.takers.setdefault(taken, (names.index(given.id), given.id))
        if source.takers == before:
            return


def _codes(source: _Source, taken: tuple[int, str], call: ast.Call, around: list[ast.AST]) -> Iterator[str | None]:
    place, name = taken
    given = _given(call, place, name)
    if given is None:
        if len(call.args) <= place and not call.keywords and not any(isinstance(a, ast.Starred) for a in call.args):
            return  # its default
        yield None
    else:
        yield from _values(source, given, around)


def _values(source: _Source, given: ast.expr, around: list[ast.AST]) -> Iterator[str | None]:
    """The texts that an expression can be; None where that cannot be seen."""
    functions = [each for each in around if isinstance(each, _Function)]
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif isinstance(given, ast.IfExp):
        yield from _values(source, given.body, around)
        yield from _values(source, given.orelse, around)
    elif isinstance(given, ast.Starred):  # *MORE, *explain(...): the code is the first of several
        held = given.value
        several = source.returns.get(_called(held), []) if isinstance(held, ast.Call) else []
        if isinstance(held, ast.Name) and held.id in source.constants:
            several = [source.constants[held.id]]
        for each in several:
            yield from _values(source, each.elts[0], []) if isinstance(each, ast.Tuple) else [None]
        if not several:
            yield None
    elif isinstance(given, ast.Name):
        if functions and given.id in _parameters(functions[-1]):
            return  # handed on: its callers say it
        if given.id in source.constants:
            yield from _values(source, source.constants[given.id], [])
        else:
            yield None
    elif isinstance(given, ast.Attribute) and given.attr == "code":
        return  # another problem's, told again elsewhere
    elif isinstance(given, ast.JoinedStr) and functions:
        yield from _joined(source, given, functions[-1])
    else:
        yield None


def _joined(source: _Source, given: ast.JoinedStr, function: ast.AST) -> Iterator[str | None]:
    """A text like f"unknown-{what}", with what the callers of its function say for its parameter."""
    assert isinstance(function, _Function)
    names = _parameters(function)
    holes = [part.value for part in given.values if isinstance(part, ast.FormattedValue)]
    if len(holes) != 1 or not isinstance(holes[0], ast.Name) or holes[0].id not in names:
        yield None
        return
    for _taker, _place, call, around in source.calls([("", function.name)]):
        said = _given(call, names.index(holes[0].id), holes[0].id)
        for word in _values(source, said, around) if said is not None else [None]:
            parts = [part.value if isinstance(part, ast.Constant) else word for part in given.values]
            yield None if None in parts else "".join(map(str, parts))


def _name(file: str, name: str) -> _Name:
    return (file if name.startswith("_") else "", name)


def _calls(node: ast.AST, around: list[ast.AST]) -> Iterator[tuple[ast.Call, list[ast.AST]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, around
        yield from _calls(child, [*around, child] if isinstance(child, _Function) else around)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _given(call: ast.Call, place: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    for index, argument in enumerate(call.args[: place + 1]):
        if isinstance(argument, ast.Starred):
            return argument if index == place else None
    return call.args[place] if len(call.args) > place else None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Their names as a caller counts them: without self."""
    every = [*function.args.posonlyargs, *function.args.args]
    names = [each.arg for each in every if each.arg not in ("self", "cls")]
    return [*names, *(each.arg for each in function.args.kwonlyargs)]


def _default(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    every = [*function.args.posonlyargs, *function.args.args]
    defaults = dict(zip([each.arg for each in reversed(every)], reversed(function.args.defaults), strict=False))
    named = dict(zip([each.arg for each in function.args.kwonlyargs], function.args.kw_defaults, strict=True))
    return {**defaults, **named}.get(name)
