"""Documents with a key or value that was probably intended, at the place in the file of the one that is there."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath


def renamed(document: Document, path: KeyPath, name: str) -> Document:
    """The document with another name for the entry at a path, at the same place in the file."""
    *outer, _ = path
    new: KeyPath = (*outer, name)
    marks, keys = (
        {(*new, *at[len(path) :]) if at[: len(path)] == path else at: mark for at, mark in each.items()}
        for each in (document.marks, document.keys)
    )
    return Document(document.file, _with_name(document.data, path, name), marks, keys)


def replaced(document: Document, path: KeyPath, value: Any) -> Document:
    """The document with another value at a path, at the same place in the file."""
    old = document.value_at(path)
    mark = document.marks[path]
    # What is in the value is not in the file as it is, except for text that is only in another place.
    if not (isinstance(value, dict) and old in value.values()):
        mark = mark._replace(verbatim=False, references=document.references_in(path))
    marks, keys = (
        {at: each for at, each in of.items() if at[: len(path)] != path} for of in (document.marks, document.keys)
    )
    if path in document.keys:
        keys[path] = document.keys[path]
    new_marks, new_keys = marks_within(path, value, mark)
    marks.update(new_marks)
    keys.update(new_keys)
    if isinstance(old, list) and isinstance(value, dict) and len(old) == len(value):  # each item has got a name
        for index, name in enumerate(value):
            item: KeyPath = (*path, index)
            if old[index] == {name: value[name]}:
                item = (*item, name)  # the item has nothing but the entry
            entry: KeyPath = (*path, name)
            marks.update(_moved(document.marks, item, entry))
            keys.update(_moved(document.keys, item, entry))
            keys[entry] = document.marks[item]
    return Document(document.file, _with_value(document.data, path, value), marks, keys)


def marks_within(path: KeyPath, value: Any, mark: Mark) -> tuple[dict[KeyPath, Mark], dict[KeyPath, Mark]]:
    """One mark for a value at a path and for all values in it, and for all keys in it."""
    marks: dict[KeyPath, Mark] = {}
    keys: dict[KeyPath, Mark] = {}
    remaining: list[tuple[KeyPath, Any]] = [(path, value)]
    while remaining:
        inner, each = remaining.pop()
        marks[inner] = mark
        if isinstance(each, dict):
            keys.update({(*inner, key): mark for key in each})
            remaining += [((*inner, key), part) for key, part in each.items()]
        elif isinstance(each, list):
            remaining += [((*inner, index), part) for index, part in enumerate(each)]
    return marks, keys


def _moved(marks: dict[KeyPath, Mark], old: KeyPath, new: KeyPath) -> dict[KeyPath, Mark]:
    return {(*new, *path[len(old) :]): mark for path, mark in marks.items() if path[: len(old)] == old}


def _with_value(data: Any, path: KeyPath, value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        return [_with_value(each, rest, value) if index == step else each for index, each in enumerate(data)]
    return {key: _with_value(each, rest, value) if key == step else each for key, each in data.items()}


def _with_name(data: Any, path: KeyPath, name: str) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        return [_with_name(value, rest, name) if index == step else value for index, value in enumerate(data)]
    if not rest:
        return {name if key == step else key: value for key, value in data.items()}
    return {key: _with_name(value, rest, name) if key == step else value for key, value in data.items()}
