"""The ``releases`` of a spec: what applies to some releases of its library only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import Document

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

#: Whether a release applies, by its name and its version specifier.
ReleaseFilter = Callable[[str, str], bool]


class Release(NamedTuple):
    """An entry of ``releases``: its name, its version specifier if it has one, and the document that it is in."""

    name: str
    version: str | None
    mark: Mark
    document: Document

    @property
    def part(self) -> Document:
        """The entry as a document. Built on each access, as it takes a pass over the marks of the whole document."""
        return self.document.at(("releases", self.name))


def releases(document: Document) -> Iterator[Release]:
    """The releases of a document."""
    entries: dict[str, Any] = document.data.get("releases") or {}
    for name, entry in entries.items():
        if entry is not None:
            yield Release(name, entry.get("version"), document.keys["releases", name], document)


def merge_onto(base: Document | None, over: Document, applies: ReleaseFilter) -> Document:
    """Merge a document onto the layers below it, and then those of its releases that apply."""
    known = {} if base is None else {one.name: one.version for one in releases(base)}
    merged = over if base is None else _with_versions(layers.merge(base, over), over)
    for one in releases(over):
        version = one.version or known.get(one.name)
        if version and applies(one.name, version):
            merged = layers.merge(merged, one.part)
    return merged


def merge_documents(documents: Iterable[Document], applies: ReleaseFilter, base: Document | None = None) -> Document:
    """Merge documents from the lowest layer up, onto ``base`` if there is one, each with its releases that apply."""
    merged = base
    for document in documents:
        merged = merge_onto(merged, document, applies)
    assert merged is not None
    return merged


def _with_versions(merged: Document, over: Document) -> Document:
    """Add the version specifiers of the releases of ``over``, for layers above that use the same names."""
    for one in releases(over):
        if one.version is not None:
            known: dict[str, Any] = merged.data.get("releases") or {}
            # Both mappings are shared with the base document and must not be changed in place.
            changed = {**(known.get(one.name) or {}), "version": one.version}
            merged.data["releases"] = {**known, one.name: changed}
            for path in (("releases",), ("releases", one.name), ("releases", one.name, "version")):
                merged.marks[path], merged.keys[path] = over.marks[path], over.keys[path]
    return merged


def no_release(_name: str, _version: str) -> bool:
    """A filter for an unknown version of the library: no release applies."""
    return False


def for_version(version: str | None) -> ReleaseFilter:
    """A filter for an installed version: releases that include it apply. If nothing is installed, no release does.

    An invalid specifier does not apply; validation reports it.
    """
    return lambda _name, specifier: version is not None and bool(is_in_range(version, specifier))


def is_in_range(version: str, specifier: str) -> bool | None:
    """Whether a version matches a specifier of PEP 440; None if the specifier is invalid."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return None


def is_empty(specifier: SpecifierSet) -> bool:
    """Whether no version can be in a range: its lower bound is above its upper one."""
    from packaging.version import InvalidVersion, Version

    def bounds(operators: tuple[str, ...]) -> list[Version]:
        return [Version(each.version) for each in specifier if each.operator in operators]

    try:
        lower, upper = bounds((">", ">=", "~=")), bounds(("<", "<="))
    except InvalidVersion:
        return False
    if not lower or not upper:
        return False
    highest, lowest = max(lower), min(upper)
    return highest > lowest or (highest == lowest and not {">=", "<="} <= {each.operator for each in specifier})
