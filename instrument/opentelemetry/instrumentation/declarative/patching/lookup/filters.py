"""The filters of a hook on several callables: by the class above, by decorators and by annotations."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from collections.abc import Iterator
from functools import cache
from typing import Any

from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at


def passes_filters(module: types.ModuleType, path: str, calls: Callables) -> bool:
    """Whether a callable of a module satisfies all filters of a hook."""
    if calls.subclass_of is not None and not _is_method_below(module, path, calls.subclass_of):
        return False
    filters = {name: wanted for name in _READERS if (wanted := getattr(calls, name))}
    return all(any(_matches(text, wanted) for text in texts_of(module, path, name)) for name, wanted in filters.items())


def texts_of(module: types.ModuleType, path: str, name: str) -> list[str]:
    """What a filter compares: the decorators or annotations of a callable, as written in the source."""
    definition = _definitions(module).get(path)
    return [] if definition is None else [text for text in _READERS[name](definition) if text]


def _is_method_below(module: types.ModuleType, path: str, above: Target) -> bool:
    """Whether a method's class is a subclass of another; a protocol's subclasses are all classes with its members."""
    base = value_at(sys.modules.get(above.module), above.path.split("."))
    owner = value_at(module, path.split(".")[:-1])
    if not isinstance(base, type) or not isinstance(owner, type):
        return False
    if base in owner.__mro__:
        return True
    if not getattr(base, "_is_protocol", False):
        return False
    required = {name for each in base.__mro__ if getattr(each, "_is_protocol", False) for name in _members(each)}
    existing = {name for each in owner.__mro__ if each is not object for name in _members(each)}
    return bool(required) and required <= existing


def _members(owner: type) -> set[str]:
    return {
        name
        for name in (*vars(owner), *vars(owner).get("__annotations__", ()))
        if not (name.startswith(("_abc_", "__")) or name in ("_is_protocol", "_is_runtime_protocol"))
    }


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) for pattern in patterns)


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _definitions(module: types.ModuleType) -> dict[str, _Function]:
    """The function definitions in a module's source by their paths; the last one if a name is defined again."""
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return {}  # compiled without its source: no decorator or annotation can match
    return _parse(source)


@cache
def _parse(source: str) -> dict[str, _Function]:
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


def _parameter_annotations(node: _Function) -> Iterator[str]:
    parameters = node.args
    rest = [each for each in (parameters.vararg, parameters.kwarg) if each]
    for each in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs, *rest):
        yield _text(each.annotation)


def _return_annotation(node: _Function) -> Iterator[str]:
    yield _text(node.returns)


#: By the name of a filter: what it compares.
_READERS = {"decorated_by": _decorators, "takes": _parameter_annotations, "returns": _return_annotation}


def _text(annotation: Any) -> str:
    if annotation is None:
        return ""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return str(annotation.value) if quoted else ast.unparse(annotation)
