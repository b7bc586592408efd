"""Keys that are tuples."""

from types import SimpleNamespace as Object

HOST = """
class Shop:
    def order(self, order): ...
    def pay(self, order): ...
    def ship(self, shop, number): ...
"""
SPEC = """
hooks:
  order: {call: "HOST:Shop.order"}
  pay: {call: "HOST:Shop.pay"}
  ship: {call: "HOST:Shop.ship"}
spans:
  order:
    key: (order.shop, order.id)
    start: order.enter
    end: {at: ship.exit, key: "(shop, number)"}
    attributes: {id: order.id}
  payment:
    around: HOST:Shop.pay
    links: {pays: {span: order, key: "(order.shop, order.id)"}}
"""


def test_equal_tuples_are_the_same_key(recorded, make_module):
    module = make_module(HOST)
    shop = module.Shop()
    with recorded(SPEC, module) as trace:
        for name in ("eu", "us"):
            shop.order(Object(shop=name, id=7))
        shop.pay({"shop": "us", "id": 7})
        shop.ship("eu", 7.0)
        shop.ship("eu", 8)
        shop.ship("us", 7)
    assert [span.name for span in trace.spans] == ["order", "order", "payment"]
    first, second, payment = trace.spans
    assert [link.context.span_id for link in payment.links] == [second.context.span_id]
    assert first.context.span_id != second.context.span_id
    assert all("instrument.end" not in span.attributes for span in trace.spans)


def test_a_key_of_which_a_part_is_missing_starts_no_span_and_finds_none(instrumented, tracing, make_module, logged):
    module = make_module(HOST)
    shop = module.Shop()
    with instrumented(SPEC, module):
        for _ in range(2):
            shop.order(Object(shop=None, id=7))
        shop.order({"id": 7})
        shop.pay(Object(shop=None, id=7))
        shop.ship(None, 7)
    (payment,) = tracing.spans
    assert (payment.name, payment.links) == ("payment", ())
    assert len([message for message in logged() if "the key is None" in message]) == 1
