"""Leaves out the entries of a document whose structure is invalid, so that the rest can be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MAX_PROBLEMS,
    Mark,
    Problem,
    closest,
    did_you_mean,
    quoted,
)
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.decode import find_problems
from opentelemetry.instrumentation.declarative.language.decoder import LocatedProblem
from opentelemetry.instrumentation.declarative.language.document import (
    Document,
    KeyPath,
)


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
    found = [each for each in find_problems(document, is_merged=is_merged) if each.path not in invalid]
    if is_merged:
        found = _once_each(_with_suggestion(each, document) for each in found)
    known = set(problems)
    problems.extend(each.problem for each in found if each.problem not in known and not _is_consequence(each, left_out))
    if len(found) > MAX_PROBLEMS:
        return None
    for (*outer, _), problem in (each for each in found if each.problem.code == "unknown-key"):
        if problem.suggestion is not None:  # the key that was probably intended is left out as well
            left_out.add((*outer, problem.suggestion))
    for path, problem in found:
        if _is_about_name(problem, path, document) and problem.suggestion is not None:
            document = layers.renamed(document, path, problem.suggestion)  # what it contains is checked as well
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


def _is_about_name(problem: Problem, path: KeyPath, document: Document) -> bool:
    """Whether the name of an entry has the wrong form, and another entry does not have the one that is suggested."""
    is_at_key = problem.code == "wrong-value" and problem.mark == document.keys.get(path)
    is_in_list = any(isinstance(step, int) for step in path)
    return is_at_key and not is_in_list and problem.suggestion not in layers.keys_at(document, path[:-1])


def _is_consequence(located: LocatedProblem, left_out: set[KeyPath]) -> bool:
    """Whether a mapping lacks a key because an entry of it is invalid and has been left out."""
    path, problem = located
    return problem.code == "missing-key" and any(each[: len(path)] == path for each in left_out)


def _with_suggestion(located: LocatedProblem, document: Document) -> LocatedProblem:
    """An entry of an overlay that is incomplete may have a misspelt name: that of an entry which is extended."""
    path, problem = located
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
