"""The current span: rules that add to it, whichever tool has started it, and spans that are not current."""

import asyncio
from typing import Any

import pytest

HOST = """
class Till:
    def pay(self, order, amount): return amount
"""

SPEC = """
hooks: {pay: {call: "HOST:Till.pay"}}
enrich:
  current:
    attribute_groups:
      order: {at: pay.enter, when: amount, attributes: {shop.order: order, shop.gone: order.customer}}
    attributes:
      shop.paid: {value: result, at: pay.return}
"""


def test_the_current_span_gets_attributes_whichever_tool_started_it(tracing, make_module, instrumented):
    module = make_module(HOST)
    tracer = tracing.provider.get_tracer("another instrumentation")
    with instrumented(SPEC, module), tracer.start_as_current_span("GET /pay"):
        module.Till().pay("o1", 5)
    assert tracing.names == ["GET /pay"]
    assert dict(tracing.span.attributes) == {"shop.order": "o1", "shop.paid": 5}


def test_without_a_current_span_nothing_is_recorded_and_nothing_reported(tracing, make_module, instrumented, logged):
    module = make_module(HOST)
    with instrumented(SPEC, module):
        assert module.Till().pay("o1", 5) == 5
    assert tracing.names == []
    assert logged() == []


NOT_CURRENT = """
hooks: {pay: {call: "HOST:pay"}}
spans:
  payment: {around: pay, current: false, attributes: {shop.result: result}, events: {paid: {at: pay.return}}}
enrich:
  current: {attributes: {shop.paying: {value: order, at: pay.enter}}}
"""


@pytest.mark.parametrize(
    "definition",
    [
        "def pay(order): return inner(order)",
        "async def pay(order): return inner(order)",
        "def pay(order):\n    yield inner(order)",
        "async def pay(order):\n    yield inner(order)",
        "def pay(order):\n    async def paying(): return inner(order)\n    return paying()",
    ],
)
def test_a_span_that_is_not_current_is_beside_the_spans_that_start_in_its_call(
    definition: str, make_module, instrumented, tracing
):
    tracer = tracing.provider.get_tracer("the program")
    module = make_module(definition)

    def inner(order: str) -> str:
        with tracer.start_as_current_span("own"):
            return order

    module.inner = inner
    with instrumented(NOT_CURRENT, module), tracer.start_as_current_span("shop"):
        used = module.pay("tea")
        if hasattr(used, "__anext__"):
            asyncio.run(_all(used))
        elif hasattr(used, "__await__"):
            assert asyncio.run(_awaited(used)) == "tea"
        elif used != "tea":
            assert [*used] == ["tea"]
    payment, own, shop = (
        next(span for span in tracing.spans if span.name == name) for name in ("payment", "own", "shop")
    )
    assert payment.parent.span_id == own.parent.span_id == shop.context.span_id
    assert [event.name for event in payment.events] == ["paid"]
    assert shop.attributes["shop.paying"] == "tea"
    assert "shop.paying" not in payment.attributes


async def _all(source: Any) -> list[Any]:
    return [item async for item in source]


async def _awaited(source: Any) -> Any:
    return await source
