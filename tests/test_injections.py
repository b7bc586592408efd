"""Fields of the program that a spec sets: the only change that the program can see."""

from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

TRACEPARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

HOST = """
import types
class Message:
    def __init__(self, id=1, **fields):
        self.id = id
        self.trace = self.state = "as it was"
        self.headers = {}
        self.frozen = types.MappingProxyType({"trace": "as it was"})
        vars(self).update(fields)
    @property
    def fixed(self): return "as it was"
class Bus:
    def send(self, message): return message.trace
    def open(self, message): return message
    def post(self, message):
        if isinstance(message.id, Exception): raise message.id
        return message
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def spec(write: str, spans: str = "") -> str:
    return f"""
hooks: {{send: {{call: "HOST:Bus.send"}}, open: {{call: "HOST:Bus.open"}}, post: {{call: "HOST:Bus.post"}}}}
spans:
  opened: {{key: message.id, start: open.enter, end: post.raise}}
  {spans}
inject:
  written: {{{write}}}
"""


def written(span: Any) -> str:
    context = span.context
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def test_the_current_context_is_written_before_the_call_sees_the_field(module, instrumented, tracing, logged):
    with instrumented(spec("at: send.enter, traceparent: message.trace, tracestate: message.state"), module):
        with tracing.provider.get_tracer("test").start_as_current_span("outer"):
            message = module.Message()
            seen = module.Bus().send(message)
        alone = module.Bus().send(module.Message())
    assert seen == written(tracing.named("outer"))
    assert message.state == "as it was"  # the span has no tracestate
    assert alone == "as it was"  # there is no current span
    assert logged() == []


def test_a_span_around_the_call_is_current_for_writes_at_its_start(module, instrumented, tracing):
    with instrumented(spec("at: send.enter, traceparent: message.trace", "send: {around: send}"), module):
        seen = module.Bus().send(module.Message())
    assert seen == written(tracing.named("send"))


@pytest.mark.parametrize(
    ("of", "open", "remote", "current", "expected"),
    [
        ("{span: opened, key: message.id}", True, False, True, "opened"),
        ("{span: opened, key: message.id}", False, False, True, None),
        ("{span: opened, key: message.id}", False, False, False, None),
        ("{span: opened, key: message.id, required: true}", False, False, True, None),
        ("{span: opened, key: message.id, required: true}", True, False, True, "opened"),
        ("[{span: opened, key: message.id}, {traceparent: message.came}]", False, True, True, "remote"),
        ("[{span: opened, key: message.id}, {traceparent: message.came}, current]", False, False, True, "current"),
        ("[{span: opened, key: message.id}, none]", False, False, True, None),
        ("[current, {traceparent: message.came}]", False, True, True, "current"),
        ("[current, {traceparent: message.came}]", False, True, False, "remote"),
        ("[current]", True, True, True, "current"),
    ],
)
def test_the_context_of_the_first_source_that_exists_is_written(
    of: str, open: bool, remote: bool, current: bool, expected: str | None, module, instrumented, tracing, logged
):
    with instrumented(spec(f"at: send.enter, traceparent: message.trace, of: {of}"), module):
        message = module.Message(came=TRACEPARENT if remote else None)
        if open:
            module.Bus().open(message)
        if current:
            with tracing.provider.get_tracer("test").start_as_current_span("current"):
                seen = module.Bus().send(message)
        else:
            seen = module.Bus().send(message)
    words = {"as it was": None, TRACEPARENT: "remote", **{written(span): span.name for span in tracing.spans}}
    assert words[seen] == expected
    assert logged() == []


@pytest.mark.parametrize("value", ["text", 0, False, "", [], {"any": "thing"}])
def test_a_value_is_written_unchanged_to_an_attribute_and_to_an_item(value, module, instrumented, logged):
    both = spec("at: send.enter, field: message.trace, value: message.value") + (
        "  item: {at: send.enter, field: 'message.headers[message.id]', value: message.value}\n"
    )
    with instrumented(both, module):
        message = module.Message("key", value=value)
        assert module.Bus().send(message) is value
    assert message.headers["key"] is value
    assert logged() == []


@pytest.mark.parametrize("value", ["message.nothing", "None", "message.trace.deeper.still"])
def test_none_writes_nothing(value: str, module, instrumented, logged):
    with instrumented(spec(f"at: send.enter, field: message.trace, value: {value!r}"), module):
        assert module.Bus().send(module.Message()) == "as it was"
    assert logged() == []


def test_only_calls_for_which_the_condition_is_true_write(module, instrumented):
    with instrumented(spec("at: send.enter, when: message.id > 1, field: message.trace, value: message.id"), module):
        assert [module.Bus().send(module.Message(id)) for id in (1, 2)] == ["as it was", 2]


def test_fields_of_the_result_can_be_written_at_return_and_exit(module, instrumented, logged):
    with instrumented(spec("at: [post.enter, post.exit], field: 'result.headers[\"seen\"]', value: result.id"), module):
        message = module.Bus().post(module.Message(5))
        with pytest.raises(OSError, match="host"):
            module.Bus().post(module.Message(OSError("host")))
    assert message.headers == {"seen": 5}
    assert logged() == []


def test_fields_of_the_exception_can_be_written(module, instrumented, logged):
    error = OSError("host")
    with instrumented(spec("at: post.raise, field: error.message, value: message"), module):
        message = module.Message(error)
        with pytest.raises(OSError, match="host") as caught:
            module.Bus().post(message)
    assert caught.value is error
    assert error.message is message  # type: ignore[attr-defined]
    assert logged() == []


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("message.fixed", "AttributeError"),
        ('message.frozen["trace"]', "TypeError"),
        ("message.nothing.trace", "AttributeError"),
        ("message.headers.trace", "AttributeError"),  # an item is set with brackets
        ('message.id["trace"]', "TypeError"),
    ],
)
@pytest.mark.parametrize("what", ["field: FIELD, value: message.id", "traceparent: FIELD"])
def test_a_field_that_cannot_be_written_is_logged_once_and_the_application_is_not_affected(
    what: str, field: str, why: str, module, instrumented, tracing, logged
):
    write = what.replace("FIELD", f"'{field}'")
    with instrumented(spec(f"at: send.enter, {write}", "send: {around: send}"), module):
        for _ in range(2):
            message = module.Message()
            assert module.Bus().send(message) == "as it was"
            assert (message.headers, message.frozen["trace"], message.fixed) == ({}, "as it was", "as it was")
    (line,) = logged()
    assert "spec.yaml:8:" in line and f"injection written failed: {why}" in line
    assert tracing.names == ["send", "send"]


def test_a_setter_that_raises_does_not_reach_the_program(module, instrumented, logged):
    class Closed(module.Message):  # type: ignore[misc,name-defined]
        def __setattr__(self, name: str, value: Any) -> None:
            if "headers" in vars(self):
                raise RuntimeError("closed")
            object.__setattr__(self, name, value)

        def __init__(self) -> None:
            self.id, self.trace, self.headers = 1, "as it was", {}

    with instrumented(spec("at: send.enter, field: message.trace, value: message.id"), module):
        for _ in range(2):
            assert module.Bus().send(Closed()) == "as it was"
    (line,) = logged()
    assert "injection written failed: RuntimeError: closed" in line


def test_the_context_of_a_span_that_is_not_sampled_is_written_as_such(module, spec_file, tracing):
    instrumentor = DeclarativeInstrumentor()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    write = spec("at: send.enter, traceparent: message.trace", "send: {around: send}")
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file(write, module)])
    try:
        assert int(module.Bus().send(module.Message())[-2:], 16) & 1 == 0
    finally:
        instrumentor.uninstrument()
    assert module.Bus().send(module.Message()) == "as it was"


def test_nothing_is_written_while_instrumentation_is_suppressed(module, instrumented):
    write = spec("at: send.enter, traceparent: message.trace", "send: {around: send}")
    with instrumented(write, module), suppress_instrumentation():
        assert module.Bus().send(module.Message()) == "as it was"


def test_a_context_value_can_be_written_within_the_call(make_module, instrumented):
    module = make_module("""
        class Bus:
            def receive(self, trace): return self.answer({})
            def answer(self, headers): return headers
    """)
    carried = """
hooks: {receive: {call: "HOST:Bus.receive"}, answer: {call: "HOST:Bus.answer"}}
context: {came: {during: receive, value: trace}}
inject: {relay: {at: answer.return, field: 'result["trace"]', value: came}}
"""
    with instrumented(carried, module):
        assert module.Bus().receive(TRACEPARENT) == {"trace": TRACEPARENT}
        assert module.Bus().answer({}) == {}
