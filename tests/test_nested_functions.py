"""Functions that are defined within other functions, which a spec names as ``outer.<locals>.inner``."""

import asyncio
import gc
import inspect
import types
import weakref
from typing import Any

import pytest

HOST = """
import contextlib
import functools

def retry(times):
    def decorate(function):
        if function.__name__.startswith("a"):
            @functools.wraps(function)
            async def wrapper(*args, **kwargs):
                return await function(*args, **kwargs)
        else:
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs)
        return wrapper
    return decorate

@retry(2)
def early(x): return x * 2

@retry(2)
async def aearly(x): return x * 3

def make(n):
    total = 0
    def add(x, /, y=5, *, z=1):
        nonlocal total
        total += 1
        return x + n, y, z
    def items(count):
        for number in range(count):
            yield number + n
    async def aitems(count):
        for number in range(count):
            yield number + n
    @contextlib.contextmanager
    def block(x):
        yield x + n
    def again(x):
        return x if x <= 0 else again(x - 1)
    def broken(x): raise KeyError(x)
    class Base:
        def run(self, x):
            def deepest(y): return y + n
            return deepest(x)
        @staticmethod
        def static(x): return x
        @property
        def size(self): return n
    class Sub(Base):
        def run(self, x): return super().run(x) + 1
    return locals()

class Cart:
    def checkout(self, n):
        def total(): return n * 2
        return total

@functools.lru_cache
def cached(n):
    def inner(x): return n + x
    return inner
"""

#: The path of a function, and an expression that calls it; afterwards, its spans.
CALLS = {
    "retry.<locals>.decorate.<locals>.wrapper": ("early(2), run(aearly(2))", 2),
    "make.<locals>.add": ("made['add'](1), made['add'](2, 6, z=3)", 2),
    "make.<locals>.items": ("[*made['items'](2)]", 1),
    "make.<locals>.aitems": ("run(collect(made['aitems'](2)))", 1),
    "make.<locals>.block": ("enter(made['block'](2))", 1),  # the generator function below the decorator
    "make.<locals>.again": ("made['again'](2)", 3),
    "make.<locals>.broken": ("caught(made['broken'])", 1),
    "make.<locals>.Base.run": ("made['Sub']().run(1), made['Base']().run(1)", 2),
    "make.<locals>.Base.run.<locals>.deepest": ("made['Sub']().run(1)", 1),
    "make.<locals>.Base.static": ("made['Sub'].static(1)", 1),
    "make.<locals>.Base.size": ("made['Sub']().size", 1),
    "make.<locals>.Sub.run": ("made['Sub']().run(1)", 1),
    "Cart.checkout.<locals>.total": ("Cart().checkout(1)()", 1),
    "cached.<locals>.inner": ("cached(1)(2)", 1),
}


async def collect(items: Any) -> list[Any]:
    return [item async for item in items]


def enter(block: Any) -> Any:
    with block as value:
        return value


def caught(function: Any) -> Any:
    try:
        function(1)
    except KeyError as error:
        return error.args
    return None


def outcome(module: types.ModuleType, expression: str, made: dict[str, Any]) -> Any:
    names = {"run": asyncio.run, "collect": collect, "enter": enter, "caught": caught, "made": made}
    return eval(expression, {**vars(module), **names})


@pytest.mark.parametrize("path", CALLS)
def test_calls_of_a_function_within_another_are_recorded(path: str, make_module, instrumented, tracing, logged):
    module = make_module(HOST)
    expression, count = CALLS[path]
    expected = outcome(module, expression, module.make(10))
    before = module.make(10)
    functions = [value for value in before.values() if type(value) is types.FunctionType]
    codes = [function.__code__ for function in functions]
    signatures = [inspect.signature(function) for function in functions]
    module.cached.cache_clear()
    with instrumented(f'spans: {{inner: {{around: "HOST:{path}"}}}}', module):
        made = module.make(10)
        for each in (before, made):
            tracing.exporter.clear()
            assert outcome(module, expression, each) == expected
            assert tracing.names == ["inner"] * count
        assert [inspect.signature(function) for function in functions] == signatures
    assert logged() == []
    tracing.exporter.clear()
    outcome(module, expression, made)
    assert tracing.names == []
    assert all(function.__code__ is code for function, code in zip(functions, codes, strict=True))


def test_arguments_result_and_exception_of_a_function_within_another_are_recorded(make_module, instrumented, tracing):
    spec = """
spans:
  add: {around: "HOST:make.<locals>.add", attributes: {x: x, y: y, z: z, total: "result[0]"}}
  broken: {around: "HOST:make.<locals>.broken", attributes: {x: x, key: "error.args[0]"}}
  both: {around: outer}
hooks: {outer: {call: {include: ["HOST:make.<locals>.items", "HOST:Cart.*.<locals>.to*", "HOST:missing"]}}}
"""
    module = make_module(HOST)
    with instrumented(spec, module):
        made = module.make(10)
        made["add"](1, z=3)
        caught(made["broken"])
        assert [*made["items"](1)] == [10]
        assert module.Cart().checkout(4)() == 8
    attributes = {"x": 1, "y": 5, "z": 3, "total": 11}, {"x": 1, "key": 1}, {}, {}
    assert [dict(span.attributes) for span in tracing.spans] == list(attributes)
    assert tracing.names == ["add", "broken", "both", "both"]


def test_rules_on_both_functions_and_of_two_specs_have_layers_of_their_own(
    make_module, instrumented, tracing, spec_file
):
    module = make_module(HOST)
    original = module.Cart.checkout.__code__
    both = 'spans: {outer: {around: "HOST:Cart.checkout"}, inner: {around: "HOST:Cart.checkout.<locals>.total"}}'
    with instrumented([both, both.replace("inner", "inner2").replace("outer", "outer2")], module):
        total = module.Cart().checkout(1)
        assert total() == 2
        assert sorted(tracing.names) == ["inner", "inner2", "outer", "outer2"]
        inner, inner2 = (span for span in tracing.spans if span.name.startswith("inner"))
        assert inner.parent.span_id == inner2.context.span_id
    assert module.Cart.checkout.__code__ is original
    assert total.__code__ in original.co_consts


def test_a_function_within_another_that_is_hooked_by_its_own_name_is_layered_too(make_module, instrumented, tracing):
    module = make_module("""
        def make():
            def inner(): return 1
            return inner
        named = make()
    """)
    original = module.named.__code__
    spec = 'spans: {named: {around: "HOST:named"}, inner: {around: "HOST:make.<locals>.inner"}}'
    with instrumented(spec, module):
        assert (module.named(), module.make()()) == (1, 1)
        assert tracing.names == ["inner", "named", "inner"]
    assert module.named.__code__ is original


def test_a_call_of_the_outer_function_that_is_in_progress_is_reported(make_module, instrumented, tracing, logged):
    module = make_module("""
        def steps():
            yield
            def inner(): return 1
            yield inner
    """)
    running = module.steps()
    next(running)
    with instrumented('spans: {inner: {around: "HOST:steps.<locals>.inner"}}', module):
        assert next(running)() == 1
        assert [*module.steps()][1]() == 1
        assert tracing.names == ["inner"]
        started = module.steps()
        next(started)
    assert next(started)() == 1
    assert tracing.names == ["inner"]
    (message,) = logged()
    assert "steps.<locals>.inner is defined by calls that were in progress" in message


def test_functions_that_are_not_used_any_more_are_not_kept(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented('spans: {run: {around: "HOST:make.<locals>.Sub.run"}}', module):
        made = module.make(1)
        assert made["Sub"]().run(1) == 3
        dead = weakref.ref(made["Sub"])
        del made
        gc.collect()
        assert dead() is None


@pytest.mark.parametrize("pickler", ["cloudpickle", "dill"])
def test_a_hooked_function_within_another_is_pickled_by_value_as_it_was(
    pickler: str, make_module, instrumented, tracing
):
    library = pytest.importorskip(pickler)
    module = make_module(HOST)
    with instrumented('spans: {total: {around: "HOST:Cart.checkout.<locals>.total"}}', module):
        data = library.dumps(module.Cart().checkout(4))
        assert tracing.names == []
    assert library.loads(data)() == 8
    assert b"instrumentation" not in data


def test_a_name_that_no_function_defines_is_reported_with_the_one_that_was_intended(make_module, instrumented, logged):
    module = make_module(HOST)
    wrong = {
        "make.<locals>.ad": "make.<locals>.add",
        "make.<locals>.Base.<locals>.run": "make.<locals>.Base.run",
        "make.add": "make.<locals>.add",
        "retry.<locals>.wrapper": "retry.<locals>.decorate.<locals>.wrapper",
        "cached.inner": "cached.<locals>.inner",
        "Cart.checkout.total": "Cart.checkout.<locals>.total",
        "early.<locals>.x": None,
    }
    for path, intended in wrong.items():
        with instrumented(f'spans: {{inner: {{around: "HOST:{path}"}}}}', module):
            message = logged()[-1]
        assert "hooks on it are inactive" in message
        assert (intended is None) == ("did you mean" not in message), message
        assert intended is None or f'did you mean "{intended}"?' in message
