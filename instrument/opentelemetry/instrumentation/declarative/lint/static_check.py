"""What a spec asks for in vain, told as warnings; the library is not needed for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers
from opentelemetry.instrumentation.declarative.language.releases import Meant, installed, lay, no_release, releases
from opentelemetry.instrumentation.declarative.lint.unused import idle
from opentelemetry.instrumentation.declarative.plan import make_plan
from opentelemetry.instrumentation.declarative.plan.content import WHOLE_CONTENT
from opentelemetry.instrumentation.declarative.plan.validation import MOST_VALUES, layers_of

if TYPE_CHECKING:
    from packaging.version import Version

#: A spec that draws more limits between releases than this gets no warnings.
_MOST_LIMITS = 50


def idle_rules(found: Layers) -> list[Problem]:
    """Warnings about what a spec without problems asks for in vain, in whatever release it speaks of.

    What stands in a packaged spec is none of the user's: nothing is told of it.
    """
    documents = layers_of(found)
    own = {document.file for document in found.documents}
    told: dict[Problem, None] = {}
    apart = _releases_apart(documents)
    if sum(len(document.marks) for document in documents) * len(apart) > MOST_VALUES:
        return []
    variants: list[tuple[set[Problem], Callable[[Mark], bool]]] = []
    for meant in apart:
        whole: Document | None = None
        for document in documents:
            whole = lay(whole, document, meant)
        assert whole is not None
        warnings = [*idle(make_plan(decode(whole), content=WHOLE_CONTENT)), *_given_twice(whole, own)]
        told.update(dict.fromkeys(warnings))
        variants.append((set(warnings), _standing(whole)))
    return [
        problem
        for problem in told
        if problem.mark.file in own and all(problem in said or not stands(problem.mark) for said, stands in variants)
    ]


def _releases_apart(documents: Sequence[Document]) -> list[Meant]:
    """A release of the library for each set of releases, of those that are spoken of, that is ever meant together."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    spoken = [(one.name, one.version) for document in documents for one in releases(document) if one.version]
    ranges = [document.data["target"].get("version") or "" for document in documents if document.data.get("target")]
    try:
        limits = {limit.version.removesuffix(".*") for _, version in spoken for limit in SpecifierSet(version)}
        target = SpecifierSet(ranges[-1] if ranges else "")
        edges = [Version(limit) for limit in limits] if len(limits) <= _MOST_LIMITS else []
    except (InvalidSpecifier, InvalidVersion):
        return []
    found: dict[tuple[str, ...], Meant] = {} if edges or limits else {(): no_release}
    for version in (near for edge in edges for near in _near(edge)):
        if target.contains(version, prereleases=True):
            meant = installed(version)
            found.setdefault(tuple(name for name, wanted in spoken if meant(name, wanted)), meant)
    return list(found.values())


def _near(edge: Version) -> Iterator[str]:
    """A version, one before it and one after it."""
    *start, last = re.sub(r"(\.0)+$", "", edge.base_version.rpartition("!")[2]).split(".")
    yield str(edge)
    yield ".".join([*start, last, "0", "1"])
    if int(last):
        yield ".".join([*start, str(int(last) - 1), "99999"])


def _given_twice(document: Document, own: set[str]) -> Iterator[Problem]:
    """Attributes of a span that are both read and constant."""
    spans: dict[str, Any] = document.data.get("spans") or {}
    for name, span in spans.items():
        for key in [key for key in span.get("constants") or () if key in (span.get("attributes") or ())]:
            marks = [document.keys["spans", name, section, key] for section in ("attributes", "constants")]
            mark = next((mark for mark in marks if mark.file in own), marks[0])
            message = f'the attribute {key} of the span "{name}" stands under `attributes` and under `constants`'
            yield Problem(mark, "repeated", message, "keep the one that is meant", "warning")


def _standing(document: Document) -> Callable[[Mark], bool]:
    """Whether what a mark points at is in a document."""
    lines: dict[tuple[str, int], list[Mark]] = {}
    for path, mark in (*document.marks.items(), *document.keys.items()):
        if path[:1] != ("releases",):  # what is meant of it has been laid over the rest
            lines.setdefault((mark.file, mark.line), []).append(mark)

    def stands(sought: Mark) -> bool:
        there = lines.get((sought.file, sought.line), ())
        return any(mark.column <= sought.column < mark.column + mark.length for mark in there)

    return stands
