"""The spans and the output of a program, and how they are compared."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.testing.recorded_trace import SpanTree
from opentelemetry.instrumentation.declarative.testing.tree_builder import build_tree
from opentelemetry.instrumentation.declarative.testing.tree_text import parse_tree
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

#: What differs between two runs of a program: process ids, ports, addresses of objects, times.
VARYING = re.compile(
    r"\[\d+\]|\(\d+\)|(?<=pid: )\d+|\b0x[0-9a-f]+\b|(?<=127\.0\.0\.1:)\d+|\[\d{4}-\d\d-\d\d [^\]]*\]|\d+\.\d+ ?m?s\b"
)

PLACE_OF_WARNING = re.compile(r"^\S+\.py:\d+: (?=\w*Warning: )")
#: What OpenTelemetry writes because `span_file` configures the SDK.
OTHER_CONFIGURATOR = "Configuration of configurator not loaded"
#: How the instrumentation scope of each spec without `scope` starts.
SCOPE = "instrument."


@dataclass
class Run:
    """The result of a program: what a use of it returned, its output, and its spans in the order of their starts."""

    result: Any
    code: int
    output: list[str]
    all_spans: list[ReadableSpan]
    """Also those of other instrumentations. FastAPI traces itself since 0.165."""

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans of the spec, as if there were no other instrumentation."""
        by_id = {span.context.span_id: span for span in self.all_spans}

        def parent(span: ReadableSpan) -> SpanContext | None:
            above = span.parent
            while above is not None and above.span_id in by_id and not _is_ours(by_id[above.span_id]):
                above = by_id[above.span_id].parent
            return above

        return [_with_parent(span, parent(span)) for span in self.all_spans if _is_ours(span)]

    def traces(self, *roots: str, without: Collection[str] = ()) -> list[SpanTree]:
        """A tree for each span without a parent that has one of these names; without names, for all of them.

        The status of a span tells its exception: events of exceptions are left out.

        Args:
            without: the names of spans that are left out. They must not have children.
        """
        found: dict[int, list[ReadableSpan]] = {}
        root: dict[int, int] = {}
        for span in self.spans:
            if span.name in without:
                continue
            own = span.context.span_id
            root[own] = root[span.parent.span_id] if span.parent else own
            found.setdefault(root[own], []).append(_without_exceptions(span))
        return [SpanTree(build_tree(spans)) for spans in found.values() if not roots or spans[0].name in roots]

    @property
    def roots(self) -> list[str]:
        """The names of the spans without a parent, in the order of their starts."""
        return [span.name for span in self.spans if span.parent is None]

    @property
    def server_spans(self) -> list[ReadableSpan]:
        """The server spans of other instrumentations."""
        return [span for span in self.all_spans if span.kind is SpanKind.SERVER and not _is_ours(span)]

    @property
    def below_server_spans(self) -> list[tuple[str, list[str]]]:
        """The name of each of these spans, with those of the spans of the spec that are its children.

        Other spans of the other instrumentation may be between them.
        """
        others = {span.context.span_id: span for span in self.all_spans if not _is_ours(span)}
        below: dict[int, list[str]] = {span.context.span_id: [] for span in self.server_spans}
        for span in self.all_spans:
            above = span.parent if _is_ours(span) else None
            while above is not None and above.span_id in others and above.span_id not in below:
                above = others[above.span_id].parent
            if above is not None and above.span_id in below:
                below[above.span_id].append(span.name)
        return [(others[key].name, names) for key, names in below.items()]

    @property
    def comparable_output(self) -> list[str]:
        """The lines without what differs from run to run, sorted: several processes write them.

        Tracebacks are left out, because they have an entry more for each instrumented function, and so are the places
        of warnings, which name a caller.
        """
        kept = [line for line in self.output if not line.startswith(("  ", OTHER_CONFIGURATOR))]
        return sorted(VARYING.sub("…", PLACE_OF_WARNING.sub("", line)) for line in kept)


def assert_traces(run: Run, *expected: str, without: Collection[str] = ()) -> None:
    """Compare the traces whose first span has the name with which one of these texts starts.

    Several traces that start with the same name are compared in the order of their starts.
    """
    texts: dict[str, list[str]] = {}
    for text in expected:
        texts.setdefault(parse_tree(text)[0].text, []).append(text)
    for root, of_root in texts.items():
        for tree, text in itertools.zip_longest(run.traces(root, without=without), of_root, fillvalue=SpanTree([])):
            assert tree == text


def assert_unchanged(with_spans: Run, without: Run) -> None:
    """The program answers, writes and exits as it does without instrumentation, and only one of them has spans."""
    assert with_spans.result == without.result
    assert with_spans.comparable_output == without.comparable_output
    assert with_spans.code == without.code
    assert not without.spans


def spans_of(records: Iterable[dict[str, Any]]) -> list[ReadableSpan]:
    return [
        ReadableSpan(
            each["name"],
            context=_context(each["context"]),
            parent=_context(each["parent"]) if each["parent"] else None,
            attributes=each["attributes"],
            events=[Event(name, attributes, time) for name, attributes, time in each["events"]],
            links=[Link(_context(ids), attributes) for ids, attributes in each["links"]],
            kind=SpanKind[each["kind"]],
            status=Status(StatusCode[each["status"][0]], each["status"][1]),
            start_time=each["start"],
            end_time=each["end"],
            instrumentation_scope=InstrumentationScope(each["scope"]),
        )
        for each in sorted(records, key=lambda each: each["start"])
    ]


def _is_ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name.startswith(SCOPE)


def _with_parent(span: ReadableSpan, parent: SpanContext | None) -> ReadableSpan:
    changed = copy.copy(span)
    changed._parent = parent
    return changed


def _without_exceptions(span: ReadableSpan) -> ReadableSpan:
    changed = copy.copy(span)
    changed._events = [event for event in span.events if event.name != "exception"]
    return changed


def _context(ids: list[Any]) -> SpanContext:
    trace_id, span_id, is_remote = ids
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))
