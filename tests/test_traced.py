"""The fixture `traced`: what is recorded in a block, and what is reported."""

import asyncio
import functools
import os
import re
import runpy
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.testing import Traced
from opentelemetry.sdk.trace import TracerProvider

from .conftest import start_instrumentor, undone_exactly

ROOT = Path(__file__).parents[1]

SPEC = """
instrument: 2
name: shop
spans:
  checkout: {around: "HOST:Cart.checkout", attributes: {items: len(self.lines)}}
  pay: {around: "HOST:pay", attributes: {amount: amount}}
"""

HOST = """
class Cart:
    def __init__(self, *lines): self.lines = lines
    def checkout(self):
        for line in self.lines: pay(line)
def pay(amount):
    if amount > 100: raise ValueError("too much")
"""

CHECKOUT = """
checkout
  items=1
  pay
    amount=7
"""


@pytest.fixture
def shop(make_module) -> Any:
    return make_module(HOST)


@pytest.fixture
def spec(shop) -> str:
    return SPEC.replace("HOST", shop.__name__)


# ── The block ──


def test_only_calls_in_the_block_are_recorded(traced: Traced, shop, spec: str):
    shop.Cart(1).checkout()
    with undone_exactly(shop):
        with traced(spec) as trace:
            shop.Cart(7).checkout()
        shop.Cart(2).checkout()
    assert trace.tree == CHECKOUT
    assert [span.name for span in trace.spans] == ["checkout", "pay"]
    assert trace.span("pay").attributes == {"amount": 7}
    assert trace.reports == []


def test_each_block_of_a_test_records_its_own_spans(traced: Traced, shop, spec: str):
    with traced(spec) as first:
        shop.pay(1)
    with traced(spec) as second:
        shop.pay(2)
    assert first.tree == "pay\n  amount=1"
    assert second.tree == "pay\n  amount=2"
    assert first.tree != second.tree


def test_a_block_inside_a_block_is_refused_and_the_outer_one_continues(traced: Traced, shop, spec: str):
    with traced(spec) as trace:
        with pytest.raises(RuntimeError, match="inside another traced"), traced(spec):
            pass
        shop.pay(7)
    assert trace.tree == "pay\n  amount=7"


def test_a_block_records_once(traced: Traced, spec: str):
    block = traced(spec, strict=False)
    with block:
        pass
    with pytest.raises(RuntimeError, match="has already been used"), block:
        pass
    with pytest.raises(AttributeError, match=re.escape("write `with traced(…) as trace:`, then trace.tree")):
        _ = block.tree


def test_everything_is_recorded_whatever_the_environment_says(
    traced: Traced, shop, spec: str, monkeypatch: pytest.MonkeyPatch
):
    settings = {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
        "OTEL_PYTHON_DECLARATIVE_SPECS": "gone.yaml",
    }
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    with traced(spec) as trace:
        shop.Cart(7).checkout()
    assert trace.tree == CHECKOUT
    assert {key: os.environ[key] for key in settings} == settings


def test_the_current_span_outside_is_not_a_parent_and_is_current_again_afterwards(traced: Traced, shop, spec: str):
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("test") as outside:
        with traced(spec) as trace:
            shop.Cart(7).checkout()
        assert otel.get_current_span() is outside
    assert trace.tree == CHECKOUT


def test_a_parent_from_another_provider_is_shown_by_its_name(traced: Traced, shop, spec: str):
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with traced(spec) as trace:
        with tracer.start_as_current_span("above"), tracer.start_as_current_span("request"):
            shop.Cart(7).checkout()
            shop.pay(8)
    assert (
        trace.tree
        == """
        (request, not recorded)
          checkout
            items=1
            pay
              amount=7
          pay
            amount=8
        """
    )
    assert [span.name for span in trace.spans] == ["checkout", "pay", "pay"]


def test_other_tracers_can_record_into_the_trace(traced: Traced, shop, spec: str):
    with traced(spec) as trace:
        with trace.provider.get_tracer("test").start_as_current_span("request"):
            shop.pay(7)
    assert trace.tree == "request\n  pay\n    amount=7"


def test_a_program_that_has_instrumented_itself_is_instrumented_again_afterwards(
    traced: Traced, shop, spec: str, tracing, spec_file
):
    text = 'spans: {mine: {around: "HOST:pay"}, open: {key: self, start: a.enter, end: a.raise}}\n'
    hooks = 'hooks: {a: {call: "HOST:Cart.checkout"}}\n'
    with undone_exactly(shop):
        instrumentor = start_instrumentor(tracing, spec_file(hooks + text, shop))
        cart = shop.Cart(7)
        cart.checkout()
        with traced(spec) as trace:
            cart.checkout()
        assert trace.tree == CHECKOUT
        assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
            ("mine", {}),
            ("open", {"instrument.end": "shutdown"}),
        ]
        shop.pay(1)
        assert tracing.names == ["mine", "open", "mine"]
        instrumentor.uninstrument()
        assert not DeclarativeInstrumentor().is_instrumented_by_opentelemetry


def test_a_function_that_was_imported_by_name_before_is_traced_and_restored(
    traced: Traced, shop, spec: str, make_module
):
    taker = make_module(f"from {shop.__name__} import pay as settle\ndef order(amount): settle(amount)")
    twice = f'instrument: 2\nname: more\nspans: {{twice: {{around: "{shop.__name__}:pay"}}}}\n'
    with undone_exactly(shop, taker):
        with traced(spec, twice) as trace:
            taker.order(7)
    assert trace.tree == "twice\n  pay\n    amount=7"
    assert taker.settle is shop.pay


def test_a_copy_in_a_module_that_cannot_be_patched_is_reported(
    traced: Traced, shop, spec: str, monkeypatch: pytest.MonkeyPatch
):
    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise ImportError(f"woken by {name}")

    lazy = Lazy("lazy_for_a_test")
    shop.pay = functools.lru_cache(shop.pay)
    object.__getattribute__(lazy, "__dict__")["pay"] = shop.pay
    monkeypatch.setitem(sys.modules, "lazy_for_a_test", lazy)
    with undone_exactly(shop), traced(spec, strict=False) as trace:
        shop.pay(7)
    assert trace.tree == "pay\n  amount=7"
    (report,) = trace.reports
    assert "pay was imported by name before it could be patched, in: lazy_for_a_test." in report


@pytest.mark.parametrize("way", ["thread", "task"])
def test_threads_and_tasks_are_recorded(way: str, traced: Traced, shop, spec: str):
    async def together() -> None:
        await asyncio.gather(*(asyncio.to_thread(shop.pay, amount) for amount in (3, 1, 2)))

    with traced(spec, order="name") as trace:
        if way == "task":
            asyncio.run(together())
        else:
            threads = [threading.Thread(target=shop.pay, args=[amount]) for amount in (3, 1, 2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert trace.tree == "pay\n  amount=1\npay\n  amount=2\npay\n  amount=3"


def test_an_open_span_ends_with_the_block_at_the_latest(traced: Traced, shop):
    spec = """
        instrument: 2
        name: shop
        hooks: {pay: {call: "HOST:pay"}}
        spans: {paying: {key: amount, start: pay.enter, end: {at: pay.enter, when: amount == 0}}}
    """
    with traced(spec.replace("HOST", shop.__name__)) as trace:
        shop.pay(7)
        assert trace.tree == "paying (open)"
    assert trace.tree == "paying\n  instrument.end=shutdown"


def test_content_is_recorded_only_if_the_test_says_so(traced: Traced, shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    spec = f"""
        instrument: 2
        name: shop
        spans: {{pay: {{around: "{shop.__name__}:pay", attributes: {{said: {{value: "'hello'", content: true}}}}}}}}
    """
    recorded = {}
    for content in (None, "full", "truncate:3"):
        with traced(spec, content=content) as trace:
            shop.pay(1)
        recorded[content] = trace.span("pay").attributes.get("said")
    assert (recorded[None], recorded["full"], recorded["truncate:3"][:3]) == (None, "hello", "hel")
    with pytest.raises(ValueError, match=re.escape("""content='half' is not valid. Use "full\"""")):
        traced(spec, content="half")


def test_values_that_differ_in_each_run_can_be_masked(traced: Traced, shop, spec: str):
    with traced(spec, mask="am*t") as trace:
        shop.pay(7)
    assert str(trace.tree) == "pay\n  amount=<any>"


def test_a_shipped_spec_is_active_only_if_it_is_named_or_extended(traced: Traced, tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("instrument: 2\nextends: ag2\nspans: {llm: {name: ask}, usage: null}\n")
    app = str(ROOT / "docs" / "demo" / "app.py")
    with traced("ag2", mask=("*_id", "ag2.agent.id")) as trace:
        runpy.run_path(app)
    trace.contains("""
        network.channel consulting
          • opened
          • closed
            reason=consulting_complete
        network.envelope ag2.msg.text (producer)
          ag2.network.envelope_id=<any>
          ↪ in_channel → network.channel consulting
          invoke_agent bob
            chat demo-1 (client)
              gen_ai.usage.input_tokens=12
            record_usage model_call
        network.envelope ag2.msg.text
          ↪ triggered_by → invoke_agent bob
        """)
    with traced(mine, strict=True) as trace:
        runpy.run_path(app)
    trace.contains("invoke_agent bob\n  ask")
    assert "record_usage" not in str(trace.tree)
    with traced("instrument: 2\nname: a\nspans: {a: {around: 'json:dumps'}}") as trace:
        runpy.run_path(app)
    assert not any(span.name.startswith("network.") for span in trace.spans)


def test_metrics_have_the_values_of_the_block(traced, make_module):
    module = make_module("def pay(amount, card='visa'): return amount")
    spec = f"""
        instrument: 2
        name: shop
        hooks: {{pay: {{call: "{module.__name__}:pay"}}}}
        spans: {{pay: {{around: pay, attributes: {{card: card}}}}}}
        metrics:
          shop.revenue: {{instrument: counter, at: pay.return, value: result, attributes: {{card: card}}}}
          shop.pay.duration: {{instrument: histogram, span: pay, span_attributes: [card]}}
          shop.paying: {{instrument: up_down_counter, span: pay}}
    """
    for _ in range(2):
        with traced(spec) as trace:
            module.pay(2)
            module.pay(3.5)
            module.pay(1, "a b")
        assert trace.metrics == {
            "shop.revenue": {"card=visa": 5.5, "card=a b": 1},
            "shop.pay.duration": {"card=visa": 2, "card=a b": 1},
            "shop.paying": {"": 0},
        }


# ── Reports of the specs ──


def test_reports_of_a_spec_are_in_the_trace_and_logged_if_they_are_accepted(traced: Traced, shop, logged):
    spec = f"""
        instrument: 2
        name: shop
        spans:
          pay: {{around: "{shop.__name__}:pay", attributes: {{amount: len(amount)}}}}
          gone: {{around: "{shop.__name__}:gone"}}
          never: {{around: "wave:open"}}
    """
    with traced(spec, strict=False) as trace:
        shop.pay(1)
        assert trace.reports == logged()
    gone, failed, never = (report.splitlines()[0].split(": ", 1)[1] for report in trace.reports)
    assert gone == f"error[target-missing]: {shop.__name__} has no gone: hooks on it are inactive"
    assert failed.startswith("span pay starts failed: TypeError: ")
    assert never == "error[not-imported]: wave was not imported: rules on it had no effect"
    assert len(logged()) == 2


def test_a_report_that_is_allowed_does_not_make_the_test_fail(traced: Traced, shop, spec: str):
    more = '  wave: {around: "wave:open"}\n'
    with pytest.raises(pytest.fail.Exception, match="wave was not imported"), traced(spec + more):
        shop.pay(1)
    with traced(spec + more, allow="wave was not") as trace:
        shop.pay(1)
    assert trace.tree == "pay\n  amount=1"


def test_rules_without_effect_are_reported_once_for_each_module(traced: Traced, shop, make_module):
    make_module("", f"{shop.__name__}.web").__path__ = []  # a package with nothing in it
    spec = f"""
        instrument: 2
        name: shop
        spans:
          never: {{around: "wave:open"}}
          unknown: {{around: "waves.high:open"}}
          inside: {{around: "{shop.__name__}.web.api:get"}}
    """
    with traced(spec, strict=False) as trace:
        pass
    assert [report.splitlines()[0].partition("error")[2] for report in trace.reports] == [
        f"[target-missing]: {shop.__name__}.web has no module api: hooks on it are inactive",
        "[not-imported]: wave was not imported: rules on it had no effect",
        "[target-missing]: there is no module waves.high: rules on it had no effect",
    ]
    with pytest.raises(pytest.fail.Exception) as caught, traced(spec):
        raise AssertionError("the block has started")
    # The problems that are known at the start of the block: `wave` could still be imported.
    assert re.sub(r"specs\d+", "", str(caught.value)) == re.sub(
        r"specs\d+", "", f"{trace.reports[0]}\n\n{trace.reports[2]}"
    )


def test_an_overlay_of_a_shipped_spec_is_reported_if_the_library_was_not_imported(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ag2", "autogen")]:
        monkeypatch.delitem(sys.modules, name)
    with traced("instrument: 2\nextends: ag2\nspans: {llm: {name: ask}}\n", "ag2", strict=False) as trace:
        pass
    (report,) = trace.reports
    assert "error[not-imported]: ag2 was not imported: rules on it had no effect" in report


def test_the_test_fails_with_the_exception_of_the_block(traced: Traced, shop, spec: str):
    error = ValueError("mine")
    with undone_exactly(shop), pytest.raises(ValueError, match="mine") as caught:
        with traced(spec + '  wave: {around: "wave:open"}\n'):
            raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda traced: traced(), ValueError, "traced() has no spec: nothing would be recorded. Pass one"),
        (lambda traced: traced("gone.yaml"), FileNotFoundError, 'there is no spec "gone.yaml" in tests or '),
        (lambda traced: traced("a\nb", order="end"), ValueError, "order='end' is not valid"),
    ],
)
def test_an_invalid_call_is_refused(
    call, error: type[Exception], message: str, traced: Traced, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    with pytest.raises(error, match=re.escape(message)):
        call(traced)


# ── Messages of a failed test ──


def test_a_span_that_is_ambiguous_or_missing_is_reported_with_the_tree(traced: Traced, shop, spec: str):
    with traced(spec) as trace:
        shop.Cart(1, 2).checkout()
    tree = "  checkout\n    items=2\n    pay\n      amount=1\n    pay\n      amount=2"
    with pytest.raises(AssertionError) as caught:
        trace.span("pay")
    assert str(caught.value) == (f'2 spans have the name "pay". Choose one from trace.spans. The trace:\n{tree}')
    with pytest.raises(AssertionError) as caught:
        trace.span("check-out")
    assert str(caught.value) == f'no span has the name "check-out". Did you mean "checkout"? The trace:\n{tree}'


def test_missing_lines_of_a_part_are_reported_beside_the_closest_span(traced: Traced, shop, spec: str):
    with traced(spec) as trace:
        shop.Cart(1, 2).checkout()
    assert trace.contains("checkout\n  pay\n    amount=2")
    with pytest.raises(ValueError, match="nothing would be compared"):
        trace.contains("")
    with pytest.raises(AssertionError) as caught:
        trace.contains("checkout\n  pay\n    amount=1\n  pay\n    amount=3\n  refund\npay")
    assert str(caught.value) == (
        "the trace does not contain this (- missing, + instead):\n"
        "    checkout\n      pay\n        amount=1\n      pay\n  -     amount=3\n  +     amount=2\n  -   refund\n"
        "The trace:\n"
        "  checkout\n    items=2\n    pay\n      amount=1\n    pay\n      amount=2"
    )
