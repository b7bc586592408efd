"""Counts and updates of open spans."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

HOST = """
class Bus:
    def send(self, id): return id
    def fail(self, id, why="lost"): return why
    def done(self, id, lost=None):
        if isinstance(id, Exception): raise id
        return id
    def work(self, id, steps=()):
        for step in steps: step()
        return id
    def close(self): pass
"""

SENT = """
hooks:
  send: {call: "HOST:Bus.send"}
  fail: {call: "HOST:Bus.fail"}
  done: {call: "HOST:Bus.done"}
  close: {call: "HOST:Bus.close"}
spans:
  message:
    key: id
    start: send.enter
    end: done.exit
    owner: bus
    %s
    attributes: {failures: failures, ends: str(failures or None)}
    counts:
      failures: {at: fail.enter, when: why != "harmless"}
owners:
  bus: {object: self, closes: close.exit}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def spans_of(instrumentor: Any, name: str) -> Any:
    """The spans of a type, of the only installed spec."""
    (installation,) = instrumentor._active._installations
    return installation._runtime.spans[name]


def test_counts_of_an_open_span_are_read_at_its_end(module, recorded):
    with recorded(SENT % "", module) as trace:
        bus = module.Bus()
        for id in (1, 2, 3):
            bus.send(id)
        for id, why in ((1, "lost"), (2, "lost"), (1, "late"), (3, "harmless"), (9, "nobody sent it")):
            bus.fail(id, why)
        for id in (1, 2, 3):
            bus.done(id)
    assert (
        trace.tree
        == """
        message
          failures=2
          ends="2"
        message
          failures=1
          ends="1"
        message
          failures=0
        """
    )


@pytest.mark.parametrize("sampler", [None, ALWAYS_OFF])
def test_an_end_waits_for_a_count_whether_or_not_the_span_is_recorded(module, spec_file, tracing, sampler):
    spec = """
    hooks: {send: {call: "HOST:Bus.send"}, fail: {call: "HOST:Bus.fail"}, done: {call: "HOST:Bus.done"}}
    spans:
      message:
        key: id
        start: send.enter
        end: [{at: fail.return, when: failures >= 2 and why == "lost"}, done.exit]
        counts: {failures: {at: fail.enter}}
    """
    instrumentor = DeclarativeInstrumentor()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file(spec, module)])
    try:
        spans = spans_of(instrumentor, "message")
        bus = module.Bus()
        bus.send(1)
        bus.send(2)
        for id, why in ((1, "lost"), (2, "lost"), (1, "late")):
            bus.fail(id, why)
            assert spans.find(1) is not None
        bus.fail(1, "lost")
        assert spans.find(1) is None
        assert list(spans.counts.values()) == [{"failures": 1}]
        bus.fail(1, "lost")
        bus.done(2)
        assert spans.counts == {}
    finally:
        instrumentor.uninstrument()


def test_a_count_can_be_used_in_the_name_the_status_and_the_attributes_of_an_end(module, recorded):
    spec = """
    hooks: {send: {call: "HOST:Bus.send"}, fail: {call: "HOST:Bus.fail"}, done: {call: "HOST:Bus.done"}}
    spans:
      message:
        name: message {id} {failures}
        key: id
        start: send.enter
        end: {at: done.return, attributes: {twice: failures * 2, result: result}}
        status: {error: 'f"{failures} of {lost}" if failures else None'}
        counts: {failures: {at: fail.enter}, lost: {at: [fail.enter, fail.return]}}
    """
    with recorded(spec, module) as trace:
        bus = module.Bus()
        for id in (1, 2):
            bus.send(id)
        bus.fail(1)
        for id in (1, 2):
            bus.done(id)
    assert (
        trace.tree
        == """
        message 1 1
          twice=2
          result=1
          ! 1 of 2
        message 2 0
          twice=0
          result=2
        """
    )


def test_a_count_takes_precedence_over_a_parameter_of_the_call_that_ends_the_span(module, instrumented, tracing):
    spec = SENT.replace("failures", "lost") % ""
    with instrumented(spec, module):
        module.Bus().send(1)
        module.Bus().fail(1)
        module.Bus().done(1, lost=77)
    assert dict(tracing.span.attributes) == {"lost": 1, "ends": "1"}


def test_a_count_is_available_if_the_call_that_ends_the_span_has_raised(module, instrumented, tracing):
    error = ValueError("host")
    spec = SENT.replace("ends: str(failures or None)", "ends: 'f\"{failures} {error}\"'") % ""
    with instrumented(spec, module):
        module.Bus().send(error)
        module.Bus().fail(error)
        with pytest.raises(ValueError, match="host") as caught:
            module.Bus().done(error)
    assert caught.value is error
    assert dict(tracing.span.attributes) == {"failures": 1, "ends": "1 host"}


def test_a_span_around_a_call_has_counts(module, instrumented, tracing, logged):
    spec = """
    hooks: {work: {call: "HOST:Bus.work"}, fail: {call: "HOST:Bus.fail"}}
    spans:
      work:
        around: work
        key: id
        attributes: {failures: failures}
        counts: {failures: {at: fail.return, key: id}}
    """
    with instrumented(spec, module) as instrumentor:
        bus = module.Bus()
        # A nested call with the same key: the inner span has the count while it is open.
        bus.work(1, [lambda: bus.fail(1), lambda: bus.work(1, [lambda: bus.fail(1)]), lambda: bus.fail(1)])
        bus.fail(1)
        assert spans_of(instrumentor, "work").counts == {}
    assert [span.attributes["failures"] for span in tracing.spans] == [1, 2]
    assert logged() == []


def test_a_span_that_is_replaced_does_not_leave_its_count(module, instrumented, tracing):
    with instrumented(SENT % "", module) as instrumentor:
        bus = module.Bus()
        bus.send(1)
        bus.fail(1)
        bus.send(1)
        assert spans_of(instrumentor, "message").counts == {}
        bus.done(1)
    replaced, last = tracing.spans
    assert dict(replaced.attributes) == {"instrument.end": "replaced"}
    assert dict(last.attributes) == {"failures": 0}


@pytest.mark.parametrize("way", ["limit", "bus_closed", "shutdown"])
def test_the_count_of_a_span_that_ends_early_is_dropped(way: str, module, instrumented, tracing):
    with instrumented(SENT.replace("key: id", "key: {value: id, max_open: 1}") % "", module) as instrumentor:
        spans = spans_of(instrumentor, "message")
        bus = module.Bus()
        bus.send(1)
        bus.fail(1)
        if way == "limit":
            bus.send(2)
        elif way == "bus_closed":
            bus.close()
        else:
            instrumentor.uninstrument()
        assert spans.counts == {}
    assert tracing.spans[0].attributes == {"instrument.end": way}


def test_a_span_that_is_not_sampled_counts_and_leaves_nothing(module, spec_file, tracing, logged):
    instrumentor = DeclarativeInstrumentor()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file(SENT % "", module)])
    try:
        spans = spans_of(instrumentor, "message")
        bus = module.Bus()
        bus.send(1)
        bus.fail(1)
        assert list(spans.counts.values()) == [{"failures": 1}]
        bus.done(1)
        assert (spans.counts, spans._owners) == ({}, {})
    finally:
        instrumentor.uninstrument()
    assert logged() == []


def test_nothing_is_counted_without_a_span(module, instrumented, tracing):
    with instrumented(SENT % "", module) as instrumentor, suppress_instrumentation():
        bus = module.Bus()
        bus.send(1)
        bus.fail(1)
        assert spans_of(instrumentor, "message").counts == {}
        bus.done(1)
    assert tracing.spans == ()


def test_counts_of_several_threads_are_all_counted(module, instrumented, tracing):
    with instrumented(SENT % "", module):
        bus, together = module.Bus(), threading.Barrier(4)
        bus.send(1)

        def fail() -> None:
            together.wait()
            for _ in range(250):
                bus.fail(1)

        with ThreadPoolExecutor(4) as pool:
            for running in [pool.submit(fail) for _ in range(4)]:
                running.result()
        bus.done(1)
    assert tracing.span.attributes["failures"] == 1000


@pytest.mark.parametrize("key", [None, []])
def test_an_invalid_key_counts_nothing_and_does_not_affect_the_application(key, module, instrumented, tracing, logged):
    with instrumented(SENT % "", module):
        for _ in range(2):
            assert module.Bus().fail(key) == "lost"
    assert [line.split(": ", 1)[1][:24] for line in logged()] == ([] if key is None else ["count failures failed: T"])


# ── Updates ──

SET_WHILE_OPEN = """
hooks: {send: {call: "HOST:Bus.send"}, fail: {call: "HOST:Bus.fail"}, done: {call: "HOST:Bus.done"}}
spans:
  message:
    key: id
    start: send.enter
    end: done.exit
    attribute_groups:
      why: {at: fail.return, when: result != "harmless", attributes: {why: why, length: len(result)}}
"""


def test_a_group_sets_attributes_of_the_open_span_and_the_last_value_stays(module, recorded):
    with recorded(SET_WHILE_OPEN, module) as trace:
        bus = module.Bus()
        for id in (1, 2):
            bus.send(id)
        for id, why in ((1, "lost"), (1, None), (1, "later"), (1, "harmless"), (2, "harmless"), (9, "unknown")):
            bus.fail(id, why)
        for id in (1, 2):
            bus.done(id)
        bus.fail(1, "after the end")
    assert (
        trace.tree
        == """
        message
          why=later
          length=5
        message
        """
    )


def test_a_group_finds_a_span_around_a_call_by_its_key(module, recorded):
    spec = """
    hooks: {work: {call: "HOST:Bus.work"}, fail: {call: "HOST:Bus.fail"}}
    spans:
      work:
        around: work
        key: id
        attribute_groups:
          why: {at: fail.enter, key: id + 1, attributes: {why: why}}
          steps: {at: [work.enter, work.return], attributes: {steps: len(steps), done: result is not None}}
    """
    with recorded(spec, module) as trace:
        bus = module.Bus()
        bus.work(2, [lambda: bus.fail(1, "found"), lambda: bus.fail(2, "not this one")])
    assert (
        trace.tree
        == """
        work
          why=found
          steps=2
          done=true
        """
    )


def test_an_update_of_a_span_that_is_not_sampled_does_nothing(module, spec_file, tracing, logged):
    instrumentor = DeclarativeInstrumentor()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file(SET_WHILE_OPEN, module)])
    try:
        bus = module.Bus()
        bus.send(1)
        assert bus.fail(1) == "lost"
        bus.done(1)
    finally:
        instrumentor.uninstrument()
    assert logged() == []


def test_a_group_that_cannot_be_read_does_not_affect_others(module, instrumented, tracing, logged):
    class Odd:
        def __len__(self) -> int:
            raise OSError("no length")

    with instrumented(SET_WHILE_OPEN.replace("{why: why", "{why: str(id)"), module):
        module.Bus().send(1)
        for _ in range(2):
            module.Bus().fail(1, Odd())
        module.Bus().done(1)
    assert dict(tracing.span.attributes) == {"why": "1"}
    (line,) = logged()
    assert "spec.yaml:10:" in line and "attribute group why failed: OSError: no length" in line


# ── Events that are recorded once ──


def test_an_event_is_recorded_once_for_each_span(module, instrumented, tracing):
    spec = SENT % "events: {failed: {at: fail.enter, when: why != 'harmless', once: true, attributes: {why: why}}}"
    with instrumented(spec, module):
        bus = module.Bus()
        for id in ("a", "b"):
            bus.send(id)
        bus.fail("a", "harmless")
        for id, why in (("a", "first"), ("a", "second"), ("b", "other")):
            bus.fail(id, why)
        for id in ("a", "b"):
            bus.done(id)
        bus.fail("a", "late")
    found = [[(event.name, dict(event.attributes)) for event in span.events] for span in tracing.spans]
    assert found == [[("failed", {"why": "first"})], [("failed", {"why": "other"})]]


def test_an_event_that_is_recorded_once_leaves_nothing(module, instrumented, tracing):
    spec = SENT % "events: {failed: {at: fail.enter, once: true}}"
    with instrumented(spec, module) as instrumentor:
        bus = module.Bus()
        bus.send("a")
        bus.fail("a")
        assert spans_of(instrumentor, "message").counts
        bus.done("a")
        assert spans_of(instrumentor, "message").counts == {}
    assert [event.name for event in tracing.span.events] == ["failed"]
