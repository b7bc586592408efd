"""Hooks whose rules happen once for each item of a list, such as each message of a batch."""

import asyncio
import logging
from types import SimpleNamespace as Object
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

HOST = """
class Consumer:
    def __init__(self, *batches):
        self.batches = list(batches)

    async def getmany(self, timeout_ms=0):
        return self.batches.pop(0)

    def commit(self, offsets):
        pass

def send_one(order_id):
    pass

def send_batch(entries):
    return entries

def poll(messages):
    yield from messages
"""
_TRACE, _SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def record(offset: int, *headers: tuple[str, bytes]) -> Object:
    return Object(topic="orders", offset=offset, timestamp=1_000_000_000 + offset, headers=headers)


def test_each_message_of_a_batch_has_a_span_of_its_own(module, instrumented, tracing):
    spec = """
    hooks:
      messages: {call: "HOST:Consumer.getmany", each: {records: values(result), message: records}}
      committed: {call: "HOST:Consumer.commit", each: {offset: offsets}}
      commit: {call: "HOST:Consumer.commit"}
    spans:
      receive:
        at: messages.return
        name: "{message.topic} receive"
        kind: consumer
        parent: {carrier: message.headers}
        timestamps: {start: message.timestamp, end: message.timestamp + 5}
        attributes: {messaging.kafka.offset: message.offset}
      process:
        start: messages.return
        key: message.offset
        end: committed.return
        links: {received_from: {carrier: message.headers}}
        events: {acknowledged: {at: committed.return}}
        attributes: {messaging.operation.name: {const: process}}
      commit: {around: commit}
    metrics:
      messaging.client.consumed.messages: {instrument: counter, at: messages.return, attributes: {topic: message.topic}}
    """.replace("end: committed.return", "end: {at: committed.return, key: offset}").replace(
        "{at: committed.return}}", "{at: committed.return, key: offset}}"
    )
    header = ("traceparent", f"00-{_TRACE}-{_SPAN}-01".encode())
    with instrumented(spec, module):
        consumer = module.Consumer({"p0": [record(1, header), record(2)], "p1": [record(3)]}, {}, None)
        for _ in range(3):
            asyncio.run(consumer.getmany())
        consumer.commit([1, 3, 9])
    received = [span for span in tracing.spans if span.name == "orders receive"]
    assert [span.attributes["messaging.kafka.offset"] for span in received] == [1, 2, 3]
    assert [(span.start_time, span.end_time) for span in received[:1]] == [(1_000_000_001, 1_000_000_006)]
    assert {span.kind for span in received} == {SpanKind.CONSUMER}
    assert [span.parent and format(span.parent.span_id, "016x") for span in received] == [_SPAN, None, None]
    processed = [span for span in tracing.spans if span.name == "process"]
    ended = [span for span in processed if "instrument.end" not in span.attributes]
    assert [[format(link.context.trace_id, "032x") for link in span.links] for span in ended] == [[_TRACE], []]
    assert [[event.name for event in span.events] for span in ended] == [["acknowledged"]] * 2
    assert (len(processed), tracing.names.count("commit")) == (3, 1)
    (points,) = tracing.points("messaging.client.consumed.messages").values()
    assert points.value == 3


def test_trace_context_is_injected_into_each_entry_of_a_batch(module, instrumented, tracing):
    spec = """
    hooks:
      send: {call: "HOST:send_batch"}
      entries: {call: "HOST:send_batch", each: {entry: entries}}
    spans: {send: {around: send, kind: producer}}
    inject: {entries: {at: entries.enter, traceparent: 'entry.headers["traceparent"]'}}
    """
    entries = [Object(headers={}) for _ in range(2)]
    with instrumented(spec, module):
        module.send_batch(entries)
    context = tracing.span.context
    assert {entry.headers["traceparent"].split("-")[2] for entry in entries} == {format(context.span_id, "016x")}


def test_a_failure_for_one_item_does_not_affect_the_others(
    module, instrumented, tracing, caplog: pytest.LogCaptureFixture
):
    spec = """
    hooks: {messages: {call: "HOST:send_batch", when: entries, each: {message: entries}}}
    spans: {message: {at: messages.return, attributes: {half: 1 / message}}}
    metrics: {messages: {instrument: counter, at: messages.return, value: message}}
    """
    with instrumented(spec, module), caplog.at_level(logging.WARNING):
        module.send_batch([1, "two", 4])
        module.send_batch(7)
        module.send_batch([1] * 1_500)
    assert [span.attributes.get("half") for span in tracing.spans[:3]] == [1, None, 0.25]
    assert len(tracing.spans) == 1_003
    failures = [text for record in caplog.records if " failed: " in (text := record.getMessage())]
    assert any("expected a list or another collection, not int" in text for text in failures)


def test_items_of_a_result_that_is_followed_are_those_at_its_end(module, instrumented, tracing):
    spec = """
    hooks:
      poll: {call: "HOST:poll", collect: {found: {last: last_item}}, each: {message: messages}}
    spans: {message: {at: poll.return, name: "{message}", attributes: {last: found}}}
    """
    with instrumented(spec, module):
        assert [*module.poll(["a", "b"])] == ["a", "b"]
    assert [(span.name, span.attributes["last"]) for span in tracing.spans] == [("a", "b"), ("b", "b")]


def test_each_event_of_a_chunk_of_http_2_is_recorded(module, instrumented, tracing):
    spec = """
    hooks:
      received: {call: "h2.connection:H2Connection.receive_data"}
      events: {call: "h2.connection:H2Connection.receive_data", each: {event: result}}
    spans: {received: {around: received, attributes: {bytes: len(data)}}}
    enrich:
      current:
        events: {event: {at: events.return, name: "{type_name(event)}", attributes: {stream: event.stream_id}}}
    """
    h2 = pytest.importorskip("h2.connection")
    client, server = h2.H2Connection(), h2.H2Connection(h2.H2Configuration(client_side=False))
    client.initiate_connection()
    headers = [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "shop")]
    client.send_headers(1, headers, end_stream=True)
    with instrumented(spec, module):
        events = server.receive_data(client.data_to_send())
    recorded = [(event.name, dict(event.attributes)) for event in tracing.span.events]
    assert [name for name, _ in recorded] == [type(event).__name__ for event in events]
    assert ("RequestReceived", {"stream": 1}) in recorded


def test_a_batch_is_linked_to_the_span_of_each_message(module, instrumented, tracing):
    spec = """
    hooks:
      batch: {call: "HOST:send_batch"}
      one: {call: "HOST:send_one"}
    spans:
      one: {around: one, key: {value: order_id, keep_ended: 5}}
      batch:
        around: batch
        links:
          carriers: {carrier: {each: "[entry.headers for entry in entries]"}}
          fields: [{traceparent: {each: "[entry.traceparent for entry in entries]"}}, {span: one, key: {each: "[7]"}}]
          several: {span: one, key: {each: "[entry.offset for entry in entries]"}}
          nothing: {carrier: {each: entries.missing}}
    enrich:
      current:
        links: {added: {at: batch.return, to: {carrier: {each: "[entry.headers for entry in result]"}}}}
    """
    header = ("traceparent", f"00-{_TRACE}-{_SPAN}-01")
    with instrumented(spec, module):
        for order_id in (1, 2, 7):
            module.send_one(order_id)
        module.send_batch([record(1, header), record(2), record(9, header)])
        module.send_batch([Object(headers=None, traceparent=header[1])])
    first, second, other, batch, fallback = tracing.spans
    found = [(link.attributes["link.kind"], format(link.context.span_id, "016x")) for link in batch.links]
    one, two, seven = (format(span.context.span_id, "016x") for span in (first, second, other))
    remote, added = [("carriers", _SPAN)] * 2, [("added", _SPAN)] * 2
    assert found == [*remote, ("fields", seven), ("several", one), ("several", two), *added]
    assert [link.attributes["link.kind"] for link in fallback.links] == ["fields"]
