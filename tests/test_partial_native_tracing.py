"""If an application activates a part of AG2's own tracing, AG2 traces that part, and we trace the rest.

``oracle/test_parts_of_native.py`` activates parts in every scenario and on every release. These tests cover how the
spans of both are connected, and every way in which an application can activate a part.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ag2 import Agent, Context
from ag2.events import BaseEvent, ModelRequest, ToolCallEvent, UsageEvent
from ag2.events.conditions import Condition
from ag2.events.types import Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.middleware.base import ConditionalMiddleware
from ag2.middleware.builtin.telemetry import TelemetryMiddleware
from ag2.network import EV_CHANNEL_CLOSED, Hub
from ag2.network.adapters import ConsultingAdapter
from ag2.network.hub.telemetry import HubTelemetryListener
from ag2.testing import TestConfig
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture
def provider() -> TracerProvider:
    return TracerProvider()


@pytest.fixture
def exporter(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def ours(provider: TracerProvider, exporter: InMemorySpanExporter) -> Iterator[None]:
    DeclarativeInstrumentor().instrument(tracer_provider=provider, specs=[])
    yield
    DeclarativeInstrumentor().uninstrument()


async def opened(provider: TracerProvider, *, tracer: bool = False, listener: str = "") -> Hub:
    """A hub with parts of native tracing, whose listener is added before or after the hub is opened."""
    store = MemoryKnowledgeStore()
    native = HubTelemetryListener(store, tracer_provider=provider)
    if listener == "before":
        # The steps of Hub.open, which provides no way to add a listener first.
        hub = Hub(store, tracer_provider=provider if tracer else None)
        hub.register_listener(native)
        hub.register_adapter(ConsultingAdapter())
        await hub.hydrate()
        await hub.start()
        return hub
    hub = await Hub.open(store, tracer_provider=provider if tracer else None)
    if listener == "after":
        hub.register_listener(native)
    return hub


async def network(provider: TracerProvider, *, tracer: bool = False, listener: str = "", **agent: Any) -> None:
    """Run one question and its answer, with the given parts of native tracing."""
    hub = await opened(provider, tracer=tracer, listener=listener)
    alice = await hub.register(Agent("alice"))
    bob = await hub.register(Agent("bob", config=TestConfig("Paris."), **agent))
    channel = await alice.open(type="consulting", target="bob")
    await channel.send("The capital?")
    await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )
    await bob.close()
    await alice.close()
    await hub.close()


def names(exporter: InMemorySpanExporter) -> Counter[str]:
    return Counter(span.name.split(" ")[0] for span in exporter.get_finished_spans())


def found(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """The spans whose names have a prefix, in the order of their starts."""
    spans = [span for span in exporter.get_finished_spans() if span.name.startswith(name)]
    return sorted(spans, key=lambda span: span.start_time or 0)


def id_of(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def linked(span: ReadableSpan, kind: str) -> list[tuple[int, int]]:
    """The targets of a span's links of one kind."""
    kinds = [((link.attributes or {}).get("ag2.link.kind"), link.context) for link in span.links]
    return [(context.trace_id, context.span_id) for found, context in kinds if found == kind]


def parent_of(span: ReadableSpan) -> tuple[int, int]:
    assert span.parent is not None
    return span.parent.trace_id, span.parent.span_id


def native(provider: TracerProvider, name: str = "bob") -> TelemetryMiddleware:
    return TelemetryMiddleware(tracer_provider=provider, agent_name=name, span_attributes={"traced.by": "ag2"})


ONCE = Counter({"network.envelope": 2, "network.channel": 1, "agent.lifetime": 2, "invoke_agent": 1, "chat": 1})


# ── The hub ──


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("listener", ["", "before", "after"])
@pytest.mark.parametrize("tracer", [False, True])
def test_each_operation_has_one_span_whichever_part_the_hub_traces_natively(
    tracer: bool, listener: str, provider: TracerProvider, exporter: InMemorySpanExporter
):
    asyncio.run(network(provider, tracer=tracer, listener=listener))
    assert names(exporter) == ONCE


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("listener", ["", "before", "after"])
def test_our_envelopes_are_children_of_a_natively_traced_channel(
    listener: str, provider: TracerProvider, exporter: InMemorySpanExporter
):
    asyncio.run(network(provider, listener=listener))
    (channel,) = found(exporter, "network.channel")
    assert [linked(envelope, "in_channel") for envelope in found(exporter, "network.envelope")] == 2 * [
        [id_of(channel)]
    ]


@pytest.mark.usefixtures("ours")
def test_native_envelopes_are_children_of_our_channel(provider: TracerProvider, exporter: InMemorySpanExporter):
    asyncio.run(network(provider, tracer=True, listener=""))
    (channel,) = found(exporter, "network.channel")
    assert [linked(envelope, "in_channel") for envelope in found(exporter, "network.envelope")] == 2 * [
        [id_of(channel)]
    ]


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("listener", ["", "before", "after"])
@pytest.mark.parametrize("tracer", [False, True])
def test_our_turn_is_a_child_of_the_envelope_traced_natively_or_by_us(
    tracer: bool, listener: str, provider: TracerProvider, exporter: InMemorySpanExporter
):
    asyncio.run(network(provider, tracer=tracer, listener=listener))
    question, answer = found(exporter, "network.envelope")
    (turn,) = found(exporter, "invoke_agent")
    assert parent_of(turn) == id_of(question)
    # A native envelope is not linked to the turn that wrote it, which has ended.
    assert linked(answer, "triggered_by") == ([] if tracer else [id_of(turn)])


@pytest.mark.usefixtures("ours")
def test_an_agent_registered_before_the_native_listener_is_traced_by_us(
    provider: TracerProvider, exporter: InMemorySpanExporter
):
    async def run() -> None:
        hub = await opened(provider)
        early = await hub.register(Agent("early"))
        hub.register_listener(HubTelemetryListener(hub._store, tracer_provider=provider))
        late = await hub.register(Agent("late"))
        for one in (early, late):
            await one.set_skill("Sits.")
            await one.close()
        await hub.close()

    asyncio.run(run())
    assert names(exporter) == Counter({"agent.lifetime": 2, "agent.skill_set": 2})
    lifetimes, changes = found(exporter, "agent.lifetime"), found(exporter, "agent.skill_set")
    assert [parent_of(change) for change in changes] == [id_of(lifetime) for lifetime in lifetimes]


@pytest.mark.usefixtures("ours")
def test_a_channel_opened_before_the_native_listener_is_traced_by_us(
    provider: TracerProvider, exporter: InMemorySpanExporter
):
    async def run() -> None:
        hub = await opened(provider)
        alice, _ = await hub.register(Agent("alice")), await hub.register(Agent("bob", config=TestConfig("")))
        channel = await alice.open(type="conversation", target="bob")
        hub.register_listener(HubTelemetryListener(hub._store, tracer_provider=provider))
        await channel.send("Hello.")
        await channel.close()
        await hub.close()

    asyncio.run(run())
    (channel,), (envelope,) = found(exporter, "network.channel"), found(exporter, "network.envelope")
    assert [event.name for event in channel.events] == ["opened", "closed"]
    assert linked(envelope, "in_channel") == [id_of(channel)]


# ── The agents ──


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("tracer", [False, True])
@pytest.mark.parametrize("conditional", [False, True])
def test_a_natively_traced_agent_is_not_traced_twice_and_stays_in_the_trace_of_its_envelope(
    conditional: bool, tracer: bool, provider: TracerProvider, exporter: InMemorySpanExporter
):
    middleware: Any = native(provider)
    if conditional:
        middleware = ConditionalMiddleware(middleware, BaseEvent)
    asyncio.run(network(provider, tracer=tracer, middleware=[middleware]))
    assert names(exporter) == ONCE
    question, _ = found(exporter, "network.envelope")
    (turn,) = found(exporter, "invoke_agent")
    assert parent_of(turn) == id_of(question)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("place", ["first", "last"])
def test_native_middleware_added_to_an_agent_later_is_detected(
    place: str, provider: TracerProvider, exporter: InMemorySpanExporter
):
    agent = Agent("alice", config=TestConfig("Here."))
    (agent.insert_middleware if place == "first" else agent.add_middleware)(native(provider, "native"))
    asyncio.run(agent.ask("?"))
    assert names(exporter) == Counter({"invoke_agent": 1, "chat": 1})
    assert [turn.name for turn in found(exporter, "invoke_agent")] == ["invoke_agent native"]


def look(place: str) -> str:
    """Look."""
    return place


def looking(*rest: str) -> Agent:
    call = ToolCallEvent(name="look", arguments='{"place": "here"}')
    return Agent("alice", config=TestConfig(call, *rest), tools=[look])


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("conditional", [False, True])
def test_native_middleware_passed_to_one_ask_applies_to_that_ask_only(
    conditional: bool, provider: TracerProvider, exporter: InMemorySpanExporter
):
    async def twice() -> None:
        middleware: Any = native(provider, "native")
        agent = looking("Found.")
        await agent.ask("?", middleware=[ConditionalMiddleware(middleware, BaseEvent) if conditional else middleware])
        await agent.ask("?")

    asyncio.run(twice())
    assert names(exporter) == Counter({"invoke_agent": 2, "chat": 4, "execute_tool": 2})
    assert [turn.name for turn in found(exporter, "invoke_agent")] == ["invoke_agent native", "invoke_agent alice"]


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("given_to", ["agent", "ask"])
@pytest.mark.parametrize(
    ("condition", "natively"),
    [(ModelRequest, {"invoke_agent", "chat"}), (ToolCallEvent, {"execute_tool"}), (UsageEvent, set())],
)
def test_calls_that_a_condition_hides_from_native_middleware_are_traced_by_us(
    condition: type, natively: set[str], given_to: str, provider: TracerProvider, exporter: InMemorySpanExporter
):
    middleware = ConditionalMiddleware(native(provider, "native"), condition)
    agent = looking("Found.")
    if given_to == "agent":
        agent.add_middleware(middleware)
    asyncio.run(agent.ask("?", middleware=[] if given_to == "agent" else [middleware]))
    assert names(exporter) == Counter({"invoke_agent": 1, "chat": 2, "execute_tool": 1})
    found = {
        span.name.split(" ")[0] for span in exporter.get_finished_spans() if "traced.by" in (span.attributes or {})
    }
    assert found == natively


class Counting(Condition):
    """A condition of the program that counts its evaluations."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, event: Any) -> bool:
        self.asked += 1
        return False


def test_a_condition_of_the_application_is_not_evaluated_again(
    provider: TracerProvider, exporter: InMemorySpanExporter
):
    def asked() -> int:
        condition = Counting()
        asyncio.run(looking("Found.").ask("?", middleware=[ConditionalMiddleware(native(provider), condition)]))
        return condition.asked

    untraced = asked()
    DeclarativeInstrumentor().instrument(tracer_provider=provider, specs=[])
    try:
        assert asked() == untraced > 0
    finally:
        DeclarativeInstrumentor().uninstrument()


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("natively", [(False, True), (True, False), (False, True, False)])
def test_token_usage_is_recorded_by_the_tracing_that_traces_the_turn(
    natively: tuple[bool, ...], conditional: bool, provider: TracerProvider, exporter: InMemorySpanExporter
):
    async def buy(context: Context) -> str:
        """Buy."""
        await context.send(UsageEvent(Usage(total_tokens=7), kind="extra"))
        return "bought"

    async def talk() -> None:
        script = [ToolCallEvent(name="buy", arguments="{}"), "Done."] * len(natively)
        reply: Any = Agent("alice", config=TestConfig(*script), tools=[buy])
        for on in natively:
            middleware: Any = native(provider, "native")
            if conditional:
                middleware = ConditionalMiddleware(middleware, ModelRequest)
            reply = await reply.ask("?", middleware=[middleware] if on else [])

    asyncio.run(talk())
    turns = found(exporter, "invoke_agent")
    assert [turn.name for turn in turns] == [f"invoke_agent {'native' if on else 'alice'}" for on in natively]
    assert [parent_of(usage) for usage in found(exporter, "record_usage extra")] == [id_of(turn) for turn in turns]
