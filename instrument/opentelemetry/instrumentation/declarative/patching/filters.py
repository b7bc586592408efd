"""What of the callables that a pattern meets a hook lets pass: by the class above, decorators and annotations."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from collections.abc import Iterator
from functools import cache
from typing import Any

from opentelemetry.instrumentation.declarative.language.spec_model import Calls, Target
from opentelemetry.instrumentation.declarative.patching.targets import ABSENT, static


def passes(module: types.ModuleType, path: str, calls: Calls) -> bool:
    if calls.subclass_of is not None and not _is_below(module, path, calls.subclass_of):
        return False
    filters = (calls.decorated_by, calls.takes, calls.returns)
    if not any(filters):
        return True
    node = _definitions(module).get(path)
    return node is not None and all(
        not wanted or any(_matches(text, wanted) for text in read(node))
        for wanted, read in zip(filters, (_decorators, _parameters, _result), strict=True)
    )


def found_at(owner: Any, way: list[str]) -> Any:
    """What is found under a path; ABSENT where nothing is, or there is no module."""
    for step in way:
        owner = static(owner, step) if isinstance(owner, (type, types.ModuleType)) else ABSENT
    return owner


def _is_below(module: types.ModuleType, path: str, above: Target) -> bool:
    """Whether a method's class is below another one; below a protocol is whatever has its members."""
    base = found_at(sys.modules.get(above.module), above.path.split("."))
    owner = found_at(module, path.split(".")[:-1])
    if not isinstance(base, type) or not isinstance(owner, type):
        return False
    if base in owner.__mro__:
        return True
    if not getattr(base, "_is_protocol", False):
        return False
    members = {name for each in base.__mro__ if getattr(each, "_is_protocol", False) for name in _members(each)}
    there = {name for each in owner.__mro__ if each is not object for name in _members(each)}
    return bool(members) and members <= there


def _members(owner: type) -> set[str]:
    return {
        name
        for name in (*vars(owner), *vars(owner).get("__annotations__", ()))
        if not (name.startswith(("_abc_", "__")) or name in ("_is_protocol", "_is_runtime_protocol"))
    }


def _matches(text: str, wanted: tuple[str, ...]) -> bool:
    return any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), text) for each in wanted)


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _definitions(module: types.ModuleType) -> dict[str, _Function]:
    """The functions of a module's source by their paths; of several by one name the last."""
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return {}  # there is none to be read: what was compiled away cannot be asked for
    return _parsed(source)


@cache
def _parsed(source: str) -> dict[str, _Function]:
    found: dict[str, _Function] = {}

    def walk(nodes: list[ast.stmt], path: str) -> None:
        for node in nodes:
            if isinstance(node, _Function):
                found[path + node.name] = node
            elif isinstance(node, ast.ClassDef):
                walk(node.body, f"{path}{node.name}.")
            elif isinstance(node, ast.If | ast.Try | ast.With):
                walk(node.body, path)
                walk(getattr(node, "orelse", []), path)

    walk(ast.parse(source).body, "")
    return found


def _decorators(node: _Function) -> Iterator[str]:
    for each in node.decorator_list:
        yield ast.unparse(each.func if isinstance(each, ast.Call) else each)


def _parameters(node: _Function) -> Iterator[str]:
    given = node.args
    rest = [each for each in (given.vararg, given.kwarg) if each]
    yield from map(_annotation, (*given.posonlyargs, *given.args, *given.kwonlyargs, *rest))


def _result(node: _Function) -> Iterator[str]:
    yield _text(node.returns)


def _annotation(argument: ast.arg) -> str:
    return _text(argument.annotation)


def _text(annotation: ast.expr | None) -> str:
    if annotation is None:
        return ""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return str(annotation.value) if quoted else ast.unparse(annotation)  # type: ignore[attr-defined]
