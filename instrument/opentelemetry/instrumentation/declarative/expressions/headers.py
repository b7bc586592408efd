"""Fields of a carrier of trace context, such as the headers of a message: read and written in the forms in use.

A carrier is a mapping, an object for headers, or a list of pairs; its names and values are text or bytes. The name of a
field may have other capital letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.type_facts import type_title

_TEXTS = (str, bytes, bytearray)
#: The names of trace context and baggage. The fields of the latter two may occur several times, and are one list.
FIELDS = ("traceparent", "tracestate", "baggage")
_LIST_FIELDS = ("tracestate", "baggage")


def decoded(value: Any) -> str | None:
    """The text in a value of a field, which may be bytes, or the only item of a list; None if there is none."""
    if type(value) is str:
        return value
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str.__str__(value) if isinstance(value, str) else None


def is_carrier(value: Any) -> bool:
    """Whether a value has fields that are found by name: a mapping, pairs, or an object for headers."""
    return isinstance(value, (dict, list, tuple)) or _is_header_object(value)


def _is_header_object(value: Any) -> bool:
    kind = type(value)
    return hasattr(kind, "__getitem__") and hasattr(kind, "keys")


def item_of_pairs(pairs: list[Any] | tuple[Any, ...], name: Any) -> Any:
    """The second item of the first pair that has this name; None if there is none, or if these are not pairs."""
    wanted = decoded(name)
    if wanted is None:
        return None
    found = None
    for pair in islice(pairs, MAX_ITEMS):
        if not _is_pair(pair):
            return None
        if found is None and decoded(pair[0]) == wanted:
            found = pair
    return None if found is None else found[1]


def field_by_name(carrier: Any, name: Any) -> Any:
    """The value of a field of a mapping or of pairs, whatever its capital letters. Does not exhaust an iterator."""
    wanted = decoded(name)
    if wanted is None:
        return None
    size, lowered = len(wanted), wanted.lower()
    # Most names are texts of another length: to look at each more closely would take much longer.
    values = [
        value
        for key, value in _fields(carrier)
        if (len(key) == size and key.lower() == lowered if type(key) is str else _is_same(key, wanted))
    ]
    if len(values) > 1 and wanted.lower() in _LIST_FIELDS:
        return ",".join(text for value in values if (text := decoded(value)))
    return values[0] if values else None


def set_header(carrier: Any, name: Any, value: str) -> None:
    """Write a field. An existing one is replaced; its name and value are of the kind that the others are.

    Raises TypeError if the carrier cannot be changed.
    """
    if isinstance(carrier, list):
        _set_pair(carrier, name, value)
    elif isinstance(carrier, dict):
        _set_entry(carrier, name, value)
    elif not hasattr(type(carrier), "__setitem__") and hasattr(type(carrier), "set"):
        carrier.set(name, value)
    elif isinstance(carrier, _UNCHANGEABLE) or not hasattr(type(carrier), "__setitem__"):
        kind = type_title(type(carrier))
        raise TypeError(f"the trace context cannot be written to an object of type {kind}: its items cannot be set")
    else:
        if hasattr(type(carrier), "replace_header"):  # an email message, which would have the field twice
            del carrier[name]
        carrier[name] = value


def set_header_attribute(carrier: Any, name: str, value: str) -> None:
    """Write a field that is named with a dot: an item of a carrier, or an attribute of any other object."""
    if isinstance(carrier, (dict, list, tuple)) or (_is_header_object(carrier) and not hasattr(carrier, name)):
        set_header(carrier, name, value)
    else:
        setattr(carrier, name, value)


def copied_carrier(carrier: Any) -> Any:
    """Return a copy of a carrier, to which fields are written in place of the original.

    Raises TypeError for an object that cannot be copied: a shallow copy could share what holds the fields.
    """
    if carrier is None or type(carrier) is tuple:
        return carrier
    if isinstance(carrier, (dict, list)):
        return copy(carrier)
    if callable(getattr(type(carrier), "copy", None)):
        return carrier.copy()
    kind = type_title(type(carrier))
    raise TypeError(f"the trace context cannot be written to a copy of an object of type {kind}: it has no method copy")


def with_headers(carrier: Any, fields: Mapping[str, str], form: str | None = None) -> Any:
    """Return a carrier with these fields: itself, or another one in place of None or a tuple of pairs.

    ``form`` is that of one that is None or has no pairs: "mapping", "pairs", or "byte_pairs" with bytes as values.
    """
    if carrier is None and form in (None, "mapping"):
        return dict(fields)
    if carrier is None or (form is not None and type(carrier) in (list, tuple) and not carrier):
        pairs = [(name, value.encode() if form == "byte_pairs" else value) for name, value in fields.items()]
        if type(carrier) is list:
            carrier += pairs
            return carrier
        return pairs if carrier is None else tuple(pairs)
    if type(carrier) is tuple and all(map(_is_pair, carrier)):
        return tuple(with_headers([*carrier], fields))
    for name, value in fields.items():
        set_header(carrier, name, value)
    return carrier


_UNCHANGEABLE = (type(None), tuple, str, bytes)


def _fields(carrier: Any) -> Iterable[tuple[Any, Any]]:
    fields = carrier if type(carrier) in (dict, list, tuple) else plain(carrier)
    if isinstance(fields, dict):
        entries = dict.items(fields)
        return entries if len(entries) <= MAX_ITEMS else islice(entries, MAX_ITEMS)
    pairs = fields if isinstance(fields, (list, tuple)) else ()
    return ((pair[0], pair[1]) for pair in islice(pairs, MAX_ITEMS) if _is_pair(pair))


def _is_pair(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[0], _TEXTS)


def _is_same(key: Any, wanted: str) -> bool:
    return isinstance(key, _TEXTS) and (text := decoded(key)) is not None and text.lower() == wanted.lower()


# If nothing else is written in a carrier, name and value are of the kind that the name in the spec is of.


def _set_pair(pairs: list[Any], name: Any, value: str) -> None:
    others = [pair for pair in pairs if _is_pair(pair)]
    wanted = decoded(name) or ""
    existing = [index for index, pair in enumerate(pairs) if _is_pair(pair) and _is_same(pair[0], wanted)]
    sample = pairs[existing[0]] if existing else others[-1] if others else (name, name)
    key = sample[0] if existing else _like(wanted, [pair[0] for pair in others or [sample]])
    make: Any = getattr(type(sample), "_make", type(sample))  # a named tuple has another constructor
    pair = make((key, _like(value, [sample[1]] if existing else [pair[1] for pair in others or [sample]])))
    if existing:
        pairs[existing[0]] = pair
        for index in reversed(existing[1:]):
            del pairs[index]
    else:
        pairs.append(pair)


def _set_entry(carrier: dict[Any, Any], name: Any, value: str) -> None:
    wanted = decoded(name) or ""
    existing = [name] if name in carrier else [key for key in carrier if _is_same(key, wanted)]
    key = existing[0] if existing else _like(wanted, list(carrier) or [name])
    carrier[key] = _like(value, [carrier[key]] if existing else list(carrier.values()) or [name])


def _like(text: Any, others: list[Any]) -> Any:
    """The text in the form that all others have: bytes, or the only item of a list; as it is if they differ."""
    if others and all(isinstance(other, list) for other in others):
        inner = [item for other in others for item in other]
        return [_like(text, inner)]
    if others and all(isinstance(other, (bytes, bytearray)) for other in others):
        return text.encode()
    return text
