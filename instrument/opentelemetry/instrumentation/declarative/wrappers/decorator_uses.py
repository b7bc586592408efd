"""Reads in the source of a decorator's function what it does with the function that it wraps."""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Iterable, Iterator
from typing import Literal

from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import uninstrumented
from opentelemetry.instrumentation.declarative.wrappers.forwarding import source_tree

#: *calls*: it calls the function, or passes it on to be called. *reads*: it only reads its attributes. *other*: it may
#: compare or keep the function, or nothing is known.
Use = Literal["calls", "reads", "other"]

#: Attributes of a function through which it is called.
_CALLED_THROUGH = frozenset(["__call__", "__get__"])
#: Callables to which the identity of an argument matters, and callables that only inspect it.
_IDENTIFYING = frozenset(
    ["add", "append", "count", "discard", "get", "hash", "id", "index", "insert", "pop", "remove", "setdefault"]
)
_INSPECTING = frozenset(
    [
        *("callable", "get_type_hints", "getattr", "getdoc", "getfile", "getmodule", "hasattr", "isasyncgenfunction"),
        *("isawaitable", "iscoroutinefunction", "isfunction", "isgeneratorfunction", "isinstance", "repr", "signature"),
    ]
)
#: Instructions that compare an object, look it up or keep it.
_KEEPING = ("IS_OP", "CONTAINS_OP", "COMPARE_OP", "BINARY_SUBSCR", "STORE_SUBSCR", "STORE_ATTR", "STORE_GLOBAL")


def use_of_wrapped(function: types.FunctionType, free_variable: int) -> Use:
    """Return what a function does with the function that one of its free variables stands for."""
    code = uninstrumented(function).__code__
    name = code.co_freevars[free_variable]
    tree = source_tree(code)
    if tree is None:
        return _use_in_code(code)
    found: set[Use] = set()
    names = _aliases(tree, name)
    for node, parents in _nodes(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__wrapped__":
            return "other"
        if isinstance(node, ast.Name) and node.id in names:
            found.add(_use(node, parents, name, names))
        elif isinstance(node, ast.arg) and node.arg in names:
            return "other"
    return "other" if "other" in found else "calls" if "calls" in found else "reads"


def _use(node: ast.Name, parents: list[ast.AST], name: str, names: set[str]) -> Use:
    """What a node that names the function is for, from the nodes that it is in, the innermost last."""
    parent = parents[-1]
    if isinstance(node.ctx, ast.Store):
        return "reads" if node.id != name and _is_alias(parent, names) else "other"
    if isinstance(parent, ast.keyword):
        return _use_as_argument(parents[-2])
    match parent:
        case ast.Call():
            return "calls" if parent.func is node else _use_as_argument(parent)
        case ast.Attribute():
            return "calls" if parent.attr in _CALLED_THROUGH else "reads"
        case ast.Assign() if _is_alias(parent, names):
            return "reads"
        case ast.Compare(comparators=[ast.Constant(value=None)]):
            return "reads"
    return "other"


def _use_as_argument(call: ast.AST) -> Use:
    called = getattr(call, "func", None)
    name = getattr(called, "attr", None) or getattr(called, "id", None)
    return "other" if name in _IDENTIFYING else "reads" if name in _INSPECTING else "calls"


def _aliases(tree: ast.AST, name: str) -> set[str]:
    """A name, and those that are assigned from it."""
    names = {name}
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    while more := {_target(each) for each in assignments if _is_alias(each, names)} - names:
        names |= more
    return names


def _is_alias(node: ast.AST, names: set[str]) -> bool:
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        and (len(node.targets) == 1 and isinstance(node.targets[0], ast.Name))
    )


def _target(assignment: ast.Assign) -> str:
    target = assignment.targets[0]
    assert isinstance(target, ast.Name)
    return target.id


def _nodes(tree: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """The nodes in the body of a function, each with those that it is in."""
    waiting: list[tuple[ast.AST, list[ast.AST]]] = [(node, [tree]) for node in tree.body]
    while waiting:
        node, parents = waiting.pop()
        yield node, parents
        waiting += [(child, [*parents, node]) for child in ast.iter_child_nodes(node)]


def _use_in_code(code: types.CodeType) -> Use:
    """The same from the instructions alone, where there is no source."""
    names = {instruction.opname for each in _codes(code) for instruction in dis.get_instructions(each)}
    is_called = any(name.startswith("CALL") for name in names)
    return "calls" if is_called and names.isdisjoint(_KEEPING) else "other"


def _codes(code: types.CodeType) -> Iterable[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
