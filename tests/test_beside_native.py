"""Where an application has switched part of AG2's own tracing on, that part is left to it and the rest is ours."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ag2 import Agent
from ag2.events import BaseEvent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.middleware.base import ConditionalMiddleware
from ag2.middleware.builtin.telemetry import TelemetryMiddleware
from ag2.network import EV_CHANNEL_CLOSED, Hub
from ag2.network.hub.telemetry import HubTelemetryListener
from ag2.testing import TestConfig
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from instrument import DeclarativeInstrumentor


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


async def network(provider: TracerProvider, *, tracer: bool = False, listener: bool = False, **agent: Any) -> None:
    """One question and its answer; parts of native tracing as asked for."""
    store = MemoryKnowledgeStore()
    hub = await Hub.open(store, tracer_provider=provider if tracer else None)
    if listener:
        hub.register_listener(HubTelemetryListener(store, tracer_provider=provider))
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


ONCE = Counter({"network.envelope": 2, "network.channel": 1, "agent.lifetime": 2, "invoke_agent": 1, "chat": 1})


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("parts", [{}, {"tracer": True}, {"listener": True}, {"tracer": True, "listener": True}])
def test_whatever_the_hub_traces_itself_there_is_one_span_for_one_thing(
    parts: dict[str, bool], provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    asyncio.run(network(provider, **parts))
    assert names(exporter) == ONCE


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("conditional", [False, True])
def test_an_agent_that_traces_itself_is_left_alone_and_stays_in_the_trace_of_its_envelope(
    conditional: bool, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    native: Any = TelemetryMiddleware(tracer_provider=provider, agent_name="bob")
    asyncio.run(network(provider, middleware=[ConditionalMiddleware(native, BaseEvent) if conditional else native]))
    assert names(exporter) == ONCE
    spans = exporter.get_finished_spans()
    turn = next(span for span in spans if span.name.startswith("invoke_agent"))
    assert turn.parent is not None
    assert turn.parent.span_id in {
        s.context.span_id for s in spans if s.name.startswith("network.envelope") and s.context
    }


@pytest.mark.usefixtures("ours")
def test_middleware_that_is_given_to_one_ask_counts_for_that_ask_only(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    def look(place: str) -> str:
        """Look."""
        return place

    async def twice() -> None:
        from ag2.events import ToolCallEvent

        call = ToolCallEvent(name="look", arguments='{"place": "here"}')
        agent = Agent("alice", config=TestConfig(call, "Found."), tools=[look])
        await agent.ask("?", middleware=[TelemetryMiddleware(tracer_provider=provider, agent_name="native")])
        await agent.ask("?")

    asyncio.run(twice())
    assert names(exporter) == Counter({"invoke_agent": 2, "chat": 4, "execute_tool": 2})
    assert [s.name for s in exporter.get_finished_spans() if s.name.startswith("invoke")] == [
        "invoke_agent native",
        "invoke_agent alice",
    ]
