"""Calls that our own reading causes in the program are not calls of the program: no rule applies to them."""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import readings
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from tests.processes import PATIENCE

CART = """
import functools

class Cart:
    def __init__(self, prices=(1, 2), id="c1"):
        self.prices = prices
        self.id = id
        self.calls = []

    @property
    def total(self):
        self.calls.append("total")
        return self.sum()

    @functools.cached_property
    def cached(self):
        return self.sum()

    @property
    def unhooked(self):
        return self.sum()

    def sum(self):
        self.calls.append("sum")
        return sum(self.prices)

    def buy(self, item=None):
        return self.total

    async def buy_later(self, item=None):
        return self.total

    def each(self):
        yield self.total

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return name.upper()

    def __len__(self):
        return len(self.prices)

    def __repr__(self):
        return f"cart of {self.sum()}"

    __str__ = __repr__

    def __eq__(self, other):
        return self.id == getattr(other, "id", None)

    def __hash__(self):
        return hash(self.id)

    def __bool__(self):
        return bool(self.prices)

    def __contains__(self, item):
        return item in self.prices

    def __getitem__(self, index):
        return self.prices[index]

    def __iter__(self):
        return iter(self.prices)

    def __float__(self):
        return float(self.sum())

    def __lt__(self, other):
        return len(self.prices) < 5

class Strict:
    "Every read of an attribute is a call."
    def __init__(self):
        self.name = "x"

    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def work(self):
        return 1

def price_of(cart):
    return cart.sum()
"""


@pytest.fixture
def cart(make_module: Callable[..., Any]) -> Any:
    return make_module(CART)


def test_a_property_that_its_own_rule_reads_is_one_call(cart, tracing, instrumented):
    with instrumented("spans: {total: {around: 'HOST:Cart.total', attributes: {shop.total: self.total}}}", cart):
        for _ in range(20):
            assert cart.Cart().total == 3
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [("total", {"shop.total": 3})] * 20


#: What an expression runs, and the method that a rule is on.
EXPRESSIONS = {
    "self.total": "Cart.total",
    "self.cached": "Cart.sum",
    "self.unhooked": "Cart.sum",
    "self.missing": "Cart.__getattr__",
    "len(self)": "Cart.__len__",
    "str(self)": "Cart.__repr__",
    'f"{str(self)}"': "Cart.sum",
    "float(self)": "Cart.__float__",
    "self": "Cart.__float__",
    "[self]": "Cart.sum",
    "self == 1": "Cart.__eq__",
    "bool(self)": "Cart.__bool__",
    "1 in self": "Cart.__contains__",
    "self[0]": "Cart.__getitem__",
    "self < 5": "Cart.__lt__",
    "price_of(self)": "price_of",
    "1 if self else 2": "Cart.__bool__",
    "self and 1": "Cart.__bool__",
}


@pytest.mark.parametrize("method", ["buy", "buy_later", "each"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_no_rule_applies_to_what_an_expression_runs(expression: str, method: str, cart, tracing, instrumented):
    hooked = EXPRESSIONS[expression]
    spec = f"""
    hooks:
      inner: {{call: "HOST:{hooked}"}}
    functions: {{price_of: "HOST:price_of"}}
    spans:
      buy: {{around: "HOST:Cart.{method}", when: 'self.id == "c1"', attributes: {{x: '{expression}'}}}}
      inner: {{around: inner, name: "inner", attributes: {{y: '{expression}'}}}}
    metrics:
      shop.calls: {{instrument: counter, at: inner.enter}}
    """
    bought = cart.Cart()
    with instrumented(spec, cart):
        called = getattr(bought, method)()
        if method == "buy_later":
            assert asyncio.run(called) == 3
        else:
            assert (called if method == "buy" else next(iter(called))) == 3
            called = None
    # What the program calls itself is recorded: the property, and the sum in it.
    own = 1 if hooked in ("Cart.total", "Cart.sum") else 0
    assert tracing.names.count("inner") == own
    assert sum(point.value for point in tracing.points("shop.calls").values()) == own
    (span,) = (span for span in tracing.spans if span.name == "buy")
    assert span.attributes["x"] is not None
    assert not readings


def test_no_rule_applies_to_keys_names_statuses_links_and_owners(cart, tracing, instrumented):
    spec = """
    hooks:
      buy: {call: "HOST:Cart.buy", names: {total: self.unhooked}}
      later: {call: "HOST:Cart.buy_later"}
    spans:
      sum: {around: "HOST:Cart.sum"}
      hash: {around: "HOST:Cart.__hash__"}
      equal: {around: "HOST:Cart.__eq__"}
      order:
        key: self
        name: "order {self.unhooked}"
        start: buy.enter
        end: buy.return
        attributes: {total: total}
        status: [{when: self.unhooked > 100, error: self.unhooked}]
        links: {other: {span: order, key: item}}
        events: {bought: {at: buy.return, attributes: {total: self.unhooked}}}
        counts: {times: {at: buy.return, key: self}}
    """
    with instrumented(spec, cart):
        assert cart.Cart().buy(item=cart.Cart(id="c2")) == 3
    assert tracing.names == ["sum", "order 3"]  # the sum in the property that the method itself reads


def test_no_rule_applies_to_what_an_injection_and_the_lines_after_it_run(
    make_module: Callable[..., Any], tracing, instrumented
):
    module = make_module("""
        class Headers(dict):
            def __setitem__(self, name, value):
                dict.__setitem__(self, name, value)
        def send(headers):
            return headers
    """)

    spec = """
    spans:
      set: {around: "HOST:Headers.__setitem__"}
      send:
        around: "HOST:send"
        inject: {traceparent: 'headers["traceparent"]', tracestate: 'headers["tracestate"]'}
    """
    headers = module.Headers()
    with instrumented(spec, module):
        module.send(headers)
        assert list(headers) == ["traceparent"]
        headers["x"] = 1
    assert tracing.names == ["send", "set"]


def test_a_getattribute_that_is_hooked_records_the_reads_of_the_application_only(cart, tracing, instrumented):
    spec = """
    spans:
      read: {around: "HOST:Strict.__getattribute__", name: "{name}", attributes: {x: self.name}}
      work: {around: "HOST:Strict.work", attributes: {x: self.name}}
    """
    strict = cart.Strict()
    with instrumented(spec, cart):
        assert strict.work() == 1
    assert tracing.names == ["work", "work"]
    assert [span.attributes["x"] for span in tracing.spans] == ["x", "x"]


class Reading(SpanProcessor):
    """Runs code of the program when a span starts and ends."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.call = call

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        self.call()

    def on_end(self, span: ReadableSpan) -> None:
        self.call()


def test_no_rule_applies_to_what_a_span_processor_calls(cart, tracing, instrumented):
    bought = cart.Cart()
    tracing.provider.add_span_processor(Reading(lambda: bought.sum()))
    with instrumented("spans: {sum: {around: 'HOST:Cart.sum'}}", cart):
        bought.sum()
    assert tracing.names == ["sum"]
    assert bought.calls == ["sum"] * 3


def test_a_generator_that_an_expression_reads_to_the_end_is_our_reading(
    make_module: Callable[..., Any], tracing, instrumented
):
    module = make_module("""
        class Bag:
            def __contains__(self, item):
                return item in list(self)
            def __iter__(self):
                yield from (1, 2)
            async def items(self):
                yield 1
            def work(self):
                return 1
    """)
    spec = """
    spans:
      iterate: {around: "HOST:Bag.__iter__"}
      work: {around: "HOST:Bag.work", attributes: {x: 2 in self}}
    """
    with instrumented(spec, module):
        assert module.Bag().work() == 1
        assert tracing.names == ["work"]
        assert list(module.Bag()) == [1, 2]
    assert tracing.names == ["work", "iterate"]


def test_calls_of_other_threads_and_tasks_are_recorded_while_one_reads(
    make_module: Callable[..., Any], tracing, instrumented
):
    module = make_module("""
        import threading
        entered, leave = threading.Event(), threading.Event()
        class Slow:
            @property
            def state(self):
                entered.set()
                leave.wait(100)
                return self.compute()
            def compute(self):
                return 1
            def work(self):
                return 1
            async def later(self):
                return 1
    """)
    spec = """
    spans:
      work: {around: "HOST:Slow.work", attributes: {x: self.state}}
      compute: {around: "HOST:Slow.compute"}
      later: {around: "HOST:Slow.later"}
    """
    slow = module.Slow()
    with instrumented(spec, module):
        thread = threading.Thread(target=slow.work)
        thread.start()
        assert module.entered.wait(PATIENCE)
        assert readings
        assert slow.compute() == 1
        assert asyncio.run(slow.later()) == 1
        module.leave.set()
        thread.join()
    assert tracing.names == ["compute", "later", "work"]
    assert not readings


def test_a_base_exception_in_a_read_leaves_nothing_behind(make_module: Callable[..., Any], tracing, instrumented):
    module = make_module("""
        class Stopping:
            @property
            def state(self):
                raise KeyboardInterrupt
            def work(self):
                return 1
            def other(self):
                return 2
    """)
    spec = """
    spans:
      work: {around: "HOST:Stopping.work", attributes: {x: self.state}}
      other: {around: "HOST:Stopping.other"}
    """
    with instrumented(spec, module):
        with pytest.raises(KeyboardInterrupt):
            module.Stopping().work()
        assert not readings
        assert module.Stopping().other() == 2
    assert tracing.names == ["other"]


def test_a_parameter_with_our_name_is_not_our_reading(make_module: Callable[..., Any], tracing, instrumented):
    module = make_module("""
        def outer(instrument_is_reading):
            return instrument_is_reading, inner()
        def inner():
            return 1
    """)
    with instrumented("spans: {outer: {around: 'HOST:outer'}, inner: {around: 'HOST:inner'}}", module):
        assert module.outer("x") == ("x", 1)
    assert tracing.names == ["inner", "outer"]


def test_two_specs_on_one_callable_both_apply(cart, tracing, instrumented):
    specs = [f"spans: {{{name}: {{around: 'HOST:Cart.total', attributes: {{x: self.total}}}}}}" for name in "ab"]
    with instrumented(specs, cart):
        assert cart.Cart().total == 3
    assert sorted(tracing.names) == ["a", "b"]


def test_many_reads_of_a_hooked_property_do_not_recurse(cart, tracing, instrumented):
    limit = sys.getrecursionlimit()
    depth = 0
    frame: Any = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    with instrumented("spans: {sum: {around: 'HOST:Cart.sum', attributes: {a: self.unhooked, b: str(self)}}}", cart):
        sys.setrecursionlimit(depth + 60)
        try:
            assert cart.Cart().sum() == 3
        finally:
            sys.setrecursionlimit(limit)
    assert tracing.span.attributes == {"a": 3, "b": "cart of 3"}
