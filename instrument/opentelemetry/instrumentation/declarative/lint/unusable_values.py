"""Finds values that certainly have the wrong type where they are used, according to the library's annotations."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from decimal import Decimal

from opentelemetry.instrumentation.declarative.expressions import MAPPING_ENTRIES, HelperCall
from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import CallableTypes
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import expression_type
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type, of_class
from opentelemetry.instrumentation.declarative.lint.expression_roles import WRITTEN, Role
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import UnreadablePath

_TEXTS, _NUMBERS, _COLLECTIONS = (str, bytes), (int, float, Decimal), (list, tuple, dict, set, frozenset)
_KINDS: Mapping[str, tuple[type, ...]] = {"text": _TEXTS, "number": _NUMBERS, "collection": _COLLECTIONS}
#: The operators that need two values of one kind, and those that need numbers.
_SAME_KIND = (ast.Add, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_OF_NUMBERS = (ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


def unusable_value(role: Role, types: CallableTypes, given: Collection[str]) -> UnreadablePath | None:
    """Return the part of an expression whose value cannot be used; None if all of them may be usable."""
    finder = _Finder(role, types, given)
    found = next(filter(None, map(finder.in_operation, ast.walk(role.expression.tree))), None)
    return found or finder.as_a_whole()


class _Finder:
    def __init__(self, role: Role, types: CallableTypes, given: Collection[str]) -> None:
        self.role = role
        self.types = types
        self.given = given

    def in_operation(self, node: ast.AST) -> UnreadablePath | None:
        """Operands of different kinds, such as a text and a number."""
        if isinstance(node, ast.BinOp):
            operator, operands = node.op, (node.left, node.right)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            operator, operands = node.ops[0], (node.left, node.comparators[0])  # type: ignore[assignment]
        else:
            return None
        found = [self._type(each) for each in operands]
        kinds = [_kind(each) for each in found]
        differ = isinstance(operator, _SAME_KIND) and None not in kinds and kinds[0] != kinds[1]
        no_numbers = isinstance(operator, _OF_NUMBERS) and any(kind in ("text", "collection") for kind in kinds)
        if not differ and not no_numbers:
            return None
        why = f"combines {found[0].text or 'another value'} and {found[1].text or 'another value'}"
        help = 'convert one of them, as in str(value), int(value) or f"{value}"'
        return self._unusable(ast.unparse(node), why, help)

    def as_a_whole(self) -> UnreadablePath | None:
        """A value that the rule cannot use: as a number, a key, a list or a mapping."""
        tree, part = self.role.expression.tree, self.role.part
        if isinstance(tree, HelperCall) and isinstance(tree.func, ast.Name) and tree.func.id == MAPPING_ENTRIES:
            return self._unless(tree.args[0], ("collection", None), "has no entries", "read a mapping")
        if self.role.is_number:
            return self._unless(tree, ("number", None), "is not a number", "read a number, such as len(value)")
        if part == "each":
            return self._unless(tree, ("collection", None), "has no items", "read a list")
        type_ = self._type(tree)
        if part == WRITTEN and isinstance(tree, ast.Attribute):
            return self._attribute_of_mapping(tree)
        if part == "key" and type_.known and all(_is_unhashable(choice.cls) for choice in type_.choices):
            return self._unusable(self.role.expression.text, f"is {type_.text} and cannot be a key", "read its id")
        return None

    def _attribute_of_mapping(self, node: ast.Attribute) -> UnreadablePath | None:
        """A field that is written to a mapping, which has items instead."""
        type_ = self._type(node.value)
        if not type_.known or not all(choice.cls is dict for choice in type_.choices):
            return None
        path = ast.unparse(node)
        why = f"is an attribute, and {ast.unparse(node.value)} is {type_.text}, which has items"
        found = self._unusable(path, why, "")
        return found._replace(suggestion=f'{ast.unparse(node.value)}["{node.attr}"]')

    def _unless(self, node: ast.expr, wanted: Collection[str | None], problem: str, help: str) -> UnreadablePath | None:
        type_ = self._type(node)
        if _kind(type_) in wanted:
            return None
        return self._unusable(ast.unparse(node), f"is {type_.text} and {problem}", help)

    def _type(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Constant) and node.value is not None:
            return of_class(type(node.value))
        return expression_type(node, self.types, self.given)

    def _unusable(self, text: str, why: str, help: str) -> UnreadablePath:
        return UnreadablePath(text, self.role.expression.mark, None, why, help)


def _kind(type_: Type) -> str | None:
    """The kind of all values of a type; None if it is not known."""
    kinds = {
        next((kind for kind, classes in _KINDS.items() if choice.cls in classes), None) for choice in type_.choices
    }
    return kinds.pop() if len(kinds) == 1 else None


def _is_unhashable(cls: type | None) -> bool:
    return cls is not None and cls.__hash__ is None
