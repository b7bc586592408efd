"""The result of a block in a test: its spans, and their tree."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest
from opentelemetry.instrumentation.declarative.testing.snapshots import SnapshotFolder, read_snapshot, write_snapshot
from opentelemetry.instrumentation.declarative.testing.tree_builder import build_tree
from opentelemetry.instrumentation.declarative.testing.tree_comparison import (
    closest_span,
    contains,
    difference,
    is_equal,
)
from opentelemetry.instrumentation.declarative.testing.tree_text import (
    TreeLine,
    TreeSyntaxError,
    parse_tree,
    value_text,
    write_tree,
)
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.log_recorder import LogRecorder, RecordedLog
    from opentelemetry.instrumentation.declarative.testing.recorder import Recorder


class SpanTree:
    """The tree of a trace. It equals each text of the same tree, whatever the indentation of the text as a whole."""

    __hash__ = None  # type: ignore[assignment]  # it equals texts that differ from each other

    def __init__(self, lines: list[TreeLine]) -> None:
        self.lines = lines

    def __eq__(self, other: object) -> bool:
        __tracebackhide__ = True
        if isinstance(other, (str, SpanTree)):
            return is_equal(lines_of(other), self.lines)
        return NotImplemented

    def __str__(self) -> str:
        return write_tree(self.lines)

    __repr__ = __str__


class Trace:
    """The spans, metrics and log records that have been recorded in a block, and what the specs have reported."""

    def __init__(
        self,
        recorder: Recorder,
        provider: TracerProvider,
        reader: InMemoryMetricReader,
        logs: LogRecorder,
        *,
        mask: tuple[str, ...],
        by_name: bool,
        snapshots: SnapshotFolder,
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._logs = logs
        self._mask = mask
        self._by_name = by_name
        self._snapshots = snapshots
        #: For other instrumentations whose spans should be in the same trace.
        self.provider = provider
        #: The texts of what the specs have reported.
        self.reports: list[str] = []

    @property
    def tree(self) -> SpanTree:
        """All spans so far: a tree for each trace, siblings in order of start."""
        return SpanTree(build_tree([*self._recorder.spans], self._recorder.foreign, self._mask, self._by_name))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """All spans so far as OpenTelemetry's own objects, in order of start."""
        return tuple(span for span in [*self._recorder.spans] if id(span) not in self._recorder.foreign)

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The current value of each metric by its attributes, written as in the tree: ``{"shop.tier=gold": 2}``.

        For a histogram this is the number of its values, because durations differ from run to run.
        """
        return _metric_values(self._reader)

    @property
    def logs(self) -> tuple[RecordedLog, ...]:
        """The log records so far, in the order in which they were emitted."""
        return self._logs.records

    def span(self, name: str) -> ReadableSpan:
        """The only span with this name. Raises AssertionError if there is none, or more than one."""
        __tracebackhide__ = True
        found = [span for span in self.spans if span.name == name]
        if len(found) == 1:
            return found[0]
        tree = _indented(str(self.tree).splitlines())
        if found:
            raise AssertionError(
                f'{len(found)} spans have the name "{name}". Choose one from trace.spans. The trace:\n{tree}'
            )
        suggestion = closest(name, (span.name for span in self.spans))
        help = f' Did you mean "{suggestion}"?' if suggestion else ""
        raise AssertionError(f'no span has the name "{name}".{help} The trace:\n{tree}')

    def contains(self, part: str) -> bool:
        """Assert that the spans of a text occur somewhere in the trace, with all lines below them.

        There may be other spans beside and between them.
        """
        __tracebackhide__ = True
        expected, tree = lines_of(part), self.tree
        if not expected:
            raise ValueError("the text has no span: nothing would be compared. Write the spans that are expected.")
        missing = [span for span in expected if not contains(tree.lines, [span])]
        if not missing:
            return True
        shown: list[str] = []
        for span in missing:
            found = closest_span(span, tree.lines)
            shown += map(str, difference([span], [found] if found else [], partial=True))
        raise AssertionError(
            f"the trace does not contain this (- missing, + instead):\n{_indented(shown)}\n"
            f"The trace:\n{_indented(str(tree).splitlines())}"
        )

    def matches_snapshot(self, name: str | None = None) -> bool:
        """Assert that the tree equals the snapshot of the test. ``pytest --update-spans`` writes it if it differs."""
        __tracebackhide__ = True
        path, tree = self._snapshots.path(name), self.tree
        text = read_snapshot(path)
        shown = shown_path(path)
        if text is not None:
            try:
                expected = parse_tree(text)
            except TreeSyntaxError as error:
                if not self._snapshots.update:
                    raise TreeSyntaxError(f"{shown}: {error}") from None
            else:
                if is_equal(expected, tree.lines):
                    return True
        if self._snapshots.update:
            write_snapshot(path, str(tree))
            return True
        if text is None:
            raise AssertionError(
                f"the snapshot {shown} does not exist: the trace cannot be compared. "
                f"If this is right, run `pytest --update-spans`:\n{_indented(str(tree).splitlines())}"
            )
        raise AssertionError(
            f"the trace differs from {shown} (- expected, + recorded):\n"
            f"{_indented(map(str, difference(expected, tree.lines)))}\n"
            "If this is right, run `pytest --update-spans`."
        )


def lines_of(tree: str | SpanTree) -> list[TreeLine]:
    """The lines of a tree. Raises TreeSyntaxError, without frames of this package, so that pytest shows the test."""
    __tracebackhide__ = True
    if isinstance(tree, SpanTree):
        return tree.lines
    try:
        return parse_tree(tree)
    except TreeSyntaxError as error:
        raise TreeSyntaxError(str(error)) from None


def comparison_report(expected: str | SpanTree, tree: SpanTree) -> list[str]:
    """The lines that pytest shows for a failed comparison."""
    lines = difference(lines_of(expected), tree.lines)
    return ["recorded tree == expected tree (- expected, + recorded)", *map(str, lines)]


def shown_path(path: Path) -> str:
    """A path for messages: relative to the working directory if it is inside."""
    here = os.getcwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _metric_values(reader: InMemoryMetricReader) -> dict[str, dict[str, float]]:
    """The value of each metric by its attributes, written as in a tree. For a histogram, the number of values."""
    data = reader.get_metrics_data()
    scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
    result: dict[str, dict[str, float]] = {}
    for metric in (metric for scope in scopes for metric in scope.metrics):
        values = result.setdefault(metric.name, {})
        for point in metric.data.data_points:
            words = [f"{key}={value_text(value)}" for key, value in sorted((point.attributes or {}).items())]
            values[" ".join(words)] = point.count if isinstance(point, HistogramDataPoint) else point.value  # type: ignore[union-attr]
    return result
