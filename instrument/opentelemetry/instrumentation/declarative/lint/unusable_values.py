"""Finds values that certainly have the wrong type where they are used, according to the library's annotations."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import MAPPING_ENTRIES, HelperCall
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import CallableTypes
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import expression_type, item_type
from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class
from opentelemetry.instrumentation.declarative.lint.expression_roles import WRITTEN, Role
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import UnreadablePath
from opentelemetry.instrumentation.declarative.lint.value_kinds import (
    COLLECTIONS,
    NUMBERS,
    OBJECT,
    TEXTS,
    accepted,
    kind_of,
)

#: The operators that need two values of one kind, those that need numbers, and those that search.
_SAME_KIND = (ast.Add, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_OF_NUMBERS = (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_EQUALITY, _SEARCH = (ast.Eq, ast.NotEq), (ast.In, ast.NotIn)
#: Kinds that can be compared, and those that can be added.
_COMPARED = (frozenset({"number", "duration"}), frozenset({"number", "enumeration"}))
_ADDED = (*_COMPARED, frozenset({"time", "duration"}))
#: Kinds of values that no operator for numbers accepts.
_NO_NUMBERS = frozenset({"text", "bytes", "list", "mapping", "time", OBJECT})
#: Kinds in which nothing can be sought.
_NO_CONTAINERS = frozenset({"number", "duration", "time", "enumeration", "iterator", OBJECT})
#: The types of functions' results that are known.
_RESULTS: Mapping[str, type] = {"boolean": bool, "int": int, "double": float, "string": str, "string[]": list}
#: How a value of a kind is converted to one that a function accepts.
_CONVERSIONS: Mapping[str, str] = {"enumeration": "{}.value", "number": "str({})", "duration": "str({})"}
_PHRASES: Mapping[str, str] = {
    **dict.fromkeys(("text", "bytes"), "text"),
    **dict.fromkeys(("list", "set"), "a collection"),
    **dict.fromkeys(("number", "duration", "enumeration"), "a number"),
    "time": "a time",
    "mapping": "a mapping",
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CONVERT = 'convert one of them, as in str(value), int(value) or f"{value}"'


def unusable_value(role: Role, types: CallableTypes, given: Collection[str]) -> UnreadablePath | None:
    """Return the part of an expression whose value cannot be used; None if all of them may be usable."""
    finder = _Finder(role, types, given)
    found = next(filter(None, map(finder.in_part, ast.walk(role.expression.tree))), None)
    return found or finder.as_a_whole()


class _Finder:
    def __init__(self, role: Role, types: CallableTypes, given: Collection[str]) -> None:
        self.role = role
        self.types = types
        self.given = given
        items = dict(self._items(role.expression.tree))
        self.types = replace(types, parameters={**types.parameters, **items})

    def _items(self, tree: ast.expr) -> Iterator[tuple[str, Type]]:
        """The names of items in comprehensions. One that several of them use can have any type."""
        found = [each.generators[0] for each in ast.walk(tree) if isinstance(each, ast.ListComp)]
        names = [each.target.id for each in found if isinstance(each.target, ast.Name)]
        for each in found:
            if isinstance(each.target, ast.Name):
                is_clear = names.count(each.target.id) == 1
                yield each.target.id, item_type(self._type(each.iter)) if is_clear else UNKNOWN

    def in_part(self, node: ast.AST) -> UnreadablePath | None:
        """A part with values of the wrong kind, such as the sum of a text and a number."""
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._in_comparison(node, node.left, node.ops[0], node.comparators[0])
        if isinstance(node, ast.BinOp):
            return self._in_operation(node, node.left, node.op, node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not isinstance(node, HelperCall):
            return self._in_call(node, node.func.id)
        return self._in_comprehension(node) if isinstance(node, ast.ListComp) else None

    def _in_operation(self, node: ast.expr, left: ast.expr, op: ast.AST, right: ast.expr) -> UnreadablePath | None:
        kinds = self._kind(left), self._kind(right)
        both = frozenset(filter(None, kinds))
        differ = None not in kinds and len(both) > 1 and both not in (_ADDED if isinstance(op, ast.Add) else _COMPARED)
        is_subtraction = isinstance(op, ast.Sub) and "time" not in both
        no_numbers = (isinstance(op, _OF_NUMBERS) or is_subtraction) and both & _NO_NUMBERS
        if no_numbers or (differ and isinstance(op, _SAME_KIND)):
            why = f"combines {self._phrase(left)} and {self._phrase(right)}"
            found = self._unusable(node, why, self._field(left, both) or self._field(right, both) or _CONVERT)
            return found._replace(suggestion=self._converted(node, (left, right), is_sum=isinstance(op, ast.Add)))
        return None

    def _in_comparison(self, node: ast.expr, left: ast.expr, op: ast.AST, right: ast.expr) -> UnreadablePath | None:
        if isinstance(op, _EQUALITY):
            left, right = (right, left) if isinstance(left, ast.Constant) else (left, right)
            return self._never_equal(node, left, [right]) if isinstance(right, ast.Constant) else None
        if not isinstance(op, _SEARCH):
            return self._in_operation(node, left, op, right)
        if isinstance(right, (ast.List, ast.Tuple)):
            return self._never_equal(node, left, right.elts)
        if self._kind(right) in _NO_CONTAINERS:
            help = self._field(right, COLLECTIONS) or "seek it in a text or a collection"
            return self._unusable(node, f"seeks a value in {self._phrase(right)}", help)
        return None

    def _converted(self, node: ast.expr, operands: tuple[ast.expr, ast.expr], *, is_sum: bool) -> str | None:
        """An operation on a text and a number with both as texts in a sum, and both as numbers elsewhere."""
        kinds = [self._kind(each) for each in operands]
        if {*kinds} != {"text", "number"}:
            return None
        text, number = operands if kinds[0] == "text" else reversed(operands)
        if isinstance(text, ast.Constant):
            constant = _of_kind(text.value, "number")
            return None if constant is None else _with(node, text, constant)
        return _with(node, number, "str({})") if is_sum else _with(node, text, "int({})")

    def _never_equal(self, node: ast.expr, left: ast.expr, values: Collection[ast.expr]) -> UnreadablePath | None:
        """A comparison with constants of other types. In Python they are not equal, whatever is recorded of them."""
        kind, others = self._kind(left), {self._kind(each) for each in values}
        if kind is None or not others or None in others or kind in others:
            return None
        if any(frozenset({kind, other}) == _COMPARED[0] for other in others if other):
            return None
        why = f"compares {self._phrase(left)} and {self._phrase(next(iter(values)))}, which are never equal"
        help = self._field(left, others) or "compare values of one type"
        found = self._unusable(node, why, help)._replace(effect="is the same in each call")
        constants = [each.value for each in values if isinstance(each, ast.Constant)]
        if kind == "enumeration" and (instead := _of_enumeration(self._type(left), constants)):
            return found._replace(suggestion=_with(node, left, instead))
        if len(constants) == 1 and (constant := _of_kind(constants[0], kind)):
            return found._replace(suggestion=_with(node, next(iter(values)), constant))
        if kind == "bytes" and others == {"text"}:
            return found._replace(suggestion=_with(node, left, "str({})"))
        if kind in ("list", "set") and len(constants) == 1:
            sought = "in" if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.In)) else "not in"
            return found._replace(suggestion=f"{_source(next(iter(values)))} {sought} {_source(left)}")
        return found

    def _in_call(self, node: ast.Call, name: str) -> UnreadablePath | None:
        function = FUNCTIONS.get(name)
        for index, argument in enumerate(node.args if function else ()):
            assert function is not None
            parameter = function.parameters[min(index, len(function.parameters) - 1)]
            kinds, kind = accepted(name, parameter, len(node.args)), self._kind(argument)
            if kinds is not None and kind is not None and kind not in kinds:
                wanted = _phrase_of(kinds)
                why = f"needs {wanted}, and {_source(argument)} is {self._phrase(argument)}"
                found = self._unusable(node, why, self._field(argument, kinds) or f"read {wanted}")
                instead = _CONVERSIONS.get(kind) if kinds <= TEXTS else None
                if isinstance(argument, ast.Constant):
                    instead = _of_kind(argument.value, next(iter(kinds))) if len(kinds) == 1 else None
                return found if instead is None else found._replace(suggestion=_with(node, argument, instead))
        return None

    def _in_comprehension(self, node: ast.ListComp) -> UnreadablePath | None:
        source = node.generators[0].iter
        kind = self._kind(source)
        if kind is None or kind in COLLECTIONS:
            return None
        help = self._field(source, COLLECTIONS) or "read a list"
        return self._unusable(source, f"is {self._phrase(source)} and has no items", help)

    def as_a_whole(self) -> UnreadablePath | None:
        """A value that the rule cannot use: as a number, a key, a list or a mapping."""
        tree, part = self.role.expression.tree, self.role.part
        if isinstance(tree, HelperCall) and isinstance(tree.func, ast.Name) and tree.func.id == MAPPING_ENTRIES:
            return self._unless(tree.args[0], {*COLLECTIONS, OBJECT}, "has no entries", "read a mapping")
        if self.role.is_number:
            return self._unless(tree, NUMBERS, "is not a number", "read a number, such as len(value)")
        if part == "each":
            return self._unless(tree, COLLECTIONS, "has no items", "read a list")
        type_ = self._type(tree)
        if part == WRITTEN and isinstance(tree, ast.Attribute):
            return self._attribute_of_mapping(tree)
        if part == "key" and type_.known and all(_is_unhashable(choice.cls) for choice in type_.choices):
            help = self._field(tree, {"text", "number"}) or "read its id"
            return self._unusable(tree, f"is {type_.text} and cannot be a key", help)
        return None

    def _attribute_of_mapping(self, node: ast.Attribute) -> UnreadablePath | None:
        """A field that is written to a mapping, which has items instead."""
        type_ = self._type(node.value)
        if not type_.known or not all(choice.cls is dict for choice in type_.choices):
            return None
        why = f"is an attribute, and {ast.unparse(node.value)} is {type_.text}, which has items"
        found = self._unusable(node, why, "")
        return found._replace(suggestion=f'{ast.unparse(node.value)}["{node.attr}"]')

    def _unless(self, node: ast.expr, wanted: Collection[str], problem: str, help: str) -> UnreadablePath | None:
        kind = self._kind(node)
        if kind is None or kind in wanted:
            return None
        return self._unusable(node, f"is {self._phrase(node)} and {problem}", help)

    def _field(self, node: ast.expr, kinds: Collection[str | None]) -> str | None:
        """The help that names a field of an object with a value of these kinds."""
        if self._kind(node) != OBJECT:
            return None
        found = (each for choice in self._type(node).choices for each in members(choice).values())
        names = (each.name for each in found if not each.private and kind_of(each.type) in {*kinds} - {OBJECT})
        name = next(names, None)
        return None if name is None else f"read a field of it, such as {ast.unparse(node)}.{name}"

    def _kind(self, node: ast.expr) -> str | None:
        return kind_of(self._type(node))

    def _phrase(self, node: ast.expr) -> str:
        return self._type(node).plain.text or "another value"

    def _type(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Constant) and node.value is not None:
            return of_class(type(node.value))
        if isinstance(node, ast.JoinedStr):
            return of_class(str)
        if isinstance(node, ast.ListComp):
            return of_class(list)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            result = _RESULTS.get(FUNCTIONS[node.func.id].result)
            return UNKNOWN if result is None else of_class(result)
        return expression_type(node, self.types, self.given)

    def _unusable(self, node: ast.expr, why: str, help: str) -> UnreadablePath:
        return UnreadablePath(_source(node), self.role.expression.mark, None, why, help)


def _source(node: ast.expr) -> str:
    """An expression as it is usually written, with double quotes."""
    text = ast.unparse(node)
    return text if '"' in text else text.replace("'", '"')


def _with(node: ast.expr, part: ast.expr, instead: str) -> str:
    """An expression with something else in the place of a part of it. ``{}`` stands for the part."""
    source = ast.unparse(part)
    return _source(node).replace(_source(part), instead.replace("{}", source), 1)


def _phrase_of(kinds: Collection[str]) -> str:
    phrases = dict.fromkeys(phrase for kind, phrase in _PHRASES.items() if kind in kinds)
    return " or ".join(phrase for phrase in phrases if phrase != "a mapping" or "a collection" not in phrases)


def _of_kind(constant: Any, kind: str) -> str | None:
    """A constant as one of another kind: the text of a number, or a number that is written as text."""
    if kind == "text" and isinstance(constant, (int, float)):
        return f'"{constant}"'
    return constant if kind == "number" and isinstance(constant, str) and _NUMBER.fullmatch(constant) else None


def _of_enumeration(type_: Type, constants: Collection[Any]) -> str | None:
    """What to compare of a member of an enumeration: its value, or its name; None if it is neither."""
    members = [member for choice in type_.choices if issubclass(choice.cls or object, Enum) for member in choice.cls]  # type: ignore[union-attr]
    if set(constants) <= {member.value for member in members}:
        return "{}.value"
    return "{}.name" if set(constants) <= {member.name for member in members} else None


def _is_unhashable(cls: type | None) -> bool:
    return cls is not None and cls.__hash__ is None
