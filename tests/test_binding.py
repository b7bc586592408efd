"""The arguments of a decorated callable: its names are those of the function, whatever the decorator passes to it."""

import asyncio
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

DECORATORS = """
import functools
import unittest.mock

import wrapt

def retried(function):
    @functools.wraps(function)
    def inner(*args, attempts=3, **kwargs):
        return function(*args, **kwargs)
    return inner

def injected(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function("a session", *args, **kwargs)
    return inner

def run(function, *args, **kwargs):
    return function(*args, **kwargs)

def injected_by_a_runner(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return run(function, "a session", *args, **kwargs)
    return inner

def injected_in_a_method(function):
    @functools.wraps(function)
    def inner(self, *args, **kwargs):
        return function(self, "a session", *args, **kwargs)
    return inner

def appended(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        print_nothing = lambda *args: None
        print_nothing("calls", *args)
        return function(*args, "a session", **kwargs)
    return inner

def given_by_name(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        kwargs["session"] = "a session"
        return function(*args, **kwargs)
    return inner

def merged(function):
    @functools.wraps(function)
    async def inner(*args, **options):
        return await function(*args, **{"session": "a session", **options})
    return inner

class Retried:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
    def __call__(self, *args, attempts=3, **kwargs):
        return self.function(*args, **kwargs)

def without_request(function):
    @functools.wraps(function)
    def inner(request, *args, **kwargs):
        return function(*args, **kwargs)
    return inner

def without_first(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args[1:], **kwargs)
    return inner

def without_tenant(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        kwargs.pop("tenant", None)
        return function(*args, **kwargs)
    return inner

def renaming(function):
    @functools.wraps(function)
    def inner(first, second=None):
        return function(first, second)
    return inner

def replacing(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        args = ("a session", *args)
        return function(*args, **kwargs)
    return inner

@wrapt.decorator
def injected_by_wrapt(wrapped, instance, args, kwargs):
    return wrapped("a session", *args, **kwargs)
"""

FUNCTIONS = """
class Recorded: pass

@retried
def pay(order, amount=1): return order, amount

@injected
def ship(session, order, note="none"): return session, order, note

@injected
def ship_later(session=None, order=None): return session, order

@injected_by_a_runner
def run_ship(session, order): return session, order

@retried
@injected
@retried
def ship_again(session, order): return session, order

@appended
def pack(order, session): return order, session

@appended
def pack_all(order, session=None): return order, session

@given_by_name
def send(order, session): return order, session

@merged
async def send_merged(order, session, note="none"): return order, session, note

@Retried
def pay_by_object(order, amount=1): return order, amount

@without_request
def view(order, note="none"): return order, note

@without_first
def view_rest(order, note="none"): return order, note

@without_tenant
def charge(order): return order

@renaming
def refund(order, amount): return order, amount

@replacing
def replaced(session, order): return session, order

@replacing
def unclear(session, order, note="none"): return session, order, note

@injected_by_wrapt
def by_wrapt(session, order): return session, order

@unittest.mock.patch(__name__ + ".Recorded")
def patched(order, recorded): return order

class Cart:
    @retried
    def pay(self, order, *, amount=1): return order, amount

    @injected_in_a_method
    def ship(self, session, order): return session, order

    @replacing
    def unclear(self, session, order): return self, session

    @staticmethod
    @injected
    def pack(session, order): return session, order

    @classmethod
    @retried
    def send(cls, order): return order

    refund = functools.partialmethod(lambda self, reason, order: order, "broken")

cart = Cart()
given = functools.partial(lambda order, note, amount=2: order, note="gift")
"""


@pytest.fixture
def shop(package: Callable[[str], str]) -> ModuleType:
    return importlib.import_module(package(DECORATORS + FUNCTIONS))


def _recorded(tracing: Any) -> dict[str, Any]:
    return dict(tracing.spans[-1].attributes)


@pytest.mark.parametrize(
    ("path", "call", "expected"),
    [
        ("pay", lambda shop: shop.pay("tea", 3), {"order": "tea", "amount": 3}),
        ("pay", lambda shop: shop.pay("tea", amount=3, attempts=1), {"order": "tea", "amount": 3}),
        ("pay", lambda shop: shop.pay("tea"), {"order": "tea", "amount": 1}),
        ("ship", lambda shop: shop.ship("tea"), {"order": "tea", "note": "none"}),
        ("ship", lambda shop: shop.ship(order="tea", note="x"), {"order": "tea", "note": "x"}),
        ("ship_later", lambda shop: shop.ship_later("tea"), {"order": "tea"}),
        ("run_ship", lambda shop: shop.run_ship("tea"), {"order": "tea"}),
        ("ship_again", lambda shop: shop.ship_again("tea", attempts=2), {"order": "tea"}),
        ("pack", lambda shop: shop.pack("tea"), {"order": "tea"}),
        ("pack_all", lambda shop: shop.pack_all("tea"), {"order": "tea"}),
        ("send", lambda shop: shop.send("tea"), {"order": "tea"}),
        (
            "send_merged",
            lambda shop: asyncio.run(shop.send_merged("tea", note="x")),
            {"order": "tea", "note": "x"},
        ),
        ("pay_by_object", lambda shop: shop.pay_by_object("tea", amount=2, attempts=1), {"order": "tea", "amount": 2}),
        ("view", lambda shop: shop.view("a request", "tea"), {"order": "tea", "note": "none"}),
        ("view_rest", lambda shop: shop.view_rest("a request", "tea"), {"order": "tea", "note": "none"}),
        ("charge", lambda shop: shop.charge("tea", tenant="x"), {"order": "tea"}),
        ("refund", lambda shop: shop.refund("tea", second=2), {"order": "tea", "amount": 2}),
        ("replaced", lambda shop: shop.replaced("tea"), {"order": "tea"}),
        # A proxy keeps the function, which is patched itself.
        ("by_wrapt", lambda shop: shop.by_wrapt("tea"), {"session": "a session", "order": "tea"}),
        ("patched", lambda shop: shop.patched("tea"), {"order": "tea"}),
        ("Cart.pay", lambda shop: shop.cart.pay("tea", amount=3, attempts=1), {"order": "tea", "amount": 3}),
        ("Cart.ship", lambda shop: shop.cart.ship("tea"), {"order": "tea"}),
        ("Cart.unclear", lambda shop: shop.cart.unclear("tea"), {"order": "tea"}),
        ("Cart.pack", lambda shop: shop.cart.pack("tea"), {"order": "tea"}),
        ("Cart.send", lambda shop: shop.Cart.send("tea", attempts=1), {"order": "tea"}),
        ("Cart.refund", lambda shop: shop.cart.refund("tea"), {"order": "tea"}),
        ("given", lambda shop: shop.given("tea"), {"order": "tea", "note": "gift", "amount": 2}),
    ],
)
def test_a_decorated_callable_is_recorded_with_what_its_caller_passed(
    path: str, call: Callable[[Any], Any], expected: dict[str, Any], shop, instrumented, tracing, logged
):
    plain = call(shop)
    known = {"session", "order", "note", "amount", "recorded", "second"}
    names = [name for name in known if name in _signature_names(shop, path)]
    attributes = ", ".join(f"{name}: {name}" for name in names)
    with instrumented(f'spans: {{call: {{around: "HOST:{path}", attributes: {{{attributes}}}}}}}', shop):
        if path != "Cart.unclear":
            assert call(shop) == plain
        else:
            call(shop)
    assert _recorded(tracing) == expected
    assert logged() == []


def _signature_names(shop: Any, path: str) -> set[str]:
    import inspect

    value = shop
    for part in path.split("."):
        value = getattr(value, part)
    return set(inspect.signature(value).parameters)


def test_arguments_that_may_be_those_of_several_parameters_are_left_out_and_reported_once(
    shop, instrumented, tracing, logged
):
    spec = 'spans: {call: {around: "HOST:unclear", attributes: {session: session, order: order, note: note}}}'
    with instrumented(spec, shop):
        for _ in range(2):
            assert shop.unclear("tea") == ("a session", "tea", "none")
        assert shop.unclear(order="tea", note="x") == ("a session", "tea", "x")
    assert [dict(span.attributes) for span in tracing.spans] == [{}, {}, {"order": "tea", "note": "x"}]
    (message,) = logged()
    assert "unclear(session, order, note)" in message


def test_a_decorator_without_source_may_provide_the_first_arguments(instrumented, tracing, logged):
    module = ModuleType("host_without_source")
    sys.modules[module.__name__] = module
    exec(DECORATORS + FUNCTIONS, module.__dict__)
    spec = """
    spans:
      ship: {around: "HOST:run_ship", attributes: {session: session, order: order}}
      pay: {around: "HOST:pay", attributes: {order: order, amount: amount}}
      patched: {around: "HOST:patched", attributes: {order: order, recorded: recorded}}
    """
    try:
        with instrumented(spec, module):
            module.run_ship("tea")
            module.pay("tea", amount=3, attempts=1)
            module.patched("tea")
    finally:
        del sys.modules[module.__name__]
    assert [dict(span.attributes) for span in tracing.spans] == [
        {"order": "tea"},
        {"order": "tea", "amount": 3},
        {"order": "tea"},
    ]
    assert logged() == []


def test_functions_of_click_beartype_and_pydantic_are_recorded_with_what_their_caller_passed(
    package: Callable[[str], str], instrumented, tracing, logged
):
    source = """
import beartype, click, pydantic

@click.pass_context
def context(ctx, order: str, amount: int = 1): return order

@click.pass_obj
def shop(obj, order: str, amount: int = 1): return order

class Till: pass

@click.make_pass_decorator(Till, ensure=True)
def till(till, order: str, amount: int = 1): return order

@beartype.beartype
def checked(order: str, amount: int = 1): return order

@beartype.beartype
async def checked_later(order: str, *, amount: int = 1): return order

class Cart:
    @beartype.beartype
    def checked(self, order: str, amount: int = 1): return order

@pydantic.validate_call
def validated(order: str, amount: int = 1): return order
"""
    module: Any = importlib.import_module(package(source))
    paths = ["context", "shop", "till", "checked", "Cart.checked", "validated"]
    spans = "".join(
        f'\n  {path.lower().replace(".", "_")}: {{around: "HOST:{path}", attributes: {{o: order, a: amount}}}}'
        for path in paths
    )
    import click

    with instrumented("spans:" + spans, module), click.Context(click.Command("shop"), obj="an object"):
        for call in (module.context, module.shop, module.till, module.checked, module.Cart().checked, module.validated):
            assert call("tea", amount=3) == "tea"
    assert len(tracing.spans) == len(paths)
    assert {tuple(sorted(dict(span.attributes).items())) for span in tracing.spans} == {(("a", 3), ("o", "tea"))}
    assert logged() == []


def test_a_callable_whose_signature_cannot_be_read_is_traced(make_module, instrumented, tracing):
    module = make_module("""
    import functools

    class Loop:
        def __call__(self, order): return order
        @property
        def __signature__(self): raise RuntimeError("no signature")

    loop = Loop()
    def first(order): return order
    def second(*args): return first(*args)
    first.__wrapped__ = second
    second.__wrapped__ = first
    """)
    spec = 'spans: {loop: {around: "HOST:loop"}, second: {around: "HOST:second"}}'
    with instrumented(spec, module):
        assert (module.loop("tea"), module.second("tea")) == ("tea", "tea")
    assert tracing.names == ["loop", "second"]


def test_a_bound_method_is_recorded_with_what_its_caller_passed(make_module, instrumented, tracing, logged):
    module = make_module("""
    import functools, random, types
    import wrapt

    @wrapt.decorator
    def passed_on(wrapped, instance, args, kwargs): return wrapped(*args, **kwargs)

    def run(function, *args): return function(*args)

    def decorated(function):
        @functools.wraps(function)
        def inner(*args, **kwargs): return run(function, *args, **kwargs)
        return inner

    class Till:
        def pay(self, a, o="tea"): return o
        decorated = decorated(pay)
        wrapped = passed_on(pay)
        cached = functools.lru_cache(pay)
        partial = functools.partialmethod(pay, o="tea")
        inherited = classmethod(pay)

    till = Till()
    pay, decorated, wrapped, cached, partial = till.pay, till.decorated, till.wrapped, till.cached, till.partial
    inherited, around = Till.inherited, passed_on(till.pay)
    function = types.MethodType(lambda self, a, o="tea": o, 7)
    between = random.randint

    class Shop:
        pay = till.pay
        decorated = till.decorated
    shop = Shop()
    """)
    names = ["pay", "decorated", "wrapped", "cached", "partial", "inherited", "around", "function"]
    paths = [*names, "Shop.pay", "Shop.decorated"]
    spans = [f's{number}: {{around: "HOST:{path}", attributes: {{a: a}}}}' for number, path in enumerate(paths)]
    with instrumented(f'spans: {{{", ".join(spans)}, b: {{around: "HOST:between", attributes: {{a: b}}}}}}', module):
        for call in (*(getattr(module, name) for name in names), module.shop.pay, module.shop.decorated):
            assert call(3) == "tea"
        assert module.between(3, 3) == 3
    assert [dict(span.attributes) for span in tracing.spans] == [{"a": 3}] * (len(paths) + 1)
    assert logged() == []


def test_arguments_that_python_rejects_are_not_reported(make_module, instrumented, tracing, logged):
    module = make_module(DECORATORS + FUNCTIONS + "from math import comb\n")
    spec = """
    spans:
      pay: {around: "HOST:pay", attributes: {order: order}}
      run_ship: {around: "HOST:run_ship", attributes: {order: order}}
      send: {around: "HOST:send_merged", attributes: {order: order}}
      choose: {around: "HOST:comb", attributes: {n: n}}
    """
    with instrumented(spec, module):
        for call in (module.pay, module.run_ship, module.comb):
            with pytest.raises(TypeError):
                call(1, 2, 3, 4)
        with pytest.raises(TypeError):
            asyncio.run(module.send_merged(1, 2, 3, 4))
    assert [span.status.is_ok for span in tracing.spans] == [False] * 4
    assert logged() == []
