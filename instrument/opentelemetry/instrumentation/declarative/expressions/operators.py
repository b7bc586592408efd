"""The operators of expressions, if Python's own would do more than read, or have unbounded results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import ELLIPSIS, MAX_CHARACTERS, readable_text
from opentelemetry.instrumentation.declarative.expressions.headers import field_by_name, is_carrier, item_of_pairs
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS, MAX_VALUES
from opentelemetry.instrumentation.declarative.expressions.number_operators import add_numbers, present

#: The most lists inside a list that is built.
_MAX_LISTS = 1_000

#: The greatest length of a result of `+`, by its type.
_MAX_LENGTHS: Mapping[type, int] = {str: MAX_CHARACTERS, bytes: MAX_CHARACTERS, list: MAX_ITEMS, tuple: MAX_ITEMS}

_MAPPINGS = (dict, Mapping)  # dict first, as the check of the abstract class is slow
#: Types for which no abstract class is checked.
_SEQUENCES = frozenset({tuple, list, str})
_CONTAINERS = frozenset({dict, set, frozenset, *_SEQUENCES})

_MISSING = object()

#: The methods of a dict. A dot on a mapping reads the key of such a name, not the method.
MAPPING_NAMES = frozenset(name for name in dir(dict) if not name.startswith("_"))


def dot(value: Any, name: str) -> Any:
    """``value.name`` in an expression: an attribute or, on a mapping, a key; None if it is missing."""
    if type(value) is dict or (name in MAPPING_NAMES and isinstance(value, _MAPPINGS)):
        return value.get(name)
    found = getattr(value, name, _MISSING)  # with a default, because an exception takes ten times as long
    if found is _MISSING:
        return value.get(name) if isinstance(value, _MAPPINGS) else None
    return found


def item(value: Any, key: Any) -> Any:
    """``value[key]`` in an expression; None if there is no such item. Does not add an entry to a ``defaultdict``.

    With a text as the key, the items of a list are found by name, if they are pairs of a name and a value.
    """
    try:
        if type(value) is dict:
            return value.get(key)
        return value[key] if type(value) in _SEQUENCES or not isinstance(value, _MAPPINGS) else value.get(key)
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
    """The right operand of ``in``. Raises TypeError if it would be iterated, which may exhaust it, or never end.

    Nothing is in a container that is missing.
    """
    kind = type(value)
    if kind in _CONTAINERS:
        return value
    if value is None:
        return ()
    if isinstance(value, Iterator):
        raise TypeError(f"`in` would exhaust the {kind.__name__}")
    if not hasattr(kind, "__contains__") or (kind is range and len(value) > MAX_VALUES):
        raise TypeError(f"`in` would iterate over the {kind.__name__}")
    return value


def key_of(*parts: Any) -> tuple[Any, ...] | None:
    """A key of several parts; None if one of them is missing."""
    for part in parts:
        if part is None or (type(part) is not str and present(part) is None):
            return None
    return parts


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


def mapping(keys: tuple[str, ...], *values: Any) -> dict[str, Any]:
    """A mapping display. An entry without a value is left out, as an attribute is."""
    return {key: value for key, value in zip(keys, values, strict=True) if present(value) is not None}


def add(left: Any, right: Any) -> Any:
    """``left + right``. Raises ValueError if the text or list would be too long."""
    kind = type(left)
    if kind is type(right) and kind in _MAX_LENGTHS and len(left) + len(right) > _MAX_LENGTHS[kind]:
        raise ValueError(f"`+` would make a {kind.__name__} longer than {_MAX_LENGTHS[kind]}")
    found = add_numbers(left, right)
    return listing(found) if kind in (list, tuple) else found
