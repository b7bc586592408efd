"""Shapes of callable that are not in the table, each of them unusual in its own way."""

import asyncio
import copy
import functools
import inspect
import operator
import pickle
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

CALL = 'spans: {call: {around: "HOST:%s", attributes: {%s}}}'


@pytest.mark.parametrize("kind", ["property", "functools.cached_property"])
def test_a_property_is_traced_and_remains_one(kind: str, make_module, instrumented, tracing):
    module = make_module(f"""
        import functools
        class Cart:
            lines = 3
            @{kind}
            def total(self):
                "What it costs."
                return self.lines * 2
    """)
    before = inspect.getattr_static(module.Cart, "total")
    with instrumented(CALL % ("Cart.total", "lines: self.lines, total: result"), module):
        now = inspect.getattr_static(module.Cart, "total")
        assert type(now) is type(before)
        assert now.__doc__ == "What it costs."
        assert module.Cart().total == 6
    assert dict(tracing.span.attributes) == {"lines": 3, "total": 6}


def test_a_property_keeps_its_setter_and_a_subclass_of_property_its_attributes(make_module, instrumented, tracing):
    module = make_module("""
        class measured(property):
            unit = None
        class Cart:
            price = 1
            @measured
            def total(self): return self.price
            @total.setter
            def total(self, value): self.price = value
            total.unit = "EUR"
    """)
    with instrumented(CALL % ("Cart.total", ""), module):
        cart = module.Cart()
        cart.total = 7
        assert (cart.total, vars(module.Cart)["total"].unit) == (7, "EUR")
        assert type(vars(module.Cart)["total"]) is module.measured
    assert len(tracing.spans) == 1


ODD_PROPERTY = """
    import operator
    class odd(property):
        def __init__(self, getter): super().__init__(getter)
    class Cart:
        lines = 1
        total = odd(GETTER)
"""


def test_a_property_of_any_class_is_traced(make_module, instrumented, tracing, logged):
    module = make_module(ODD_PROPERTY.replace("GETTER", "lambda self: 1"))
    with instrumented(CALL % ("Cart.total", ""), module):
        assert module.Cart().total == 1
    assert (tracing.names, logged()) == (["call"], [])


def test_a_property_that_has_to_be_replaced_and_cannot_be_made_again_is_refused_with_the_reason(
    make_module, instrumented, logged
):
    module = make_module(ODD_PROPERTY.replace("GETTER", "operator.attrgetter('lines')"))
    with instrumented(CALL % ("Cart.total", ""), module):
        assert module.Cart().total == 1
    (message,) = logged()
    assert "spec.yaml:3:24: error[cannot-patch]" in message


def test_a_builtin_is_traced_looks_the_same_and_can_be_copied_and_pickled(make_module, instrumented, tracing):
    module = make_module("from functools import reduce")
    error = KeyError("host")

    def fail(*_: Any) -> None:
        raise error

    with instrumented(CALL % ("reduce", "result: result"), module):
        assert module.reduce(operator.add, [1, 2]) == 3
        assert pickle.loads(pickle.dumps(module.reduce)) is functools.reduce
        assert copy.copy(module.reduce) is module.reduce
        assert copy.deepcopy([module.reduce])[0] is module.reduce
        assert (module.reduce.__name__, module.reduce.__doc__) == ("reduce", functools.reduce.__doc__)
        assert inspect.isbuiltin(module.reduce)
        assert isinstance(module.reduce, type(functools.reduce))
        with pytest.raises(KeyError) as caught:
            module.reduce(fail, [1, 2])
        assert caught.value is error
    good, bad = tracing.spans
    assert good.attributes == {"result": 3}
    assert bad.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize(
    ("source", "target", "expression"),
    [
        ("import time\nstrptime = time.strptime", "strptime", "strptime('2026', '%Y').tm_year"),
        ("from _pickle import loads, dumps\nimport datetime", "loads", "loads(dumps(datetime.date(2026, 1, 2)))"),
        (
            "import functools, sys\n@functools.cache\ndef caller(): return sys._getframe(1).f_globals['__name__']",
            "caller",
            "caller()",
        ),
    ],
)
def test_what_a_callable_in_c_finds_in_the_frame_of_its_caller_is_there(
    source: str, target: str, expression: str, make_module, instrumented, tracing
):
    module, untraced = make_module(source), make_module(source)
    expected = eval(expression, vars(untraced))
    with instrumented(CALL % (target, ""), module):
        found = eval(expression, vars(module))
    assert found == (module.__name__ if expected == untraced.__name__ else expected)
    assert tracing.names == ["call"]


def test_a_cached_function_keeps_its_cache_and_its_arguments_can_be_read(make_module, instrumented, tracing):
    module = make_module("""
        import functools
        @functools.lru_cache
        def price(item, currency="EUR"): return object()
    """)
    with instrumented(CALL % ("price", "item: item, currency: currency"), module):
        assert module.price("tea") is module.price("tea")
        assert module.price.cache_info().hits == 1
        assert pickle.loads(pickle.dumps(module.price)) is module.price
    assert [dict(span.attributes) for span in tracing.spans] == [{"item": "tea", "currency": "EUR"}] * 2


def test_a_generator_that_can_be_awaited_can_still_be_awaited(make_module, instrumented, tracing):
    module = make_module("""
        import types
        @types.coroutine
        def fetch(n):
            yield
            return n
        async def run(): return await fetch(5)
    """)
    with instrumented(CALL % ("fetch", "result: result"), module):
        assert asyncio.run(module.run()) == 5
    assert tracing.span.attributes == {"result": 5}


def test_the_declared_signature_of_a_function_is_read_but_not_enforced(make_module, instrumented, tracing):
    module = make_module("""
        import inspect
        def order(*args, **kwargs): return args, kwargs
        order.__signature__ = inspect.signature(lambda item, count=3: None)
        def same(item, count=3): return item, count
        same.__signature__ = inspect.signature(lambda item, /, *, count: None)
        def partly(self, *args, retries=2, **kwargs): return self, args, retries, kwargs
        partly.__signature__ = inspect.signature(lambda self, item, *, retries=2, count=3: None)
    """)
    spec = """
    spans:
      order: {around: "HOST:order", attributes: {item: item, count: count}}
      same: {around: "HOST:same", attributes: {item: item, count: count}}
      partly: {around: "HOST:partly", attributes: {item: item, count: count, retries: retries}}
    """
    with instrumented(spec, module):
        assert module.order("tea") == (("tea",), {})
        assert module.order(item="tea", count=1) == ((), {"item": "tea", "count": 1})
        assert module.same("tea") == ("tea", 3)
        assert module.partly(1, "tea") == (1, ("tea",), 2, {})
        assert str(inspect.signature(module.order)) == "(item, count=3)"
        assert module.partly.__kwdefaults__ == {"retries": 2}
    assert [tuple(span.attributes.values()) for span in tracing.spans] == [
        ("tea", 3),
        ("tea", 1),
        ("tea", 3),
        ("tea", 3, 2),
    ]


def test_a_function_that_is_named_like_a_keyword_or_is_a_lambda_is_traced(make_module, instrumented, tracing):
    module = make_module("""
        call = lambda: 1
        def other(): return 2
        other.__name__ = "class"
    """)
    with instrumented('spans: {a: {around: "HOST:call"}, b: {around: "HOST:other"}}', module):
        assert (module.call(), module.other()) == (1, 2)
        assert module.other.__name__ == "class"
    assert tracing.names == ["a", "b"]
