"""The operators and comparisons of expressions on numbers: in the units in which numbers are recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from numbers import Number
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.arrays import is_missing, measures_time
from opentelemetry.instrumentation.declarative.expressions.conversion import number

#: The most bits of a product: Python refuses to convert larger numbers to text.
_MAX_BITS = 14_000
#: Types to whose values Python's own operators are applied.
_PRESENT = frozenset({str, int, float, bool})
_SIMPLE = _PRESENT | {type(None)}

Operator = Callable[[Any, Any], Any]


def present(value: Any) -> Any:
    """The value; None if it is ``NA``, ``NaT`` or the default of an argument that is not given."""
    if type(value) in _SIMPLE:
        return value
    return None if is_missing(value) else value


def _of_numbers(apply: Operator) -> Operator:
    """An operator, which is applied to what values are recorded as if Python cannot apply it to the values themselves.

    Two numbers of different types are an example, such as a ``Decimal`` and a float. If one of the values is missing,
    so is the result.
    """

    def applied(left: Any, right: Any) -> Any:
        if type(left) in _PRESENT and type(right) in _PRESENT:
            return apply(left, right)
        if present(left) is None or present(right) is None:
            return None
        return _apply(apply, left, right)

    return applied


def _apply(apply: Operator, left: Any, right: Any) -> Any:
    if measures_time(left) != measures_time(right):
        seconds = _seconds(left, right) if measures_time(left) else tuple(reversed(_seconds(right, left)))
        if None not in seconds:
            return apply(*seconds)
    try:
        return apply(left, right)
    except (TypeError, InvalidOperation):  # a NaN of `Decimal` raises the latter
        left, right = number(left), number(right)
        if left is None or right is None:
            raise
        return apply(left, right)


class _NotANumberError(TypeError):
    """A time that has no duration is compared with a number."""


def _seconds(time: Any, other: Any) -> tuple[int | float | None, int | float | None]:
    """A duration in seconds, and the number that it is compared with. Numpy would count in the unit of the duration.

    Raises _NotANumberError if only the latter is a number, because numpy applies operators even to a point in time.
    """
    found, compared = number(time), number(other)
    if found is None and compared is not None:
        raise _NotANumberError(f"expected a number, not {type(time).__name__}")
    return found, compared


def _equality(apply: Operator, if_different: bool) -> Operator:
    """The same for equality. ``if_different`` is the result with ``NaT``, ``NA`` or a signalling NaN."""

    def compared(left: Any, right: Any) -> Any:
        if type(left) in _SIMPLE and type(right) in _SIMPLE:
            return apply(left, right)
        if is_missing(left) or is_missing(right):
            return if_different
        try:
            return _apply(apply, left, right)
        except _NotANumberError:
            return if_different

    return compared


less = _of_numbers(operator.lt)
less_or_equal = _of_numbers(operator.le)
greater = _of_numbers(operator.gt)
greater_or_equal = _of_numbers(operator.ge)
equal = _equality(operator.eq, False)
not_equal = _equality(operator.ne, True)

add_numbers = _of_numbers(operator.add)
subtract = _of_numbers(operator.sub)
_multiply = _of_numbers(operator.mul)
divide = _of_numbers(operator.truediv)
floor_divide = _of_numbers(operator.floordiv)
_remainder = _of_numbers(operator.mod)


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of two numbers. Text and lists are not repeated, as that could fill the memory."""
    if isinstance(left, int) and isinstance(right, int) and int.bit_length(left) + int.bit_length(right) > _MAX_BITS:
        raise OverflowError("`*` would make a number that is too large to print")
    return _multiply(_number(left), _number(right))


def remainder(left: Any, right: Any) -> Any:
    """``left % right`` of two numbers. Text is not formatted."""
    return _remainder(_number(left), _number(right))


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, Number)) or present(value) is None:
        return value
    found = number(value)
    if found is None:
        raise TypeError(f"expected a number, not {type(value).__name__}")
    return found


def among(value: Any, items: tuple[Any, ...] | list[Any]) -> bool:
    """``value in items``, of items that an expression lists."""
    return value in items if type(value) in _SIMPLE else any(value is item or equal(value, item) for item in items)


def compare_all(comparisons: tuple[str, ...], *values: Any) -> Any:
    """``a < b <= c``: the values are compared in turn until a comparison is not true."""
    found: Any = True
    for comparison, left, right in zip(comparisons, values, values[1:], strict=False):
        found = COMPARISONS[comparison](left, right)
        if not found:
            break
    return found


#: By their symbols.
COMPARISONS: Mapping[str, Operator] = {
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
    "==": equal,
    "!=": not_equal,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda value, items: value in items,
    "not in": lambda value, items: value not in items,
}
