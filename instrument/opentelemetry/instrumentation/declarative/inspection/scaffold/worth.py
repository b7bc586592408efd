"""Whether a callable of the user's code is worth a span, and if not, why not."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.sources import function_definition_of

#: Why callables get no span, as written in the spec.
_TRIVIAL = "trivial"
_PROPERTIES = "properties, which may be read often"
_ABSTRACT = "abstract: hook the implementations"
_DECORATORS = "decorators: hook the functions that they decorate"
_PYDANTIC = "used by pydantic when the class is created"

#: Modules whose decorators change a function, and do not register it.
_CHANGING = frozenset({"abc", "contextlib", "functools", "typing"})


def reason_against(owner: Any, name: str, held: Any) -> str | None:
    """Return why a callable of a class or module is not worth a span; None if it is."""
    if isinstance(held, property):
        return _PROPERTIES
    inner = inspect.unwrap(getattr(held, "__func__", None) or getattr(held, "func", None) or held)
    if getattr(held, "__isabstractmethod__", False):
        return _ABSTRACT
    if _is_used_by_pydantic(owner, name):
        return _PYDANTIC
    definition = function_definition_of(inner)
    if definition is None:
        return None
    return _TRIVIAL if _is_trivial(definition) else _DECORATORS if _is_decorator(definition) else None


def registered_functions(function: Any) -> Iterator[str]:
    """The names of the functions that a function defines and registers, such as the routes of a web application."""
    definition = function_definition_of(inspect.unwrap(function))
    for node in definition.body if definition is not None else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(map(_registers, node.decorator_list)):
            yield node.name


def _registers(decorator: ast.expr) -> bool:
    """Whether a decorator is a method of an object, such as `app.get("/")`."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and ast.unparse(called).partition(".")[0] not in _CHANGING


def _is_decorator(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function returns one that it defines, or only sets attributes of the one that it is given."""
    *rest, last = definition.body
    parameters = definition.args.posonlyargs + definition.args.args
    own = {node.name for node in rest if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    returned = last.value.id if isinstance(last, ast.Return) and isinstance(last.value, ast.Name) else None
    if rest and len(parameters) == 1 and parameters[0].arg == returned:
        return all(_is_docstring(node) or _sets_attribute(node) for node in rest)
    return returned in own


def _sets_attribute(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_trivial(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function does nothing, or only returns or sets a single existing value."""
    body = [node for node in definition.body if not _is_docstring(node)]
    if not body:
        return True
    only = body[0]
    if isinstance(only, ast.Raise):
        return "NotImplementedError" in ast.unparse(only)
    calls = any(isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)) for node in ast.walk(only))
    returns = isinstance(only, ast.Return) and isinstance(only.value, (ast.Attribute, ast.Constant, type(None)))
    return len(body) == 1 and not calls and (returns or isinstance(only, (ast.Pass, ast.Assign, ast.AnnAssign)))


def _is_used_by_pydantic(owner: Any, name: str) -> bool:
    decorators = getattr(owner, "__pydantic_decorators__", None)
    kinds = [getattr(decorators, kind, None) for kind in getattr(type(decorators), "__dataclass_fields__", ())]
    return any(name in kind for kind in kinds if isinstance(kind, dict))
