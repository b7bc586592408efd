"""Metrics of the spans of a type, and at moments."""

import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import jinja2
import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics._internal import _ProxyMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.processes import PACKAGE, PATIENCE

HOST = """
class Shop:
    def buy(self, item, fails=None):
        if fails: raise fails
        return len(item)
    def open(self, id, kind="box"): return id
    def close(self, id): return id
    def pay(self, amount, currency="EUR"): return amount
"""

SPANS = """
hooks:
  open: {call: "HOST:Shop.open"}
  close: {call: "HOST:Shop.close"}
  pay: {call: "HOST:Shop.pay"}
spans:
  buy: {around: "HOST:Shop.buy", attributes: {shop.item: item, shop.size: result}}
  parcel: {key: id, start: open.enter, end: close.exit, attributes: {shop.kind: kind}}
metrics:
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_histogram_records_the_duration_of_each_span_in_its_unit(tracing, module, instrumented):
    metrics = (
        "  shop.buy.duration: {instrument: histogram, unit: ms, span: buy, span_attributes: [shop.item, shop.size]}"
    )
    with instrumented(SPANS + metrics, module):
        for item in ("tea", "cup", "tea"):
            module.Shop().buy(item)
    points = tracing.points("shop.buy.duration")
    assert {key: point.count for key, point in points.items()} == {
        (("shop.item", "tea"), ("shop.size", 3)): 2,
        (("shop.item", "cup"), ("shop.size", 3)): 1,
    }
    lasted = sum(span.end_time - span.start_time for span in tracing.spans) / 1e6
    assert sum(point.sum for point in points.values()) == pytest.approx(lasted)
    assert next(iter(points.values())).explicit_bounds[0] == 5  # in milliseconds, as the conventions recommend


def test_an_up_down_counter_has_the_number_of_open_spans(tracing, module, instrumented):
    metrics = "  shop.open: {instrument: up_down_counter, unit: '{parcel}', span: parcel, span_attributes: [shop.kind]}"
    with instrumented(SPANS + metrics, module):
        shop = module.Shop()
        shop.open(1), shop.open(2), shop.open(3, "bag")
        assert [point.value for point in tracing.points("shop.open").values()] == [2, 1]
        shop.close(1), shop.close(3)
        values = {key: point.value for key, point in tracing.points("shop.open").items()}
        assert values == {(("shop.kind", "box"),): 1, (("shop.kind", "bag"),): 0}
    assert {point.value for point in tracing.points("shop.open").values()} == {0}  # open spans have been ended


def test_a_counter_has_the_number_of_ended_spans_with_their_errors(tracing, module, instrumented):
    with instrumented(SPANS + "  shop.bought: {instrument: counter, span: buy, span_attributes: [error.type]}", module):
        module.Shop().buy("tea")
        for error in (ValueError("no"), ValueError("no"), subprocess.TimeoutExpired("x", 1)):
            with pytest.raises(type(error)):
                module.Shop().buy("tea", error)
    assert {key: point.value for key, point in tracing.points("shop.bought").items()} == {
        (): 1,
        (("error.type", "ValueError"),): 2,
        (("error.type", "subprocess.TimeoutExpired"),): 1,
    }


def test_values_are_recorded_at_a_moment_if_its_condition_is_true(tracing, module, instrumented):
    metrics = """
  shop.paid:
    {instrument: counter, at: pay.return, when: amount > 0, value: result, attributes: {shop.currency: currency}}
  shop.payments: {instrument: counter, at: [pay.return, pay.raise]}
  shop.amount: {instrument: histogram, unit: EUR, at: pay.enter, value: amount, boundaries: [1, 10]}
  shop.last: {instrument: gauge, at: pay.enter, value: amount}
"""
    with instrumented(SPANS + metrics, module):
        for amount in (5, 0, 20.5, Decimal("1.5")):
            module.Shop().pay(amount)
    # First: in SDKs before 1.43 a gauge is exported once for each value that is set.
    assert tracing.points("shop.last")[()].value == 1.5
    assert {key: point.value for key, point in tracing.points("shop.paid").items()} == {
        (("shop.currency", "EUR"),): 27.0
    }
    assert tracing.points("shop.payments")[()].value == 4
    histogram = tracing.points("shop.amount")[()]
    assert (histogram.bucket_counts, histogram.explicit_bounds) == ((1, 2, 1), (1, 10))
    assert tracing.spans == ()


def test_without_a_meter_provider_nothing_is_read_for_a_metric_at_a_moment(
    tracing, module, instrumented, monkeypatch: pytest.MonkeyPatch
):
    class Order:
        def __init__(self) -> None:
            self.amounts = [2, 3]

        @property
        def amount(self) -> int:
            return self.amounts.pop()

    meters = _ProxyMeterProvider()
    configured, order = tracing.meters, Order()
    monkeypatch.setattr(tracing, "meters", meters)
    metrics = "  shop.paid: {instrument: counter, at: pay.return, value: result.amount, when: result.amounts}"
    with instrumented(SPANS + metrics, module):
        module.Shop().pay(order)
        assert order.amounts == [2, 3]
        meters.on_set_meter_provider(configured)
        module.Shop().pay(order)
    monkeypatch.undo()
    assert tracing.points("shop.paid")[()].value == 3


def test_a_moment_can_have_several_values_for_one_metric(tracing, module, instrumented):
    metrics = """
  shop.tokens:
    instrument: histogram
    at: pay.return
    attributes: {shop.currency: currency}
    values:
      - {value: amount, attributes: {kind: '"asked"'}}
      - {value: result * 2, when: amount > 1, attributes: {kind: '"paid"'}}
"""
    with instrumented(SPANS + metrics, module):
        module.Shop().pay(1)
        module.Shop().pay(5)
    sums = {key: point.sum for key, point in tracing.points("shop.tokens").items()}
    assert sums == {
        (("kind", "asked"), ("shop.currency", "EUR")): 6,
        (("kind", "paid"), ("shop.currency", "EUR")): 10,
    }


def test_a_number_and_a_sum_of_more_than_64_bits_can_be_exported(tracing, make_module, instrumented):
    module = make_module("def pay(wei): return wei")
    metrics = "metrics: {shop.paid: {instrument: counter, unit: wei, at: pay.enter, value: wei}}"
    with instrumented(f'hooks: {{pay: {{call: "HOST:pay"}}}}\n{metrics}', module):
        for wei in (10**18, 10 * 10**18, 9 * 10**15, 3):
            module.pay(wei)
        (point,) = tracing.points("shop.paid").values()
        assert (point.value, type(point.value)) == (11.009 * 10**18, float)
        for wei in [2**32 - 1] * 3:
            module.pay(wei)
    assert tracing.points("shop.paid")[()].value == pytest.approx(11.009 * 10**18)


@pytest.mark.parametrize("instrument", ["counter", "up_down_counter", "histogram", "gauge"])
def test_a_truth_value_is_recorded_as_a_number_that_can_be_exported(
    instrument: str, tracing, make_module, instrumented
):
    module = make_module("def pay(paid): return paid")
    metrics = f"metrics: {{shop.paid: {{instrument: {instrument}, at: pay.enter, value: paid}}}}"
    with instrumented(f'hooks: {{pay: {{call: "HOST:pay"}}}}\n{metrics}', module):
        module.pay(True)
    (point,) = tracing.points("shop.paid").values()
    recorded = point.sum if instrument == "histogram" else point.value
    assert (recorded, type(recorded)) == (1, int)


def test_an_unsuitable_number_is_logged_once_and_the_application_is_not_affected(tracing, module, instrumented, logged):
    metrics = "  shop.paid: {instrument: counter, at: pay.return, value: result}"
    with instrumented(SPANS + metrics, module):
        for amount in ("much", -1, float("nan"), None, 2):
            assert module.Shop().pay(amount) is amount or amount == 2
    (line,) = [line for line in logged() if "metric shop.paid" in line]
    assert "could not convert string to float" in line
    assert tracing.points("shop.paid")[()].value == 2


def test_spans_are_counted_whether_they_are_recorded_or_not(tracing, module, spec_file):
    metrics = "  shop.buy.duration: {instrument: histogram, span: buy, span_attributes: [shop.item, shop.size]}"
    instrumentor = DeclarativeInstrumentor()
    silent = TracerProvider(ALWAYS_OFF, shutdown_on_exit=False)
    instrumentor.instrument(
        tracer_provider=silent, meter_provider=tracing.meters, specs=[spec_file(SPANS + metrics, module)]
    )
    try:
        module.Shop().buy("tea")
        module.Shop().buy("tea")
    finally:
        instrumentor.uninstrument()
    (point,) = tracing.points("shop.buy.duration").values()
    assert point.count == 2
    assert dict(point.attributes) == {"shop.item": "tea", "shop.size": 3}
    assert point.sum > 0


def test_nothing_is_counted_while_instrumentation_is_suppressed(tracing, module, instrumented):
    metrics = "  shop.bought: {instrument: counter, span: buy}\n  shop.paid: {instrument: counter, at: pay.enter}"
    with instrumented(SPANS + metrics, module), suppress_instrumentation():
        module.Shop().buy("tea")
        module.Shop().pay(1)
    assert tracing.points("shop.bought") == tracing.points("shop.paid") == {}


def test_a_measured_span_leads_to_its_trace_by_an_exemplar(tracing, module, instrumented):
    with instrumented(SPANS + "  shop.buy.duration: {instrument: histogram, span: buy}", module):
        module.Shop().buy("tea")
    (point,) = tracing.points("shop.buy.duration").values()
    assert [exemplar.span_id for exemplar in point.exemplars] == [tracing.span.context.span_id]


def test_values_of_all_threads_are_counted(tracing, module, instrumented):
    with instrumented(SPANS + "  shop.open: {instrument: up_down_counter, span: buy}", module):
        shop = module.Shop()
        threads = [threading.Thread(target=lambda: [shop.buy("tea") for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [point.value for point in tracing.points("shop.open").values()] == [0]


def test_a_program_whose_specs_have_no_metrics_does_not_load_them(tmp_path):
    (tmp_path / "shop.py").write_text(HOST)
    (tmp_path / "spec.yaml").write_text(
        "instrument: 2\nname: test\nspans: {buy: {around: 'shop:Shop.buy', sample: {ratio: 1}}}"
    )
    program = (
        "import sys; from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor\n"
        "DeclarativeInstrumentor().instrument(specs=['spec.yaml'])\n"
        "import shop; shop.Shop().buy('tea')\n"
        "is_patched = type(shop.Shop.buy) in map(type, shop.Shop.buy.__code__.co_consts)\n"
        f"print(is_patched, '{PACKAGE}.runtime.instruments' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("True False\n", "")


@pytest.mark.parametrize("metric", ["1st.bought: {", 'shop.bought: {unit: "\N{EURO SIGN}", '])
def test_a_metric_that_opentelemetry_refuses_is_left_out_and_its_spec_is_active(
    metric: str, tracing, module, instrumented, logged
):
    metrics = f"  {metric}instrument: counter, span: buy}}\n  shop.paid: {{instrument: counter, at: pay.enter}}"
    with instrumented(SPANS + metrics, module):
        module.Shop().buy("tea")
        module.Shop().pay(1)
    assert tracing.names == ["buy"]
    assert [point.value for point in tracing.points("shop.paid").values()] == [1]
    (message,) = logged()
    assert "the metric is left out" in message


def test_a_metric_of_several_types_of_span_has_attributes_of_its_own(make_module, instrumented, tracing):
    module = make_module("""
    def shorten(text):
        return text[:1]

    class Cart:
        def pay(self, card):
            if card is None:
                raise LookupError
        def refund(self, card):
            pass
    """)
    spec = """
    functions: {shorten: "HOST:shorten"}
    spans:
      pay: {around: "HOST:Cart.pay", attributes: {shop.card: card}}
      refund: {around: "HOST:Cart.refund"}
    metrics:
      shop.duration:
        instrument: histogram
        span: [pay, refund]
        span_attributes: [error.type]
        attributes:
          operation: span_type
          card: {value: 'attributes["shop.card"]', when: span_type == "pay", omit: empty}
          first: shorten(span_type)
          failing: shorten(attributes.missing.path)
        attribute_groups: {old: {when: '"${SHOP_VERSION:-}" == "1"', attributes: {old: span_type}}}
      shop.open: {instrument: up_down_counter, span: [pay, refund], attributes: {operation: span_type}}
      shop.refunds: {instrument: counter, span: refund, attributes: {part: {const: web}}}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa")
        module.Cart().refund("visa")
        with pytest.raises(LookupError):
            module.Cart().pay(None)
    assert {tuple(dict(point).items()) for point in tracing.points("shop.duration")} == {
        (("card", "visa"), ("first", "p"), ("operation", "pay")),
        (("error.type", "LookupError"), ("first", "p"), ("operation", "pay")),
        (("first", "r"), ("operation", "refund")),
    }
    assert {key: point.value for key, point in tracing.points("shop.open").items()} == {
        (("operation", "pay"),): 0,
        (("operation", "refund"),): 0,
    }
    assert [*tracing.points("shop.refunds")] == [(("part", "web"),)]


def test_the_steps_of_jinja_are_measured_by_one_metric(make_module, instrumented, tracing):
    spec = """
    spans:
      render:
        around: jinja2.environment:Template.render
        attributes: {jinja2.template_name: self.name or "<memory>"}
      compile:
        around: jinja2.environment:Environment.compile
        attributes: {jinja2.template_name: name or "<memory>"}
    metrics:
      jinja2.duration:
        instrument: histogram
        span: [render, compile]
        span_attributes: [jinja2.template_name]
        attributes: {jinja2.step: span_type}
    """
    with instrumented(spec, make_module("")):
        environment = jinja2.Environment(loader=jinja2.DictLoader({"cart": "{{ lines }} lines"}))
        assert environment.get_template("cart").render(lines=2) == "2 lines"
    template = ("jinja2.template_name", "cart")
    assert {key: point.count for key, point in tracing.points("jinja2.duration").items()} == {
        (("jinja2.step", "compile"), template): 1,
        (("jinja2.step", "render"), template): 1,
    }
