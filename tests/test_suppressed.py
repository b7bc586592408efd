"""While instrumentation is suppressed, nothing is recorded, open spans end, and the program's own fields are set."""

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

HOST = """
class Message:
    trace = answers = None
def begin(id): return id
def note(id): return id
def end(id): return id
def call(message): return message
async def acall(message): return message
def give(message): yield message
"""
SPEC = """
hooks:
  begin: {call: "HOST:begin"}
  note: {call: "HOST:note"}
  end: {call: "HOST:end"}
  call: {call: "HOST:call"}
spans:
  order:
    key: id
    start: begin.enter
    end: end.exit
    events: {noted: {at: note.enter, key: id}}
    attribute_groups: {noted: {at: note.enter, key: id, attributes: {noted: id == 1}}}
    counts: {notes: {at: note.enter, key: id}}
    attributes: {notes: notes}
  call: {around: call, inject: {traceparent: message.trace}}
  acall: {around: "HOST:acall"}
  give: {around: "HOST:give"}
  moment: {at: note.return}
enrich:
  current:
    events:
      current: {at: note.return}
"""
WRITES = """
hooks: {call: {call: "HOST:call"}}
inject:
  context: {at: call.enter, traceparent: message.trace}
  own: {at: call.enter, field: message.answers, value: "5"}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_while_suppressed_no_span_starts_and_no_context_is_injected(module, instrumented, tracing):
    message = module.Message()
    with instrumented(SPEC, module), suppress_instrumentation():
        assert module.end(module.note(module.begin(1))) == 1
        assert module.call(message) is message
        with pytest.raises(StopIteration):
            module.acall(message).send(None)
        assert list(module.give(message)) == [message]
    assert (tracing.spans, message.trace) == ((), None)


def test_while_suppressed_an_open_span_gets_no_event_update_or_count_but_ends(module, instrumented, tracing):
    tracer = tracing.provider.get_tracer("test")
    with instrumented(SPEC, module), tracer.start_as_current_span("outer"):
        module.begin(1)
        module.note(1)
        with suppress_instrumentation():
            module.note(1)
            module.end(1)
    order = tracing.named("order")
    assert [event.name for event in order.events] == ["noted"]
    assert dict(order.attributes) == {"noted": True, "notes": 1}
    assert [event.name for event in tracing.named("outer").events] == ["current"]
    assert tracing.names.count("moment") == 1


def test_a_span_around_a_call_that_suppresses_instrumentation_ends_normally(make_module, instrumented, tracing):
    module = make_module("def work(act): return act()")
    with instrumented('spans: {work: {around: "HOST:work"}}', module):

        def inside() -> None:
            with suppress_instrumentation():
                module.work(lambda: None)

        module.work(inside)
    assert tracing.names == ["work"]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_while_suppressed_no_context_is_written_but_the_fields_of_the_program_are(module, instrumented, tracing):
    suppressed, free = module.Message(), module.Message()
    with instrumented(WRITES, module), tracing.provider.get_tracer("test").start_as_current_span("outer"):
        module.call(free)
        with suppress_instrumentation():
            module.call(suppressed)
    assert (free.trace is None, free.answers) == (False, 5)
    assert (suppressed.trace, suppressed.answers) == (None, 5)
