"""Leaves out the entries of a document whose structure is invalid, so that the rest can be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MAX_PROBLEMS,
    Mark,
    Problem,
    closest,
    did_you_mean,
    quoted,
)
from opentelemetry.instrumentation.declarative.language import corrections, layers
from opentelemetry.instrumentation.declarative.language.decode import find_problems
from opentelemetry.instrumentation.declarative.language.decoder import LocatedProblem
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.yaml_errors import MAX_DEPTH


def without_invalid_entries(
    document: Document,
    problems: list[Problem],
    left_out: set[KeyPath],
    *,
    is_merged: bool = False,
    invalid: Collection[KeyPath] = (),
) -> Document | None:
    """The document without the entries whose structure is invalid; None if nothing is left.

    The problems are added to ``problems``, and the paths of the entries to ``left_out``. The values at ``invalid`` have
    been reported.
    """

    def problems_of(document: Document) -> list[LocatedProblem]:
        return [each for each in find_problems(document, is_merged=is_merged) if each.path not in invalid]

    document, corrected, found = _as_intended(document, problems_of)
    if is_merged:
        found = _once_each(_with_suggestion(each, document) for each in found)
    known = set(problems)
    problems.extend(each.problem for each in corrected if each.problem not in known)
    problems.extend(each.problem for each in found if each.problem not in known and not _is_consequence(each, left_out))
    if len(found) > MAX_PROBLEMS:
        return None
    for (*outer, _), problem, _ in (each for each in found if each.problem.code == "unknown-key"):
        if problem.suggestion is not None:  # the key that was probably intended is left out as well
            left_out.add((*outer, problem.suggestion))
    for path, problem, _ in found:
        if _is_about_name(problem, path, document) and problem.suggestion is not None:
            document = corrections.renamed(document, path, problem.suggestion)  # what it contains is checked as well
    paths = [*invalid, *(each.path for each in found)]
    while paths:
        # All at once: to decode again after removing each would take quadratic time.
        for path in paths:
            if path:
                left_out.add(layers.removed_by(path))
                document = layers.without(document, path)
        with_header = _with_header(document)
        if () in paths and with_header.data == document.data:
            return None
        document = with_header
        paths = [each.path for each in find_problems(document, is_merged=is_merged)]
    return document


def _as_intended(
    document: Document, problems_of: Callable[[Document], list[LocatedProblem]]
) -> tuple[Document, list[LocatedProblem], list[LocatedProblem]]:
    """The document with the keys and values that were probably intended, their problems, and all others.

    What is under a misspelt key, or beside an invalid value, is checked as well.
    """
    found = problems_of(document)
    corrected: list[LocatedProblem] = []
    for _ in range(MAX_DEPTH):
        before = document
        for each in found if len(found) <= MAX_PROBLEMS else ():
            after = _corrected(document, each)
            if after is not document:
                document = after
                corrected.append(each)
        if document is before:
            break
        found = problems_of(document)
    return document, corrected, found


def _corrected(document: Document, located: LocatedProblem) -> Document:
    """The document with the key or value that was probably intended; the same one if that is not known."""
    path, problem, intended = located
    if problem.code == "unknown-key" and problem.suggestion is not None:
        is_there = problem.suggestion in layers.keys_at(document, path[:-1])
        return document if is_there else corrections.renamed(document, path, problem.suggestion)
    return document if intended is None else corrections.replaced(document, path, intended)


def _is_about_name(problem: Problem, path: KeyPath, document: Document) -> bool:
    """Whether the name of an entry has the wrong form, and another entry does not have the one that is suggested."""
    is_at_key = problem.code == "wrong-value" and problem.mark == document.keys.get(path)
    is_in_list = any(isinstance(step, int) for step in path)
    return is_at_key and not is_in_list and problem.suggestion not in layers.keys_at(document, path[:-1])


def _is_consequence(located: LocatedProblem, left_out: set[KeyPath]) -> bool:
    """Whether a mapping lacks a key because an entry of it is invalid and has been left out."""
    path, problem, _ = located
    return problem.code == "missing-key" and any(each[: len(path)] == path for each in left_out)


def _with_suggestion(located: LocatedProblem, document: Document) -> LocatedProblem:
    """An entry of an overlay that is incomplete may have a misspelt name: that of an entry which is extended."""
    path, problem, _ = located
    key = document.keys.get(path)
    if problem.code != "missing-key" or len(path) < 2 or key is None or key.file == document.file:
        return located  # the lowest layer has the name
    suggestion = closest(str(path[-1]), [name for name in layers.keys_at(document, path[:-1]) if name != path[-1]])
    if suggestion is None:
        return located
    message = f"the extended spec has no {quoted(str(path[-1]))}: {problem.message}"
    return LocatedProblem(path, replace(problem, message=message, help=did_you_mean(suggestion), suggestion=suggestion))


def _once_each(found: Iterable[LocatedProblem]) -> list[LocatedProblem]:
    """The problems without those of an entry whose name is probably misspelt, except for the first."""
    once: list[LocatedProblem] = []
    misspelt: set[KeyPath] = set()
    for each in found:
        if each.path not in misspelt:
            once.append(each)
        if each.problem.code == "missing-key" and each.problem.suggestion is not None:
            misspelt.add(each.path)
    return once


def _with_header(document: Document) -> Document:
    """The document with a language version and a name, so that their absence does not hide other problems."""
    header = {"instrument": 2, "name": "unnamed"}
    marks: dict[KeyPath, Mark] = {(key,): document.marks[()] for key in header}
    return Document(document.file, {**header, **document.data}, {**marks, **document.marks}, document.keys)
