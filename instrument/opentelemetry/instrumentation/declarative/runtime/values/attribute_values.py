"""Values of the program as attribute values that every SDK and exporter accepts, and as parts of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import (
    items,
    scalar,
    text_or_none,
    to_json,
    unreadable,
)
from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.mapping_entries import MappingEntries

Scalar = str | int | float | bool
AttributeValue = Scalar | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]

_ACCEPTED_AS_IS = frozenset({float, bool})
_MAX_INT = 2**63 - 1
_NONE: Mapping[str, AttributeValue] = {}
#: Names by their parts. Most programs have few of them.
_known_names: dict[tuple[str, ...], str] = {}
_MOST_NAMES, _LONGEST_NAME = 500, 200


def clean_attributes(
    attributes: Mapping[str, Any], constants: Mapping[str, AttributeValue] = _NONE
) -> dict[str, AttributeValue]:
    """Return the constants followed by the attributes, each as an accepted value; those that are None are left out.

    The entries of a mapping that stand for one attribute become attributes of their own. A list becomes a tuple, as in
    a span of the SDK.
    """
    cleaned: dict[str, AttributeValue] = dict(constants)
    for key, value in attributes.items():
        if value is None:
            continue
        kind = type(value)
        if (
            (kind is str and value.isascii())
            or kind in _ACCEPTED_AS_IS
            or (kind is int and -_MAX_INT <= value <= _MAX_INT)
        ):
            cleaned[key] = value
        elif kind is list and _is_short_list_of_plain_texts(value):
            cleaned[key] = tuple(value)
        elif kind is MappingEntries:
            cleaned.update(clean_attributes(value))
        else:
            accepted = attribute_value(value)
            if accepted is not None:
                cleaned[key] = tuple(accepted) if type(accepted) is list else accepted
    return cleaned


def _is_short_list_of_plain_texts(values: list[Any]) -> bool:
    if len(values) > MAX_ITEMS:
        return False
    for each in values:  # noqa: SIM110 -- quicker than `all`
        if type(each) is not str or not each.isascii():
            return False
    return True


def attribute_value(value: Any) -> AttributeValue | None:
    """Return a value as a string, number, boolean or a list of one of these. Never raises.

    The types that are known, and what they become, are those of ``expressions.known_types``. Any collection but a list
    of values of one kind becomes JSON. Integers over 64 bits become text and lone surrogates are replaced, because OTLP
    drops both.
    """
    try:
        value = plain(value)
        found = scalar(value)
        if found is not None or value is None:
            return found
        return to_json(value) if isinstance(value, dict) else _list(value)
    except Exception:
        return unreadable(value)


def render_name(*parts: Any) -> str:
    """Join the parts of a name. One that is None is left out, and so is the whitespace around it. Never raises."""
    for part in parts:
        if type(part) is not str:
            return _tidy("".join([_part(each) for each in parts]))
    known = _known_names.get(parts)
    if known is not None:
        return known
    joined = "".join(parts)
    name = _tidy(joined if joined.isascii() else "".join(map(_part, parts)))
    if len(_known_names) < _MOST_NAMES and len(joined) < _LONGEST_NAME:
        _known_names[parts] = name
    return name


def _tidy(name: str) -> str:
    is_tidy = name.isprintable() and "  " not in name and name[:1] != " " != name[-1:]
    return name if is_tidy else " ".join(name.split())


def _part(value: Any) -> str:
    return text_or_none(value) or ""


def _list(values: Any) -> AttributeValue:
    scalars = [scalar(plain(item)) for item in islice(items(values), MAX_ITEMS)]
    kinds = {type(found) for found in scalars}
    if len(kinds) <= 1 and type(None) not in kinds:
        return scalars  # type: ignore[return-value]  # all of one kind, as checked above
    return to_json(values)
