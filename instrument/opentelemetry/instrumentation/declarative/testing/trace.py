"""What a test gets in its hands: the spans of a block, and their tree to compare."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest
from opentelemetry.instrumentation.declarative.testing import comparison, lines, snapshots
from opentelemetry.instrumentation.declarative.testing.lines import Line
from opentelemetry.instrumentation.declarative.testing.metrics import metrics_of
from opentelemetry.instrumentation.declarative.testing.reading import read
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.recorder import Recorder


class Tree:
    """The tree of a trace. It equals a text that shows the same tree, however far that is indented as a whole."""

    __hash__ = None  # type: ignore[assignment]  # it equals texts that differ

    def __init__(self, found: list[Line]) -> None:
        self.lines = found

    def __eq__(self, other: object) -> bool:
        __tracebackhide__ = True
        if isinstance(other, (str, Tree)):
            return comparison.equal(lines_of(other), self.lines)
        return NotImplemented

    def __str__(self) -> str:
        return lines.write(self.lines)

    __repr__ = __str__


class Trace:
    """What has been recorded in a block: its spans, and what the specs have reported."""

    def __init__(
        self,
        recorder: Recorder,
        provider: TracerProvider,
        reader: InMemoryMetricReader,
        *,
        mask: tuple[str, ...],
        by_name: bool,
        kept: snapshots.Snapshots,
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._mask = mask
        self._by_name = by_name
        self._snapshots = kept
        #: For instrumentation of other libraries whose spans shall stand in the same trace.
        self.provider = provider
        #: What the specs have reported, each as a text.
        self.reports: list[str] = []

    @property
    def tree(self) -> Tree:
        """All spans so far as trees, one for each trace, siblings in order of start."""
        return Tree(read([*self._recorder.spans], self._recorder.foreign, self._mask, self._by_name))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """All spans so far, OpenTelemetry's own, in the order in which they were started."""
        return tuple(span for span in [*self._recorder.spans] if id(span) not in self._recorder.foreign)

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """What each metric has come to so far, by its attributes as the tree writes them: ``{"shop.tier=gold": 2}``.

        Of a histogram it is how many values it has: how long something lasts is another time each time.
        """
        return metrics_of(self._reader)

    def span(self, name: str) -> ReadableSpan:
        """The one span with this name."""
        __tracebackhide__ = True
        found = [span for span in self.spans if span.name == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise AssertionError(
                f'{len(found)} spans are called "{name}": which of them is meant? '
                f"Choose from trace.spans. The trace:\n{_indented(str(self.tree).splitlines())}"
            )
        near = closest(name, (span.name for span in self.spans))
        mend = f' Did you mean "{near}"?' if near else ""
        raise AssertionError(f'no span is called "{name}".{mend} The trace:\n{_indented(str(self.tree).splitlines())}')

    def contains(self, part: str) -> bool:
        """Assert that the spans of a text are somewhere in the trace, with all that it lists below them.

        Others may stand beside and between them.
        """
        __tracebackhide__ = True
        expected, tree = lines_of(part), self.tree
        if not expected:
            raise ValueError("trace.contains() has no span: nothing would be compared. Write the spans to be found.")
        missing = [span for span in expected if not comparison.inside([span], tree.lines)]
        if not missing:
            return True
        told: list[str] = []
        for span in missing:
            there = comparison.nearest(span, tree.lines)
            told += map(str, comparison.difference([span], [there] if there else [], partial=True))
        raise AssertionError(
            f"the trace does not contain this (- missing, + instead):\n{_indented(told)}\n"
            f"The trace:\n{_indented(str(tree).splitlines())}"
        )

    def matches_snapshot(self, name: str | None = None) -> bool:
        """Assert that the tree is the one in the test's snapshot; ``pytest --update-spans`` writes what differs."""
        __tracebackhide__ = True
        place, tree = self._snapshots.place(name), self.tree
        kept = snapshots.read(place)
        shown = shown_path(place)
        if kept is not None:
            try:
                expected = lines.parse(kept)
            except lines.UnreadableTree as error:
                if not self._snapshots.update:
                    raise lines.UnreadableTree(f"{shown}: {error}") from None
            else:
                if comparison.equal(expected, tree.lines):
                    return True
        if self._snapshots.update:
            snapshots.write(place, str(tree))
            return True
        if kept is None:
            raise AssertionError(
                f"there is no snapshot {shown}: nothing to compare the trace with. "
                f"Look at it and, if it is right, run `pytest --update-spans`:\n{_indented(str(tree).splitlines())}"
            )
        raise AssertionError(
            f"the trace differs from {shown} (- expected, + recorded):\n"
            f"{_indented(map(str, comparison.difference(expected, tree.lines)))}\n"
            "If this is right, run `pytest --update-spans`."
        )


def lines_of(tree: str | Tree) -> list[Line]:
    """The lines of a tree; a text that shows none is told at the line of the test that compares with it."""
    __tracebackhide__ = True
    if isinstance(tree, Tree):
        return tree.lines
    try:
        return lines.parse(tree)
    except lines.UnreadableTree as error:
        raise lines.UnreadableTree(str(error)) from None


def compared(expected: str | Tree, tree: Tree) -> list[str]:
    """What a failed comparison is told as."""
    differences = comparison.difference(lines_of(expected), tree.lines)
    return ["recorded tree == expected tree (- expected, + recorded)", *map(str, differences)]


def shown_path(path: Path) -> str:
    """A path as a person would write it: from where they are, if it is below."""
    here = os.getcwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)


def _indented(shown: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in shown)
