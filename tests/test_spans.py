"""Spans at run time: how they start, are found again, and end."""

import asyncio
import contextlib
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

TRACEPARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

HOST = """
class Message:
    def __init__(self, id, **fields):
        self.id = id
        self.headers = {}
        self.trace = self.sender = None
        vars(self).update(fields)
class Bus:
    def send(self, message): return message
    def deliver(self, message):
        if isinstance(message.id, Exception): raise message.id
        return message.id
    def work(self, message): return self.deliver(message)
"""

SENT = """
hooks: {send: {call: "HOST:Bus.send"}, deliver: {call: "HOST:Bus.deliver"}}
spans:
  message:
    key: message.id
    start: send.enter
    end: {at: deliver.exit, attributes: {delivered: result}}
    %s
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_span_lasts_from_one_call_to_another_and_is_never_current(module, instrumented, tracing):
    with instrumented(SENT % "", module):
        message = module.Bus().send(module.Message(5))
        assert (trace.get_current_span(), tracing.spans) == (trace.INVALID_SPAN, ())
        module.Bus().deliver(module.Message(6))  # it was not sent
        module.Bus().deliver(message)
    assert (tracing.span.name, tracing.span.attributes) == ("message", {"delivered": 5})


def test_a_span_is_ended_as_replaced_when_its_key_is_used_again(module, recorded):
    with recorded(SENT % "", module) as trace:
        for _ in range(2):
            module.Bus().send(module.Message(5))
        module.Bus().deliver(module.Message(5))
    assert (
        trace.tree
        == """
        message
          instrument.end=replaced
        message
          delivered=5
        """
    )


def test_the_oldest_span_is_ended_when_too_many_are_open(module, instrumented, tracing):
    with instrumented(SENT.replace("key: message.id", "key: {value: message.id, max_open: 2}") % "", module):
        for id in (1, 2, 3):
            module.Bus().send(module.Message(id))
        assert tracing.span.attributes == {"instrument.end": "limit"}
        for id in (1, 2, 3):
            module.Bus().deliver(module.Message(id))
    assert [dict(span.attributes) for span in tracing.spans[1:]] == [{"delivered": 2}, {"delivered": 3}]


def test_open_spans_are_ended_when_instrumentation_is_removed(module, instrumented, tracing):
    with instrumented(SENT % "", module):
        module.Bus().send(module.Message(1))
        module.Bus().send(module.Message(2))
    assert [dict(span.attributes) for span in tracing.spans] == [{"instrument.end": "shutdown"}] * 2


@pytest.mark.parametrize("key", [None, [], "Odd"])
def test_an_unhashable_key_is_reported_once_and_loses_no_span(key, module, instrumented, tracing, logged):
    class Odd:
        def __hash__(self) -> int:
            raise KeyError("no hash")

    keyed_around = 'spans: {work: {around: "HOST:Bus.work", key: message.id}}'
    with instrumented([SENT % "", keyed_around], module):
        for _ in range(2):
            message = module.Bus().send(module.Message(Odd() if key == "Odd" else key))
            assert module.Bus().work(message) is message.id
    begun, around = logged()
    assert "spec.yaml:7:" in begun and "span message starts" in begun
    assert "spec1.yaml:3:" in around and "the key of span work" in around
    assert tracing.names == ["work", "work"]


def test_nested_calls_with_the_same_key_have_distinct_spans(make_module, recorded):
    module = make_module("""
        def turn(key, depth):
            if depth:
                turn(key, depth - 1)
            note(key, depth)
        def note(key, depth): pass
    """)
    spec = """
    hooks: {turn: {call: "HOST:turn"}, note: {call: "HOST:note"}}
    spans:
      turn: {around: turn, key: key, attributes: {depth: depth}}
      note: {at: note.enter, attributes: {depth: depth}, parent: {span: turn, key: key, required: true}}
    """
    with recorded(spec, module) as trace:
        module.turn("k", 1)
        module.note("k", 9)
    assert (
        trace.tree
        == """
        turn
          depth=1
          turn
            depth=0
            note
              depth=0
          note
            depth=1
        """
    )


def test_an_ended_span_can_be_a_parent_while_it_is_remembered(module, recorded):
    spec = (
        SENT.replace("key: message.id", "key: {value: message.id, keep_ended: 1}") % ""
        + """
  late:
    around: HOST:Bus.work
    parent: {span: message, key: message.sender, required: true}
    """
    )
    with recorded(spec, module) as trace:
        for id in (1, 2):
            module.Bus().send(module.Message(id))
            module.Bus().deliver(module.Message(id))
        for sender in (1, 2):
            module.Bus().work(module.Message(9, sender=sender))
    assert (
        trace.tree
        == """
        message
          delivered=1
        message
          delivered=2
          late
        """
    )


def test_links_keep_the_order_of_the_spec_and_those_without_a_target_are_omitted(module, recorded):
    spec = (
        """
scope: {name: bus, link_kind: my.link.kind}
"""
        + SENT % ""
        + """
  work:
    around: HOST:Bus.work
    parent: none
    links:
      caused_by: {traceparent: message.trace}
      about: {span: message, key: message.sender}
      during: current
    """
    )
    with recorded(spec, module) as trace:
        module.Bus().send(module.Message(1))
        with trace.provider.get_tracer("test").start_as_current_span("outer"):
            module.Bus().work(module.Message(7, sender=1, trace=TRACEPARENT))
        module.Bus().work(module.Message(8, sender=2, trace="nonsense"))
        assert (
            trace.tree
            == """
            message (open)
            outer
            work
              ↪ caused_by → (in another process)
              ↪ about → message
              ↪ during → outer
            work
            """
        )
    full = next(span for span in trace.spans if span.links)
    assert [link.attributes["my.link.kind"] for link in full.links] == ["caused_by", "about", "during"]
    assert full.links[0].context.trace_id == int(TRACEPARENT[3:35], 16)


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [(TRACEPARENT, TRACEPARENT[3:35]), ("00-xyz", None), (None, None), (5, None), ("00-" + "0" * 32 + "-1-01", None)],
)
def test_a_parent_comes_from_a_traceparent_and_a_malformed_one_is_ignored(
    traceparent, trace_id: str | None, module, instrumented, tracing, logged
):
    with instrumented(
        'spans: {work: {around: "HOST:Bus.work", parent: {traceparent: message.trace, tracestate: message.state}}}',
        module,
    ):
        module.Bus().work(module.Message(1, trace=traceparent, state="a=b"))
    parent = tracing.span.parent
    assert (parent and f"{parent.trace_id:032x}") == trace_id
    assert (parent and dict(parent.trace_state)) == (trace_id and {"a": "b"})
    assert logged() == []


def test_context_is_injected_into_an_attribute_and_into_an_item(module, instrumented, tracing):
    inject = "inject: {traceparent: message.trace, tracestate: 'message.headers[\"tracestate\"]'}"
    item = """
spans: {work: {around: "HOST:Bus.work", inject: {traceparent: 'message.headers["traceparent"]'}}}
"""
    with instrumented([SENT % inject, item], module):
        message = module.Bus().send(module.Message(1))
        module.Bus().work(message)
    sent, work = tracing.named("message"), tracing.named("work")
    assert message.trace == written(sent)
    assert message.headers == {"traceparent": written(work)}


def written(span: Any) -> str:
    context = span.context
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def test_a_span_at_a_moment_can_have_other_timestamps(module, instrumented, tracing):
    spec = """
hooks: {deliver: {call: "HOST:Bus.deliver"}}
spans: {past: {at: deliver.return, timestamps: {start: iso(message.since), end: iso(message.until)}}}
    """
    with instrumented(spec, module):
        module.Bus().deliver(module.Message(1, since="1970-01-01T00:00:01Z", until="1970-01-01T00:00:02.5+00:00"))
    assert (tracing.span.start_time, tracing.span.end_time) == (1_000_000_000, 2_500_000_000)


@pytest.mark.parametrize(
    ("since", "until", "times"),
    [
        ("1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z", (2_000_000_000, 2_000_000_000)),
        ("2200-01-01T00:00:00Z", None, (7_258_118_400_000_000_000, 7_258_118_400_000_000_000)),
    ],
)
def test_a_span_does_not_end_before_it_starts(
    module, instrumented, tracing, since: str, until: str | None, times: tuple[int, int]
):
    spec = """
hooks: {deliver: {call: "HOST:Bus.deliver"}}
spans: {past: {at: deliver.return, timestamps: {start: iso(message.since), end: iso(message.until)}}}
    """
    with instrumented(spec, module):
        module.Bus().deliver(module.Message(1, since=since, until=until))
    assert (tracing.span.start_time, tracing.span.end_time) == times


def test_a_span_whose_start_is_unknown_does_not_end_before_now(module, instrumented, tracing):
    spec = """
hooks: {deliver: {call: "HOST:Bus.deliver"}}
spans: {past: {at: deliver.return, timestamps: {start: iso(message.since), end: iso(message.until)}}}
    """
    with instrumented(spec, module):
        module.Bus().deliver(module.Message(1, since=None, until="1970-01-01T00:00:01Z"))
    assert tracing.span.start_time == tracing.span.end_time


GAVE, RAISED = ValueError("given"), OSError("raised")


@pytest.mark.parametrize(
    ("fields", "error", "status", "description", "exceptions"),
    [
        ({}, None, StatusCode.UNSET, None, []),
        ({"bad": "it is bad"}, None, StatusCode.ERROR, "it is bad", []),
        ({"bad": True}, None, StatusCode.ERROR, None, []),
        ({"bad": False}, None, StatusCode.UNSET, None, []),
        ({"fine": True}, None, StatusCode.OK, None, []),
        ({"fine": True, "bad": "no"}, None, StatusCode.OK, None, []),
        ({"gave": GAVE}, None, StatusCode.ERROR, "ValueError: given", ["given"]),
        ({"gave": "text"}, None, StatusCode.UNSET, None, []),
        ({"gave": GAVE, "bad": "why"}, None, StatusCode.ERROR, "why", ["given"]),
        ({}, RAISED, StatusCode.ERROR, "OSError: raised", ["raised"]),
        ({"fine": True}, RAISED, StatusCode.ERROR, "OSError: raised", ["raised"]),
        ({"bad": "why"}, RAISED, StatusCode.ERROR, "why", ["raised"]),
        ({}, asyncio.CancelledError(), StatusCode.UNSET, None, []),
        ({"bad": "why"}, asyncio.CancelledError(), StatusCode.ERROR, "why", [""]),
        ({}, GeneratorExit(), StatusCode.UNSET, None, []),
    ],
)
def test_the_status_is_the_exception_raised_or_the_one_in_the_spec(
    fields: dict[str, Any], error, status, description, exceptions, make_module, instrumented, tracing
):
    module = make_module("def call(m, error):\n    if error is not None: raise error")
    spec = """
    spans:
      call: {around: "HOST:call", exception: m.gave, status: {error: m.bad, ok: m.fine}}
    """
    with instrumented(spec, module):
        with contextlib.ExitStack() as raising:
            if error is not None:
                caught = raising.enter_context(pytest.raises(type(error)))
            module.call(fields, error)
    assert error is None or caught.value is error
    span = tracing.span
    assert (span.status.status_code, span.status.description) == (status, description)
    assert [event.attributes["exception.message"] for event in span.events] == exceptions
