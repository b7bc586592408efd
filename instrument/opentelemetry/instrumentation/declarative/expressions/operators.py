"""What an operator means in an expression where Python's own would do more than read, or without bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from numbers import Number
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.functions import (
    CUT,
    MOST_CHARACTERS,
    MOST_ITEMS,
    MOST_VALUES,
    bounded_text,
)

#: No product is larger: Python itself would not show it.
_MOST_BITS = 14_000
#: No list that is written out or added to has more lists inside it.
_MOST_LISTS = 1_000

#: The longest that `+` makes of each kind.
_MOST: Mapping[type, int] = {str: MOST_CHARACTERS, bytes: MOST_CHARACTERS, list: MOST_ITEMS, tuple: MOST_ITEMS}

_MAPPINGS = (dict, Mapping)  # a plain dict is known at once, which the abstract class would ponder

#: Names that a dict has of its own. A dot on a mapping reads the key before any of these.
MAPPING_NAMES = frozenset(name for name in dir(dict) if not name.startswith("_"))


def dot(value: Any, name: str) -> Any:
    """What ``value.name`` means in an expression: the attribute or, on a mapping, the key; None if neither is there."""
    if name in MAPPING_NAMES and isinstance(value, _MAPPINGS):
        return value.get(name)
    try:
        return getattr(value, name)
    except AttributeError:
        return value.get(name) if isinstance(value, _MAPPINGS) else None


def item(value: Any, key: Any) -> Any:
    """What ``value[key]`` means in an expression; None where there is no such item.

    A mapping is only asked: a ``defaultdict`` does not get a new entry by it.
    """
    try:
        return value.get(key) if isinstance(value, _MAPPINGS) else value[key]
    except (LookupError, TypeError):
        return None


def collection(value: Any) -> Any:
    """What stands behind ``in``. What would have to be walked through is refused: that may use it up, or never end."""
    kind = type(value)
    if isinstance(value, Iterator):
        raise TypeError(f"`in` would use up the {kind.__name__}")
    if not hasattr(kind, "__contains__") or (kind is range and len(value) > MOST_VALUES):
        raise TypeError(f"`in` would walk through the {kind.__name__}")
    return value


def text(*parts: Any) -> str:
    """An f-string's parts as one text; what is too long is cut."""
    shown = [part if type(part) is str else bounded_text(part) for part in parts]
    return _cut("".join(shown) if sum(map(len, shown)) <= MOST_CHARACTERS else "".join(_first_of(shown)))


def _first_of(texts: list[str]) -> Iterator[str]:
    left = MOST_CHARACTERS + 1
    for each in texts:
        yield each[:left]
        left = max(0, left - len(each))


def _cut(value: str) -> str:
    return value if len(value) <= MOST_CHARACTERS else value[:MOST_CHARACTERS] + CUT


def listing(value: Any) -> Any:
    """A list that is written out. One in which lists stand in lists without end would never be compared or shown."""
    left = _MOST_LISTS
    waiting = [value]
    while waiting:
        inner = [each for each in islice(waiting.pop(), MOST_ITEMS) if type(each) in (list, tuple)]
        left -= len(inner)
        if left < 0:
            raise ValueError("too many lists stand in this list")
        waiting += inner
    return value


def add(left: Any, right: Any) -> Any:
    """``left + right``. Texts and lists that would become too long are refused."""
    kind = type(left)
    if kind is type(right) and kind in _MOST and len(left) + len(right) > _MOST[kind]:
        raise ValueError(f"`+` would make a {kind.__name__} of more than {_MOST[kind]}")
    found = left + right
    return listing(found) if kind in (list, tuple) else found


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of two numbers. A text or list is never repeated: that could fill the memory."""
    if isinstance(left, int) and isinstance(right, int) and int.bit_length(left) + int.bit_length(right) > _MOST_BITS:
        raise OverflowError("`*` would make a number too large to be shown")
    return _number(left) * _number(right)


def remainder(left: Any, right: Any) -> Any:
    """``left % right`` of two numbers. A text is never formatted."""
    return _number(left) % _number(right)


def _number(value: Any) -> Any:
    if isinstance(value, (int, float, Number)):
        return value
    raise TypeError(f"a number is needed here, not {type(value).__name__}")
