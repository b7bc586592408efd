"""The type of what an expression reads."""

from __future__ import annotations

import ast
import collections.abc
import typing
from collections.abc import Collection

from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import Readable
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, union


def type_of(tree: ast.expr, readable: Readable, given: Collection[str] = ()) -> Type:
    """The type of an expression that is a path from one of the names of a callable; UNKNOWN for any other.

    ``given``: names that the spec defines, which hide parameters.
    """
    if isinstance(tree, ast.Name):
        if tree.id in given or tree.id == "error":
            return UNKNOWN
        if tree.id in readable.parameters:
            return readable.parameters[tree.id]
        return readable.result if tree.id == "result" else UNKNOWN
    if isinstance(tree, (ast.Attribute, ast.Subscript)):
        owner = type_of(tree.value, readable, given)
        types = [_step(choice, tree) for choice in owner.choices]
        return union(types) if all(each.text for each in types) else UNKNOWN
    return UNKNOWN


def name_of(node: ast.Attribute | ast.Subscript) -> str | None:
    """The attribute or the literal key that a step of a path reads; None for any other index."""
    if isinstance(node, ast.Attribute):
        return node.attr
    key = node.slice
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _step(type_: Type, node: ast.Attribute | ast.Subscript) -> Type:
    """The type one step further."""
    name = name_of(node)
    if isinstance(node, ast.Attribute) or (name is not None and typing.is_typeddict(type_.cls)):
        found = members(type_).get(name or "")
        return found.type if found is not None else UNKNOWN
    if type_.cls is None or not type_.args:
        return UNKNOWN
    if issubclass(type_.cls, collections.abc.Mapping):
        return type_.args[1] if len(type_.args) > 1 else UNKNOWN
    if type_.cls in (list, tuple, collections.abc.Sequence):
        return type_.args[0] if len({each.text for each in type_.args}) == 1 else UNKNOWN
    return UNKNOWN
