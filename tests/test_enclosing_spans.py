"""Rules on the span that was current before a call, and on the first span of the trace in this process."""

import asyncio
import gc
import threading
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.instrumentation.declarative.runtime.context import local_roots
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

HOST = """
def inner(x, error=None):
    if error is not None: raise error
    return x * 2
def outer(x, error=None): return inner(x, error)
async def later(x): return inner(x)
def each(x):
    yield x
    yield inner(x)
"""

SPEC = """
hooks: {inner: {call: "HOST:inner"}}
spans:
  inner: {around: inner}
  outer: {around: "HOST:outer"}
  each: {around: "HOST:each"}
enrich:
  current:
    attributes: {own: {value: x, at: inner.enter}}
  parent:
    attributes:
      parent.before: {value: x, at: inner.enter}
      parent.after: {value: result, at: inner.return}
    status: {at: inner.raise, error: str(error)}
    events:
      seen: {at: inner.return, attributes: {result: result}}
  root:
    attribute_groups:
      root: {at: inner.enter, attributes: {root.x: x}}
    status: {at: inner.enter, when: x > 5, error: '"large"'}
    events:
      first: {at: inner.enter, name: "first {x}"}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


@pytest.fixture
def tracer(tracing) -> Any:
    return tracing.provider.get_tracer("by hand")


def recorded(tracing: Any) -> dict[str, Any]:
    """The attributes and the names of the events of each span, by its name."""
    return {span.name: (dict(span.attributes), [event.name for event in span.events]) for span in tracing.spans}


PARENT = ({"parent.before": 3, "parent.after": 6}, ["seen"])
ROOT = ({"root.x": 3}, ["first 3"])


def test_the_span_that_was_current_before_the_call_and_the_first_one_get_attributes_and_events(
    module, instrumented, tracing, tracer, logged
):
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("first"), tracer.start_as_current_span("middle"):
            assert module.outer(3) == 6
    assert recorded(tracing) == {"inner": ({"own": 3}, []), "outer": PARENT, "middle": ({}, []), "first": ROOT}
    assert logged() == []


def test_the_first_span_may_have_a_parent_in_another_process(module, instrumented, tracing, tracer):
    remote = NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)))
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("server", context=trace.set_span_in_context(remote)):
            with tracer.start_as_current_span("handler"):
                module.inner(3)
    assert recorded(tracing) == {"inner": ({"own": 3}, []), "handler": PARENT, "server": ROOT}


def test_a_call_without_another_span_is_on_its_own_the_first(module, instrumented, tracing):
    with instrumented(SPEC, module):
        module.inner(3)
    assert recorded(tracing) == {"inner": ({"own": 3, "root.x": 3}, ["first 3"])}


def test_a_call_without_a_span_of_its_own_is_in_the_current_span(make_module, instrumented, tracing, tracer):
    module = make_module(HOST)
    with instrumented(SPEC.replace("  inner: {around: inner}\n", ""), module), tracer.start_as_current_span("first"):
        module.inner(3)
    assert recorded(tracing)["first"] == (
        {"own": 3, "parent.before": 3, "parent.after": 6, "root.x": 3},
        ["first 3", "seen"],
    )


def test_the_status_of_an_enclosing_span_is_set(module, instrumented, tracing, tracer):
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("first"):
            with tracer.start_as_current_span("handler"):
                with pytest.raises(ValueError, match="no"):
                    module.inner(6, ValueError("no"))
    statuses = {span.name: (span.status.status_code, span.status.description) for span in tracing.spans}
    assert statuses == {
        "inner": (StatusCode.ERROR, "ValueError: no"),
        "handler": (StatusCode.ERROR, "no"),
        "first": (StatusCode.ERROR, "large"),
    }


def test_a_status_at_a_moment_is_set_on_the_span_that_is_found_by_its_key(make_module, instrumented, tracing):
    module = make_module("def start(id): ...\ndef warn(id, reason): ...\ndef end(id): ...")
    spec = """
    hooks: {start: {call: "HOST:start"}, warn: {call: "HOST:warn"}, end: {call: "HOST:end"}}
    spans:
      job:
        key: id
        start: start.enter
        end: end.return
        status:
          - {at: warn.enter, when: reason == "none", unset: true}
          - {at: warn.enter, error: reason}
          - {at: warn.return, ok: reason == "fine"}
    """
    with instrumented(spec, module):
        for id, reason in ((1, "none"), (2, "hot"), (3, "fine")):
            module.start(id)
            module.warn(id, reason)
            module.end(id)
    statuses = [(span.status.status_code, span.status.description) for span in tracing.spans]
    assert statuses == [(StatusCode.UNSET, None), (StatusCode.ERROR, "hot"), (StatusCode.OK, None)]


def test_tasks_threads_and_generators_have_the_spans_of_their_context(module, instrumented, tracing, tracer):
    async def main() -> None:
        with tracer.start_as_current_span("first"):
            with tracer.start_as_current_span("task"):
                await asyncio.gather(asyncio.ensure_future(module.later(3)))

    def in_thread(current: Any) -> None:
        token = context.attach(current)
        module.inner(3)
        context.detach(token)

    with instrumented(SPEC, module):
        asyncio.run(main())
        assert recorded(tracing) == {"inner": ({"own": 3}, []), "task": PARENT, "first": ROOT}
        tracing.exporter.clear()
        with tracer.start_as_current_span("first"), tracer.start_as_current_span("thread"):
            thread = threading.Thread(target=in_thread, args=[context.get_current()])
            thread.start()
            thread.join()
        assert recorded(tracing) == {"inner": ({"own": 3}, []), "thread": PARENT, "first": ROOT}
        tracing.exporter.clear()
        with tracer.start_as_current_span("first"):
            assert [*module.each(3)] == [3, 6]
    assert recorded(tracing) == {"inner": ({"own": 3}, []), "each": PARENT, "first": ROOT}


def test_a_span_that_starts_after_its_parent_has_ended_belongs_to_the_same_root(module, instrumented, tracing, tracer):
    with instrumented(SPEC, module), tracer.start_as_current_span("first"):
        with tracer.start_as_current_span("ended"):
            left = context.get_current()
        token = context.attach(left)
        module.inner(3)
        context.detach(token)
    assert recorded(tracing) == {"inner": ({"own": 3}, []), "ended": ({}, []), "first": ROOT}


def test_spans_that_have_ended_or_are_not_recorded_are_left_alone(module, instrumented, tracing, tracer, caplog):
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("not sampled")
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("first", end_on_exit=False) as first:
            with tracer.start_as_current_span("handler", end_on_exit=False) as handler:
                handler.end()
                first.end()
                module.inner(3)
        with unsampled.start_as_current_span("unsampled"):
            module.inner(3)
    assert [record for record in caplog.records if "ended span" in record.getMessage()] == []
    assert {span.name for span in tracing.spans if span.attributes} == {"inner"}


def test_a_provider_that_is_set_later_is_watched(module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch):
    with instrumented(SPEC, module):
        later = TracerProvider(shutdown_on_exit=False)
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: later)
        module.inner(1)  # the provider is seen
        with later.get_tracer("by hand").start_as_current_span("first") as first:
            with later.get_tracer("by hand").start_as_current_span("handler"):
                module.inner(3)
    assert first.attributes == {"root.x": 3}  # type: ignore[attr-defined]


def test_nothing_is_kept_when_no_spec_needs_the_first_span(module, instrumented, tracing, tracer):
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("open"):
            module.inner(3)
            assert local_roots.LOCAL_ROOTS._roots
        for _ in range(3):
            with tracer.start_as_current_span("first"), tracer.start_as_current_span("child"):
                pass
    assert (local_roots.LOCAL_ROOTS._roots, list(local_roots.LOCAL_ROOTS._ended)) == ({}, [])
    with tracer.start_as_current_span("after"):
        pass
    assert not local_roots.LOCAL_ROOTS._roots


def test_what_is_remembered_of_ended_spans_is_bounded(
    module, instrumented, tracing, tracer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local_roots, "_MOST_ENDED", 10)
    with instrumented(SPEC, module), tracer.start_as_current_span("first"):
        for _ in range(50):
            with tracer.start_as_current_span("child"):
                pass
        gc.collect()
        assert len(local_roots.LOCAL_ROOTS._roots) <= 11
        module.inner(3)
    assert recorded(tracing)["first"][0] == {"parent.before": 3, "parent.after": 6, "root.x": 3}


def test_a_spec_without_such_rules_adds_no_processor(module, instrumented, tracing):
    before = tracing.provider._active_span_processor._span_processors
    with instrumented('spans: {inner: {around: "HOST:inner"}}', module):
        module.inner(3)
    assert tracing.provider._active_span_processor._span_processors == before


def test_a_task_that_outlives_its_span_can_be_linked_to_it(make_module, instrumented, tracing):
    module = make_module("""
    import asyncio

    tasks = []

    async def handle():
        tasks.append(asyncio.create_task(work()))

    async def work():
        pass

    async def main():
        await handle()
        await asyncio.gather(*tasks)
    """)
    spec = """
    spans:
      handle: {around: "HOST:handle"}
      work:
        around: HOST:work
        parent: none
        links: {unless_ended: current, caused_by: current_or_ended, either: [current, current_or_ended]}
    scope: {name: shop, link_kind: kind}
    """
    with instrumented(spec, module):
        asyncio.run(module.main())
    handle, work = tracing.named("handle"), tracing.named("work")
    assert [(link.attributes["kind"], link.context.span_id) for link in work.links] == [
        ("caused_by", handle.context.span_id),
        ("either", handle.context.span_id),
    ]
