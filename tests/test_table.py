"""Open spans are bounded in number and age, and the contexts of ended ones are remembered, so many of them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.open_spans import Table
from opentelemetry.sdk.trace import TracerProvider

TRACER = TracerProvider().get_tracer("test")


@pytest.fixture
def now() -> list[float]:
    """The time as the table sees it, in its one element."""
    return [0.0]


def table(now: list[float], limit: int = 10, age: float | None = None, remember: int = 0) -> Table:
    return Table(limit, age, remember, clock=lambda: now[0])


def span(name: str = "a") -> Any:
    return TRACER.start_span(name)


def test_one_more_than_the_limit_displaces_the_oldest(now: list[float]) -> None:
    open_spans = table(now, limit=2)
    spans = [span(str(number)) for number in range(4)]
    displaced = [open_spans.keep(number, each) for number, each in enumerate(spans)]
    assert displaced == [[], [], [(spans[0], "limit")], [(spans[1], "limit")]]
    assert open_spans.take_all() == spans[2:]


def test_a_span_that_has_grown_old_is_displaced_when_the_next_is_kept(now: list[float]) -> None:
    open_spans = table(now, age=60)
    first, second, third = span(), span(), span()
    open_spans.keep("first", first)
    now[0] = 59
    assert open_spans.keep("second", second) == []
    now[0] = 61
    assert open_spans.find("first") is first  # nobody has looked yet
    assert open_spans.keep("third", third) == [(first, "age")]
    assert open_spans.take_all() == [second, third]


def test_a_span_that_has_ended_or_been_replaced_does_not_grow_old(now: list[float]) -> None:
    open_spans = table(now, age=60)
    old, new, other = span(), span(), span()
    open_spans.keep("ended", old)
    assert open_spans.take("ended") is old
    open_spans.keep("again", old)
    now[0] = 50
    assert open_spans.keep("again", new) == [(old, "replaced")]
    now[0] = 100
    assert open_spans.keep("other", other) == []
    now[0] = 111
    assert open_spans.keep("other", other) == [(other, "replaced"), (new, "age")]


def test_the_contexts_of_the_last_ended_spans_are_remembered(now: list[float]) -> None:
    open_spans = table(now, remember=2)
    spans = [span(str(number)) for number in range(3)]
    for number, each in enumerate(spans):
        open_spans.keep(number, each)
        open_spans.take(number)
    found = [open_spans.span_context(number) for number in range(3)]
    assert found == [None, spans[1].get_span_context(), spans[2].get_span_context()]


def test_what_covers_a_span_gives_its_place_back_unless_that_has_ended(now: list[float]) -> None:
    open_spans = table(now)
    outer, inner = span(), span()
    open_spans.keep("key", outer)
    hidden = open_spans.cover("key", inner)
    assert (hidden, open_spans.find("key")) == (outer, inner)
    open_spans.uncover("key", inner, hidden)
    assert open_spans.find("key") is outer
    hidden = open_spans.cover("key", inner)
    outer.end()
    open_spans.uncover("key", inner, hidden)
    assert open_spans.find("key") is None


def test_a_table_that_forgets_has_nothing_open_and_still_remembers(now: list[float]) -> None:
    open_spans = table(now, age=60, remember=1)
    kept = span()
    open_spans.keep("key", kept)
    open_spans.reset_after_fork()
    assert (open_spans.find("key"), open_spans.take_all()) == (None, [])
    assert open_spans.span_context("key") == kept.get_span_context()
    assert kept.is_recording()


def test_what_a_thread_had_half_done_when_another_forked_does_not_stay(now: list[float]) -> None:
    """A key that is dated and has no span would be found for ever, with the lock held."""
    open_spans = table(now, age=60)
    open_spans._since["half"] = 0.0
    open_spans.reset_after_fork()
    assert open_spans._since == {}
    open_spans._since["half"] = 0.0
    now[0] = 100
    assert open_spans.keep("key", span()) == []
    assert list(open_spans._since) == ["key"]
