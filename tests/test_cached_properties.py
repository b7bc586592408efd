"""Reading a cached property for a span does not change the object: the program computes its value as before."""

import functools
import sys
import traceback
import types
from typing import Any

import pytest

SHOP = """
import threading
from MODULE import cached_property

class Order:
    def __init__(self): self.items = [1]

    @cached_property
    def total(self): return sum(self.items)

    @cached_property
    def broken(self): raise ValueError("no price")

    @property
    def read_by_a_thread(self):
        thread = threading.Thread(target=lambda: self.total)
        thread.start()
        thread.join()
        return 3

def pay(order): order.items.append(5)
"""
CLASSES = ["functools", "django.utils.functional", "werkzeug.utils"]


@pytest.mark.parametrize("module", CLASSES)
def test_a_cached_property_that_is_read_for_a_span_is_not_stored(module: str, make_module, instrumented, tracing):
    pytest.importorskip(module)
    shop = make_module(SHOP.replace("MODULE", module))
    with instrumented('spans: {pay: {around: "HOST:pay", attributes: {before: order.total}}}', shop):
        order = shop.Order()
        shop.pay(order)
        assert vars(order) == {"items": [1, 5]}
        assert order.total == 6
        order.items.append(7)
        shop.pay(order)
        assert (order.total, vars(order)["total"]) == (6, 6)
    assert [dict(span.attributes) for span in tracing.spans] == [{"before": 1}, {"before": 6}]


@pytest.mark.parametrize("module", CLASSES)
def test_the_program_sees_no_trace_of_the_guard_of_cached_properties(module: str, make_module, instrumented):
    cached_property = pytest.importorskip(module).cached_property
    shop = make_module(SHOP.replace("MODULE", module))
    reader = vars(cached_property)["__get__"]
    code = reader.__code__

    def entries() -> list[str]:
        with pytest.raises(ValueError, match="no price") as error:
            shop.Order().broken  # noqa: B018
        return traceback.format_tb(error.value.__traceback__)  # with the underlined columns since Python 3.11

    untraced = entries()
    with instrumented('spans: {pay: {around: "HOST:pay"}}', shop):
        assert vars(cached_property)["__get__"] is reader
        assert reader.__code__ is not code
        assert entries() == untraced
        assert type(shop.Order.total) is cached_property
    assert reader.__code__ is code


@pytest.mark.parametrize("module", CLASSES)
def test_a_debugger_stops_at_the_same_lines_of_a_cached_property(module: str, make_module, instrumented):
    cached_property = pytest.importorskip(module).cached_property
    shop = make_module(SHOP.replace("MODULE", module))
    code = vars(cached_property)["__get__"].__code__

    def stops() -> list[tuple[str, int | None]]:
        found: list[tuple[str, int | None]] = []

        def trace(frame: types.FrameType, event: str, _: Any) -> Any:
            if (frame.f_code.co_filename, frame.f_code.co_name) == (code.co_filename, code.co_name):
                found.append((event, frame.f_lineno))
                return trace
            return None

        previous = sys.gettrace()
        sys.settrace(trace)
        try:
            shop.Order().total  # noqa: B018
        finally:
            sys.settrace(previous)
        return found

    untraced = stops()
    assert untraced
    with instrumented('spans: {pay: {around: "HOST:pay"}}', shop):
        assert stops() == untraced


def test_a_thread_that_a_property_starts_stores_what_it_reads(make_module, instrumented):
    shop = make_module(SHOP.replace("MODULE", "functools"))
    with instrumented('spans: {pay: {around: "HOST:pay", attributes: {read: order.read_by_a_thread}}}', shop):
        order = shop.Order()
        shop.pay(order)
    assert vars(order)["total"] == 1


def test_cached_properties_without_source_are_left_alone(make_module, instrumented, monkeypatch: pytest.MonkeyPatch):
    reader: Any = vars(functools.cached_property)["__get__"]
    code = reader.__code__
    monkeypatch.setattr(reader, "__code__", code.replace(co_filename="no such file"))
    before = reader.__code__
    shop = make_module("def pay(order): return order")
    with instrumented('spans: {pay: {around: "HOST:pay"}}', shop):
        assert reader.__code__ is before
