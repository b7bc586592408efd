"""What is told of a spec in view of what is installed: of which release, and at which line of whose file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers, checked
from opentelemetry.instrumentation.declarative.language.releases import installed, is_within, lay, no_release, releases
from opentelemetry.instrumentation.declarative.language.shipped import installed_version
from opentelemetry.instrumentation.declarative.lint.installed.installed_check import Look
from opentelemetry.instrumentation.declarative.plan import make_plan
from opentelemetry.instrumentation.declarative.plan.content import WHOLE_CONTENT
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.validation import blamed, layers_of


class Verification:
    """One spec against what is installed.

    Where several are verified, all are made before the first one is asked for its problems: an import is listened to
    from its beginning.
    """

    def __init__(self, found: Layers) -> None:
        self._found = found
        self._own = {document.file for document in found.documents}
        self._documents = layers_of(found)
        self._unchecked: list[Problem] = []
        self._merged: Document | None = None
        self._look: Look | None = None
        if not found.whole:
            return  # What is extended could not be read: that has been told.
        apart = found.onto(self._shipped, no_release)
        version, self._unchecked = self._installed(apart)
        if self._unchecked:
            return
        self._meant = installed(version)
        self._merged = self._laid(self._documents)
        if self._merged is not None:
            self._look = Look(_plan_of(self._merged))

    def problems(self) -> list[Problem]:
        """What of the spec cannot work with what is installed, and warnings. Imports what the spec names."""
        if self._look is None:
            return self._unchecked
        return list(dict.fromkeys(self._told(self._look.problems())))

    @property
    def _shipped(self) -> Document | None:
        return self._documents[0] if self._found.changes else None

    def _installed(self, document: Document) -> tuple[str | None, list[Problem]]:
        """The release that is installed; and a warning where it is none that the spec is for."""
        target: dict[str, str] = document.data.get("target") or {}
        if not target.get("distribution"):
            return None, []
        distribution, wanted = target["distribution"], target.get("version") or ""
        version = installed_version(distribution)
        if version is None:
            message = f"{distribution} is not installed here: whether what this spec names is there was not checked"
            mark = self._mark(document, "distribution")
            return None, [Problem(mark, "not-installed", message, "install it and check again", "warning")]
        if is_within(version, wanted) is not False:  # what is no range is told by those who read the file
            return version, []
        message = (
            f"{distribution} {version} is installed and this spec is for {wanted}: nothing is traced by it here, "
            "and whether what it names is there was not checked"
        )
        mend = "install a release that is in the range, or widen the range and check again"
        return version, [Problem(self._mark(document, "version"), "out-of-range", message, mend, "warning")]

    def _mark(self, document: Document, word: str) -> Mark:
        mark = document.marks["target", word]
        return mark if mark.file in self._own else self._extending()

    def _extending(self) -> Mark:
        """Where the user's files name the packaged spec that they change."""
        for document in self._found.documents:
            named: Any = document.data.get("extends")
            if named == self._found.changes:
                return document.marks["extends",]
            if isinstance(named, list) and self._found.changes in named:
                return document.marks["extends", named.index(self._found.changes)]
        return self._found.documents[-1].marks[()]

    def _laid(self, documents: tuple[Document, ...]) -> Document | None:
        """The documents merged as they are for what is installed, without what the schema finds wrong."""
        merged: Document | None = None
        for document in documents:
            merged = lay(merged, document, self._meant)
        assert merged is not None
        return checked(merged, [], set())

    def _told(self, problems: list[Problem]) -> Iterator[Problem]:
        """The problems, each where the user's files bring it about. Warnings about a packaged spec are not theirs."""
        shipped: set[Problem] | None = None
        for problem in problems:
            if problem.mark.file in self._own:
                yield problem
                continue
            if problem.severity == "warning":
                continue
            if shipped is None:
                base = self._laid(self._documents[:1])
                shipped = set(Look(_plan_of(base)).problems()) if base is not None else set()
            there = f"{os.path.basename(problem.mark.file)}:{problem.mark.line}"
            message = f"{problem.message} (in {there}, as it is changed here)"
            changed = replace(problem, mark=self._extending(), message=message)
            yield problem if problem in shipped else self._blamed(problem) or changed

    def _blamed(self, problem: Problem) -> Problem | None:
        """The problem where a change of the user's stands that it comes from; None where none is found."""
        assert self._merged is not None
        marks = [
            mark for mark in (*self._merged.marks.values(), *self._merged.keys.values()) if _in(problem.mark, mark)
        ]
        around = replace(problem, mark=max(marks, key=lambda mark: mark.column, default=problem.mark))
        for release in (None, *(one.name for document in self._documents for one in releases(document))):
            found = blamed(around, self._merged, self._found, release)
            if found.mark.file in self._own:
                return found
        return None


def _in(mark: Mark, around: Mark) -> bool:
    same_line = (mark.file, mark.line) == (around.file, around.line)
    return same_line and around.column <= mark.column < around.column + around.length


def _plan_of(document: Document) -> Plan:
    """The plan, problems and all. With all content: what reads it is checked as everything else."""
    return make_plan(decode(document), content=WHOLE_CONTENT)
