"""Limits on how many spans of a type are recorded."""

from typing import Any

import pytest

HOST = """
class Shop:
    def day(self, *visits):
        for visit in visits: visit()
    def visit(self, *items):
        return [self.buy(item) for item in items]
    def buy(self, item): return item
    def open(self, id): return id
    def close(self, id): return id
"""

SPEC = """
hooks: {open: {call: "HOST:Shop.open"}, close: {call: "HOST:Shop.close"}}
spans:
  day: {around: "HOST:Shop.day"}
  visit: {around: "HOST:Shop.visit", sample: %s}
  buy: {around: "HOST:Shop.buy"}
  parcel: {key: id, start: open.enter, end: close.exit, sample: %s}
"""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr("opentelemetry.instrumentation.declarative.runtime.sampling.span_sampling.time", clock)
    return clock


def test_per_second_limits_the_spans_recorded_together_with_their_children(tracing, make_module, instrumented, clock):
    module = make_module(HOST)
    shop = module.Shop()
    with instrumented(SPEC % ("{per_second: 2}", "{}"), module):
        for _ in range(5):
            shop.visit("tea")
        assert tracing.names == ["buy", "visit"] * 2
        clock.now += 0.5
        shop.visit("cup")
        shop.visit("cup")
        assert tracing.names == ["buy", "visit"] * 3
        clock.now += 60
        for _ in range(5):
            shop.visit("pot")
        assert tracing.names == ["buy", "visit"] * 5


def test_the_parent_of_an_unrecorded_span_is_recorded(tracing, make_module, instrumented):
    module = make_module(HOST)
    shop = module.Shop()
    with instrumented(SPEC % ("{ratio: 0}", "{}"), module):
        shop.day(lambda: shop.visit("tea"), lambda: shop.buy("cup"))
    assert tracing.names == ["buy", "day"]
    assert tracing.named("buy").parent.span_id == tracing.named("day").context.span_id


def test_ratio_records_all_spans_of_a_trace_or_none(tracing, make_module, instrumented):
    module = make_module(HOST)
    shop = module.Shop()
    with instrumented(SPEC % ("{ratio: 0.5}", "{}"), module):
        for _ in range(64):
            shop.day(*[lambda: shop.visit()] * 3)
    days = [span for span in tracing.spans if span.name == "day"]
    visits = [[s for s in tracing.spans if s.name == "visit" and s.parent.span_id == d.context.span_id] for d in days]
    assert len(days) == 64
    assert {len(each) for each in visits} == {0, 3}  # the chance of exactly one of the two is 2**-63
    recorded = {day.context.trace_id % 2**64 < 2**63 for day, each in zip(days, visits, strict=True) if each}
    assert recorded == {True}


def test_an_unrecorded_keyed_span_is_found_and_ended_like_any_other(tracing, make_module, instrumented, logged):
    module = make_module(HOST)
    with instrumented(SPEC % ("{}", "{ratio: 0}"), module):
        for id in (1, 2):
            module.Shop().open(id)
            module.Shop().close(id)
    assert tracing.names == []
    assert logged() == []
