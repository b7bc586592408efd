"""Functions that a decorator has registered below others: each call is recorded once, from wherever it comes."""

import asyncio
import inspect
from typing import Any

import pytest

HEAD = """
import asyncio, concurrent.futures, contextvars, functools, threading
ROUTES = {}
HELD = []
POOL = concurrent.futures.ThreadPoolExecutor(2)

def route(call):
    ROUTES[call.__name__] = call
    return call

def logged_in(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return call(*args, **kwargs)
    return wrapper

def bare(call):
    def wrapper(*args, **kwargs):
        return call(*args, **kwargs)
    return wrapper

def one_line(call):
    return lambda *args, **kwargs: call(*args, **kwargs)

def awaiting(call):
    @functools.wraps(call)
    async def wrapper(*args, **kwargs):
        return await asyncio.wait_for(call(*args, **kwargs), 9)
    return wrapper

def yielding(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        yield from call(*args, **kwargs)
    return wrapper

def twice(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        call(*args, **kwargs)
        return call(*args, **kwargs)
    return wrapper

def in_pool(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return POOL.submit(call, *args, **kwargs).result()
    return wrapper

def in_lambda(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return POOL.submit(lambda: call(*args, **kwargs)).result()
    return wrapper

def in_thread(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        thread = threading.Thread(target=call, args=args, kwargs=kwargs)
        thread.start()
        thread.join()
        return 1
    return wrapper

def through_helper(call):
    def attempt(count, *args, **kwargs):
        if count < 3:
            return attempt(count + 1, *args, **kwargs)
        return call(*args, **kwargs)
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return attempt(0, *args, **kwargs)
    return wrapper

def alias(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        target = call
        if target is None:
            return None
        return target(*args, **kwargs)
    return wrapper

def to_thread(call):
    @functools.wraps(call)
    async def wrapper(*args, **kwargs):
        return await asyncio.to_thread(call, *args, **kwargs)
    return wrapper

class Limit:
    def __init__(self, call): self.call = call
    def run(self, *args, **kwargs): return self.call(*args, **kwargs)

def limited(call):
    limit = Limit(call)
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return limit.run(*args, **kwargs)
    return wrapper

def by_name(call):
    name = call.__name__
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        return ROUTES[name](*args, **kwargs)
    return wrapper

def exempt(call):
    @functools.wraps(call)
    def wrapper(*args, **kwargs):
        assert call in ROUTES.values()
        return call(*args, **kwargs)
    return wrapper

class Command:
    def __init__(self, call): self.call = call
    def __call__(self, *args, **kwargs): return self.call(*args, **kwargs)

def command(call):
    ROUTES[call.__name__] = made = Command(call)
    return made

def above_command(call):
    return logged_in(command(call))

def above_partial(call):
    ROUTES[call.__name__] = made = functools.partial(call)
    return logged_in(made)

def with_default(call):
    @functools.wraps(call)
    def wrapper(*args, call=call, **kwargs):
        return call(*args, **kwargs)
    return wrapper
"""
SPEC = 'spans: {pay: {around: "HOST:pay", attributes: {order: order}}}'
PLAIN = "def pay(order): return 1"
SYNCHRONOUS = [
    "logged_in", "bare", "one_line", "twice", "in_pool", "in_lambda", "in_thread", "through_helper", "alias", "limited",
    "by_name", "exempt", "with_default", "above_command", "above_partial", "functools.lru_cache",
]  # fmt: skip


def _run(value: Any) -> Any:
    if inspect.isgenerator(value):
        return [*value]
    if inspect.isawaitable(value):

        async def wait() -> Any:
            return await value

        return asyncio.run(wait())
    return value


@pytest.mark.parametrize("decorator", SYNCHRONOUS)
def test_each_call_of_a_function_that_is_registered_below_a_decorator_is_recorded_once(
    decorator: str, make_module, instrumented, tracing, logged
):
    module = make_module(f"{HEAD}\n@{decorator}\n@route\n{PLAIN}")
    held = module.ROUTES["pay"]
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert module.ROUTES["pay"] is held
        assert held("tea") == 1
        assert tracing.names == ["pay"]
        assert module.pay("cup") == 1
        assert tracing.names == ["pay", "pay"]
        assert held(order="milk") == 1
        assert tracing.names == ["pay", "pay", "pay"]
    assert held("tea") == module.pay("ham") == 1
    assert tracing.names == ["pay", "pay", "pay"]
    assert logged() == []


@pytest.mark.parametrize("decorator", ["logged_in", "bare", "one_line", "awaiting", "twice_awaited"])
def test_each_call_of_a_coroutine_function_below_a_decorator_is_recorded_once(
    decorator: str, make_module, instrumented, tracing, logged
):
    more = """
def twice_awaited(call):
    @functools.wraps(call)
    async def wrapper(*args):
        await asyncio.create_task(call(*args))
        return (await asyncio.gather(call(*args)))[0]
    return wrapper
"""
    module = make_module(
        f"{HEAD}{more}\n@{decorator}\n@route\nasync def pay(order):\n  await asyncio.sleep(0)\n  return 1"
    )
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert _run(module.ROUTES["pay"]("tea")) == 1
        assert tracing.names == ["pay"]
        assert _run(module.pay("tea")) == 1
        assert tracing.names == ["pay", "pay"]
    assert logged() == []


@pytest.mark.parametrize("decorator", ["logged_in", "bare", "one_line", "yielding"])
def test_each_call_of_a_generator_below_a_decorator_is_recorded_once(
    decorator: str, make_module, instrumented, tracing, logged
):
    module = make_module(f"{HEAD}\n@{decorator}\n@route\ndef pay(order):\n    yield 1\n    yield 2")
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        outer = module.pay("tea")
        assert next(outer) == 1
        assert [*module.ROUTES["pay"]("tea")] == [1, 2]  # while the other one is suspended
        assert tracing.names == ["pay"]
        assert [*outer] == [2]
        assert tracing.names == ["pay", "pay"]
    assert logged() == []


def test_a_blocking_function_in_a_thread_of_a_coroutine_is_recorded_once(make_module, instrumented, tracing):
    module = make_module(f"{HEAD}\n@to_thread\n@route\n{PLAIN}")
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (_run(module.pay("tea")), module.ROUTES["pay"]("tea")) == (1, 1)
    assert tracing.names == ["pay", "pay"]


@pytest.mark.parametrize("decorator", ["logged_in", "limited", "functools.lru_cache", "by_name"])
def test_a_function_that_calls_itself_through_the_registry_is_recorded_each_time(
    decorator: str, make_module, instrumented, tracing
):
    source = f"{HEAD}\n@{decorator}\n@route\ndef pay(order):\n    return 1 + (order and ROUTES['pay'](order - 1))"
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert module.pay(2) == 3
        assert module.ROUTES["pay"](1) == 2
    assert tracing.names == ["pay"] * 5


def test_calls_that_other_threads_make_meanwhile_are_recorded(make_module, instrumented, tracing):
    source = (
        f"{HEAD}\n@limited\n@route\ndef pay(order):\n    return order and POOL.submit(ROUTES['pay'], 0).result() + 1"
    )
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert module.pay(1) == 1
    assert tracing.names == ["pay", "pay"]


def test_the_arguments_are_those_that_the_caller_passed(make_module, instrumented, tracing):
    source = f"""{HEAD}
def for_user(call):
    @functools.wraps(call)
    def wrapper(*args):
        return call("ann", *args)
    return wrapper

@for_user
@route
def pay(user, order): return user, order
"""
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay", attributes: {user: user, order: order}}}', module):
        assert module.pay("tea") == ("ann", "tea")
        assert module.ROUTES["pay"]("bob", "ham") == ("bob", "ham")
    assert [dict(span.attributes) for span in tracing.spans] == [{"order": "tea"}, {"user": "bob", "order": "ham"}]


METHODS = """
class Shop:
    @logged_in
    @route
    def pay(self, order): return order

    @staticmethod
    @logged_in
    @route
    def price(order): return order

    @classmethod
    @logged_in
    @route
    def open(cls, order): return order

    @property
    @logged_in
    @route
    def total(self): return 3

class Web(Shop): pass
"""


def test_methods_of_every_kind_are_seen(make_module, instrumented, tracing, logged):
    module = make_module(HEAD + METHODS)
    names = ("pay", "price", "open", "total")
    spec = "\n".join(["spans:", *(f'  {name}: {{around: "HOST:Shop.{name}"}}' for name in names)])
    with instrumented(spec, module):
        shop, routes = module.Shop(), module.ROUTES
        assert (shop.pay(1), shop.price(2), shop.open(3), shop.total) == (1, 2, 3, 3)
        assert tracing.names == [*names]
        assert (routes["pay"](shop, 1), routes["price"](2), routes["open"](module.Shop, 3), routes["total"](shop)) == (
            1, 2, 3, 3,
        )  # fmt: skip
    assert (tracing.names, logged()) == ([*names, *names], [])


def test_an_inherited_function_is_seen_on_instances_of_its_class_only(make_module, instrumented, tracing):
    module = make_module(HEAD + METHODS)
    with instrumented('spans: {pay: {around: "HOST:Web.pay"}}', module):
        pay = module.ROUTES["pay"]
        assert (pay(module.Shop(), 1), pay(module.Web(), 2), module.Web().pay(3), module.Shop().pay(4)) == (1, 2, 3, 4)
    assert tracing.names == ["pay", "pay"]


def test_a_function_with_several_registrations_is_seen_from_each(make_module, instrumented, tracing, logged):
    source = f"""{HEAD}
def also(call):
    HELD.append(call)
    return call
@logged_in
@also
@in_pool
@bare
@route
{PLAIN}
"""
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (module.pay("tea"), module.HELD[0]("tea"), module.ROUTES["pay"]("tea")) == (1, 1, 1)
    assert (tracing.names, logged()) == (["pay"] * 3, [])


def test_a_function_that_a_registry_wraps_itself_is_seen(make_module, instrumented, tracing, logged):
    source = f"""{HEAD}
def command(call):
    def run(line): return call(*line.split())
    HELD.append(run)
    return call
@logged_in
@command
{PLAIN}
"""
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (module.pay("tea"), module.HELD[0]("tea")) == (1, 1)
    assert (tracing.names, logged()) == (["pay", "pay"], [])


def test_a_helper_of_a_decorator_that_others_hold_is_seen(make_module, instrumented, tracing, logged):
    source = f"""{HEAD}
def internal(call):
    def trusted(*args): return call(*args)
    HELD.append(trusted)
    @functools.wraps(call)
    def wrapper(*args): return trusted(*args)
    return wrapper
@internal
{PLAIN}
"""
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (module.pay("tea"), module.HELD[0]("tea")) == (1, 1)
    assert (tracing.names, logged()) == (["pay", "pay"], [])


@pytest.mark.parametrize("decorator", ["logged_in", "limited", "functools.lru_cache"])
def test_two_specs_record_each_call_once_and_in_any_order_of_removal(
    decorator: str, make_module, instrumented, tracing
):
    module = make_module(f"{HEAD}\n@{decorator}\n@route\n{PLAIN}")
    specs = [f'spans: {{{name}: {{around: "HOST:pay"}}}}' for name in ("first", "second")]
    with instrumented(specs, module):
        assert (module.pay("tea"), module.ROUTES["pay"]("ham")) == (1, 1)
        assert sorted(tracing.names) == ["first", "first", "second", "second"]
    assert module.ROUTES["pay"]("tea") == 1
    assert len(tracing.names) == 4


def test_a_function_that_is_hooked_under_another_name_too_runs_those_hooks_at_every_call(
    make_module, instrumented, tracing
):
    source = f"{HEAD}\n@logged_in\n@route\n{PLAIN}\ninner = ROUTES['pay']"
    for spec in (
        'spans: {pay: {around: "HOST:pay"}, inner: {around: "HOST:inner"}}',
        'spans: {inner: {around: "HOST:inner"}, pay: {around: "HOST:pay"}}',
    ):
        module = make_module(source)
        tracing.exporter.clear()
        with instrumented(spec, module):
            assert module.pay("tea") == 1
            assert sorted(tracing.names) == ["inner", "pay"]
            assert module.inner("tea") == 1
            assert sorted(tracing.names) == ["inner", "inner", "pay", "pay"]


def _innermost_code(function: Any) -> Any:
    """The code of what a decorator wraps. This test must not hold the function."""
    inner = inspect.unwrap(function)
    return (function.__closure__[0].cell_contents if inner is function else inner).__code__


def test_a_function_that_nobody_else_holds_is_not_changed(make_module, instrumented, tracing):
    for decorator in [
        each for each in SYNCHRONOUS if each not in ("by_name", "exempt", "above_command", "above_partial")
    ]:
        module = make_module(f"{HEAD}\n@{decorator}\n{PLAIN}")
        code = _innermost_code(module.pay)
        with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
            assert _innermost_code(module.pay) is code
            assert module.pay("tea") == 1


def test_what_a_decorator_sees_of_its_function_is_the_same(make_module, instrumented):
    source = f"""{HEAD}
SEEN = []
def looking(call):
    @functools.wraps(call)
    def wrapper(*args):
        call.count = getattr(call, "count", 0) + 1
        SEEN.append((call.__name__, call.__qualname__, call.__module__, call.__doc__, call.__annotations__, call.role))
        return call(*args)
    return wrapper
def role(call):
    call.role = "admin"
    return call
@looking
@route
@role
def pay(order: str):
    "Pay it."
    return 1
"""
    module = make_module(source)
    module.pay("tea")
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        module.pay("tea")
        assert module.pay.__wrapped__ is module.ROUTES["pay"]
    assert module.SEEN[0] == module.SEEN[1]
    assert module.ROUTES["pay"].count == 2


UNSEEN = [
    f"{HEAD}\n@functools.lru_cache\n@route\nasync def pay(order): return 1",
    f"{HEAD}\n@limited\n@route\ndef pay(order): yield 1",
    f"{HEAD}\n@logged_in\n@command\nasync def pay(order): return 1",
]


@pytest.mark.parametrize("source", UNSEEN)
def test_the_process_reports_what_holds_a_function_whose_calls_cannot_be_seen(
    source: str, make_module, instrumented, tracing, logged
):
    module = make_module(source)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        _run(module.ROUTES["pay"]("tea"))
        _run(module.pay("ham"))
    assert tracing.names == ["pay"]
    (message,) = logged()
    assert "warning[held]" in message and f"the function itself is held by: {module.__name__}.ROUTES" in message


def test_calls_of_the_callables_of_a_pattern_are_seen_from_everywhere(make_module, instrumented, tracing, logged):
    source = f"{HEAD}\n@logged_in\n@route\n{PLAIN}\n@limited\n@route\ndef ship(order): return 2"
    module = make_module(source)
    hook = 'hooks: {all: {call: {include: ["HOST:pay", "HOST:ship*"]}}}'
    spec = f'{hook}\nspans: {{all: {{around: all, name: "{{hooked.name}}"}}}}'
    with instrumented(spec, module):
        assert (module.pay("tea"), module.ship("tea")) == (1, 2)
        assert (module.ROUTES["pay"]("tea"), module.ROUTES["ship"]("tea")) == (1, 2)
    assert (tracing.names, logged()) == (["pay", "ship"] * 2, [])
