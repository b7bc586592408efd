"""A trace continues from an envelope to the turn that it causes, whatever ``OTEL_PROPAGATORS`` contains."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ag2 import Agent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import EV_CHANNEL_CLOSED, EV_TEXT, Envelope, Hub
from ag2.testing import TestConfig
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .oracle.compare import Recorder
from .oracle.native import native_tracing
from .oracle.ours import declarative_tracing
from .processes import run

B3 = """
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter


class B3(TextMapPropagator):
    "The one header of https://github.com/openzipkin/b3-propagation: no traceparent is written, and none is read."

    fields = {"b3"}

    def inject(self, carrier, context=None, setter=default_setter):
        found = trace.get_current_span(context).get_span_context()
        if found.is_valid:
            setter.set(carrier, "b3", f"{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:d}")

    def extract(self, carrier, context=None, getter=default_getter):
        context = Context() if context is None else context
        values = getter.get(carrier, "b3")
        if not values:
            return context
        trace_id, span_id, flags = values[0].split("-")
        found = trace.SpanContext(int(trace_id, 16), int(span_id, 16), True, trace.TraceFlags(int(flags)))
        return trace.set_span_in_context(trace.NonRecordingSpan(found), context)
"""
"""A stand-in: the real one is a distribution of its own that nothing here needs otherwise."""

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[13]")
"""Sampled; with a second flag where the SDK says that the trace's id is random."""


def _b3() -> TextMapPropagator:
    made: dict[str, Any] = {}
    exec(B3, made)
    propagator: TextMapPropagator = made["B3"]()
    return propagator


FOREIGN: dict[str, Callable[[], TextMapPropagator]] = {
    "b3": _b3,
    "none": lambda: CompositePropagator([]),
    "baggage": W3CBaggagePropagator,
}
W3C: dict[str, Callable[[], TextMapPropagator]] = {
    "tracecontext": TraceContextTextMapPropagator,
    "tracecontext,baggage": lambda: CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]),
    "b3,tracecontext": lambda: CompositePropagator([_b3(), TraceContextTextMapPropagator()]),
}
PROPAGATORS = FOREIGN | W3C


@pytest.fixture
def propagating(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the global propagator that ``OTEL_PROPAGATORS`` selects by this name."""
    before = get_global_textmap()
    set_global_textmap(PROPAGATORS[request.param]())
    yield
    set_global_textmap(before)


async def network() -> list[Envelope]:
    """Run one question and its answer, and return the two envelopes."""
    hub = await Hub.open(MemoryKnowledgeStore())
    alice = await hub.register(Agent("alice"))
    bob = await hub.register(Agent("bob", config=TestConfig("Paris.")))
    channel = await alice.open(type="consulting", target="bob")
    await channel.send("The capital?")
    await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )
    sent = [envelope for envelope in await hub.read_wal(channel.channel_id) if envelope.event_type == EV_TEXT]
    await bob.close()
    await alice.close()
    await hub.close()
    return sent


Traced = Callable[[Any], AbstractContextManager[None]]


def traced(tracing: Traced) -> tuple[list[Envelope], list[ReadableSpan]]:
    recorder = Recorder()
    with tracing(recorder.provider):
        sent = asyncio.run(network())
    return sent, recorder.finished


def envelope_spans(spans: list[ReadableSpan]) -> dict[str, ReadableSpan]:
    """The spans of envelopes by the ids of the envelopes."""
    found = [span for span in spans if span.name.startswith("network.envelope")]
    return {str((span.attributes or {})["ag2.network.envelope_id"]): span for span in found}


def turn(spans: list[ReadableSpan]) -> ReadableSpan:
    (found,) = (span for span in spans if span.name == "invoke_agent bob")
    return found


@pytest.mark.usefixtures("propagating")
@pytest.mark.parametrize("propagating", PROPAGATORS, indirect=True)
def test_a_turn_is_a_child_of_its_envelope_which_carries_w3c():
    (question, answer), spans = traced(declarative_tracing)
    envelopes = envelope_spans(spans)
    for envelope in (question, answer):
        context = envelopes[envelope.envelope_id].get_span_context()
        assert context is not None
        written = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        assert envelope.trace_id == written
    assert turn(spans).parent == trace_of(question)
    assert turn(spans).parent.is_remote


@pytest.mark.usefixtures("propagating")
@pytest.mark.parametrize("propagating", FOREIGN, indirect=True)
def test_native_tracing_propagates_nothing_without_the_w3c_propagator():
    """AG2 uses the global propagator for its W3C field: docs/adr/0006-trace-context-is-always-w3c.md."""
    (question, answer), spans = traced(native_tracing)
    assert len(envelope_spans(spans)) == 2
    assert (question.trace_id, answer.trace_id) == (None, None)
    assert turn(spans).parent is None


@pytest.mark.usefixtures("propagating")
@pytest.mark.parametrize("propagating", W3C, indirect=True)
def test_native_tracing_propagates_with_the_w3c_propagator():
    (question, _), spans = traced(native_tracing)
    assert turn(spans).parent == trace_of(question)


def trace_of(envelope: Envelope) -> trace.SpanContext:
    """The trace that an envelope carries, as the W3C propagator reads it."""
    context = TraceContextTextMapPropagator().extract({"traceparent": str(envelope.trace_id)}, Context())
    return trace.get_current_span(context).get_span_context()


# ── The environment variable in a process of its own ──

APP = """
import asyncio

from ag2 import Agent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import EV_CHANNEL_CLOSED, EV_TEXT, Hub
from ag2.testing import TestConfig
from opentelemetry.propagate import get_global_textmap


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    alice = await hub.register(Agent("alice"))
    bob = await hub.register(Agent("bob", config=TestConfig("Paris.")))
    channel = await alice.open(type="consulting", target="bob")
    await channel.send("The capital?")
    await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )
    for envelope in await hub.read_wal(channel.channel_id):
        if envelope.event_type == EV_TEXT:
            print(envelope.trace_id)
    print(sorted(get_global_textmap().fields))
    await bob.close()
    await alice.close()
    await hub.close()


asyncio.run(main())
"""


@pytest.mark.parametrize(("name", "fields"), [("b3", ["b3"]), ("none", []), ("baggage", ["baggage"])])
def test_the_environment_variable_does_not_affect_the_trace_of_a_turn(name: str, fields: list[str], tmp_path: Path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "b3_stand_in.py").write_text(B3)
    information = tmp_path / "b3_stand_in-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: b3-stand-in\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[opentelemetry_propagator]\nb3 = b3_stand_in:B3\n")
    done = run(tmp_path / "app.py", paths=[tmp_path], OTEL_PROPAGATORS=name)
    assert (done.code, done.errors) == (0, "")
    question, answer, last = done.lines
    assert last == str(fields)
    envelopes = {span["context"]["span_id"].removeprefix("0x"): span for span in done.named("network.envelope")}
    relayed = [TRACEPARENT.fullmatch(line) for line in (question, answer)]
    assert {found[2] for found in relayed if found} == set(envelopes)
    assert relayed[0]
    (turn,) = done.named("invoke_agent")
    assert (turn["parent_id"], turn["context"]["trace_id"]) == (f"0x{relayed[0][2]}", f"0x{relayed[0][1]}")
