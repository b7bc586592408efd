"""Layers: a spec that ``extends`` others is merged onto them by key; null removes an entry."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath

#: Keys that describe the file or the release that they are in, not the spec that it changes.
FILE_KEYS = ("instrument", "extends", "name", "releases", "version")


def merge(base: Document, over: Document, *, with_releases: bool = False) -> Document:
    """Merge ``over`` onto ``base``: mappings are merged by key, null removes a key, everything else replaces.

    Every value keeps the mark of the file that it comes from. ``with_releases``: also merge the releases of both, whose
    entries are not yet merged onto the rest; null there removes a key of the same release only.
    """
    merged = Document(base.file, {}, {(): base.marks[()]}, {})
    kept = {"releases"} if with_releases else set()
    changes = {key: value for key, value in over.data.items() if key not in FILE_KEYS or key in kept}
    merged.data.update(_merge_mappings(base, base.data, over, changes, (), merged))
    return merged


def _merge_mappings(
    base: Document, lower: dict[str, Any], over: Document, upper: dict[str, Any], path: KeyPath, merged: Document
) -> dict[str, Any]:
    """The merged mapping at a path; its marks are added to the merged document."""
    data: dict[str, Any] = {}
    for key in dict.fromkeys((*lower, *upper)):
        inner = (*path, key)
        if key in upper and upper[key] is None:
            continue
        if key in lower and key in upper and isinstance(lower[key], dict) and isinstance(upper[key], dict):
            merged.marks[inner], merged.keys[inner] = base.marks[inner], base.keys[inner]
            data[key] = _merge_mappings(base, lower[key], over, upper[key], inner, merged)
        else:
            source, data[key] = (over, upper[key]) if key in upper else (base, lower[key])
            _copy_marks(source, data[key], inner, merged)
    return data


def _copy_marks(source: Document, value: Any, path: KeyPath, target: Document) -> None:
    """Copy the marks of a value and of everything in it."""
    target.marks[path] = source.marks[path]
    if path in source.keys:
        target.keys[path] = source.keys[path]
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        _copy_marks(source, entry, (*path, key), target)


def removals(base: Document | None, over: Document) -> list[tuple[KeyPath, bool]]:
    """The paths at which ``over`` has null, and whether ``base`` has an entry there."""
    found: list[tuple[KeyPath, bool]] = []

    def collect(lower: Any, upper: dict[str, Any], path: KeyPath) -> None:
        for key, value in upper.items():
            removed = lower.get(key) if isinstance(lower, dict) else None
            if value is None:
                found.append(((*path, key), removed is not None))
            elif isinstance(value, dict):
                collect(removed, value, (*path, key))

    collect(base.data if base else None, over.data, ())
    return found


def keys_at(document: Document | None, path: KeyPath) -> list[str]:
    """The keys of the mapping at a path of a document."""
    value = document.value_at(path) if document else None
    return [*value] if isinstance(value, dict) else []


def path_of(document: Document, mark: Mark) -> KeyPath:
    """The path of the entry at the mark of a problem; the empty path if the mark is that of no entry."""
    # Keys first: a mapping has the mark of its first key, and a problem at that mark is about the key.
    for marks in (document.keys, document.marks):
        paths = [path for path, each in marks.items() if _same_place(each, mark) and _has(document.data, path)]
        if paths:
            return max(paths, key=len)
    return ()


def _same_place(mark: Mark, other: Mark) -> bool:
    return (mark.file, mark.line, mark.column) == (other.file, other.line, other.column)


def _has(data: Any, path: KeyPath) -> bool:
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return False
    return True


def without(document: Document, path: KeyPath) -> Document:
    """The document without the entry at a path. An item of a list takes its list with it."""
    return Document(document.file, _pruned(document.data, removed_by(path)), document.marks, document.keys)


def removed_by(path: KeyPath) -> KeyPath:
    """The path of the entry that ``without`` removes: that of the list if the path leads into one.

    The marks of the list's other items would no longer be right.
    """
    return next((path[:length] for length, step in enumerate(path) if isinstance(step, int)), path)


def _pruned(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    step, rest = str(path[0]), path[1:]
    if rest and isinstance(data.get(step), dict):
        return {key: _pruned(value, rest) if key == step else value for key, value in data.items()}
    return {key: value for key, value in data.items() if key != step}
