"""Values of the application as attribute values that every SDK and exporter accepts, and as parts of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import MAX_ITEMS, readable_text, scalar, to_json

Scalar = str | int | float | bool
AttributeValue = Scalar | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]

_ACCEPTED_AS_IS = frozenset({float, bool})
_NONE: Mapping[str, AttributeValue] = {}


def clean_attributes(
    attributes: Mapping[str, Any], constants: Mapping[str, AttributeValue] = _NONE
) -> dict[str, AttributeValue]:
    """Return the constants followed by the attributes, each as an accepted value; those that are None are left out."""
    cleaned: dict[str, AttributeValue] = dict(constants)
    for key, value in attributes.items():
        if value is None:
            continue
        kind = type(value)
        if (kind is str and value.isascii()) or kind in _ACCEPTED_AS_IS:
            cleaned[key] = value
        else:
            accepted = attribute_value(value)
            if accepted is not None:
                cleaned[key] = accepted
    return cleaned


def attribute_value(value: Any) -> AttributeValue | None:
    """Return a value as a string, number, boolean or a list of one of these. Never raises.

    A member of an enumeration becomes its value, any other collection JSON, and anything else its text. Integers over
    64 bits become text and lone surrogates are replaced, because OTLP drops both.
    """
    try:
        if isinstance(value, Enum):
            value = value.value
        found = scalar(value)
        if found is not None or value is None:
            return found
        if isinstance(value, (list, tuple, set, frozenset)):
            return _list(value)
        return to_json(value) if isinstance(value, Mapping) else readable_text(value)
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def render_name(*parts: Any) -> str:
    """Join the parts of a name. One that is None is left out, and so is the whitespace around it. Never raises."""
    name = "".join([part if type(part) is str and part.isascii() else _part(part) for part in parts])
    tidy = name.isprintable() and "  " not in name and name[:1] != " " != name[-1:]
    return name if tidy else " ".join(name.split())


def _part(value: Any) -> str:
    return "" if value is None else readable_text(value.value if isinstance(value, Enum) else value)


def _list(values: Sequence[Any] | set[Any] | frozenset[Any]) -> AttributeValue:
    items = list(islice(values, MAX_ITEMS))
    scalars = [scalar(item.value if isinstance(item, Enum) else item) for item in items]
    kinds = {type(found) for found in scalars}
    if len(kinds) <= 1 and type(None) not in kinds:
        return scalars  # type: ignore[return-value]  # all of one kind, as checked above
    return to_json(values)
