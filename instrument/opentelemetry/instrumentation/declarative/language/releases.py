"""What a spec says of single releases of its library, laid over the rest of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import Document, Path

#: Whether a release is the one that is looked at, by its name and its version specifier.
Meant = Callable[[str, str], bool]


class Release(NamedTuple):
    """An entry under ``releases``: its name, its version specifier where it has one, and the document it stands in."""

    name: str
    version: str | None
    mark: Mark
    document: Document

    @property
    def part(self) -> Document:
        """What it lays over the rest. Put together only where it is asked for: it takes a walk through the document."""
        return _part(self.document, ("releases", self.name))


def releases(document: Document) -> Iterator[Release]:
    """What a document says of single releases."""
    entries: dict[str, Any] = document.data.get("releases") or {}
    for name, entry in entries.items():
        if entry is not None:
            yield Release(name, entry.get("version"), document.keys["releases", name], document)


def lay(base: Document | None, over: Document, meant: Meant) -> Document:
    """A document laid onto those below it, and then what it says of the releases that are meant."""
    known = {} if base is None else {one.name: one.version for one in releases(base)}
    merged = over if base is None else _versions_noted(layers.merge(base, over), over)
    for one in releases(over):
        version = one.version or known.get(one.name)
        if version and meant(one.name, version):
            merged = layers.merge(merged, one.part)
    return merged


def _versions_noted(merged: Document, over: Document) -> Document:
    """With the versions of the releases that ``over`` speaks of, for the layers above it that speak of the same."""
    for one in releases(over):
        if one.version is not None:
            known: dict[str, Any] = merged.data.get("releases") or {}
            # What is below keeps its own: neither of the two mappings is changed in its place.
            changed = {**(known.get(one.name) or {}), "version": one.version}
            merged.data["releases"] = {**known, one.name: changed}
            for path in (("releases",), ("releases", one.name), ("releases", one.name, "version")):
                merged.marks[path], merged.keys[path] = over.marks[path], over.keys[path]
    return merged


def no_release(_name: str, _version: str) -> bool:
    """Nothing is known of the release: what is said of single ones is left aside."""
    return False


def is_within(version: str, wanted: str) -> bool | None:
    """Whether a version is in a range, as PEP 440 writes it; None where what is wanted is no range."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return None


def installed(version: str | None) -> Meant:
    """The installed release is meant; where nothing is installed, none. What is no range is told by who reads it."""
    return lambda _name, wanted: version is not None and bool(is_within(version, wanted))


def _part(document: Document, path: Path) -> Document:
    """What stands at a path, as a document of its own."""
    data: Any = document.data
    for step in path:
        data = data[step]
    depth = len(path)
    return Document(
        document.file,
        data,
        {place[depth:]: mark for place, mark in document.marks.items() if place[:depth] == path},
        {place[depth:]: mark for place, mark in document.keys.items() if place[:depth] == path},
    )
