"""Checks a spec on its own, without its library: warns about rules and conditions without effect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.invalid_entries import without_invalid_entries
from opentelemetry.instrumentation.declarative.language.loading import Layers
from opentelemetry.instrumentation.declarative.language.releases import (
    ReleaseFilter,
    for_version,
    merge_documents,
    no_release,
    releases,
)
from opentelemetry.instrumentation.declarative.lint.plan_check import plan_warnings
from opentelemetry.instrumentation.declarative.lint.text_check import text_warnings
from opentelemetry.instrumentation.declarative.plan.planner import make_plan_to_check
from opentelemetry.instrumentation.declarative.plan.validation import MAX_VALUES, layers_of

if TYPE_CHECKING:
    from packaging.version import Version

#: A spec whose version ranges have more boundaries than this gets no warnings.
_MOST_BOUNDARIES = 50


def static_warnings(found: Layers, *, has_errors: bool = False) -> list[Problem]:
    """Return warnings about what has no effect in any release that the spec mentions.

    ``has_errors``: what is not valid is left out, and what seems to be unused may be used there. Shipped specs are not
    the user's: nothing in them is reported.
    """
    documents = layers_of(found)
    own_files = {document.file for document in found.documents}
    warnings: dict[Problem, None] = {}
    variants = _release_variants(documents)
    if sum(len(document.marks) for document in documents) * len(variants) > MAX_VALUES:
        return []
    checked: list[tuple[set[Problem], Callable[[Mark], bool]]] = []
    for applies in variants:
        merged = merge_documents(documents, applies)
        if has_errors:
            valid = without_invalid_entries(merged, [], set(), is_merged=True)
            if valid is None:
                return []
            merged = valid
        plan = make_plan_to_check(decode(merged))
        warnings_of_plan = plan_warnings(plan, is_complete=not has_errors)
        in_variant = [*warnings_of_plan, *text_warnings(merged, plan), *_repeated_attributes(merged, own_files)]
        warnings.update(dict.fromkeys(in_variant))
        checked.append((set(in_variant), _presence(merged)))
    return [
        warning
        for warning in warnings
        if warning.mark.file in own_files
        and all(warning in in_variant or not is_present(warning.mark) for in_variant, is_present in checked)
    ]


def _release_variants(documents: Sequence[Document]) -> list[ReleaseFilter]:
    """One representative for each combination of the mentioned releases that some version of the library belongs to."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    mentioned = [(one.name, one.version) for document in documents for one in releases(document) if one.version]
    ranges = [document.data["target"].get("version") or "" for document in documents if document.data.get("target")]
    try:
        boundaries = {limit.version.removesuffix(".*") for _, version in mentioned for limit in SpecifierSet(version)}
        target = SpecifierSet(ranges[-1] if ranges else "")
        edges = [Version(boundary) for boundary in boundaries] if len(boundaries) <= _MOST_BOUNDARIES else []
    except (InvalidSpecifier, InvalidVersion):
        return []
    variants: dict[tuple[str, ...], ReleaseFilter] = {} if edges or boundaries else {(): no_release}
    for version in (near for edge in edges for near in _adjacent(edge)):
        if target.contains(version, prereleases=True):
            applies = for_version(version)
            variants.setdefault(tuple(name for name, range in mentioned if applies(name, range)), applies)
    return list(variants.values())


def _adjacent(edge: Version) -> Iterator[str]:
    """A version, one right after it and one right before it."""
    *start, last = re.sub(r"(\.0)+$", "", edge.base_version.rpartition("!")[2]).split(".")
    yield str(edge)
    yield ".".join([*start, last, "0", "1"])
    if int(last):
        yield ".".join([*start, str(int(last) - 1), "99999"])


def _repeated_attributes(document: Document, own_files: set[str]) -> Iterator[Problem]:
    """Attributes of a span without a condition that another one replaces. One in an overlay may."""
    spans: dict[str, Any] = document.data.get("spans") or {}
    for name, span in spans.items():
        places: dict[str, tuple[str, KeyPath]] = {}
        groups: dict[str, Any] = span.get("attribute_groups") or {}
        entries = [(f'in the group "{group}"', ("attribute_groups", group), entry) for group, entry in groups.items()]
        for where, path, entry in [*entries, ("under `attributes`", (), span)]:
            if path and entry.keys() & {"at", "when"}:
                continue
            for key, value in (entry.get("attributes") or {}).items():
                if isinstance(value, dict) and value.keys() & {"at", "when"}:
                    continue
                place: KeyPath = ("spans", name, *path, "attributes", key)
                other, replaced = places.get(key, ("", place))
                mark = document.keys[replaced]
                if other and {mark.file, document.keys[place].file} <= own_files:
                    message = f'the span "{name}" has the attribute {key} twice: {other}, and {where}'
                    yield Problem(mark, "repeated", message, "remove one of them, or add when: to the group", "warning")
                places[key] = where, place


def _presence(document: Document) -> Callable[[Mark], bool]:
    """Return a function that says whether the text at a mark is part of a document."""
    lines: dict[tuple[str, int], list[Mark]] = {}
    for path, mark in (*document.marks.items(), *document.keys.items()):
        if path[:1] != ("releases",):  # releases that apply have been merged into the rest
            lines.setdefault((mark.file, mark.line), []).append(mark)

    def is_present(sought: Mark) -> bool:
        on_line = lines.get((sought.file, sought.line), ())
        return any(mark.contains(sought) for mark in on_line)

    return is_present
