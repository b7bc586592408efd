"""The types of the paths in an expression."""

from __future__ import annotations

import ast
import collections
import collections.abc
import typing
from collections.abc import Collection, Mapping
from dataclasses import replace

from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import CallableTypes
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, union

_COLLECTIONS = (
    list,
    tuple,
    set,
    frozenset,
    collections.deque,
    collections.abc.Sequence,
    collections.abc.Set,
    collections.abc.Collection,
    collections.abc.Iterable,
)


def expression_type(tree: ast.expr, types: CallableTypes, given: Collection[str] = ()) -> Type:
    """Return the type of an expression that is a path from a parameter or ``result``; UNKNOWN for any other.

    ``given`` are the names that the spec defines, which take precedence over parameters.
    """
    if isinstance(tree, ast.Name):
        if tree.id in given or tree.id == "error":
            return UNKNOWN
        if tree.id in types.parameters:
            return types.parameters[tree.id]
        return {"result": types.result, "last_item": types.item}.get(tree.id, UNKNOWN)
    if isinstance(tree, (ast.Attribute, ast.Subscript)):
        owner = expression_type(tree.value, types, given)
        steps = [_step_type(choice, tree) for choice in owner.choices]
        return union(steps) if all(each.text for each in steps) else UNKNOWN
    return UNKNOWN


def with_names(types: CallableTypes, names: Mapping[str, ast.expr], items: Mapping[str, ast.expr]) -> CallableTypes:
    """The types with those of names that a spec defines: each is the value of an expression, or an item of it."""
    for name, tree in names.items():
        types = replace(types, parameters={**types.parameters, name: expression_type(tree, types)})
    for name, tree in items.items():
        types = replace(types, parameters={**types.parameters, name: item_type(expression_type(tree, types))})
    return types


def item_type(type_: Type) -> Type:
    """Return the type of the items of a collection; of a mapping, of its keys."""
    items = [_item_type(choice) for choice in type_.choices]
    return union(items) if all(each.text for each in items) else UNKNOWN


def _item_type(type_: Type) -> Type:
    if type_.cls is None or not type_.args:
        return UNKNOWN
    is_uniform = type_.cls in _COLLECTIONS and len({each.text for each in type_.args}) == 1
    return type_.args[0] if is_uniform or issubclass(type_.cls, collections.abc.Mapping) else UNKNOWN


def step_name(node: ast.Attribute | ast.Subscript) -> str | None:
    """Return the attribute or the literal key that the last step of a path reads; None for any other index."""
    if isinstance(node, ast.Attribute):
        return node.attr
    key = node.slice
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _step_type(type_: Type, node: ast.Attribute | ast.Subscript) -> Type:
    name = step_name(node)
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
