"""The codes of all problems that the package can report, found in its source."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opentelemetry.instrumentation import declarative

PACKAGE = Path(declarative.__file__).parent

#: The position and name of the parameter that takes a code, by class: Problem(mark, code, message, help).
_CODE_PARAMETERS = {("", "Problem"): (1, "code"), ("", "Bypass"): (1, "code"), ("", "Explanation"): (0, "code")}

#: A function: the file it is private to, empty if it is public, and its name.
_Name = tuple[str, str]

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Emitted:
    """The codes with the locations that report them, and the locations whose code cannot be determined."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


@dataclass
class _Source:
    """The modules of the package, and what is needed to follow a code from its literal to its problem."""

    trees: dict[str, ast.Module]
    #: The functions that take a code, with the position and the name of the parameter.
    takers: dict[_Name, tuple[int, str]] = field(default_factory=lambda: dict(_CODE_PARAMETERS))
    #: The values of module constants, and the return values of functions, by name.
    constants: dict[str, ast.expr] = field(default_factory=dict)
    returns: dict[str, list[ast.expr]] = field(default_factory=dict)

    def functions(self) -> Iterator[tuple[_Name, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for file, tree in self.trees.items():
            yield from ((_name(file, node.name), node) for node in ast.walk(tree) if isinstance(node, _Function))

    def calls(self, names: Iterable[_Name]) -> Iterator[tuple[_Name, str, ast.Call, list[ast.AST]]]:
        """The calls of these functions: the function, the location, and the functions that contain the call."""
        for name in names:
            for location, call, around in self._calls_by_name.get(name, ()):
                yield name, location, call, around

    @functools.cached_property
    def _calls_by_name(self) -> dict[_Name, list[tuple[str, ast.Call, list[ast.AST]]]]:
        found: dict[_Name, list[tuple[str, ast.Call, list[ast.AST]]]] = {}
        for file, tree in self.trees.items():
            for call, around in _calls(tree, []):
                name = _name(file, _called(call))
                found.setdefault(name, []).append((f"{file}:{call.lineno}", call, around))
        return found


def emitted(sources: dict[str, str] | None = None) -> Emitted:
    """Return the codes in these sources, by default those of the package."""
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
    result = Emitted()
    for taker, location, call, around in source.calls(source.takers):
        for code in _codes(source, source.takers[taker], call, around):
            if code is None:
                result.unclear.append(location)
            else:
                result.codes.setdefault(code, []).append(location)
    for name, function in source.functions():
        if name in source.takers:
            default = _default(function, source.takers[name][1])
            if isinstance(default, ast.Constant) and isinstance(default.value, str):
                result.codes.setdefault(default.value, []).append(":".join(name))
    return result


def _follow(source: _Source) -> None:
    """Find the functions that pass a code on, until there are no more."""
    while True:
        before = dict(source.takers)
        for taker, location, call, around in source.calls(before):
            given = _argument(call, *before[taker])
            function = next((each for each in reversed(around) if isinstance(each, _Function)), None)
            if function is not None and isinstance(given, ast.Name):
                names = _parameters(function)
                if given.id in names:
                    taken = _name(location.rpartition(":")[0], function.name)
                    source.takers.setdefault(taken, (names.index(given.id), given.id))
        if source.takers == before:
            return


def _codes(source: _Source, taken: tuple[int, str], call: ast.Call, around: list[ast.AST]) -> Iterator[str | None]:
    position, name = taken
    given = _argument(call, position, name)
    if given is None:
        if len(call.args) <= position and not call.keywords and not any(isinstance(a, ast.Starred) for a in call.args):
            return  # the default
        yield None
    else:
        yield from _values(source, given, around)


def _values(source: _Source, given: ast.expr, around: list[ast.AST]) -> Iterator[str | None]:
    """The possible texts of an expression; None if they cannot be determined."""
    functions = [each for each in around if isinstance(each, _Function)]
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif isinstance(given, ast.IfExp):
        yield from _values(source, given.body, around)
        yield from _values(source, given.orelse, around)
    elif isinstance(given, ast.Starred):  # *MORE_PROBLEMS, *explain(...): the code is the first of several
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
            return  # passed on by the callers
        if given.id in source.constants:
            yield from _values(source, source.constants[given.id], [])
        else:
            yield None
    elif isinstance(given, ast.Attribute) and given.attr == "code":
        return  # copied from another problem
    elif isinstance(given, ast.JoinedStr) and functions:
        yield from _joined(source, given, functions[-1])
    else:
        yield None


def _joined(source: _Source, given: ast.JoinedStr, function: ast.AST) -> Iterator[str | None]:
    """The texts of an f-string such as f"unknown-{kind}", with the arguments that callers pass for its parameter."""
    assert isinstance(function, _Function)
    names = _parameters(function)
    holes = [part.value for part in given.values if isinstance(part, ast.FormattedValue)]
    if len(holes) != 1 or not isinstance(holes[0], ast.Name) or holes[0].id not in names:
        yield None
        return
    for _taker, _location, call, around in source.calls([("", function.name)]):
        argument = _argument(call, names.index(holes[0].id), holes[0].id)
        for word in _values(source, argument, around) if argument is not None else [None]:
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


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    for index, argument in enumerate(call.args[: position + 1]):
        if isinstance(argument, ast.Starred):
            return argument if index == position else None
    return call.args[position] if len(call.args) > position else None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the names of the parameters without self, as callers count them."""
    every = [*function.args.posonlyargs, *function.args.args]
    names = [each.arg for each in every if each.arg not in ("self", "cls")]
    return [*names, *(each.arg for each in function.args.kwonlyargs)]


def _default(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    every = [*function.args.posonlyargs, *function.args.args]
    defaults = dict(zip([each.arg for each in reversed(every)], reversed(function.args.defaults), strict=False))
    named = dict(zip([each.arg for each in function.args.kwonlyargs], function.args.kw_defaults, strict=True))
    return {**defaults, **named}.get(name)
