"""The table of open spans: limits of number and age, and the contexts of ended spans."""

import gc
import threading
import weakref
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.open_spans import OpenSpanTable
from opentelemetry.sdk.trace import TracerProvider

TRACER = TracerProvider().get_tracer("test")


@pytest.fixture
def now() -> list[float]:
    """The time of the table's clock, as the only element."""
    return [0.0]


def table(now: list[float], max_open: int = 10, max_age: float | None = None, keep_ended: int = 0) -> OpenSpanTable:
    return OpenSpanTable(max_open, max_age, keep_ended, clock=lambda: now[0])


def span(name: str = "a") -> Any:
    return TRACER.start_span(name)


def test_adding_a_span_beyond_the_limit_evicts_the_oldest(now: list[float]):
    open_spans = table(now, max_open=2)
    spans = [span(str(number)) for number in range(4)]
    evicted = [open_spans.add(number, each) for number, each in enumerate(spans)]
    assert evicted == [[], [], [(spans[0], "limit")], [(spans[1], "limit")]]
    assert open_spans.take_all() == spans[2:]


def test_threads_that_add_spans_at_once_leave_no_more_than_the_limit(now: list[float]):
    open_spans = table(now, max_open=2, keep_ended=2)
    barrier = threading.Barrier(4)
    evicted: list[Any] = []

    def add(first: int) -> None:
        barrier.wait()
        for number in range(first, first + 50):
            evicted.extend(each for each, _ in open_spans.add(number, span(str(number))))

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 50, 100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = open_spans.take_all()
    assert (len(left), len(evicted)) == (2, 198)
    assert len({id(each) for each in (*left, *evicted)}) == 200


def test_an_expired_span_is_evicted_when_the_next_one_is_added(now: list[float]):
    open_spans = table(now, max_age=60)
    first, second, third = span(), span(), span()
    open_spans.add("first", first)
    now[0] = 59
    assert open_spans.add("second", second) == []
    now[0] = 61
    assert open_spans.find("first") is first  # age is only checked when a span is added
    assert open_spans.add("third", third) == [(first, "age")]
    assert open_spans.take_all() == [second, third]


def test_a_span_that_ended_or_was_replaced_does_not_expire(now: list[float]):
    open_spans = table(now, max_age=60)
    old, new, other = span(), span(), span()
    open_spans.add("ended", old)
    assert open_spans.take("ended") is old
    open_spans.add("again", old)
    now[0] = 50
    assert open_spans.add("again", new) == [(old, "replaced")]
    now[0] = 100
    assert open_spans.add("other", other) == []
    now[0] = 111
    assert open_spans.add("other", other) == [(other, "replaced"), (new, "age")]


def test_the_contexts_of_the_last_ended_spans_are_kept(now: list[float]):
    open_spans = table(now, keep_ended=2)
    spans = [span(str(number)) for number in range(3)]
    for number, each in enumerate(spans):
        open_spans.add(number, each)
        open_spans.take(number)
    found = [open_spans.span_context(number) for number in range(3)]
    assert found == [None, spans[1].get_span_context(), spans[2].get_span_context()]


def test_a_shadowed_span_is_found_again_unless_it_has_ended(now: list[float]):
    open_spans = table(now)
    outer, inner = span(), span()
    open_spans.add("key", outer)
    shadowed = open_spans.shadow("key", inner)
    assert (shadowed, open_spans.find("key")) == (outer, inner)
    open_spans.unshadow("key", inner, shadowed)
    assert open_spans.find("key") is outer
    shadowed = open_spans.shadow("key", inner)
    outer.end()
    open_spans.unshadow("key", inner, shadowed)
    assert open_spans.find("key") is None


def test_links_lead_to_the_span_that_has_the_key_now_and_keep_no_other_alive(now: list[float]):
    open_spans, kind = table(now), {"kind": "of a channel"}
    first, second = span("first"), span("second")
    open_spans.add("key", first)
    link = open_spans.link("key", kind)
    assert link is not None
    assert link.context == first.get_span_context()
    assert open_spans.link("key", kind) is link
    shadowed = open_spans.shadow("key", second)
    assert open_spans.link("key", kind).context == second.get_span_context()  # type: ignore[union-attr]
    open_spans.unshadow("key", second, shadowed)
    assert open_spans.link("key", kind).context == first.get_span_context()  # type: ignore[union-attr]
    reference = weakref.ref(first)
    open_spans.take("key")
    del first, shadowed
    gc.collect()
    assert reference() is None
    assert open_spans.link("key", kind) is None


def test_a_table_reset_after_a_fork_has_no_open_spans_but_keeps_contexts(now: list[float]):
    open_spans = table(now, max_age=60, keep_ended=1)
    kept = span()
    open_spans.add("key", kept)
    open_spans.reset_after_fork()
    assert (open_spans.find("key"), open_spans.take_all()) == (None, [])
    assert open_spans.span_context("key") == kept.get_span_context()
    assert kept.is_recording()


def test_an_update_interrupted_by_a_fork_leaves_no_trace(now: list[float]):
    """The search for expired spans would never end, with the lock held, at a key that has a time but no span."""
    open_spans = table(now, max_age=60)
    open_spans._opened_at["half"] = 0.0
    open_spans.reset_after_fork()
    assert open_spans._opened_at == {}
    open_spans._opened_at["half"] = 0.0
    now[0] = 100
    assert open_spans.add("key", span()) == []
    assert list(open_spans._opened_at) == ["key"]
