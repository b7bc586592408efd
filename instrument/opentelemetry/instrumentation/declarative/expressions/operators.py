"""The operators of expressions, if Python's own would do more than read, or have unbounded results."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from numbers import Number
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import (
    ELLIPSIS,
    MAX_CHARACTERS,
    number,
    readable_text,
)
from opentelemetry.instrumentation.declarative.expressions.headers import (
    field_by_name,
    is_carrier,
    item_of_pairs,
)
from opentelemetry.instrumentation.declarative.expressions.known_types import MAX_ITEMS, MAX_VALUES

#: The most bits of a product: Python refuses to convert larger numbers to text.
_MAX_BITS = 14_000
#: The most lists inside a list that is built.
_MAX_LISTS = 1_000

#: The greatest length of a result of `+`, by its type.
_MAX_LENGTHS: Mapping[type, int] = {str: MAX_CHARACTERS, bytes: MAX_CHARACTERS, list: MAX_ITEMS, tuple: MAX_ITEMS}

_MAPPINGS = (dict, Mapping)  # dict first, as the check of the abstract class is slow

#: The methods of a dict. A dot on a mapping reads the key of such a name, not the method.
MAPPING_NAMES = frozenset(name for name in dir(dict) if not name.startswith("_"))


def dot(value: Any, name: str) -> Any:
    """``value.name`` in an expression: an attribute or, on a mapping, a key; None if it is missing."""
    if name in MAPPING_NAMES and isinstance(value, _MAPPINGS):
        return value.get(name)
    try:
        return getattr(value, name)
    except AttributeError:
        return value.get(name) if isinstance(value, _MAPPINGS) else None


def item(value: Any, key: Any) -> Any:
    """``value[key]`` in an expression; None if there is no such item. Does not add an entry to a ``defaultdict``.

    With a text as the key, the items of a list are found by name, if they are pairs of a name and a value.
    """
    try:
        return value.get(key) if isinstance(value, _MAPPINGS) else value[key]
    except (LookupError, TypeError):
        return item_of_pairs(value, key) if isinstance(value, (list, tuple)) else None


def header(carrier: Any, name: Any) -> Any:
    """``carrier[name]`` in an expression for trace context: also found with other capital letters, and in bytes."""
    found = None if isinstance(carrier, (list, tuple)) and isinstance(name, str) else item(carrier, name)
    return field_by_name(carrier, name) if found is None else found


def header_attribute(carrier: Any, name: str) -> Any:
    """``carrier.name`` in an expression for trace context, as for ``header``."""
    found = dot(carrier, name)
    if found is not None:
        return found
    return header(carrier, name) if is_carrier(carrier) else field_by_name(carrier, name)


def collection(value: Any) -> Any:
    """The right operand of ``in``. Raises TypeError if it would be iterated, which may exhaust it, or never end."""
    kind = type(value)
    if isinstance(value, Iterator):
        raise TypeError(f"`in` would exhaust the {kind.__name__}")
    if not hasattr(kind, "__contains__") or (kind is range and len(value) > MAX_VALUES):
        raise TypeError(f"`in` would iterate over the {kind.__name__}")
    return value


def text(*parts: Any) -> str:
    """The parts of an f-string as one text, cut if it is too long."""
    texts = [part if type(part) is str else readable_text(part) for part in parts]
    return _cut("".join(texts) if sum(map(len, texts)) <= MAX_CHARACTERS else "".join(_first_of(texts)))


def _first_of(texts: list[str]) -> Iterator[str]:
    left = MAX_CHARACTERS + 1
    for each in texts:
        yield each[:left]
        left = max(0, left - len(each))


def _cut(value: str) -> str:
    return value if len(value) <= MAX_CHARACTERS else value[:MAX_CHARACTERS] + ELLIPSIS


def listing(value: Any) -> Any:
    """A list display. Raises ValueError if lists are nested so much that comparing or printing it would not end."""
    left = _MAX_LISTS
    remaining = [value]
    while remaining:
        inner = [each for each in islice(remaining.pop(), MAX_ITEMS) if type(each) in (list, tuple)]
        left -= len(inner)
        if left < 0:
            raise ValueError("there are too many lists in this list")
        remaining += inner
    return value


def add(left: Any, right: Any) -> Any:
    """``left + right``. Raises ValueError if the text or list would be too long."""
    kind = type(left)
    if kind is type(right) and kind in _MAX_LENGTHS and len(left) + len(right) > _MAX_LENGTHS[kind]:
        raise ValueError(f"`+` would make a {kind.__name__} longer than {_MAX_LENGTHS[kind]}")
    found = _add(left, right)
    return listing(found) if kind in (list, tuple) else found


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of two numbers. Text and lists are not repeated, as that could fill the memory."""
    if isinstance(left, int) and isinstance(right, int) and int.bit_length(left) + int.bit_length(right) > _MAX_BITS:
        raise OverflowError("`*` would make a number that is too large to print")
    return _multiply(_number(left), _number(right))


def remainder(left: Any, right: Any) -> Any:
    """``left % right`` of two numbers. Text is not formatted."""
    return _remainder(_number(left), _number(right))


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, Number)):
        return value
    found = number(value)
    if found is None:
        raise TypeError(f"expected a number, not {type(value).__name__}")
    return found


def _of_recorded_numbers(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator that is applied to what values are recorded as if Python cannot apply it to the values themselves.

    Two numbers of different types are an example, such as a ``Decimal`` and a float.
    """

    def applied(left: Any, right: Any) -> Any:
        try:
            return apply(left, right)
        except TypeError:
            left, right = number(left), number(right)
            if left is None or right is None:
                raise
            return apply(left, right)

    return applied


_add, _multiply, _remainder = map(_of_recorded_numbers, (operator.add, operator.mul, operator.mod))
#: The operators of the null-safe form that are Python's own in the direct form.
NUMBER_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    name: _of_recorded_numbers(apply)
    for name, apply in {
        "subtract": operator.sub,
        "divide": operator.truediv,
        "floor_divide": operator.floordiv,
        "less": operator.lt,
        "less_or_equal": operator.le,
        "greater": operator.gt,
        "greater_or_equal": operator.ge,
    }.items()
}
