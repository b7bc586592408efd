"""The span of a call that returns something unfinished lasts until that has finished, and is current while it runs."""

import asyncio
import gc
import inspect
import io
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from tests.processes import PACKAGE

HOST = """
import asyncio, contextlib, functools, itertools, threading, types
from concurrent.futures import Future, ThreadPoolExecutor

class Order:
    total = 7

def work(): pass

def through(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner

@through
async def coroutine(fails=None):
    await asyncio.sleep(0)
    work()
    if fails: raise fails
    return Order()

@through
@types.coroutine
def old_coroutine(fails=None):
    yield
    work()
    if fails: raise fails
    return Order()

class Call:
    def __init__(self, fails): self.fails, self.awaited = fails, 0
    def __await__(self):
        self.awaited += 1
        return coroutine.__wrapped__(self.fails).__await__()

class Request(Call):
    async def __aenter__(self): return await self
    async def __aexit__(self, *raised): work()

def awaitable(fails=None): return Call(fails)
def request(fails=None): return Request(fails)
def task(fails=None): return asyncio.ensure_future(coroutine.__wrapped__(fails))
def thread_future(fails=None): return POOL.submit(settle, fails)
def settle(fails=None):
    work()
    if fails: raise fails
    return Order()
POOL = ThreadPoolExecutor(1)

def generator(fails=None): return items(fails)
def items(fails=None):
    work()
    yield 1
    work()
    yield 2
    if fails: raise fails
    return Order()

def asynchronous_generator(fails=None): return asynchronous_items(fails)
async def asynchronous_items(fails=None):
    work()
    yield 1
    await asyncio.sleep(0)
    work()
    yield 2
    if fails: raise fails

def mapped(fails=None): return map(functools.partial(item, fails), (1, 2, 3))
def item(fails, number):
    if number == 3:
        if fails: raise fails
        return 3
    work()
    return number

@contextlib.contextmanager
def block(fails=None):
    work()
    yield Order()
    work()
    if fails: raise fails

@contextlib.asynccontextmanager
async def asynchronous_block(fails=None):
    await asyncio.sleep(0)
    work()
    yield Order()
    await asyncio.sleep(0)
    work()
    if fails: raise fails
"""


async def _await(module: Any, name: str, fails: Any) -> Any:
    return await getattr(module, name)(fails)


async def _future(module: Any, name: str, fails: Any) -> Any:
    try:
        return await asyncio.wrap_future(getattr(module, name)(fails))
    finally:
        module.POOL.submit(int).result()  # once the thread has called all that waits for the result


async def _iterate(module: Any, name: str, fails: Any) -> Any:
    assert list(getattr(module, name)(fails))[:2] == [1, 2]
    return None


async def _iterate_asynchronously(module: Any, name: str, fails: Any) -> Any:
    assert [each async for each in getattr(module, name)(fails)] == [1, 2]
    return None


async def _with(module: Any, name: str, fails: Any) -> Any:
    with getattr(module, name)(fails) as given:
        module.work()
        return given


async def _async_with(module: Any, name: str, fails: Any) -> Any:
    async with getattr(module, name)(fails) as given:
        module.work()
        return given


#: How the program uses what each function returns, how often `work` runs meanwhile, and whether it sees the result.
USES: dict[str, tuple[Callable[..., Any], int, bool]] = {
    "coroutine": (_await, 1, True),
    "old_coroutine": (_await, 1, True),
    "awaitable": (_await, 1, True),
    "task": (_await, 1, True),
    "thread_future": (_future, 1, True),
    "generator": (_iterate, 2, True),
    "asynchronous_generator": (_iterate_asynchronously, 2, False),
    "mapped": (_iterate, 2, False),
    "block": (_with, 3, True),
    "asynchronous_block": (_async_with, 3, True),
}
SPEC = """
hooks: {NAME: {call: "HOST:NAME"}, work: {call: "HOST:work"}}
spans:
  followed: {around: NAME, attributes: {total: result.total}}
  work: {around: work}
  returned: {at: NAME.return}
  raised: {at: NAME.raise}
"""


@pytest.mark.parametrize("name", USES)
def test_the_span_lasts_until_the_result_has_finished_and_is_current_meanwhile(
    name: str, make_module, instrumented, tracing, logged
):
    module = make_module(HOST)
    use, works, has_result = USES[name]
    with instrumented(SPEC.replace("NAME", name), module):
        asyncio.run(use(module, name, None))
    followed = tracing.named("followed")
    assert tracing.names == [*["work"] * works, "returned", "followed"]
    if name != "thread_future":  # the program has not passed the context on to the thread
        parents = {span.parent and span.parent.span_id for span in tracing.spans if span.name == "work"}
        assert parents == {followed.context.span_id}
    assert tracing.named("returned").parent.span_id == followed.context.span_id
    assert followed.attributes == ({"total": 7} if has_result else {})
    assert followed.status.status_code is StatusCode.UNSET
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert logged() == []


@pytest.mark.parametrize("name", USES)
def test_an_exception_of_the_result_is_that_of_the_call(name: str, make_module, instrumented, tracing, logged):
    module = make_module(HOST)
    use, works, _ = USES[name]
    error = ValueError("no")
    with instrumented(SPEC.replace("NAME", name), module):
        with pytest.raises(ValueError, match="no") as caught:
            asyncio.run(use(module, name, error))
    assert caught.value is error
    assert tracing.names == [*["work"] * works, "raised", "followed"]
    assert tracing.named("followed").status.description == "ValueError: no"
    assert [event.name for event in tracing.named("followed").events] == ["exception"]
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert logged() == []


@pytest.mark.parametrize("name", USES)
def test_with_follow_result_false_the_span_ends_when_the_call_returns(name: str, make_module, instrumented, tracing):
    module = make_module(HOST)
    use, _, _ = USES[name]
    spec = SPEC.replace("around: NAME,", "around: NAME, follow_result: false,").replace("NAME", name)
    with instrumented(spec, module):
        asyncio.run(use(module, name, None))
    names = [each for each in tracing.names if each != "work"]
    assert names == ["returned", "followed"]
    followed = tracing.named("followed")
    inside = [span for span in tracing.spans if span.parent and span.parent.span_id == followed.context.span_id]
    # A task copies the context of the call.
    assert {span.name for span in inside} == ({"returned", "work"} if name == "task" else {"returned"})


@pytest.mark.parametrize("name", ["task", "thread_future", "block", "asynchronous_block"])
def test_what_can_be_changed_in_place_is_the_object_that_the_function_returned(name: str, make_module, instrumented):
    module = make_module(HOST)
    returned: list[Any] = []
    original = getattr(module, name)

    def keeping(*args: Any) -> Any:
        returned.append(original(*args))
        return returned[-1]

    setattr(module, name, keeping)

    async def use() -> None:
        result = getattr(module, name)(None)
        assert result is returned[0]
        if name == "task":
            await result
        elif name == "thread_future":
            result.result()

    with instrumented(SPEC.replace("NAME", name), module):
        asyncio.run(use())


def test_an_object_that_stands_for_another_has_its_type_name_and_state(make_module, instrumented):
    module = make_module(HOST)
    with instrumented("".join(SPEC.replace("NAME", "coroutine")), module):
        coroutine = module.coroutine()
        assert (type(coroutine), coroutine.__name__, coroutine.__qualname__) == (
            types.CoroutineType,
            "coroutine",
            "coroutine",
        )
        assert asyncio.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
        coroutine.close()
    with instrumented(SPEC.replace("NAME", "generator"), module):
        generator = module.generator()
        assert (type(generator), generator.__name__) == (types.GeneratorType, "items")
        assert inspect.getgeneratorstate(generator) == inspect.GEN_CREATED
        assert not inspect.isawaitable(generator)
        assert next(generator) == 1 and inspect.getgeneratorstate(generator) == inspect.GEN_SUSPENDED
        generator.close()
    with instrumented(SPEC.replace("NAME", "old_coroutine"), module):
        assert inspect.isawaitable(module.old_coroutine())


def test_a_started_generator_accepts_a_value_at_once(make_module, instrumented, tracing):
    module = make_module("""
        def collect():
            total = 0
            while True:
                added = yield total
                if added is None: return total
                total += added
        def started():
            generator = collect()
            next(generator)
            return generator
        def ended():
            generator = collect()
            generator.close()
            return generator
    """)
    with instrumented(
        'spans: {a: {around: "HOST:started", attributes: {r: result}}, b: {around: "HOST:ended"}}', module
    ):
        generator = module.started()
        assert [generator.send(2), generator.send(3)] == [2, 5]
        assert tracing.spans == ()
        with pytest.raises(StopIteration) as stop:
            generator.send(None)
        assert stop.value.value == tracing.named("a").attributes["r"] == 5
        assert list(module.ended()) == []
        assert "b" in tracing.names


def test_a_coroutine_that_is_never_awaited_is_warned_about_once(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "coroutine"), module):
        gc.collect()  # what other tests have left may warn too
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module.coroutine()
            gc.collect()
    assert [str(warning.message) for warning in caught] == ["coroutine 'coroutine' was never awaited"]
    caught.clear()  # a warning keeps its coroutine
    span = tracing.named("followed")
    assert (dict(span.attributes), span.status.status_code) == ({"instrument.end": "dropped"}, StatusCode.UNSET)


def test_a_coroutine_that_the_program_keeps_can_still_be_awaited(make_module, instrumented):
    module = make_module("""
        kept = []
        async def inner(): return 7
        def start():
            kept.append(inner())
            return kept[-1]
    """)
    with instrumented('spans: {start: {around: "HOST:start"}}', module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module.start()
            gc.collect()

    async def use() -> Any:
        return await module.kept[0]

    assert asyncio.run(use()) == 7


@pytest.mark.parametrize("name", ["generator", "mapped", "asynchronous_generator", "awaitable", "block"])
def test_an_object_that_is_dropped_unused_ends_its_span(name: str, make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", name), module):
        getattr(module, name)()
        gc.collect()
        span = tracing.span
    assert (span.name, dict(span.attributes)) == ("followed", {"instrument.end": "dropped"})
    assert span.status.status_code is StatusCode.UNSET


def test_an_iterator_that_is_dropped_in_the_middle_ends_its_span(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "generator"), module):
        for _ in module.generator():
            break
        assert tracing.named("followed").status.status_code is StatusCode.UNSET
        tracing.exporter.clear()
    with instrumented(SPEC.replace("NAME", "mapped"), module):
        iterator = iter(module.mapped())
        next(iterator)
        del iterator
        assert tracing.named("followed").attributes == {"instrument.end": "dropped"}


def test_what_is_unfinished_when_instrumentation_is_removed_still_ends_its_span(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "generator"), module):
        generator = module.generator()
        next(generator)
    assert list(generator) == [2]
    assert "followed" in tracing.names


def test_a_cancelled_result_is_a_cancelled_call(make_module, instrumented, tracing, logged):
    module = make_module("""
        import asyncio
        from concurrent.futures import Future
        def start(): return asyncio.ensure_future(asyncio.sleep(10))
        def through(function):
            return lambda: function()
        async def wait(): await asyncio.sleep(10)
        waiting = through(wait)
        def pending(): return Future()
    """)
    spec = """
    spans:
      task: {around: "HOST:start", attributes: {type: type_name(error)}}
      coroutine: {around: "HOST:waiting", attributes: {type: type_name(error)}}
      future: {around: "HOST:pending", attributes: {type: type_name(error)}}
    """

    async def cancelled(waiting: Any) -> None:
        task = asyncio.ensure_future(waiting)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with instrumented(spec, module):
        asyncio.run(cancelled_after_start(cancelled, module))
        assert module.pending().cancel()
    assert {span.name: span.attributes["type"] for span in tracing.spans} == dict.fromkeys(
        ("task", "coroutine", "future"), "CancelledError"
    )
    assert logged() == []


async def cancelled_after_start(cancelled: Callable[[Any], Any], module: Any) -> None:
    await cancelled(module.start())
    await cancelled(module.waiting())


def test_an_exception_that_nobody_retrieves_is_still_logged_by_asyncio(make_module, instrumented, tracing):
    module = make_module(HOST)
    reported: list[Any] = []

    async def use() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["message"]))
        module.task(ValueError("no"))
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()

    with instrumented(SPEC.replace("NAME", "task"), module):
        asyncio.run(use())
    assert tracing.named("followed").status.description == "ValueError: no"
    assert reported == ["Task exception was never retrieved"]


def test_a_result_that_has_finished_already_ends_the_span_at_once(make_module, instrumented, tracing):
    module = make_module("""
        from concurrent.futures import Future
        def completed():
            future = Future()
            future.set_result([1])
            return future
    """)
    with instrumented('spans: {completed: {around: "HOST:completed", attributes: {n: len(result)}}}', module):
        assert module.completed().result() == [1]
        assert tracing.span.attributes == {"n": 1}


def test_a_future_without_a_known_outcome_ends_the_span_when_it_is_done(make_module, instrumented, tracing):
    module = make_module("""
        class Deferral:
            def __init__(self): self.callbacks, self.code = [], 3
            def add_done_callback(self, callback): self.callbacks.append(callback)
            def done(self): return False
            def finish(self):
                for callback in self.callbacks: callback(self)
        def defer(): return Deferral()
    """)
    with instrumented('spans: {defer: {around: "HOST:defer", attributes: {code: result.code}}}', module):
        deferral = module.defer()
        assert tracing.spans == ()
        deferral.finish()
        assert tracing.span.attributes == {"code": 3}


def test_an_object_that_is_awaitable_and_a_context_manager_ends_as_it_is_used(make_module, instrumented, tracing):
    module = make_module(HOST)

    async def use() -> None:
        assert (await module.request()).total == 7
        assert tracing.names == ["work", "returned", "followed"]
        tracing.exporter.clear()
        async with module.request() as order:
            assert order.total == 7
            assert tracing.names == ["work"]
            module.work()
        assert tracing.names == ["work", "work", "work", "returned", "followed"]
        assert {span.parent and span.parent.span_id for span in tracing.spans} == {
            tracing.named("followed").context.span_id,
            None,
        }

    with instrumented(SPEC.replace("NAME", "request"), module):
        asyncio.run(use())
    assert tracing.named("followed").attributes == {"total": 7}


def test_a_proxy_of_an_awaitable_is_like_its_object(make_module, instrumented):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "awaitable"), module):
        call = module.awaitable()
        assert isinstance(call, module.Call) and call.__class__ is module.Call
        assert (call.awaited, call.fails, vars(call)) == (0, None, {"fails": None, "awaited": 0})
        call.note = "kept"
        assert "note" in dir(call) and call == call and {call: 1}[call] == 1
        assert repr(call).startswith(f"<{module.__name__}.Call object")
        assert not hasattr(call, "__iter__") and not hasattr(call, "__enter__") and not callable(call)
        with pytest.raises(AttributeError):
            call.missing  # noqa: B018

        async def use() -> Any:
            return [await call, await call]

        assert [order.total for order in asyncio.run(use())] == [7, 7]
        assert call.awaited == 2


HELD = """
import asyncio

class Pool:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 7
    def limit(self, number): return self
    async def run(self): return 7

class Started(Pool):
    def __init__(self): self.running, self.all = self.run(), [self]
    def __await__(self): return self.running.__await__()

pool, named = Pool(), {}
numbers, coroutine = (number for number in range(3)), pool.run()

def get_pool(): return pool
def get_named(name): return named.setdefault(name, Pool())
def get_numbers(): return numbers
def get_coroutine(): return coroutine
def passed_on(*pools): return pools[0]
def new(): return Pool()
def started(): return Started()
def run(): return Pool().run()
"""


def test_a_result_that_the_program_holds_already_is_returned_itself(make_module, instrumented, tracing):
    module = make_module(HELD)
    names = ["get_pool", "get_named", "get_numbers", "get_coroutine", "passed_on", "Pool.limit"]
    names += ["new", "started", "run"]
    spans = [f's{index}: {{around: "HOST:{name}", attributes: {{r: result}}}}' for index, name in enumerate(names)]
    with instrumented(f"spans: {{{', '.join(spans)}}}", module):
        pool = module.pool
        assert module.get_pool() is module.passed_on(pool, 1) is pool.limit(3) is pool
        assert module.get_named("a") is module.named["a"]
        assert module.get_numbers() is module.numbers and module.get_coroutine() is module.coroutine
        module.coroutine.close()
        assert len(tracing.spans) == 6

        async def use() -> list[int]:
            return [await module.new(), await module.started(), await module.run()]

        assert asyncio.run(use()) == [7, 7, 7]
    # A new object is followed, also if it refers to itself.
    assert [span.attributes["r"] for span in tracing.spans[6:]] == [7, 7, 7]
    assert all("instrument.end" not in span.attributes for span in tracing.spans)


def test_a_new_result_is_followed_while_a_debugger_reads_all_locals(make_module, instrumented, tracing):
    def trace_function(frame: types.FrameType, _event: str, _value: object) -> Any:
        frame.f_locals  # noqa: B018
        return trace_function

    module = make_module(HELD)
    names = ("new", "started", "run")
    spans = ", ".join(f'{name}: {{around: "HOST:{name}", attributes: {{r: result}}}}' for name in names)

    async def use() -> list[int]:
        return [await module.new(), await module.started(), await module.run()]

    before = sys.gettrace()
    with instrumented(f"spans: {{{spans}}}", module):
        sys.settrace(trace_function)
        try:
            assert asyncio.run(use()) == [7, 7, 7]
        finally:
            sys.settrace(before)
    module.coroutine.close()
    assert [dict(span.attributes) for span in tracing.spans] == [{"r": 7}] * 3


def test_a_result_that_the_program_holds_is_followed_on_request(make_module, instrumented, tracing):
    module = make_module(HELD)
    spec = 'spans: {s: {around: "HOST:get_pool", follow_result: true, attributes: {r: result}}}'

    async def use() -> int:
        return await module.get_pool()  # type: ignore[no-any-return]

    with instrumented(spec, module):
        assert asyncio.run(use()) == 7
    module.coroutine.close()
    assert [dict(span.attributes) for span in tracing.spans] == [{"r": 7}]


@pytest.mark.parametrize(
    "text", ["[1]", "iter([1])", "'text'", "{}", "open(__file__)", "range(3)", "itertools.count()", "threading.Lock()"]
)
def test_ordinary_results_are_returned_as_they_are(text: str, make_module, instrumented, tracing):
    module = make_module(f"import itertools, threading\n__file__ = {__file__!r}\ndef make(): return {text}")
    native = module.make()
    with instrumented('spans: {make: {around: "HOST:make"}}', module):
        result = module.make()
        assert type(result) is type(native)
        assert tracing.names == ["make"]
    for each in (native, result):
        if hasattr(each, "close"):
            each.close()


def test_a_block_can_be_entered_in_one_task_and_left_in_another(make_module, instrumented, tracing, logged):
    module = make_module(HOST)

    async def use() -> None:
        manager = module.asynchronous_block()
        await asyncio.ensure_future(manager.__aenter__())
        await asyncio.ensure_future(manager.__aexit__(None, None, None))
        assert trace.get_current_span() is trace.INVALID_SPAN

    with instrumented(SPEC.replace("NAME", "asynchronous_block"), module):
        asyncio.run(use())
    assert tracing.names == ["work", "work", "returned", "followed"]
    assert logged() == []


def test_blocks_may_overlap(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "block"), module):
        first, second = module.block(), module.block()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert tracing.names.count("followed") == 2


def test_a_span_that_the_context_manager_makes_current_is_the_one_in_its_block(make_module, instrumented, tracing):
    module = make_module("""
        import contextlib
        tracer = None
        @contextlib.contextmanager
        def block():
            with tracer.start_as_current_span("theirs"):
                yield
        def items():
            with tracer.start_as_current_span("theirs"):
                yield
                work()
        def generator(): return items()
        def work(): pass
    """)
    module.tracer = tracing.provider.get_tracer("theirs")
    with instrumented('spans: {work: {around: "HOST:work"}, block: {around: "HOST:block"}}', module):
        with module.block():
            module.work()
        work, theirs, block = tracing.spans
        assert (work.parent.span_id, theirs.parent.span_id) == (theirs.context.span_id, block.context.span_id)
    tracing.exporter.clear()
    with instrumented('spans: {work: {around: "HOST:work"}, generator: {around: "HOST:generator"}}', module):
        for _ in module.generator():
            assert trace.get_current_span() is trace.INVALID_SPAN
        work, theirs, block = tracing.spans
        assert (work.parent.span_id, theirs.parent.span_id) == (theirs.context.span_id, block.context.span_id)


def test_a_context_manager_that_swallows_the_exception_of_its_block_has_not_failed(make_module, instrumented, tracing):
    module = make_module("""
        import contextlib
        @contextlib.contextmanager
        def quiet():
            try: yield
            except KeyError: pass
    """)
    with instrumented('spans: {quiet: {around: "HOST:quiet"}}', module):
        with module.quiet():
            raise KeyError("k")
        with pytest.raises(ValueError, match="v"), module.quiet():
            raise ValueError("v")
    assert [span.status.description for span in tracing.spans] == [None, "ValueError: v"]


def test_each_call_of_a_function_decorated_with_a_context_manager_is_recorded(
    make_module, instrumented, tracing, logged
):
    module = make_module("""
        import contextlib
        @contextlib.contextmanager
        def block(name="b"):
            yield name
        @contextlib.asynccontextmanager
        async def ablock(*, name):
            yield name
        def work(): pass
        @block("early")
        def early(number): return number
    """)
    spec = """spans: {block: {around: "HOST:block", attributes: {name: name, given: result}},
      ablock: {around: "HOST:ablock", attributes: {name: name}}, work: {around: "HOST:work"}}"""

    def decorated(number: int) -> int:
        module.work()
        return number

    async def adecorated(number: int) -> int:
        return decorated(number)

    with instrumented(spec, module):
        calls, acalls = module.block("x")(decorated), module.ablock(name="y")(adecorated)
        assert [calls(1), calls(2), asyncio.run(acalls(3)), module.early(4)] == [1, 2, 3, 4]
    ended = [(s.name, dict(s.attributes)) for s in tracing.spans if "instrument.end" not in s.attributes]
    block, ablock, work = ("block", {"name": "x", "given": "x"}), ("ablock", {"name": "y"}), ("work", {})
    early = ("block", {"name": "early", "given": "early"})
    assert ended == [work, block, work, block, work, ablock, early]
    tracing.exporter.clear()
    assert [calls(4), module.early(5)] == [4, 5]
    assert tracing.names == []
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert logged() == []


def test_a_context_manager_that_another_function_has_made_is_reported_if_it_is_used_as_a_decorator(
    make_module, instrumented, tracing, logged
):
    module = make_module("""
        import contextlib
        @contextlib.contextmanager
        def block():
            yield
        def followed(): return block()
    """)
    with instrumented('spans: {followed: {around: "HOST:followed"}}', module):
        decorated = module.followed()(lambda number: number)
        assert [decorated(1), decorated(2)] == [1, 2]
        assert tracing.named("followed").attributes == {"instrument.end": "dropped"}
    (message,) = logged()
    assert "the context manager is used as a decorator, and the calls of the decorated function are not" in message


def test_a_span_started_on_entering_a_block_is_current_until_it_ends_on_leaving_it(
    make_module, instrumented, tracing, logged
):
    module = make_module("""
        class Connection:
            def __init__(self, fails=False): self.fails = fails
            def __enter__(self):
                work()
                if self.fails: raise OSError("unreachable")
                return self
            def __exit__(self, *raised): work()
            async def __aenter__(self):
                work()
                return self
            async def __aexit__(self, *raised): work()
        def work(): pass
    """)
    spec = """
    hooks:
      entered: {call: "HOST:Connection.__enter__"}
      left: {call: "HOST:Connection.__exit__"}
      entered_async: {call: "HOST:Connection.__aenter__"}
      left_async: {call: "HOST:Connection.__aexit__"}
    spans:
      connection: {key: self, start: [entered.enter, entered_async.enter], end: [left.exit, left_async.exit]}
      work: {around: "HOST:work"}
    """

    async def use() -> None:
        async with module.Connection():
            await asyncio.sleep(0)
            module.work()

    with instrumented(spec, module):
        with module.Connection():
            module.work()
        assert trace.get_current_span() is trace.INVALID_SPAN
        asyncio.run(use())
        with pytest.raises(OSError, match="unreachable"), module.Connection(fails=True):
            pass
        assert trace.get_current_span() is trace.INVALID_SPAN
        first, second = module.Connection(), module.Connection()
        first.__enter__(), second.__enter__()
        first.__exit__(), second.__exit__()
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert tracing.names == [
        *["work", "work", "work", "connection"] * 2,
        *["work", "connection"],
        *["work", "work", "work", "connection", "work", "connection"],
    ]
    connections = {span.context.span_id for span in tracing.spans if span.name == "connection"}
    assert {span.parent.span_id for span in tracing.spans if span.name == "work"} <= connections
    assert [span.status.description for span in tracing.spans if span.status.description] == ["OSError: unreachable"]
    assert logged() == []


def test_an_iterator_may_be_used_in_another_thread(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "mapped"), module):
        iterator = module.mapped()
        assert next(iterator) == 1
        thread = threading.Thread(target=list, args=(iterator,))
        thread.start()
        thread.join()
    followed = tracing.named("followed")
    assert {span.parent.span_id for span in tracing.spans if span.parent} == {followed.context.span_id}


def test_names_of_a_hook_can_be_read_when_the_result_has_finished(make_module, instrumented, tracing):
    module = make_module("""
        async def inner(order): return order
        def pay(order, *rest): return inner(order)
    """)
    spec = """
    hooks: {pay: {call: "HOST:pay", when: order > 1, unpack: [card], names: {double: order * 2}}}
    spans:
      pay: {around: pay, attributes: {order: order, card: card, double: double, result: result}}
      paid: {at: pay.return, attributes: {double: double}}
    """
    with instrumented(spec, module):
        assert [asyncio.run(module.pay(2, "visa")), asyncio.run(module.pay(1, "visa"))] == [2, 1]
    assert tracing.names == ["paid", "pay"]
    assert tracing.named("pay").attributes == {"order": 2, "card": "visa", "double": 4, "result": 2}


def test_hooks_on_one_callable_may_differ(make_module, instrumented, tracing):
    module = make_module("""
        async def inner(): return 7
        def pay(): return inner()
    """)
    spec = """
    hooks:
      call: {call: "HOST:pay", follow_result: false}
      payment: {call: "HOST:pay"}
      all: {call: "HOST:pay", follow_result: true}
    spans:
      call: {around: call}
      payment: {around: payment, attributes: {total: result}}
      all: {around: all, attributes: {total: result}}
    """
    with instrumented(spec, module):
        coroutine = module.pay()
        assert tracing.names == ["call"]
        assert asyncio.run(coroutine) == 7
    assert tracing.names == ["call", "all", "payment"]
    assert [span.attributes.get("total") for span in tracing.spans] == [None, 7, 7]


def test_a_context_value_follows_the_result_of_the_call_and_nothing_else(make_module, instrumented, tracing):
    module = make_module("""
        async def inner(): work()
        def pay(order): return inner()
        def work(): pass
    """)
    spec = """
    hooks: {pay: {call: "HOST:pay"}}
    context: {paid: {during: pay, value: order}}
    spans: {pay: {around: pay}, work: {around: "HOST:work", attributes: {paid: paid}}}
    """
    with instrumented(spec, module):
        coroutine = module.pay(1)
        module.work()
        asyncio.run(coroutine)
    assert [span.attributes.get("paid") for span in tracing.spans if span.name == "work"] == [None, 1]


# ── On request ──

STREAM = """
class Stream:
    def __init__(self, fails=None): self.number, self.fails, self.closed = 0, fails, False
    def __iter__(self): return self
    def __next__(self):
        work()
        self.number += 1
        if self.number == 3:
            if self.fails: raise self.fails
            raise StopIteration
        return self.number
    def __enter__(self): return self
    def __exit__(self, *raised): self.close()
    def close(self): self.closed = True
class AsyncStream:
    def __init__(self): self.number, self.closed = 0, False
    def __aiter__(self): return self
    async def __anext__(self):
        work()
        self.number += 1
        if self.number == 3: raise StopAsyncIteration
        return self.number
    async def __aenter__(self): return self
    async def __aexit__(self, *raised): await self.aclose()
    async def aclose(self): self.closed = True
class Lines:
    def close(self): pass
    def __iter__(self):
        for number in (1, 2):
            work()
            yield number
def work(): pass
def read(fails=None): return Stream(fails)
def read_lines(): return Lines()
async def create(): return AsyncStream()
def decorated(): return create()
"""
STREAMED = """
spans:
  read: {around: "HOST:read", follow_result: true, attributes: {number: result.number}}
  lines: {around: "HOST:read_lines", follow_result: true}
  create: {around: "HOST:create", follow_result: true, attributes: {number: result.number}}
  work: {around: "HOST:work"}
"""


def test_a_stream_with_a_close_of_its_own_ends_when_that_is_called(make_module, instrumented, tracing):
    module = make_module("""
        import io, wsgiref.util
        def read(file): return wsgiref.util.FileWrapper(file)
        """)
    file = io.BytesIO(b"order")
    with instrumented('spans: {read: {around: "HOST:read", follow_result: true}}', module):
        wrapper = module.read(file)
        assert wrapper.filelike.read() == b"order" and tracing.spans == ()  # as a server that sends the file itself
        wrapper.close()
        assert file.closed
        assert dict(tracing.span.attributes) == {}


def test_a_stream_is_followed_on_request(make_module, instrumented, tracing):
    module = make_module(STREAM)

    def check(name: str, works: int, attributes: dict[str, Any] | None = None) -> None:
        assert tracing.names == [*["work"] * works, name]
        span = tracing.named(name)
        assert {each.parent.span_id for each in tracing.spans if each.parent} <= {span.context.span_id}
        assert dict(span.attributes) == (attributes or {})
        tracing.exporter.clear()

    async def use_async(call: Callable[[], Any]) -> None:
        stream = await call()
        assert isinstance(stream, module.AsyncStream) and tracing.spans == ()
        assert [each async for each in stream] == [1, 2]
        check("create", 3, {"number": 3})
        async with await call() as stream:
            assert await stream.__anext__() == 1
            module.work()
        check("create", 2, {"number": 1})
        stream = await call()
        await stream.aclose()
        assert stream.closed
        check("create", 0, {"number": 0})

    with instrumented(STREAMED, module):
        assert list(module.read()) == [1, 2]
        check("read", 3, {"number": 3})
        with module.read() as stream:
            assert next(iter(stream)) == 1
            module.work()
        assert stream.closed
        check("read", 2, {"number": 1})
        stream = module.read()
        assert next(stream) == 1
        stream.close()
        assert stream.closed
        check("read", 1, {"number": 1})
        assert list(module.read_lines()) == [1, 2]
        check("lines", 2)
        with pytest.raises(KeyError):
            list(module.read(KeyError("k")))
        assert tracing.named("read").status.description == "KeyError: 'k'"
        tracing.exporter.clear()
        asyncio.run(use_async(module.create))
        asyncio.run(use_async(module.decorated))
    assert trace.get_current_span() is trace.INVALID_SPAN


ITEMS = """
spans:
  read: {around: "HOST:READ", follow_result: true, attributes: {last: last_item, items: item_count, error: error.args}}
"""


ITEM_FUNCTIONS = ["read", "items", "generator", "mapped", "asynchronous_items", "asynchronous_generator"]


@pytest.mark.parametrize("name", ITEM_FUNCTIONS)
def test_the_last_item_and_the_number_of_items_can_be_recorded(name: str, make_module, instrumented, tracing):
    module = make_module(HOST + STREAM)

    async def use(fails: Any) -> None:
        if name.startswith("asynchronous"):
            assert [each async for each in getattr(module, name)(fails)] == [1, 2]
        else:
            assert [*getattr(module, name)(fails)][:2] == [1, 2]

    with instrumented(ITEMS.replace("READ", name), module):
        asyncio.run(use(None))
        with pytest.raises(ValueError, match="no"):
            asyncio.run(use(ValueError("no")))
    finished, failed = tracing.spans
    items = 3 if name == "mapped" else 2
    assert finished.attributes == {"last": items, "items": items}
    assert failed.attributes == {"last": 2, "items": 2, "error": ("no",)}


def test_a_result_without_items_has_no_number_of_items(make_module, instrumented, tracing):
    module = make_module("def make(): return [1]")
    with instrumented(ITEMS.replace("READ", "make"), module):
        assert module.make() == [1]
    assert tracing.span.attributes == {}


def test_an_object_that_can_only_be_iterated_over_is_an_ordinary_result(make_module, instrumented, tracing):
    module = make_module("""
        class Model:
            def __iter__(self): yield ("field", 1)
        def make(): return Model()
    """)
    with instrumented(ITEMS.replace("READ", "make"), module):
        assert type(module.make()) is module.Model


def test_by_default_a_stream_is_an_ordinary_result(make_module, instrumented, tracing):
    module = make_module(STREAM)
    with instrumented(STREAMED.replace("follow_result: true, ", "").replace(", follow_result: true", ""), module):
        assert type(module.read()) is module.Stream
        assert type(asyncio.run(module.create())) is module.AsyncStream
    assert tracing.names == ["read", "create"]


def test_a_future_of_asyncio_written_in_python_is_followed(make_module, instrumented, tracing):
    module = make_module("""
        import asyncio
        def future():
            future = asyncio.futures._PyFuture()
            asyncio.get_running_loop().call_soon(future.set_result, 3)
            return future
    """)

    async def use() -> Any:
        return await module.future()

    with instrumented('spans: {future: {around: "HOST:future", attributes: {n: result}}}', module):
        assert asyncio.run(use()) == 3
    assert tracing.span.attributes == {"n": 3}


def test_results_of_many_classes_are_not_kept_alive(make_module, instrumented):
    module = make_module("""
        import weakref
        def make():
            class Local: pass
            return Local()
    """)
    with instrumented('spans: {make: {around: "HOST:make"}}', module):
        classes = [weakref.ref(type(module.make())) for _ in range(3)]
        gc.collect()
        assert [reference() for reference in classes] == [None, None, None]


MOMENTS = """
hooks: {read: {call: "HOST:READ", follow_result: true}, work: {call: "HOST:work"}}
spans:
  read:
    around: read
    key: '"only"'
    events: {first: {at: read.item, when: item_count == 1, attributes: {item: last_item}}}
  each: {at: read.item, attributes: {number: item_count}}
enrich: {current: {attributes: {latest: {value: last_item, at: read.item}}}}
metrics:
  items: {instrument: counter, at: read.item}
  between: {instrument: histogram, at: read.item, when: previous_item_time, value: clock() - previous_item_time}
  since_last: {instrument: histogram, at: read.return, value: clock() - previous_item_time}
"""


@pytest.mark.parametrize("name", ITEM_FUNCTIONS)
def test_each_item_is_a_moment(name: str, make_module, instrumented, tracing, logged):
    module = make_module(HOST + STREAM)

    async def use() -> None:
        if name.startswith("asynchronous"):
            assert [each async for each in getattr(module, name)()] == [1, 2]
        else:
            assert [*getattr(module, name)()][:2] == [1, 2]

    with instrumented(MOMENTS.replace("READ", name), module):
        asyncio.run(use())
    items = 3 if name == "mapped" else 2
    read = tracing.named("read")
    assert tracing.names == [*["each"] * items, "read"]
    assert [span.attributes["number"] for span in tracing.spans[:-1]] == [*range(1, items + 1)]
    assert {span.parent.span_id for span in tracing.spans[:-1]} == {read.context.span_id}
    assert [(event.name, dict(event.attributes)) for event in read.events] == [("first", {"item": 1})]
    assert read.attributes == {"latest": items}
    assert [point.value for point in tracing.points("items").values()] == [items]
    assert [point.count for point in tracing.points("between").values()] == [items - 1]  # the first has none before
    assert [point.count for point in tracing.points("since_last").values()] == [1]
    assert logged() == []


def test_a_block_leaves_no_reference_cycle(make_module, instrumented, tracing):
    module = make_module(HOST)
    with instrumented(SPEC.replace("NAME", "block"), module):
        with module.block() as order:
            order = weakref.ref(order)
        for _ in range(3):  # the garbage of other tests, some of which leaves more
            gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(3):
                with module.block():
                    pass
            gc.collect()
            ours = [found for found in gc.garbage if type(found).__module__.startswith(PACKAGE)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert ours == []
        assert order() is None


SHOWN_STREAM = """
class Base: pass
class Stream(Base):
    def __iter__(self): return self
    def __next__(self): raise StopIteration
def read(): return Stream()
def show(stream): pass
"""


def test_a_proxy_is_recorded_as_the_object_that_it_stands_for(make_module, instrumented, tracing):
    module = make_module(SHOWN_STREAM)
    spec = """
    spans:
      read: {around: "HOST:read", follow_result: true}
      show: {around: "HOST:show", attributes: {s: stream, type: type_name(stream), is: 'is_a(stream, "Base")'}}
    """
    with instrumented(spec, module):
        stream = module.read()
        assert type(stream) is not module.Stream
        module.show(stream)
        list(stream)
    (show,) = (span for span in tracing.spans if span.name == "show")
    assert dict(show.attributes) == {"s": f"{module.__name__}.Stream", "type": "Stream", "is": True}
