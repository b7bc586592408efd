"""Rules that add events and attributes to the current span, whichever tool has started it."""

from __future__ import annotations

from typing import Any

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


def test_the_current_span_gets_attributes_whichever_tool_started_it(tracing: Any, make_module: Any, instrumented: Any):
    module = make_module(HOST)
    tracer = tracing.provider.get_tracer("another instrumentation")
    with instrumented(SPEC, module), tracer.start_as_current_span("GET /pay"):
        module.Till().pay("o1", 5)
    assert tracing.names == ["GET /pay"]
    assert dict(tracing.span.attributes) == {"shop.order": "o1", "shop.paid": 5}


def test_without_a_current_span_nothing_is_recorded_and_nothing_reported(
    tracing: Any, make_module: Any, instrumented: Any, logged: Any
):
    module = make_module(HOST)
    with instrumented(SPEC, module):
        assert module.Till().pay("o1", 5) == 5
    assert tracing.names == []
    assert logged() == []
