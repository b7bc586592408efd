"""From spec files to a plan. Every problem of every file is reported in one run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError, limit_problems
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.content_policy import NO_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.invalid_entries import without_invalid_entries
from opentelemetry.instrumentation.declarative.language.loading import Layers, read_layers, read_shipped
from opentelemetry.instrumentation.declarative.language.releases import ReleaseFilter, merge_documents, releases
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp
from opentelemetry.instrumentation.declarative.plan.consequences import follows_from
from opentelemetry.instrumentation.declarative.plan.layer_problems import (
    invalid_versions,
    named,
    release_names,
    releases_without_distribution,
    releases_without_version,
    removals_without_effect,
)

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.plan.model import Plan

#: The most values that a spec may have in all its layers together, counted once for each release that it names.
MAX_VALUES = 200_000


def plan_of(document: Document, *, content: ContentPolicy = NO_CONTENT) -> Plan:
    """The plan of a document that is valid by the schema. Raises SpecError with its problems."""
    plan = _plan(document, content)
    if plan.problems:
        raise SpecError(plan.problems)
    return plan


def read_spec(
    spec: str | os.PathLike[str] | Document, files: dict[str, FileStamp] | None = None, *, deferred: bool = False
) -> Layers:
    """Read a spec and validate it. Raises SpecError with every problem in it and in the specs that it extends.

    ``files`` receives each file that is looked for, with its stamp before it is read. ``deferred``: if the spec extends
    a shipped one, only its own files are validated; ``plan_overlay`` does the rest when the library is imported.
    """
    found, problems = examine(spec, files, deferred=deferred)
    problems = [problem for problem in problems if problem.is_fatal]
    if problems or found is None:
        texts = {spec.file: spec.text} if isinstance(spec, Document) and spec.text is not None else {}
        raise SpecError(problems, texts)
    return found


def plan_overlay(
    merged: Document, shipped: Document, found: Layers, installed: ReleaseFilter, content: ContentPolicy
) -> Plan:
    """The plan of a shipped spec onto which the layers of an overlay have been merged, for the installed release.

    Raises SpecError with the problems of the overlay, at its own lines. Of the shipped spec, only the entries that the
    overlay changes are validated against the schema: the rest is validated when it ships.
    """
    documents = (shipped, *found.documents)
    if too_large := _too_large(documents):
        raise SpecError([too_large])
    problems = releases_without_version(documents)
    problems += removals_without_effect(documents) if _has_removals(found) else []
    without_invalid_entries(_changed_entries(merged, found), problems, set(), is_merged=True)
    plan: Plan | None = None
    if not problems:
        plan = _plan(merged, content)
        problems = plan.problems
    if plan is None or problems:
        applied = [one.name for one in releases(merged) if one.version and installed(one.name, one.version)]
        raise SpecError([_attributed(problem, merged, found, applied, shipped) for problem in problems])
    return plan


def examine(
    spec: str | os.PathLike[str] | Document, files: dict[str, FileStamp] | None = None, *, deferred: bool = False
) -> tuple[Layers | None, list[Problem]]:
    """Read a spec. Returns its layers without the invalid entries, or None if nothing is valid, and all problems."""
    problems: list[Problem] = []
    left_out: set[KeyPath] = set()
    try:
        found = read_layers(spec, problems, left_out, files)
    except SpecError as error:
        return None, limit_problems(error.problems)
    if found.complete and deferred and found.extends_shipped:
        problems += invalid_versions(found.documents)
    elif found.complete:
        problems += _merged_problems(found, problems, left_out)
    return found, limit_problems(problems)


def _plan(document: Document, content: ContentPolicy = NO_CONTENT) -> Plan:
    """The plan of a document, which holds its problems."""
    # Imported here: the overlay of a library that is never imported is validated without the planner.
    from opentelemetry.instrumentation.declarative.language.decode import decode
    from opentelemetry.instrumentation.declarative.plan.planner import make_plan

    return make_plan(decode(document), content=content)


def layers_of(found: Layers) -> tuple[Document, ...]:
    """All documents of a spec from the lowest layer up: the shipped spec, the files that it extends, and its own."""
    return (*((read_shipped(found.extends_shipped),) if found.extends_shipped else ()), *found.documents)


def _merged_problems(found: Layers, known: list[Problem], left_out: set[KeyPath]) -> list[Problem]:
    """The problems of the merged layers, for each release that they name and for a release that none of them names.

    ``known``: problems of the single files, which are not repeated. ``left_out``: the paths of their invalid entries.
    """
    documents = layers_of(found)
    shipped = documents[0] if found.extends_shipped else None
    if too_large := _too_large(documents):
        return [too_large]
    problems = dict.fromkeys(
        [
            *releases_without_distribution(documents),
            *releases_without_version(documents),
            *invalid_versions(documents),
            *removals_without_effect(documents),
        ]
    )
    for name in (None, *release_names(documents)):
        problems.update(dict.fromkeys(_problems_in_release(name, shipped, found, known, left_out)))
    return [*problems]


def _too_large(documents: Sequence[Document]) -> Problem | None:
    """The problem that the layers have too many values to merge them once for each release."""
    values, merges = sum(len(document.marks) for document in documents), 1 + len(release_names(documents))
    if values * merges <= MAX_VALUES:
        return None
    message = f"this is {values} values for each of {merges} releases: the limit is {MAX_VALUES} in all"
    return Problem(documents[-1].marks[()], "too-large", message, "split it into several specs")


def _problems_in_release(
    release: str | None, shipped: Document | None, found: Layers, known: list[Problem], left_out: set[KeyPath]
) -> list[Problem]:
    """The problems of the merged layers for the release of this name, or for one that they do not name."""
    problems: list[Problem] = []
    base = merge_documents((*([shipped] if shipped else []), *found.documents), named(release))
    valid: Document | None = base
    if base is not found.documents[0]:  # a single document has been validated as it was read
        reported = list(known)
        valid = without_invalid_entries(base, reported, left_out, is_merged=True)
        problems += reported[len(known) :]
    if valid is not None:
        repeated = set(known)
        plan = _plan(valid)
        new = [problem for problem in (*plan.problems, *plan.presumed, *plan.local_problems) if problem not in repeated]
        problems += [problem for problem in new if not any(follows_from(problem, path) for path in left_out)]
    problems = limit_problems(problems)
    applied = [] if release is None else [release]
    return [_attributed(problem, base, found, applied, shipped) for problem in problems]


def _attributed(
    problem: Problem, merged: Document, found: Layers, applied: Sequence[str], shipped: Document | None
) -> Problem:
    """The problem at the line of the change that causes it, if it is at a line of the shipped spec."""
    if shipped is None or problem.mark.file not in shipped.files:
        return _attributed_to_removal(problem, found) or problem
    return attributed_to_change(problem, merged, found, applied)


def _has_removals(found: Layers) -> bool:
    return any(layers.removals(None, document) for document in found.documents)


def _changed_entries(merged: Document, found: Layers) -> Document:
    """The merged document with those of its named entries (spans, hooks, …) that the layers change, and all scalars."""
    changed: dict[str, set[str]] = {}
    for document in found.documents:
        for part in (document, *(one.part for one in releases(document))):
            for key, value in part.data.items():
                changed.setdefault(key, set()).update(value if isinstance(value, dict) else ())
    data: dict[str, Any] = {}
    for key, value in merged.data.items():
        if not isinstance(value, dict) or key in ("releases", "target", "scope"):
            data[key] = value
        elif entries := {name: value[name] for name in value if name in changed.get(key, ())}:
            data[key] = entries
    return Document(merged.file, data, merged.marks, merged.keys)


def attributed_to_change(problem: Problem, merged: Document, found: Layers, applied: Sequence[str]) -> Problem:
    """The problem of a shipped spec at the line of the change that causes it."""
    if (of_removal := _attributed_to_removal(problem, found)) is not None:
        return of_removal
    path = layers.path_of(merged, problem.mark)
    for document in reversed(found.documents):
        for length in range(len(path), 1, -1):
            for changed in (path[:length], *(("releases", release, *path[:length]) for release in applied)):
                if changed in document.keys:
                    return replace(problem, mark=document.keys[changed])
    return problem


def _attributed_to_removal(problem: Problem, found: Layers) -> Problem | None:
    """The problem at the line of a layer that removes what a lower layer needs; None if none does."""
    line = f"{os.path.basename(problem.mark.file)}:{problem.mark.line}"
    for document in reversed(found.documents):
        for changed, _ in layers.removals(None, document) if problem.mark.file != document.file else ():
            if problem.code != "no-lifetime" and follows_from(problem, changed):
                message = f"{problem.message} once it is removed here, and {line} needs it"
                help = "remove what needs it as well"
                return replace(problem, mark=document.keys[changed], message=message, help=help)
    return None
