"""The line of a span equals, byte for byte, the one that AG2's own tracing writes."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from ag2 import Agent
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import Hub
from ag2.network.hub._envelope_tracing import serialize_span
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.libraries.ag2.spans_file_format import line_of
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode


class Bare(Mapping[str, Any]):
    """A mapping with the required methods only."""

    def __init__(self, items: dict[str, Any]) -> None:
        self._items = items

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


#: Including lone surrogates: text of an application need not be valid.
TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ['"', "\\", "%s %% {}", "\x00\u2028"]
)
PLAIN = TEXT | st.integers() | st.booleans() | st.floats() | st.none()
#: Values that the SDK accepts, and others: bytes, a mapping, an object that JSON cannot represent.
VALUES = st.recursive(
    PLAIN | st.binary(max_size=4) | st.just(1j),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(TEXT, VALUES, max_size=8)
ATTRIBUTES = MAPPINGS | MAPPINGS.map(MappingProxyType) | MAPPINGS.map(Bare) | st.none()
#: Until the end of the year 9999, with whole seconds and values near their rounding overrepresented.
TIMES = st.integers(0, 253402300799 * 10**9) | st.builds(
    lambda second, rest: second * 10**9 + rest, st.integers(1, 4 * 10**9), st.integers(-3000, 3000)
)
CONTEXTS = st.builds(SpanContext, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
STATUSES = st.builds(Status, st.sampled_from(StatusCode)) | st.builds(Status, st.just(StatusCode.ERROR), TEXT)
SPANS = st.builds(
    ReadableSpan,
    name=TEXT | PLAIN,
    context=CONTEXTS,
    parent=CONTEXTS | st.none(),
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(Event, TEXT | PLAIN, ATTRIBUTES, TIMES), max_size=2),
    links=st.lists(st.builds(Link, CONTEXTS, ATTRIBUTES), max_size=2),
    kind=st.sampled_from(SpanKind),
    status=STATUSES,
    start_time=TIMES | st.none(),
    end_time=TIMES,
)


@given(SPANS)
def test_the_line_of_any_span_equals_that_of_native_tracing(span: ReadableSpan):
    record, line = serialize_span(span)
    assert line_of(span) == line
    assert repr(json.loads(line_of(span))) == repr(json.loads(json.dumps(record, default=str, sort_keys=True)))


@given(st.integers(-(10**19), 253402300799 * 10**9))
def test_times_before_the_epoch_equal_those_of_native_tracing(nanoseconds: int):
    span = ReadableSpan("s", SpanContext(1, 1, False), start_time=nanoseconds, end_time=nanoseconds)
    assert line_of(span) == serialize_span(span)[1]


@pytest.mark.parametrize("attributes", [{2: "a", 1: "b"}, {True: 1}, {1: 1}, {None: "x"}, {1.5: "x"}])
def test_attribute_keys_that_are_not_strings_equal_those_of_native_tracing(attributes):
    span = ReadableSpan("s", SpanContext(1, 1, False), attributes=attributes)
    assert line_of(span) == serialize_span(span)[1]


def test_attributes_in_any_order_have_the_same_line():
    def line(attributes: dict[str, Any]) -> str:
        return line_of(ReadableSpan("s", SpanContext(1, 1, False), attributes=attributes))

    assert line({"a": 1, "b": 2}) == line({"b": 2, "a": 1})


def test_the_line_of_every_span_of_a_hub_equals_that_of_native_tracing():
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async def run() -> None:
        hub = await Hub.open(MemoryKnowledgeStore())
        alice, bob = [await hub.register(Agent(name), attach_plugin=False) for name in ("alice", "bob")]
        with provider.get_tracer("t").start_as_current_span("cause"):
            channel = await alice.open(type="conversation", target="bob")
            await channel.send("Good morning")
        await bob.close()
        await hub.close()

    DeclarativeInstrumentor().instrument(tracer_provider=provider)
    try:
        asyncio.run(run())
    finally:
        DeclarativeInstrumentor().uninstrument()
    spans = exporter.get_finished_spans()
    assert any(len(span.links) == 2 for span in spans)
    for span in spans:
        assert line_of(span) == serialize_span(span)[1]
