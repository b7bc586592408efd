"""Reading the items of a collection: bounded, and never of an iterator, which would be used up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, MappingView, Sequence, Set
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.arrays import array_items
from opentelemetry.instrumentation.declarative.expressions.conversion import ELLIPSIS, MAX_CHARACTERS
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS, MAX_VALUES
from opentelemetry.instrumentation.declarative.expressions.number_operators import add_numbers, present
from opentelemetry.instrumentation.declarative.expressions.operators import listing
from opentelemetry.instrumentation.declarative.expressions.type_facts import type_title

_TEXTS = (str, bytes, bytearray, memoryview)
#: Collections that can be read again and again. The abstract classes are last, as their check is slow.
_COLLECTIONS = (list, tuple, dict, set, frozenset, deque, range, Mapping, Sequence, Set, MappingView)
_ITERATE: Mapping[type, Callable[[Any], Any]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    dict: dict.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
}


class Truncated(list[Any]):
    """The first items of a collection that has too many. What needs all of them, such as a sum, is missing."""


def items_of(value: Any) -> list[Any]:
    """All items of a collection; of a mapping, the keys.

    Raises TypeError for any other value, such as text or an iterator, and ValueError if there are too many items.
    """
    if isinstance(value, Truncated):
        raise ValueError(f"the collection has more than {MAX_ITEMS} items")
    found = _first_items(value, MAX_VALUES + 1)
    if len(found) > MAX_VALUES:
        raise ValueError(f"the collection has more than {MAX_VALUES} items")
    return found


def _first_items(value: Any, most: int) -> list[Any]:
    if not isinstance(value, _COLLECTIONS) or isinstance(value, _TEXTS):
        if (found := array_items(value, most)) is not None:
            return found
        raise TypeError(f"expected a list or another collection, not {type_title(type(value))}")
    # The methods of subclasses of built-in types are not called.
    iterate: Callable[[Any], Any] = next((each for kind, each in _ITERATE.items() if isinstance(value, kind)), iter)
    return list(islice(iterate(value), most))


def comprehension(
    value: Any, read: Callable[[Any], Any], condition: Callable[[Any], Any] | None = None
) -> list[Any] | None:
    """The values that ``read`` gives for the items of a collection, of those for which the condition is true.

    At most MAX_ITEMS items are read. None if there is no collection.
    """
    if value is None:
        return None
    items = _first_items(value, MAX_ITEMS + 1)
    found = Truncated() if len(items) > MAX_ITEMS or isinstance(value, Truncated) else []
    left = MAX_CHARACTERS
    for item in items[:MAX_ITEMS]:
        if condition is not None and not present(condition(item)):
            continue
        each = read(item)
        if isinstance(each, (str, bytes)):
            left -= len(each)
            if left < 0:
                return Truncated([*found, ELLIPSIS])
        found.append(each)
    return listing(found)  # type: ignore[no-any-return]


def values_of(value: Any) -> list[Any] | None:
    """The values of a mapping."""
    if value is None:
        return None
    if not isinstance(value, (dict, Mapping)):
        raise TypeError(f"expected a mapping, not {type_title(type(value))}")
    values = dict.values(value) if isinstance(value, dict) else value.values()
    found = list(islice(values, MAX_ITEMS + 1))
    return Truncated(found[:MAX_ITEMS]) if len(found) > MAX_ITEMS else found


def first_items(value: Any) -> tuple[list[Any], bool]:
    """The first items of a collection, and whether there are more. Raises TypeError for any other value."""
    found = _first_items(value, MAX_ITEMS + 1)
    return found[:MAX_ITEMS], len(found) > MAX_ITEMS or isinstance(value, Truncated)


def sum_of(value: Any) -> Any:
    if value is None:
        return None
    total: Any = 0
    for item in items_of(value):
        if present(item) is not None:
            total = add_numbers(total, item)
    return total


def min_of(*values: Any) -> Any:
    found = _compared(values)
    return min(found) if found else None


def max_of(*values: Any) -> Any:
    found = _compared(values)
    return max(found) if found else None


def _compared(values: tuple[Any, ...]) -> list[Any]:
    """The values that are compared: the arguments, or the items of a single one."""
    given = values if len(values) > 1 else () if values[0] is None else items_of(values[0])
    return [value for value in given if present(value) is not None]


def any_of(value: Any) -> bool:
    return value is not None and any(present(item) for item in items_of(value))


def all_of(value: Any) -> bool:
    return value is not None and all(present(item) for item in items_of(value))


def keys_of(value: Any) -> list[Any] | None:
    if value is None:
        return None
    if not isinstance(value, (dict, Mapping)):
        raise TypeError(f"expected a mapping, not {type_title(type(value))}")
    found = _first_items(value, MAX_ITEMS + 1)
    return Truncated(found[:MAX_ITEMS]) if len(found) > MAX_ITEMS else found


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "all": Function(
        all_of,
        ("items",),
        "boolean",
        "Whether all items of the collection are true.",
        ("all([True, 0])", False),
        none_if_none=False,
    ),
    "any": Function(
        any_of,
        ("items",),
        "boolean",
        "Whether at least one item of the collection is true.",
        ("any([True, 0])", True),
        none_if_none=False,
    ),
    "keys": Function(
        keys_of,
        ("mapping",),
        "any",
        "The keys of the mapping, as a list.",
        ("keys(headers)", ["accept", "host"]),
        {"headers": {"accept": "*/*", "host": "shop.example"}},
    ),
    "max": Function(
        max_of,
        ("value",),
        "any",
        "The greatest of the values, or of the items of a single collection. Missing ones are left out.",
        ("max(3, 5)", 5),
        variadic=True,
    ),
    "min": Function(
        min_of,
        ("value",),
        "any",
        "The least of the values, or of the items of a single collection. Missing ones are left out.",
        ("min([3, None, 5])", 3),
        variadic=True,
    ),
    "sum": Function(
        sum_of,
        ("items",),
        "any",
        "The sum of the numbers in the collection. Missing ones are left out.",
        ("sum([1, 2.5])", 3.5),
    ),
    "values": Function(
        values_of,
        ("mapping",),
        "any",
        "The values of the mapping.",
        ("values(sizes)", [3, 5]),
        {"sizes": {"a": 3, "b": 5}},
    ),
}
