"""Decodes a document by the types of its values, and collects the problems in its structure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import MAX_PROBLEMS, Problem
from opentelemetry.instrumentation.declarative.language.document import KeyPath
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.structure_problems import subject_of
from opentelemetry.instrumentation.declarative.language.unknown_keys import NodeKeys

#: The help for a null where there is no value to remove.
_NOTHING_TO_REMOVE = (
    "write a value or remove the key. An empty value or `null` removes a value of an extended spec, and this spec "
    "extends none"
)


class LocatedProblem(NamedTuple):
    """A problem, the path of the value that is invalid, and the value that was probably intended."""

    path: KeyPath
    problem: Problem
    intended: Any = None


class TooManyProblemsError(Exception):
    """So many problems have been found that the rest of the document is not looked at."""


class Decoder:
    """The state of decoding one document.

    ``complete``: whether required keys have to be there. They need not be in a document that is merged onto another.
    ``removes``: whether null removes a value of a lower layer; otherwise it is a problem. ``intended``: returns the
    help for a value of the wrong type, and what was probably intended.
    """

    def __init__(
        self,
        *,
        complete: bool,
        removes: bool,
        entries: Iterable[NodeKeys] = (),
        intended: Callable[[Any, DocumentNode, Any], tuple[str | None, Any]] | None = None,
    ) -> None:
        self.complete = complete
        self.removes = removes
        self.intended = intended
        self.problems: list[LocatedProblem] = []
        #: The entries that the document can have.
        self.entries = tuple(entries)
        #: The nodes around the value that is decoded, outermost first.
        self.outer: list[NodeKeys] = []

    @contextmanager
    def inside(self, title: str, keys: Collection[str]) -> Iterator[None]:
        """Decode the values of a node."""
        self.outer.append(NodeKeys(title, keys))
        try:
            yield
        finally:
            self.outer.pop()

    @contextmanager
    def in_list(self) -> Iterator[None]:
        """Decode the items of a list. A list is replaced as a whole, so they are always complete."""
        outside, self.complete = self.complete, True
        try:
            yield
        finally:
            self.complete = outside

    @contextmanager
    def in_layer(self) -> Iterator[None]:
        """Decode a part of a file that is merged onto the rest, such as an entry of ``releases``."""
        outside, (self.complete, self.removes) = (self.complete, self.removes), (False, True)
        try:
            yield
        finally:
            self.complete, self.removes = outside

    def report(
        self,
        node: DocumentNode,
        code: str,
        message: str,
        help: str | None,
        *,
        at_key: bool = False,
        subject: str | None = None,
        suggestion: str | None = None,
        intended: Any = None,
    ) -> None:
        """Report a problem at a value, or at its key. A value that is a block is marked by its key too.

        ``intended``: the value that was probably intended.
        """
        marks, keys = node.document.marks, node.document.keys
        mark, key = marks.get(node.path), keys.get(node.path)
        if key and (at_key or mark is None or (mark.line != key.line and isinstance(node.value, dict | list))):
            mark = key
        assert mark is not None
        if code == "wrong-type" and isinstance(node.value, dict | list):  # the help repeats what is in it
            mark = mark._replace(references=node.document.references_in(node.path))
        problem = Problem(mark, code, message, help or None, subject=subject, suggestion=suggestion)
        self.problems.append(LocatedProblem(node.path, problem, intended))
        if len(self.problems) > MAX_PROBLEMS:
            raise TooManyProblemsError

    def report_null(self, node: DocumentNode, *, removable: bool) -> None:
        """Report a value that is null, unless that removes a value of a lower layer."""
        if not (removable and self.removes):
            help = _NOTHING_TO_REMOVE if removable else "write one"
            self.report(node, "missing-value", f"{subject_of(node.path)} has no value", help)
