"""Patching: when, where, what is refused and said, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import wrapt

from instrument import DeclarativeInstrumentor

CART = """
class Cart:
    def checkout(self, lines=3): return lines
    def cancel(self): return "cancelled"
    @staticmethod
    def price(item): return item
"""
SPEC = 'spans: {checkout: {around: "HOST:Cart.checkout"}}'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A module that can be imported and has not been; gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def write(source: str) -> str:
        name = f"{tmp_path.name}_module_{len(made)}"
        (tmp_path / f"{name}.py").write_text(source)
        made.append(name)
        return name

    yield write
    for name in made:
        sys.modules.pop(name, None)


def started(tracing: Any, *specs: Path) -> DeclarativeInstrumentor:
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=specs)
    return instrumentor


def test_a_module_that_is_imported_later_is_patched_then(package: Any, tracing: Any, spec_file: Any, said: Any) -> None:
    name = package(CART)
    instrumentor = started(tracing, spec_file(SPEC, name))
    try:
        assert name not in sys.modules
        assert importlib.import_module(name).Cart().checkout() == 3
    finally:
        instrumentor.uninstrument()
    assert (tracing.names, said()) == (["checkout"], [])


def test_a_module_that_is_imported_after_uninstrument_is_left_alone(package: Any, tracing: Any, spec_file: Any) -> None:
    name = package(CART)
    started(tracing, spec_file(SPEC, name)).uninstrument()
    assert not hasattr(importlib.import_module(name).Cart.checkout, "__wrapped__")


def test_a_module_that_is_never_imported_costs_nothing(package: Any, tracing: Any, spec_file: Any, said: Any) -> None:
    name = package("raise RuntimeError('imported')")
    started(tracing, spec_file(SPEC, name)).uninstrument()
    assert name not in sys.modules
    assert said() == []


def test_what_the_library_lacks_is_said_once_with_its_line_and_the_rest_works(
    make_module: Any, instrumented: Any, tracing: Any, said: Any
) -> None:
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
    gone, lost, unknown = said()
    assert "spec.yaml:4:18: error[target-missing]" in gone
    assert 'did you mean "checkout"?' in gone
    assert f"{module.__name__} has no Basket" in lost
    assert "spec.yaml:9:13: error[unknown-name]" in unknown
    assert 'did you mean "self"?' in unknown


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("Number.bit_length", "cannot be patched"),
        ("Cart", "is a class: hook its __init__"),
        ("Cart.limit", "is a int, which cannot be called"),
        ("Cart.checkout.name", "has no name"),
    ],
)
def test_what_cannot_be_patched_is_refused_with_a_reason(
    target: str, reason: str, make_module: Any, instrumented: Any, said: Any
) -> None:
    module = make_module(CART + "    limit = 5\nNumber = int\n")
    with instrumented(f'spans: {{a: {{around: "HOST:{target}"}}}}', module):
        assert module.Cart().checkout() == 3
    (message,) = said()
    assert "spec.yaml:3:21: error[" in message
    assert reason in message


def test_a_function_that_was_taken_by_name_earlier_is_said_aloud(
    make_module: Any, instrumented: Any, tracing: Any, said: Any
) -> None:
    module = make_module("def checkout(): return 1")
    taker = make_module(f"from {module.__name__} import checkout as pay")
    with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module, taker):
        assert (module.checkout(), taker.pay()) == (1, 1)
    assert tracing.names == ["checkout"]
    (message,) = said()
    assert "was imported by name before it could be patched" in message
    assert taker.__name__ in message


def test_somebody_elses_wrapper_below_ours_sees_what_it_always_saw(
    make_module: Any, instrumented: Any, tracing: Any
) -> None:
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


def test_somebody_elses_wrapper_above_ours_stays_and_ours_passes_through(
    make_module: Any, spec_file: Any, tracing: Any
) -> None:
    module = make_module(CART)
    original = module.Cart.checkout
    instrumentor = started(tracing, spec_file(SPEC, module))
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
def test_two_specs_can_hook_one_callable_and_both_are_undone(
    kind: str, make_module: Any, instrumented: Any, tracing: Any
) -> None:
    module = make_module(f"class Cart:\n    {kind}\n    def total(self=None): return 1")
    specs = [f'spans: {{{name}: {{around: "HOST:Cart.total"}}}}' for name in ("inner", "middle", "outer")]
    with instrumented(specs, module):
        total = module.Cart().total
        assert (total if kind == "@property" else total()) == 1
    assert tracing.names == ["inner", "middle", "outer"]
    assert tracing.spans[0].parent.span_id == tracing.spans[1].context.span_id


def test_instrumenting_twice_patches_once_and_again_after_uninstrumenting(
    make_module: Any, instrumented: Any, tracing: Any, spec_file: Any
) -> None:
    module = make_module(CART)
    with instrumented(SPEC, module) as instrumentor:
        instrumentor.instrument(tracer_provider=tracing.provider, specs=[spec_file(SPEC, module, "again.yaml")])
        module.Cart().checkout()
    assert len(tracing.spans) == 1
    with instrumented(SPEC, module):
        module.Cart().checkout()
    assert len(tracing.spans) == 2


def test_a_call_that_runs_while_instrumentation_ends_still_ends_its_span(
    make_module: Any, instrumented: Any, tracing: Any
) -> None:
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


def test_threads_that_import_at_once_find_it_patched_once(package: Any, tracing: Any, spec_file: Any) -> None:
    name = package(CART)
    instrumentor = started(tracing, spec_file(SPEC, name))
    barrier, found = threading.Barrier(8), []

    def use() -> None:
        barrier.wait()
        found.append(importlib.import_module(name).Cart().checkout())

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    instrumentor.uninstrument()
    assert found == [3] * 8
    assert tracing.names == ["checkout"] * 8


def test_a_lazy_module_is_not_woken_by_the_search_for_copies(make_module: Any, instrumented: Any, said: Any) -> None:
    module = make_module("def checkout(): return 1")

    class Lazy(type(sys)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            raise ImportError(f"woken by {name}")

    sys.modules["lazy_for_a_test"] = Lazy("lazy_for_a_test")
    try:
        with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module):
            assert module.checkout() == 1
    finally:
        del sys.modules["lazy_for_a_test"]
    assert said() == []
