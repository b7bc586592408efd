"""Problems in how the layers and releases of a spec fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, did_you_mean, quoted
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.releases import (
    ReleaseFilter,
    is_empty,
    merge_onto,
    no_release,
    releases,
)


def release_names(documents: Sequence[Document]) -> list[str]:
    return [*dict.fromkeys(one.name for document in documents for one in releases(document))]


def named(release: str | None) -> ReleaseFilter:
    """Selects the release of this name, whatever is installed."""
    return lambda name, _version: name == release


def _every_release(_name: str, _version: str) -> bool:
    """Selects all releases at once: their version ranges may overlap."""
    return True


def invalid_specifier(text: str, mark: Mark) -> Problem:
    """The problem that a text is not a version specifier."""
    return Problem(mark, "bad-version", f'"{text}" is not a valid version specifier', 'write it as ">=1.0,<2"')


def releases_without_distribution(documents: Sequence[Document]) -> list[Problem]:
    """The releases of no distribution: it is not known which of them is installed."""
    targets = [document.data["target"] for document in documents if document.data.get("target")]
    if not targets or any("distribution" in target for target in targets):
        return []  # without a target, the key is missing
    marks = [document.keys["releases",] for document in documents if document.data.get("releases")]
    message = '"releases" needs a `distribution` under `target`: without it, no release is known'
    help = "add distribution: under target:, with the name that `pip` shows"
    return [Problem(mark, "missing-key", message, help) for mark in marks]


def releases_without_version(documents: Sequence[Document]) -> list[Problem]:
    """The releases that lack a version specifier in all layers from the lowest up."""
    problems: list[Problem] = []
    known: set[str] = set()
    for document in documents:
        for one in releases(document):
            if one.version is None and one.name not in known:
                message = f'the release "{one.name}" has no `version`: it is not known when it applies'
                suggestion = closest(one.name, known)
                help = did_you_mean(suggestion) or 'for example version: "<1.0"'
                problems.append(Problem(one.mark, "missing-key", message, help, suggestion=suggestion))
            known.add(one.name)
    return problems


def invalid_versions(documents: Sequence[Document]) -> list[Problem]:
    """The invalid version specifiers."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    problems: list[Problem] = []
    versions: list[tuple[str, Mark]] = []
    for document in documents:
        for one in releases(document):
            if one.version:
                versions.append((one.version, one.part.marks["version",]))
        target = document.data.get("target") or {}
        if target.get("version"):
            versions.append((target["version"], document.marks["target", "version"]))
    for text, mark in versions:
        try:
            if is_empty(SpecifierSet(text)):
                problems.append(_empty_specifier(text, mark))
        except InvalidSpecifier:
            problems.append(invalid_specifier(text, mark))
    return problems


def _empty_specifier(text: str, mark: Mark) -> Problem:
    from packaging.specifiers import SpecifierSet

    specifiers = [*SpecifierSet(text)]
    versions = [each.version for each in reversed(specifiers)]
    swapped = [f"{each.operator}{version}" for each, version in zip(specifiers, versions, strict=True)]
    intended = ",".join(sorted(swapped, reverse=True))
    help = "remove one of the bounds" if is_empty(SpecifierSet(intended)) else f"did you mean {quoted(intended)}?"
    return Problem(mark, "bad-version", f"no release is in {quoted(text)}", help)


def removals_without_effect(documents: Sequence[Document]) -> list[Problem]:
    """The nulls that remove nothing in any release."""
    without_effect: dict[Mark, Problem] = {}
    with_effect: set[Mark] = set()
    for applies in (*map(named, (None, *release_names(documents))), _every_release):
        base: Document | None = None
        for document in documents:
            for below, above in _merge_steps(base, document, applies):
                for path, removed in layers.removals(below, above):
                    if removed:
                        with_effect.add(above.keys[path])
                    else:
                        without_effect.setdefault(above.keys[path], _nothing_to_remove(below, above, path))
            base = merge_onto(base, document, applies)
    found = (problem for mark, problem in without_effect.items() if mark not in with_effect)
    return [*_removed_releases(documents), *found]


def _nothing_to_remove(below: Document, above: Document, path: KeyPath) -> Problem:
    """The problem that a null is at a place at which the layers below have nothing."""
    return Problem(
        above.keys[path],
        "nothing-to-remove",
        f'null removes nothing here: the spec that is extended has no "{path[-1]}" at this place',
        did_you_mean(closest(str(path[-1]), layers.keys_at(below, path[:-1])))
        or "remove the line, or look for the name in the extended spec",
    )


def _merge_steps(base: Document | None, over: Document, applies: ReleaseFilter) -> Iterator[tuple[Document, Document]]:
    """The merges that one document takes, as pairs of the lower and the upper layer: first all of it but its releases,
    then each release that applies.
    """
    if base is not None:
        yield base, layers.without(over, ("releases",))
    below = merge_onto(base, over, no_release)
    for one in releases(over):
        if applies(one.name, ""):
            yield below, layers.without(one.part, ("version",))
            below = layers.merge(below, one.part)


def _removed_releases(documents: Sequence[Document]) -> Iterator[Problem]:
    """Releases that are null: an overlay cannot remove a release, as it is merged before the next file is read."""
    for document in (each for each in documents if "extends" in each.data):
        entries: dict[str, Any] | None = document.data.get("releases", {})
        paths: list[KeyPath] = [("releases",)] if entries is None else [("releases", name) for name in entries]
        for path in paths:
            if entries is None or entries[str(path[-1])] is None:
                message = "null removes nothing here: an overlay cannot remove a release of the spec that it extends"
                help = "set each key that is not wanted to null under the release, or remove this line"
                yield Problem(document.keys[path], "nothing-to-remove", message, help)
