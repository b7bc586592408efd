"""Values of the host as attribute values that every SDK and exporter takes, and names put together from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

Scalar = str | int | float | bool
AttributeValue = Scalar | Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool]

_PLAIN = frozenset({float, bool})
_GREATEST = 2**63 - 1
#: Lists longer than this, and values nested deeper, are cut: an attribute is no dump.
_MOST_ITEMS = 1_000
_DEEPEST = 8


def clean(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The attributes that are there, each as OpenTelemetry takes it; a value that is None is left out."""
    found: dict[str, AttributeValue] = {}
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
    """One value as a text, number, truth value or list of one of these; anything else as JSON text.

    Never raises. Integers over 64 bits become text and lone surrogates are replaced, because OTLP drops both.
    """
    try:
        scalar = _scalar(value)
        if scalar is not None:
            return scalar
        if isinstance(value, (list, tuple, set, frozenset)):
            return _list(value)
        return None if value is None else _text(json.dumps(_plain(value, 0), ensure_ascii=False))
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def title(*parts: Any) -> str:
    """A name put together: a part that is None is left out, and so is the space around it."""
    return " ".join("".join(part if type(part) is str else "" if part is None else str(part) for part in parts).split())


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(
            value if type(value) is str else str(value.value) if isinstance(value, Enum) else str.__str__(value)
        )
    if isinstance(value, int):
        return int(value) if -_GREATEST - 1 <= value <= _GREATEST else str(int(value))
    if isinstance(value, float):
        return float(value)
    return None


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _list(values: Sequence[Any] | set[Any] | frozenset[Any]) -> AttributeValue:
    items = list(values)[:_MOST_ITEMS]
    scalars = [_scalar(item) for item in items]
    kinds = {type(scalar) for scalar in scalars}
    if len(kinds) <= 1 and type(None) not in kinds:
        return scalars  # type: ignore[return-value]  # all of one kind, which the line above has seen
    return _text(json.dumps(_plain(items, 0), ensure_ascii=False))


def _plain(value: Any, depth: int) -> Any:
    """A value as JSON has it: bounded in depth and length, so that a cycle ends."""
    scalar = _scalar(value)
    if scalar is not None or value is None:
        return scalar
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(key): _plain(entry, depth + 1) for key, entry in list(value.items())[:_MOST_ITEMS]}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(entry, depth + 1) for entry in list(value)[:_MOST_ITEMS]]
    return str(value) if depth < _DEEPEST else "…"
