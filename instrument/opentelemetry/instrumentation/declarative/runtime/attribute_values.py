"""Values of the host as attribute values that every SDK and exporter takes, and names put together from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.functions import MOST_ITEMS, readable_text, scalar, to_json

Scalar = str | int | float | bool
AttributeValue = Scalar | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]

_PLAIN = frozenset({float, bool})
_NONE: Mapping[str, AttributeValue] = {}


def clean(attributes: Mapping[str, Any], constants: Mapping[str, AttributeValue] = _NONE) -> dict[str, AttributeValue]:
    """The attributes that are there, each as OpenTelemetry takes it, after these constants; None is left out."""
    found: dict[str, AttributeValue] = dict(constants)
    for key, value in attributes.items():
        if value is None:
            continue
        kind = type(value)
        if (kind is str and value.isascii()) or kind in _PLAIN:
            found[key] = value
        else:
            fitting = attribute_value(value)
            if fitting is not None:
                found[key] = fitting
    return found


def attribute_value(value: Any) -> AttributeValue | None:
    """One value as a text, number, truth value or list of one of these.

    A member of an enumeration is its value, any other collection is JSON, and the rest its text. Never raises.
    Integers over 64 bits become text and lone surrogates are replaced, because OTLP drops both.
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


def title(*parts: Any) -> str:
    """A name put together: a part that is None is left out, and so is the space around it. Never raises."""
    name = "".join([part if type(part) is str and part.isascii() else _part(part) for part in parts])
    tidy = name.isprintable() and "  " not in name and name[:1] != " " != name[-1:]
    return name if tidy else " ".join(name.split())


def _part(value: Any) -> str:
    return "" if value is None else readable_text(value.value if isinstance(value, Enum) else value)


def _list(values: Sequence[Any] | set[Any] | frozenset[Any]) -> AttributeValue:
    items = list(islice(values, MOST_ITEMS))
    scalars = [scalar(item.value if isinstance(item, Enum) else item) for item in items]
    kinds = {type(found) for found in scalars}
    if len(kinds) <= 1 and type(None) not in kinds:
        return scalars  # type: ignore[return-value]  # all of one kind, which the line above has seen
    return to_json(values)
