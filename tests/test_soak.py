"""The calls of `make soak`, a few thousand times: they leave no objects behind."""

import gc
import linecache
from collections import Counter
from typing import Any

import pytest

from tests.bench import soak

#: The modules of the objects that are counted: this package, OpenTelemetry, and the module that is called.
COUNTED = ("opentelemetry", "soaked", "wrapt", "_contextvars", "weakref")


@pytest.fixture(autouse=True)
def only_this_module(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("opentelemetry.instrumentation.declarative.process.active_specs.SHIPPED_SPECS", ())
    # Each record that is kept would be counted.
    caplog.set_level("CRITICAL", "opentelemetry.instrumentation.declarative")
    caplog.set_level("CRITICAL", "opentelemetry")
    gc.collect()
    gc.freeze()  # objects that other tests have left are not traversed, which would take long


def objects() -> Counter[str]:
    gc.collect()
    kinds = (type(one) for one in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    return Counter(name for name in names if name.startswith(COUNTED))


SMALL = """instrument: 2
name: small
hooks: {never: {call: "soaked:never"}, end: {call: "soaked:end"}}
spans:
  absent: {around: "no_such_module.at_all:call"}
  never: {key: id, start: never.enter, end: end.exit, counts: {notes: {at: never.return, key: id}}}
  named: {around: "soaked:named", key: {value: id, also: [id + 1], keep_ended: 10}, attributes: {id: id.real}}
"""
WORKLOADS = [
    "calls of every kind",
    "spans whose end never comes",
    "spans that grow old",
    "owners that are forgotten",
    "further keys of ended spans",
]


@pytest.mark.parametrize("name", WORKLOADS)
def test_many_calls_leave_no_more_objects_than_few(name: str):
    with soak.soaked() as (module, instrumentor, counting, _):
        clock = iter(range(10**9))
        soak.spans_of(instrumentor)["old"]._table._clock = lambda: next(clock) / 400
        steps = soak.calls(module)
        assert list(steps) == WORKLOADS
        for number in range(2_000):
            steps[name](number)
        before, sizes = objects(), soak.table_sizes(instrumentor)
        for number in range(2_000, 6_000):
            steps[name](number)
        assert counting.ended >= 4_000
        assert soak.table_sizes(instrumentor) == sizes
        assert {kind: number for kind, number in (objects() - before).items() if number > 50} == {}
        assert all(size <= 500 for size in sizes.values())


def test_the_measurement_finds_a_leak_and_nothing_else(monkeypatch: pytest.MonkeyPatch):
    """A shortened run, and one with a leak."""
    monkeypatch.setattr(soak, "CHECKPOINTS", 2)
    printed: list[str] = []
    assert soak.soak(2_000, 2_000, 0, printed.append) == []
    assert printed[-1].strip() == "flat"
    kept: list[Any] = []
    leaking = soak.measure("leaking", lambda number: kept.append([number]), 20_000, printed.append, 100)
    assert not leaking.flat
    assert leaking.growth[0][0] == "builtins.list"


def test_instrumenting_and_uninstrumenting_two_hundred_times_leaves_nothing():
    with soak.soaked(SMALL) as (module, instrumentor, _, start):

        def cycle() -> None:
            module.never(1)
            module.named(2)
            instrumentor.uninstrument()
            start()

        for _ in range(5):
            cycle()
        before, sizes = objects(), soak.table_sizes(instrumentor)
        lines = len(linecache.cache)
        for _ in range(200):
            cycle()
        assert soak.table_sizes(instrumentor) == sizes
        assert len(linecache.cache) == lines
        assert {kind: number for kind, number in (objects() - before).items() if number > 50} == {}
