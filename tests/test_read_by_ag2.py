"""AG2's evaluation reads our spans in its own form with the same result as those of its native tracing."""

import asyncio
import dataclasses
import difflib
import itertools
import json
import pprint
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from ag2 import Agent, tool
from ag2._telemetry_consts import ATTR_SPAN_TYPE, SPAN_TYPE_LLM, SPAN_TYPE_TOOL
from ag2.eval import (
    DirectoryTraceSource,
    InMemoryTraceSource,
    Suite,
    TempoTraceSource,
    Trace,
    TraceRef,
    TraceSource,
    evaluate_traces,
    readable_spans_to_trace,
    run_agent,
    spans_to_trace,
)
from ag2.eval.scorers import final_answer_matches, no_tool_errors, token_budget, tool_called
from ag2.eval.sources import readable_span_to_data
from ag2.eval.sources.trace_source import save_trace
from ag2.events import BaseEvent
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from .oracle.compare import Recorder
from .oracle.ours import CAPTURE_CONTENT, declarative_tracing
from .oracle.runs import RUNNABLE, WITHOUT_CONTENT, Run, in_one_worker, native, ours, ours_in_native_form, run
from .oracle.world import Script, call

pytestmark = in_one_worker

Traces = dict[str, list[ReadableSpan]]
"""The spans of each trace, by its id."""

DIFFERENT = {"log_that_is_full", "usage_after_the_end"}
"""The scenarios in which native's spans and ours differ on purpose; each is read in a test of its own."""

FAILING = ("dispatch_that_raises", "human_who_cannot_be_asked", "tool_that_raises")
"""Scenarios with exceptions, whose texts are only recorded if content is."""

ENTITIES = {"agent_event", "agent_lifetime", "channel", "task"}
"""The types of the hub's own spans. Ours are traces of their own, on purpose; AG2 reads no event from them."""

_ID = re.compile(
    r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|(?<=subtask-)[0-9a-f]{8})\b"
)
_MS = 1_000_000


# ── Clocks and ids ──


def traces_of(run: Run, entities: bool = False) -> Traces:
    """The exported spans of turns and envelopes, or of the hub's entities, by trace, with artificial timestamps."""
    traces: Traces = defaultdict(list)
    for span in run.recorder.finished:
        if (_type(span) in ENTITIES) is not entities:
            continue
        context = span.get_span_context()
        assert context is not None
        traces[f"{context.trace_id:032x}"].append(span)
    return {trace_id: _retimed(spans) for trace_id, spans in traces.items()}


def _retimed(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """The spans in their order, with timestamps one millisecond apart."""
    times = {_id(span): (span.start_time or 0, span.end_time or 0) for span in spans}
    for together in _called_together(spans):
        # AG2 runs the tool calls of one reply concurrently, in no fixed order: order them by their ids.
        found = sorted(times[_id(span)] for span in together)
        times.update(zip(map(_id, sorted(together, key=_call_id)), found, strict=True))
    # For equal timestamps: a parent starts before its children, and ends after them.
    moments = [(times[_id(span)][0], _id(span), "start") for span in reversed(spans)]
    moments += [(times[_id(span)][1], _id(span), "end") for span in spans]
    moments.sort(key=lambda moment: moment[0])
    ticks = {(key, which): number * _MS for number, (_, key, which) in enumerate(moments)}
    return [_copy(span, ticks[_id(span), "start"], ticks[_id(span), "end"]) for span in spans]


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def _called_together(spans: list[ReadableSpan]) -> list[list[ReadableSpan]]:
    """The tool calls of each reply: children of one parent, after the same number of model calls."""
    groups: dict[tuple[int, int], list[ReadableSpan]] = defaultdict(list)
    for span in spans:
        if _type(span) == SPAN_TYPE_TOOL and span.parent is not None:
            replies = [s for s in spans if _type(s) == SPAN_TYPE_LLM and s.parent == span.parent]
            before = [s for s in replies if (s.end_time or 0) <= (span.start_time or 0)]
            groups[span.parent.span_id, len(before)].append(span)
    return list(groups.values())


def _type(span: ReadableSpan) -> Any:
    return (span.attributes or {}).get(ATTR_SPAN_TYPE)


def _call_id(span: ReadableSpan) -> str:
    return str((span.attributes or {}).get("gen_ai.tool.call.id"))


def _copy(span: ReadableSpan, start: int, end: int) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=start,
        end_time=end,
        instrumentation_scope=span.instrumentation_scope,
    )


def content_of(trace: Trace) -> dict[str, Any]:
    """The content of a reconstructed trace as plain values."""
    return {
        "events": [_plain(event) for event in trace.events],
        "exception": _plain(trace.exception),
        "duration_ms": trace.duration_ms,
        "tokens": _plain(trace.tokens),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, BaseException):
        return type(value).__name__, value.args
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(one) for one in value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value):
        return type(value).__name__, {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if not hasattr(value, "__dict__"):
        return value
    fields = dict(vars(value))
    if isinstance(value, BaseEvent):
        del fields["created_at"]  # the time at which the event was read, not at which it occurred
    return type(value).__name__, _plain(fields)


def _text(trace: dict[str, Any]) -> str:
    """A trace as text, with each id replaced by its order of appearance."""
    symbols: dict[str, str] = {}
    return _ID.sub(lambda found: symbols.setdefault(found[0], f"<{len(symbols)}>"), pprint.pformat(trace, width=120))


# ── The readers ──

Way = Callable[[Traces, Path], Awaitable[list[Trace]]]


async def _spans(traces: Traces, folder: Path) -> list[Trace]:
    return [readable_spans_to_trace(spans) for spans in traces.values()]


async def _data(traces: Traces, folder: Path) -> list[Trace]:
    return [spans_to_trace([readable_span_to_data(span) for span in spans]) for spans in traces.values()]


async def _files(traces: Traces, folder: Path) -> list[Trace]:
    for trace_id, spans in traces.items():
        save_trace(folder, trace_id, [readable_span_to_data(span) for span in spans])
    return await _all(DirectoryTraceSource(folder))


async def _otlp(traces: Traces, folder: Path) -> list[Trace]:
    """AG2 queries a Tempo server, which responds with OTLP as JSON."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/search":
            return httpx.Response(200, json={"traces": [{"traceID": trace_id} for trace_id in traces]})
        spans = traces[request.url.path.removeprefix("/api/traces/")]
        return httpx.Response(200, json={"batches": [{"scopeSpans": [{"spans": [_otlp_span(s) for s in spans]}]}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        return await _all(TempoTraceSource("http://tempo.test", client=client))


async def _all(source: TraceSource) -> list[Trace]:
    return [await source.load(ref) async for ref in source.list()]


WAYS: dict[str, Way] = {"spans": _spans, "span data": _data, "files": _files, "OTLP": _otlp}


def _otlp_span(span: ReadableSpan) -> dict[str, Any]:
    """Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""
    context = span.get_span_context()
    assert context is not None
    return {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _otlp_attributes(span.attributes),
        "events": [{"name": event.name, "attributes": _otlp_attributes(event.attributes)} for event in span.events],
        "status": {"code": span.status.status_code.value},
    }


def _otlp_attributes(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": _otlp_value(value)} for key, value in (attributes or {}).items()]


def _otlp_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"arrayValue": {"values": [_otlp_value(one) for one in value]}}


def read(run: Run, way: str, folder: Path) -> list[dict[str, Any]]:
    """The traces of a run as AG2 reads them, ordered by their content and not by time."""
    traces = asyncio.run(WAYS[way](traces_of(run), folder))
    return sorted((content_of(trace) for trace in traces), key=_text)


def difference(native: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    """The first trace that differs, as read from both; empty if none does."""
    for left, right in itertools.zip_longest(map(_text, native), map(_text, ours), fillvalue="no trace"):
        if left != right:
            return "\n".join(difflib.unified_diff(left.split("\n"), right.split("\n"), "native", "ours", lineterm=""))
    return ""


# ── Equal to native tracing ──

SAME = [
    *((name, True) for name in RUNNABLE if name not in DIFFERENT),
    *((name, False) for name in WITHOUT_CONTENT if name not in DIFFERENT and name not in FAILING),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "content"), SAME, ids=[name if content else f"{name}-without_content" for name, content in SAME]
)
def test_our_spans_are_read_like_native_ones(name: str, content: bool, way: str, tmp_path: Path):
    found = difference(
        read(native(name, content), way, tmp_path / "native"),
        read(ours_in_native_form(name, content), way, tmp_path / "ours"),
    )
    assert not found, f"\n{found}"


def test_no_event_is_read_from_the_spans_of_the_hub_itself():
    traces = [
        spans
        for name, content in SAME
        for spans in traces_of(ours_in_native_form(name, content), entities=True).values()
    ]
    assert len(traces) > 100
    assert not [trace.events for trace in map(readable_spans_to_trace, traces) if trace.events]


def test_every_kind_of_event_is_read_from_our_spans():
    found = {
        type(event).__name__
        for name, content in SAME
        for spans in traces_of(ours_in_native_form(name, content)).values()
        for event in readable_spans_to_trace(spans).events
    }
    assert found == {
        "HumanInputRequest",
        "HumanMessage",
        "ModelResponse",
        "ToolCallEvent",
        "ToolErrorEvent",
        "ToolResultEvent",
        "UsageEvent",
    }


@pytest.mark.parametrize("content", [True, False])
def test_an_evaluation_of_our_spans_has_the_same_result(content: bool, tmp_path: Path):
    scorers = [
        final_answer_matches(),
        token_budget(20),
        no_tool_errors(),
        tool_called("think", exactly=1),
        tool_called("divide"),
    ]
    answers = ["Yes.", "Not possible.", "It means seven."]
    suite = Suite.from_list([{"inputs": {"input": "?"}, "reference_outputs": {"answer": one}} for one in answers])

    def result(traced: Callable[..., Run]) -> Any:
        traces = [
            readable_spans_to_trace(spans)
            for name in ("usage", "tool_that_raises", "consulting_with_a_tool_call")
            for spans in traces_of(traced(name, content)).values()
            if any(_type(span) == SPAN_TYPE_LLM for span in spans)
        ]
        source = InMemoryTraceSource(
            [
                (TraceRef(f"{task.task_id} {number}", task_id=task.task_id), trace)
                for task in suite
                for number, trace in enumerate(traces)
            ]
        )
        graded = asyncio.run(evaluate_traces(source, scorers=scorers, store_dir=tmp_path, suite=suite, run_id="graded"))
        return [one.feedback for one in graded.tasks], graded.aggregates

    theirs, aggregates = result(native)
    assert result(ours_in_native_form) == (theirs, aggregates)
    # The scorers have distinguished the runs.
    assert aggregates.errors > 0
    assert aggregates.tokens.total > 0
    assert [key for key, rate in aggregates.pass_rate.items() if rate in (0.0, 1.0)] == (
        [] if content else ["final_answer_matches"]
    )


# ── Deliberately different: docs/deviations.md ──

NOTHING = content_of(Trace(events=(), exception=None, duration_ms=1))
"""What is read from one span that is no event: a channel, an agent's lifetime, an envelope."""


def _failed(message: str) -> dict[str, Any]:
    return {"exception": ("RuntimeError", (message,))}


def test_an_envelope_that_could_not_be_logged_is_read():
    theirs, found = _both("log_that_is_full")
    assert found == sorted([*theirs, NOTHING | _failed("no space left")], key=_text)


def test_usage_reported_after_a_turn_is_read_as_part_of_the_turn():
    (theirs,), (found,) = _both("usage_after_the_end")
    *before, (name, fields) = found["events"]
    assert (before, name, fields["kind"]) == (theirs["events"], "UsageEvent", "aggregation")
    more = {key: found[key] for key in ("events", "tokens", "duration_ms")}
    assert found == theirs | more


@pytest.mark.parametrize("name", FAILING)
def test_without_content_a_failure_is_read_without_its_text(name: str):
    theirs, found = (read(one(name, False), "spans", Path()) for one in (native, ours_in_native_form))
    assert found != theirs
    assert found == _without_messages(theirs)


def _without_messages(value: Any) -> Any:
    """What is read from a trace, without the messages of exceptions."""
    if isinstance(value, dict):
        return {key: _without_messages(each) for key, each in value.items()}
    if isinstance(value, tuple) and value[:1] == ("RuntimeError",):
        return ("RuntimeError", ("",))
    if isinstance(value, str) and value.startswith("RuntimeError: "):
        return "RuntimeError\n"
    return type(value)(map(_without_messages, value)) if isinstance(value, (list, tuple)) else value


def _both(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return read(native(name), "spans", Path()), read(ours_in_native_form(name), "spans", Path())


def test_without_the_overlay_everything_but_tokens_is_read():
    def seen(run: Run) -> list[Any]:
        events = [event for trace in read(run, "spans", Path()) for event in trace["events"]]
        return sorted(
            (name, *(str(fields.get(key)) for key in ("message", "result", "kind"))) for name, fields in events
        )

    assert seen(ours("usage")) == seen(native("usage"))


# ── These tests detect differences ──

READ = {
    "llm": [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.thinking_tokens",
        "gen_ai.output.messages",
        "gen_ai.provider.name",
        "gen_ai.response.finish_reasons",
    ],
    "usage": [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.thinking_tokens",
        "gen_ai.response.model",
        "gen_ai.provider.name",
        "ag2.usage.total_tokens",
    ],
    "tool": ["gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"],
    "human_input": ["ag2.human_input.prompt", "ag2.human_input.response"],
}
"""What AG2 reads: without any one of these its picture of a trace is another."""


@pytest.mark.parametrize(("span", "attribute"), [(span, one) for span, several in READ.items() for one in several])
def test_every_attribute_that_ag2_reads_is_required_by_these_tests(span: str, attribute: str, tmp_path: Path):
    name = {"tool": "consulting_with_a_tool_call", "human_input": "human_in_the_loop"}.get(span, "usage")
    spec = tmp_path / "less.yaml"
    without = f"attributes: {{{attribute}: null}}"
    if span == "usage" and attribute.startswith("gen_ai.usage."):
        without = f"attribute_groups: {{tokens: {{{without}}}}}"
    spec.write_text(f"instrument: 2\nextends: ag2\nspans: {{{span}: {{{without}}}}}\n")
    assert difference(read(native(name), "spans", tmp_path), read(_ours_with(name, spec), "spans", tmp_path))


def test_every_span_type_that_ag2_reads_is_required_by_these_tests(tmp_path: Path):
    spec = tmp_path / "less.yaml"
    untyped = {name: {"attributes": {"ag2.span.type": None}} for name in READ}
    spec.write_text(json.dumps({"instrument": 2, "extends": "ag2", "spans": untyped}))
    assert difference(read(native("usage"), "spans", tmp_path), read(_ours_with("usage", spec), "spans", tmp_path))


def _ours_with(name: str, spec: Path) -> Run:
    @contextmanager
    def tracing(provider: TracerProvider, content: bool) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(CAPTURE_CONTENT, "SPAN_ONLY")
            DeclarativeInstrumentor().instrument(tracer_provider=provider, specs=["ag2_native_form", spec])
            try:
                yield
            finally:
                DeclarativeInstrumentor().uninstrument()

    return run(name, tracing)


# ── During an evaluation by AG2 ──


def test_an_agent_that_ag2_runs_for_an_evaluation_is_traced_by_ag2_alone():
    """AG2 adds its own tracing for this one ask, and reads its spans."""

    @tool
    async def look_up(word: str) -> str:
        """Look a word up."""
        return f"{word} means seven"

    def evaluated() -> Any:
        agent = Agent("ann", config=Script(call("look_up", '{"word": "sept"}'), "Seven."), tools=[look_up])
        suite = Suite.from_list([{"inputs": {"input": "What does sept mean?"}}])
        result = asyncio.run(run_agent(suite, agent=agent, scorers=[tool_called("look_up")], run_id="run"))
        (one,) = result.tasks
        return content_of(one.trace) | {"duration_ms": 0}, one.feedback, result.aggregates

    alone = evaluated()
    recorder = Recorder()
    with declarative_tracing(recorder.provider):
        assert evaluated() == alone
    assert recorder.finished == []
