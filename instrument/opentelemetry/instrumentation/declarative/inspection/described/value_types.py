"""The types of expressions, and the only values that they can have, as far as they are known from the text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS

_LITERAL_TYPES = {bool: "boolean", int: "int", float: "double", str: "string"}


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type as semantic conventions name it, and known values; ``closed`` if there are no others."""

    name: str
    values: tuple[str | int | float | bool, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Inferred:
    """The possible types of a value, None among them if one is unknown, and its literal values."""

    types: frozenset[str | None] = frozenset()
    values: tuple[str | int | float | bool, ...] = ()
    closed: bool = True


_UNKNOWN = _Inferred(frozenset({None}), (), False)


def value_type(tree: ast.expr, names: Mapping[str, ValueType | None] = MappingProxyType({})) -> ValueType | None:
    """Return the type of the value of an expression, if it has one; None if the type is unknown.

    ``names`` are the types of names that the expression reads.
    """
    return _as_value_type(_ValueTypeInference(names).infer(tree))


def constant_type(value: object) -> ValueType | None:
    """Return the type of a constant."""
    return _as_value_type(_literal(value))


def merge_types(types: Iterable[ValueType | None]) -> ValueType | None:
    """Return the type of a value recorded in several places; None if one is unknown or they differ."""
    return _as_value_type(_either(map(_known, types)))


def _as_value_type(inferred: _Inferred) -> ValueType | None:
    types = {"double"} if inferred.types == {"int", "double"} else inferred.types
    if len(types) != 1 or None in types:
        return None
    (name,) = types
    assert name is not None
    return ValueType(name, tuple(dict.fromkeys(inferred.values)), inferred.closed and name != "boolean")


def _known(one: ValueType | None) -> _Inferred:
    return _UNKNOWN if one is None else _Inferred(frozenset({one.name}), one.values, one.closed)


def _literal(value: object) -> _Inferred:
    if value is None:
        return _Inferred()
    if isinstance(value, (list, tuple)):
        return _list([_literal(item) for item in value])
    if not isinstance(value, (str, int, float, bool)):
        return _UNKNOWN
    return _Inferred(frozenset({_LITERAL_TYPES[type(value)]}), (value,))


def _list(items: list[_Inferred]) -> _Inferred:
    types = _either(items).types
    return _Inferred(frozenset(name and f"{name}[]" for name in types), (), False) if len(types) == 1 else _UNKNOWN


def _either(branches: Iterable[_Inferred]) -> _Inferred:
    found = [*branches]
    return _Inferred(
        frozenset().union(*(one.types for one in found)),
        tuple(value for one in found for value in one.values),
        all(one.closed for one in found),
    )


class _ValueTypeInference:
    """Infers the types of the nodes of one expression."""

    def __init__(self, names: Mapping[str, ValueType | None]) -> None:
        self.names = names

    def infer(self, node: ast.expr) -> _Inferred:
        match node:
            case ast.Constant(value=value):
                return _literal(value)
            case ast.Name(id=name) if name in self.names:
                return _known(self.names[name])
            case ast.JoinedStr():
                return _Inferred(frozenset({"string"}), (), False)
            case ast.IfExp(body=body, orelse=other):
                return _either([self.infer(body), self.infer(other)])
            case ast.BoolOp(values=values):
                return _either(map(self.infer, values))
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return _Inferred(frozenset({"boolean"}), (), False)
            case ast.UnaryOp(operand=operand):
                return self.arithmetic([operand])
            case ast.BinOp(op=ast.Div()):
                return _Inferred(frozenset({"double"}), (), False)
            case ast.BinOp(left=left, right=right):
                return self.arithmetic([left, right])
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return _list([self.infer(element) for element in elements])
            case ast.ListComp(elt=element, generators=[ast.comprehension(target=ast.Name(id=item))]):
                names = {name: known for name, known in self.names.items() if name != item}
                return _list([_ValueTypeInference(names).infer(element)])
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS and FUNCTIONS[name].result != "any":
                return _Inferred(frozenset({FUNCTIONS[name].result}), (), False)
        return _UNKNOWN

    def arithmetic(self, operands: Iterable[ast.expr]) -> _Inferred:
        types = _either(map(self.infer, operands)).types
        known = types and types <= {"int", "double"}
        return _Inferred(types if len(types) == 1 else frozenset({"double"}), (), False) if known else _UNKNOWN
