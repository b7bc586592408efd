"""What is known of the value of an expression without reading it: its type, and where it can only be one of a few."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: What the functions of the language give.
_GIVEN = {
    **dict.fromkeys(("bool", "ends_with", "is_a", "like", "starts_with"), "boolean"),
    **dict.fromkeys(("int", "iso", "len"), "int"),
    **dict.fromkeys(("json", "lower", "sha256", "str", "truncate", "type_name", "upper"), "string"),
    "float": "double",
}
_OF = {bool: "boolean", int: "int", float: "double", str: "string"}


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type as semantic conventions name it, and the values that are known; ``closed`` where there are no others."""

    name: str
    values: tuple[str | int | float | bool, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a value may be: types, None among them where nothing is known, and literal values."""

    types: frozenset[str | None] = frozenset()
    values: tuple[str | int | float | bool, ...] = ()
    closed: bool = True


_UNKNOWN = _Seen(frozenset({None}), (), False)


def type_of(tree: ast.expr, names: Mapping[str, ValueType | None] = MappingProxyType({})) -> ValueType | None:
    """The type of what an expression gives where it gives anything; None where it is not known.

    ``names``: what is known of names that it reads.
    """
    return _told(_Walk(names).seen(tree))


def type_of_constant(value: object) -> ValueType | None:
    """The type of a fixed value, which has no other."""
    return _told(_literal(value))


def merged(types: Iterable[ValueType | None]) -> ValueType | None:
    """The type of what is recorded in several places; None where it is not known in one, or not the same."""
    return _told(_either(map(_known, types)))


def _told(seen: _Seen) -> ValueType | None:
    types = {"double"} if seen.types == {"int", "double"} else seen.types
    if len(types) != 1 or None in types:
        return None
    (name,) = types
    assert name is not None
    return ValueType(name, tuple(dict.fromkeys(seen.values)), seen.closed and name != "boolean")


def _known(one: ValueType | None) -> _Seen:
    return _UNKNOWN if one is None else _Seen(frozenset({one.name}), one.values, one.closed)


def _literal(value: object) -> _Seen:
    if value is None:
        return _Seen()
    if isinstance(value, (list, tuple)):
        return _list([_literal(item) for item in value])
    if not isinstance(value, (str, int, float, bool)):
        return _UNKNOWN
    return _Seen(frozenset({_OF[type(value)]}), (value,))


def _list(items: list[_Seen]) -> _Seen:
    types = _either(items).types
    return _Seen(frozenset(name and f"{name}[]" for name in types), (), False) if len(types) == 1 else _UNKNOWN


def _either(branches: Iterable[_Seen]) -> _Seen:
    found = [*branches]
    return _Seen(
        frozenset().union(*(one.types for one in found)),
        tuple(value for one in found for value in one.values),
        all(one.closed for one in found),
    )


class _Walk:
    """Through one expression."""

    def __init__(self, names: Mapping[str, ValueType | None]) -> None:
        self.names = names

    def seen(self, node: ast.expr) -> _Seen:
        match node:
            case ast.Constant(value=value):
                return _literal(value)
            case ast.Name(id=name) if name in self.names:
                return _known(self.names[name])
            case ast.JoinedStr():
                return _Seen(frozenset({"string"}), (), False)
            case ast.IfExp(body=body, orelse=other):
                return _either([self.seen(body), self.seen(other)])
            case ast.BoolOp(values=values):
                return _either(map(self.seen, values))
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return _Seen(frozenset({"boolean"}), (), False)
            case ast.UnaryOp(operand=operand):
                return self.number([operand])
            case ast.BinOp(op=ast.Div()):
                return _Seen(frozenset({"double"}), (), False)
            case ast.BinOp(left=left, right=right):
                return self.number([left, right])
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return _list([self.seen(element) for element in elements])
            case ast.Call(func=ast.Name(id=name)) if name in _GIVEN:
                return _Seen(frozenset({_GIVEN[name]}), (), False)
        return _UNKNOWN

    def number(self, operands: Iterable[ast.expr]) -> _Seen:
        types = _either(map(self.seen, operands)).types
        known = types and types <= {"int", "double"}
        return _Seen(types if len(types) == 1 else frozenset({"double"}), (), False) if known else _UNKNOWN
