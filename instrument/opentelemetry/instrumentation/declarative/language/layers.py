"""Layers: a spec that `extends` others is merged onto them, by key; null removes."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.document import Document, Path

#: Keys that speak of the file or the part they stand in, not of the spec it changes.
FILE_KEYS = ("instrument", "extends", "name", "releases", "version")


def merge(base: Document, over: Document) -> Document:
    """``over`` laid onto ``base``: mappings merge by key, null removes a key, everything else replaces.

    Every value keeps the mark of the file it comes from.
    """
    merged = Document(base.file, {}, {(): base.marks[()]}, {})
    changes = {key: value for key, value in over.data.items() if key not in FILE_KEYS}
    merged.data.update(_merge(base, base.data, over, changes, (), merged))
    return merged


def _merge(
    base: Document, low: dict[str, Any], over: Document, high: dict[str, Any], path: Path, into: Document
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key in dict.fromkeys((*low, *high)):
        here = (*path, key)
        if key in high and high[key] is None:
            continue
        if key in low and key in high and isinstance(low[key], dict) and isinstance(high[key], dict):
            into.marks[here], into.keys[here] = base.marks[here], base.keys[here]
            data[key] = _merge(base, low[key], over, high[key], here, into)
        else:
            source, data[key] = (over, high[key]) if key in high else (base, low[key])
            _carry(source, data[key], here, into)
    return data


def removals(base: Document | None, over: Document) -> list[tuple[Path, bool]]:
    """Where ``over`` has a null, and whether ``base`` has anything there that it removes."""
    found: list[tuple[Path, bool]] = []

    def walk(low: Any, high: dict[str, Any], path: Path) -> None:
        for key, value in high.items():
            below = low.get(key) if isinstance(low, dict) else None
            if value is None:
                found.append(((*path, key), below is not None))
            elif isinstance(value, dict):
                walk(below, value, (*path, key))

    walk(base.data if base else None, over.data, ())
    return found


def path_of(document: Document, broken: Mark) -> Path:
    """The path of the entry that a problem's mark points at; the empty path is the whole document."""
    # A mapping stands where its first key stands: the key is what a problem there is about.
    for marks in (document.keys, document.marks):
        paths = [path for path, mark in marks.items() if _same(mark, broken) and _is_there(document.data, path)]
        if paths:
            return max(paths, key=len)
    return ()


def _is_there(data: Any, path: Path) -> bool:
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return False
    return True


def without(document: Document, path: Path) -> Document:
    """The document without the entry at a path; an entry of a list takes its list with it."""
    return Document(document.file, _pruned(document.data, removed_by(path)), document.marks, document.keys)


def removed_by(path: Path) -> Path:
    """The path of the entry that ``without`` removes: that of the list if the path leads into one.

    The marks of the list's other items would no longer be right.
    """
    return next((path[:length] for length, step in enumerate(path) if isinstance(step, int)), path)


def _same(mark: Mark, other: Mark) -> bool:
    return (mark.file, mark.line, mark.column) == (other.file, other.line, other.column)


def _pruned(data: dict[str, Any], path: Path) -> dict[str, Any]:
    step, rest = str(path[0]), path[1:]
    if rest and isinstance(data.get(step), dict):
        return {key: _pruned(value, rest) if key == step else value for key, value in data.items()}
    return {key: value for key, value in data.items() if key != step}


def _carry(source: Document, value: Any, path: Path, into: Document) -> None:
    """Take over the marks of a value and of all below it."""
    into.marks[path] = source.marks[path]
    if path in source.keys:
        into.keys[path] = source.keys[path]
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in below:
        _carry(source, entry, (*path, key), into)
