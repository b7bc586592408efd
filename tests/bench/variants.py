"""A function with one span of four attributes: without the span, declared in a spec, and written by hand in two ways.

``start_as_current_span`` is how instrumented code is usually written; ``start_span`` with attach, detach and end is the
least that a span can be written with. All record the same.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from opentelemetry import context, trace

SPEC = {
    "instrument": 2,
    "name": "shop",
    "hooks": {"expensive": {"call": f"{__name__}:condition_declared", "when": "order.total > 1000"}},
    "spans": {
        kind: {
            "around": f"{__name__}:{kind}_declared",
            "name": "checkout",
            "attributes": {
                "shop.order": "order.id",
                "shop.customer": "order.customer",
                "shop.total": "order.total",
                "shop.lines": "len(order.lines)",
            },
        }
        for kind in ("sync", "async")
    }
    | {
        "expensive": {"around": "expensive", "attributes": {"shop.order": "order.id"}},
        "returned": {"around": f"{__name__}:parameter_declared", "when": 'kind == "return"'},
    },
}


class Order:
    def __init__(self) -> None:
        self.id = "o-1017"
        self.customer = "c-4"
        self.total = 17.5
        self.lines = ["tea", "cup"]


def attributes_of(order: Order) -> dict[str, Any]:
    return {
        "shop.order": order.id,
        "shop.customer": order.customer,
        "shop.total": order.total,
        "shop.lines": len(order.lines),
    }


tracer = trace.get_tracer("shop")


def sync_bare(order: Order) -> Order:
    return order


def sync_declared(order: Order) -> Order:
    return order


def sync_idiomatic(order: Order) -> Order:
    with tracer.start_as_current_span("checkout", attributes=attributes_of(order)):
        return order


def sync_lean(order: Order) -> Order:
    span = tracer.start_span("checkout", attributes=attributes_of(order))
    token = context.attach(trace.set_span_in_context(span))
    try:
        return order
    finally:
        context.detach(token)
        span.end()


async def async_bare(order: Order) -> Order:
    return order


async def async_declared(order: Order) -> Order:
    return order


async def async_idiomatic(order: Order) -> Order:
    with tracer.start_as_current_span("checkout", attributes=attributes_of(order)):
        return order


async def async_lean(order: Order) -> Order:
    span = tracer.start_span("checkout", attributes=attributes_of(order))
    token = context.attach(trace.set_span_in_context(span))
    try:
        return order
    finally:
        context.detach(token)
        span.end()


def condition_declared(order: Order) -> Order:
    return order


def condition_by_hand(order: Order) -> Order:
    if order.total > 1000:
        raise AssertionError
    return order


def condition_least(order: Order) -> Order:
    """The least wrapper that has a condition: it calls the original if that is false."""
    if order.total > 1000:
        raise AssertionError
    return sync_bare(order)


_readings: deque[None] = deque()


def condition_guarded(order: Order) -> Order:
    """The least that lets other wrappers know that this one reads, survives a failure, and only compares numbers."""
    _readings.append(None)
    is_reading = True
    total: Any
    try:
        total = order.total
    except Exception:
        total = None
    finally:
        _readings.pop()
        is_reading = False  # noqa: F841
    if (type(total) is int or type(total) is float) and total > 1000:
        raise AssertionError
    return sync_bare(order)


def parameter_declared(order: Order, kind: str = "sale") -> Order:
    return order


def parameter_by_hand(order: Order, kind: str = "sale") -> Order:
    if kind == "return":
        raise AssertionError
    return order
