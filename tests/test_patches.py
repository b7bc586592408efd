"""Patching: which targets are patched, which are refused and reported, and that removal leaves nothing behind."""

import asyncio
from typing import Any

import pytest
import wrapt

from .conftest import start_instrumentor

CART = """
class Cart:
    def checkout(self, lines=3): return lines
    def cancel(self): return "cancelled"
    @staticmethod
    def price(item): return item
"""
SPEC = 'spans: {checkout: {around: "HOST:Cart.checkout"}}'


def test_a_missing_target_is_reported_once_with_its_line_and_other_rules_work(
    make_module, instrumented, tracing, logged
):
    module = make_module(CART)
    spec = """
    spans:
      gone: {around: "HOST:Cart.chekout"}
      lost: {around: "HOST:Basket.checkout"}
      kept:
        around: HOST:Cart.cancel
        attributes:
          cart: slef.lines
          kind: type_name(self)
    """
    with instrumented(spec, module):
        assert module.Cart().cancel() == "cancelled"
    assert tracing.span.attributes == {"kind": "Cart"}
    gone, lost, unknown = logged()
    assert "spec.yaml:4:18: error[target-missing]" in gone
    assert 'did you mean "checkout"?' in gone
    assert f"{module.__name__} has no Basket" in lost
    assert "spec.yaml:9:13: error[unknown-name]" in unknown
    assert 'did you mean "self"?' in unknown


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("Number.bit_length", "cannot be patched"),
        ("Cart", "is a class: hook one of its methods"),
        ("Cart.limit", "is of type int, which cannot be called"),
        ("Cart.checkout.name", "has no name"),
        ("look_up", "uses the frame of its caller"),
        ("cart.checkout", "HOST.cart has no checkout of its own, only that of its class: hooks on it are inactive"),
        ("cart.checkout", "help: hook HOST:Cart.checkout"),
        ("lines.append", "HOST.lines has no append of its own, only that of its class"),
        ("lines.appendd", "HOST.lines has no appendd"),
    ],
)
def test_a_target_that_cannot_be_patched_is_reported_with_a_reason(
    target: str, reason: str, make_module, instrumented, logged
):
    module = make_module(CART + "    limit = 5\nNumber = int\nlook_up = eval\ncart, lines = Cart(), []\n")
    with instrumented(f'spans: {{a: {{around: "HOST:{target}"}}}}', module):
        assert module.Cart().checkout() == 3
    (message,) = logged()
    assert "spec.yaml:3:21: error[" in message
    assert reason.replace("HOST", module.__name__) in message


def test_another_tools_wrapper_below_ours_receives_the_same_calls(make_module, instrumented, tracing):
    module = make_module(CART + "    async def ship(self, to): return to\n")
    seen = []

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append((type(instance).__name__, args, kwargs))
        return wrapped(*args, **kwargs)

    for name in ("checkout", "price", "ship"):
        wrapt.wrap_function_wrapper(module, f"Cart.{name}", theirs)
    spec = """
    spans:
      checkout: {around: "HOST:Cart.checkout", attributes: {lines: lines, who: type_name(self), result: result}}
      ship: {around: "HOST:Cart.ship", attributes: {to: to, result: result}}
    """
    with instrumented(spec, module):
        assert module.Cart().checkout(5) == 5
        assert module.Cart.price(2) == 2
        assert asyncio.run(module.Cart().ship(to="home")) == "home"
    assert seen == [("Cart", (5,), {}), ("NoneType", (2,), {}), ("Cart", (), {"to": "home"})]
    assert [dict(span.attributes) for span in tracing.spans] == [
        {"lines": 5, "who": "Cart", "result": 5},
        {"to": "home", "result": "home"},
    ]


def test_another_tools_wrapper_above_ours_stays_and_ours_passes_through(make_module, spec_file, tracing):
    module = make_module(CART)
    original = module.Cart.checkout
    instrumentor = start_instrumentor(tracing, spec_file(SPEC, module))
    calls = []

    @wrapt.decorator
    def theirs(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        calls.append(args)
        return wrapped(*args, **kwargs)

    module.Cart.checkout = above = theirs(module.Cart.checkout)
    assert module.Cart().checkout(1) == 1
    instrumentor.uninstrument()
    assert module.Cart().checkout(2) == 2
    assert vars(module.Cart)["checkout"] is above
    assert (calls, tracing.names) == ([(1,), (2,)], ["checkout"])
    assert original(module.Cart()) == 3


@pytest.mark.parametrize("kind", ["", "@staticmethod", "@classmethod", "@property"])
def test_two_specs_can_hook_the_same_callable_and_both_are_removed(kind: str, make_module, instrumented, tracing):
    module = make_module(f"class Cart:\n    {kind}\n    def total(self=None): return 1")
    specs = [f'spans: {{{name}: {{around: "HOST:Cart.total"}}}}' for name in ("inner", "middle", "outer")]
    with instrumented(specs, module):
        total = module.Cart().total
        assert (total if kind == "@property" else total()) == 1
    assert tracing.names == ["inner", "middle", "outer"]
    assert tracing.spans[0].parent.span_id == tracing.spans[1].context.span_id


def test_instrumenting_twice_patches_once(make_module, instrumented, tracing, spec_file):
    module = make_module(CART)
    with instrumented(SPEC, module) as instrumentor:
        instrumentor.instrument(tracer_provider=tracing.provider, specs=[spec_file(SPEC, module, "again.yaml")])
        module.Cart().checkout()
    assert len(tracing.spans) == 1
    with instrumented(SPEC, module):
        module.Cart().checkout()
    assert len(tracing.spans) == 2


def test_a_call_in_progress_when_instrumentation_is_removed_still_ends_its_span(make_module, instrumented, tracing):
    module = make_module("""
        import types
        @types.coroutine
        def pause(): yield
        async def wait(): await pause(); return 1
        def steps(): yield 1; yield 2
        async def asteps(): yield 1; await pause(); yield 2
        async def key(k): await pause(); return k
    """)
    spec = """
    spans:
      wait: {around: "HOST:wait"}
      steps: {around: "HOST:steps"}
      asteps: {around: "HOST:asteps"}
      key: {around: "HOST:key", key: k}
    """
    with instrumented(spec, module) as instrumentor:
        steps, asteps = module.steps(), module.asteps()
        assert next(steps) == 1
        with pytest.raises(StopIteration, match="1"):
            asteps.__anext__().send(None)

        async def waiting() -> list[Any]:
            tasks = [asyncio.ensure_future(module.wait()), asyncio.ensure_future(module.key("k"))]
            await asyncio.sleep(0)
            instrumentor.uninstrument()
            return await asyncio.gather(*tasks)

        assert asyncio.run(waiting()) == [1, "k"]
        assert list(steps) == [2]
        with pytest.raises(StopIteration):
            asteps.aclose().send(None)
        assert list(module.steps()) == [1, 2]
    assert sorted(tracing.names) == ["asteps", "key", "steps", "wait"]
    assert tracing.named("key").attributes == {"instrument.end": "shutdown"}
