"""Links that are added to the current span at a moment: from a cause to its effect."""

from typing import Any

import pytest

HOST = """
class Till:
    def pay(self, order): return order
    def ship(self, order): return order
    def sell(self, order): return self.pay(order)
"""

SPEC = """
hooks: {pay: {call: "HOST:Till.pay"}, ship: {call: "HOST:Till.ship"}}
spans:
  sale: {around: "HOST:Till.sell"}
  order: {key: order, start: pay.enter, end: ship.exit, parent: none}
enrich:
  current:
    links: {orders: {at: pay.enter, to: {span: order, key: order}}}
"""


def links_of(span: Any) -> list[tuple[int, dict[str, Any]]]:
    return [(link.context.span_id, dict(link.attributes)) for link in span.links]


@pytest.mark.parametrize("light", [True, False])
def test_the_current_span_gets_a_link_to_the_span_that_it_causes(
    light: bool, tracing, make_module, instrumented, monkeypatch
):
    if not light:
        monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS", "false")
    module = make_module(HOST)
    with instrumented(SPEC, module):
        till = module.Till()
        till.sell("o1")
        till.ship("o1")
    sale, order = tracing.spans
    assert (sale.name, order.name) == ("sale", "order")
    assert links_of(sale) == [(order.context.span_id, {"link.kind": "orders"})]
    assert links_of(order) == []


def test_a_span_of_another_tool_gets_the_link_too_and_one_that_has_ended_does_not(
    tracing, make_module, instrumented, logged
):
    module = make_module(HOST)
    tracer = tracing.provider.get_tracer("another instrumentation")
    with instrumented(SPEC, module):
        with tracer.start_as_current_span("POST /pay"):
            module.Till().pay("o1")
        with tracer.start_as_current_span("over", end_on_exit=False) as over:
            over.end()
            module.Till().pay("o2")
        module.Till().pay("o3")
    assert sorted((span.name, len(span.links)) for span in tracing.spans if span.name != "order") == [
        ("POST /pay", 1),
        ("over", 0),
    ]
    assert logged() == []
