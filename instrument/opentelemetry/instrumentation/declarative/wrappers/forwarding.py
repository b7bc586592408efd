"""Reads in the source of a decorator's function which of its arguments it passes to the function that it wraps."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from opentelemetry.instrumentation.declarative.records import record

_Function = ast.FunctionDef | ast.AsyncFunctionDef

#: What stands for a value that only the decorator knows.
MISSING = "None"


@record(frozen=True)
class _Source:
    """The calls in a function, and the names that are assigned in it.

    Each call with the parameters of the inner function that it is in.
    """

    calls: tuple[tuple[ast.Call, frozenset[str]], ...]
    assigned: frozenset[str]


def forwarded_arguments(wrapper: types.FunctionType, wrapped: Any) -> str | None:
    """Return the source of the arguments with which a function calls the one that it wraps.

    They are written in terms of the function's own parameters; a value that it does not get from its caller is
    ``MISSING``. None if the source does not say: it cannot be read, or there are several calls that differ.
    """
    own = inspect.getargs(wrapper.__code__)
    if hasattr(wrapper, "patchings") and (own.args, own.varargs, own.varkw) == ([], "args", "keywargs"):
        return "*args, **keywargs"  # `unittest.mock.patch` passes its mocks after the arguments of the call
    source = _source(wrapper.__code__)
    if source is None:
        return None
    names = frozenset((*own.args, *filter(None, (own.varargs, own.varkw)))) - source.assigned
    called, passed_on = set[str | None](), set[str | None]()
    for call, hidden in source.calls:
        values = [_value(node.id, wrapper) if isinstance(node, ast.Name) else None for node in (call.func, *call.args)]
        position = next((index for index, value in enumerate(values) if value is wrapped), None)
        if position == 0:
            called.add(_arguments(call.args, call.keywords, names - hidden, own.varargs, own.varkw))
        elif position is not None:  # `run(function, *args)`
            rest = call.args[position:]
            if any(isinstance(node, ast.Starred) for node in rest):
                passed_on.add(_arguments(rest, call.keywords, names - hidden, own.varargs, own.varkw))
    found = called or passed_on
    return found.pop() if len(found) == 1 else None


def _arguments(
    arguments: list[ast.expr],
    keywords: list[ast.keyword],
    names: frozenset[str],
    varargs: str | None,
    varkw: str | None,
) -> str | None:
    parts: list[str] = []
    for node in arguments:
        if isinstance(node, ast.Starred):
            if varargs not in names or not _is_part_of(node.value, varargs):
                return None  # it may contain any number of arguments
            parts.append(f"*{ast.unparse(node.value)}")
        else:
            parts.append(node.id if isinstance(node, ast.Name) and node.id in names else MISSING)
    for keyword in keywords:
        value = keyword.value
        if keyword.arg is not None:
            parts.append(f"{keyword.arg}={value.id if isinstance(value, ast.Name) and value.id in names else MISSING}")
    if varkw and any(keyword.arg is None for keyword in keywords):
        parts.append(f"**{varkw}")  # perhaps with more or fewer: what the decorator adds is missing
    return ", ".join(parts)


def _is_part_of(node: ast.expr, varargs: str | None) -> bool:
    """Whether an expression is ``args``, or a slice of it such as ``args[1:]``."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        bounds = (node.slice.lower, node.slice.upper, node.slice.step)
        if not all(bound is None or isinstance(bound, ast.Constant) for bound in bounds):
            return False
        node = node.value
    return isinstance(node, ast.Name) and node.id == varargs


def _value(name: str, function: types.FunctionType) -> Any:
    """What a name stands for in a function; None if that is not known."""
    if name in function.__code__.co_freevars:
        try:
            return (function.__closure__ or ())[function.__code__.co_freevars.index(name)].cell_contents
        except ValueError:  # the cell is empty
            return None
    return (function.__kwdefaults__ or {}).get(name, function.__globals__.get(name))


@lru_cache(maxsize=256)
def source_tree(code: types.CodeType) -> _Function | None:
    """Return the syntax tree of a function from its source; None if it cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code))).body[0]
    except Exception:  # there is none, or it is not that of the function
        return None
    return tree if isinstance(tree, _Function) and tree.name == code.co_name else None


@lru_cache(maxsize=256)
def _source(code: types.CodeType) -> _Source | None:
    tree = source_tree(code)
    if tree is None:
        return None
    assigned = (each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load))
    calls = tuple(found for each in tree.body for found in _calls(each, frozenset()))
    return _Source(calls, frozenset(assigned))


def _calls(node: ast.AST, hidden: frozenset[str]) -> Iterator[tuple[ast.Call, frozenset[str]]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        hidden = hidden.union(each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg))
    elif isinstance(node, ast.Call):
        yield node, hidden
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, hidden)
