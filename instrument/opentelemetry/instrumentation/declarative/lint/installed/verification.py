"""Checks a spec against the installed release of its library, and maps problems to the lines of the user's files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, did_you_mean
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.invalid_entries import without_invalid_entries
from opentelemetry.instrumentation.declarative.language.loading import Layers
from opentelemetry.instrumentation.declarative.language.releases import (
    for_version,
    merge_documents,
    no_release,
    releases,
)
from opentelemetry.instrumentation.declarative.lint.installed.installed_check import InstalledCheck
from opentelemetry.instrumentation.declarative.lint.text_check import paths_in_constants
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import distribution_of
from opentelemetry.instrumentation.declarative.plan.consequences import follows_from
from opentelemetry.instrumentation.declarative.plan.effective import support_of
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.planner import make_plan_to_check
from opentelemetry.instrumentation.declarative.plan.validation import attributed_to_change, layers_of


class Verification:
    """The check of one spec against the installed libraries.

    To verify several specs, create all of them before asking the first for its problems: each listens to imports from
    the time it is created.
    """

    def __init__(self, found: Layers) -> None:
        self._found = found
        self._own_files = {document.file for document in found.documents}
        self._documents = layers_of(found)
        self._unchecked: list[Problem] = []
        self._merged: Document | None = None
        self._check: InstalledCheck | None = None
        if not found.complete:
            return  # an extended spec could not be read, which has been reported
        without_releases = found.merged_onto(self._shipped, no_release)
        version, self._unchecked = self._installed_version(without_releases)
        if self._unchecked:
            return
        self._applies = for_version(version)
        self._merged = self._merge(self._documents)
        if self._merged is not None:
            self._check = InstalledCheck(_plan_of(self._merged))

    def problems(self) -> list[Problem]:
        """Return the problems and warnings of the spec with the installed libraries. Imports what the spec names."""
        if self._check is None:
            return self._unchecked
        left_out = self._found.left_out
        assert self._merged is not None
        check = self._check
        problems = check.problems()
        problems += paths_in_constants(self._merged, lambda _, key: check.is_path(key))
        located = dict.fromkeys(self._located(problems))
        return [problem for problem in located if not any(follows_from(problem, path) for path in left_out)]

    def with_parameters(self, problems: list[Problem]) -> list[Problem]:
        """Return the problems of the files without those that are none, because a callable has the parameter.

        To be called after ``problems``.
        """
        found = self._check.parameters if self._check is not None else set[Mark]()
        return [problem for problem in problems if not (problem.presumed and problem.mark in found)]

    @property
    def _shipped(self) -> Document | None:
        return self._documents[0] if self._found.extends_shipped else None

    def _installed_version(self, document: Document) -> tuple[str | None, list[Problem]]:
        """Return the installed version of the library, and a warning if the spec does not support it."""
        support = support_of(document)
        if support is None:
            return None, []
        distribution, supported, version = support
        if support.state == "not-installed":
            message = f"{distribution} is not installed: the names in this spec were not checked against it"
            mark = self._target_mark(document, "distribution")
            suggestion = distribution_of(distribution)
            help = did_you_mean(suggestion) or "install it and check again"
            return None, [Problem(mark, "not-installed", message, help, "warning", suggestion=suggestion)]
        if support.state != "unsupported":  # an invalid range is reported where the file is read
            return version, []
        message = (
            f"{distribution} {version} is installed and this spec is for {supported}: it traces nothing in this "
            "environment, and its names were not checked"
        )
        help = "install a release in the range, or widen the range and check again"
        return version, [Problem(self._target_mark(document, "version"), "out-of-range", message, help, "warning")]

    def _target_mark(self, document: Document, key: str) -> Mark:
        mark = document.marks["target", key]
        return mark if mark.file in self._own_files else self._extends_mark()

    def _extends_mark(self) -> Mark:
        """Where the user's files name the shipped spec that they extend."""
        for document in self._found.documents:
            extended: Any = document.data.get("extends")
            if extended == self._found.extends_shipped:
                return document.marks["extends",]
            if isinstance(extended, list) and self._found.extends_shipped in extended:
                return document.marks["extends", extended.index(self._found.extends_shipped)]
        return self._found.documents[-1].marks[()]

    def _merge(self, documents: tuple[Document, ...]) -> Document | None:
        """Merge documents for the installed release, without the parts that the schema rejects."""
        return without_invalid_entries(merge_documents(documents, self._applies), [], set(), is_merged=True)

    def _located(self, problems: list[Problem]) -> Iterator[Problem]:
        """The problems, each at the line of the user's files that causes it, without warnings about a shipped spec."""
        problems_of_shipped: set[Problem] | None = None
        for problem in problems:
            if problem.mark.file in self._own_files:
                yield problem
                continue
            if problem.severity == "warning":
                continue
            if problems_of_shipped is None:
                base = self._merge(self._documents[:1])
                problems_of_shipped = set(InstalledCheck(_plan_of(base)).problems()) if base is not None else set()
            if problem in problems_of_shipped:
                yield problem
            elif (attributed := self._attributed(problem)) is not None:
                yield attributed
            else:
                location = f"{os.path.basename(problem.mark.file)}:{problem.mark.line}"
                message = f"{problem.message} (in {location}, as changed by this file)"
                yield replace(problem, mark=self._extends_mark(), message=message)

    def _attributed(self, problem: Problem) -> Problem | None:
        """Return the problem at the change in the user's files that causes it, or None if there is no such change."""
        assert self._merged is not None
        marks = [
            mark for mark in (*self._merged.marks.values(), *self._merged.keys.values()) if mark.contains(problem.mark)
        ]
        enclosing = replace(problem, mark=max(marks, key=lambda mark: mark.column, default=problem.mark))
        names = [one.name for document in self._documents for one in releases(document)]
        attributed = attributed_to_change(enclosing, self._merged, self._found, names)
        return attributed if attributed.mark.file in self._own_files else None


def _plan_of(document: Document) -> Plan:
    """Return the plan, with its problems. Content is included: attributes of content are checked like all others."""
    return make_plan_to_check(decode(document))
