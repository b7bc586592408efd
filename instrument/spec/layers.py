"""Layers: a spec that `extends` others is merged onto them, by key; null removes."""

from __future__ import annotations

from typing import Any

from instrument.spec.source import Document, Path


#: Keys that speak of the file they stand in, not of the spec it changes.
_OWN = ("instrument", "extends", "name")


def merge(base: Document, over: Document) -> Document:
    """``over`` laid onto ``base``: mappings merge by key, null removes a key, everything else replaces.

    Every value keeps the mark of the file it comes from.
    """
    merged = Document(base.file, {}, {(): base.marks[()]}, {})
    changes = {key: value for key, value in over.data.items() if key not in _OWN}
    merged.data.update(_merge(base, base.data, over, changes, (), merged))
    return merged


def _merge(
    base: Document, low: dict[str, Any], over: Document, high: dict[str, Any], path: Path, into: Document
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key in dict.fromkeys((*low, *high)):
        here = (*path, key)
        if key in low and key in high and high[key] is None:
            continue
        if key in low and key in high and isinstance(low[key], dict) and isinstance(high[key], dict):
            into.marks[here], into.keys[here] = base.marks[here], base.keys[here]
            data[key] = _merge(base, low[key], over, high[key], here, into)
        else:
            source, data[key] = (over, high[key]) if key in high else (base, low[key])
            _carry(source, data[key], here, into)
    return data


def _carry(source: Document, value: Any, path: Path, into: Document) -> None:
    """Take over the marks of a value and of all below it."""
    into.marks[path] = source.marks[path]
    if path in source.keys:
        into.keys[path] = source.keys[path]
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in below:
        _carry(source, entry, (*path, key), into)
