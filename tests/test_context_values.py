"""Values that a call carries to everything that it calls, until it ends."""

import asyncio
import contextvars
import threading
from typing import Any

import pytest

HOST = """
import asyncio
class Bus:
    def receive(self, message): return self.handle(message)
    def handle(self, message):
        self.note(1)
        if isinstance(message, BaseException): raise message
        return message
    def note(self, number): return number
    async def areceive(self, message, work): return await work()
    async def again(self, message, work): return await work()
    def give(self, message):
        yield self.note(2)
    async def agive(self, message):
        yield self.note(3)
"""

SPEC = """
hooks:
  receive: {call: "HOST:Bus.receive"}
  areceive: {call: "HOST:Bus.areceive"}
  note: {call: "HOST:Bus.note"}
context:
  received: {during: receive, value: message, when: message != "plain"}
  areceived: {during: areceive, value: message}
spans:
  note: {at: note.enter, attributes: {sync: str(received), async: str(areceived), number: number}}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def noted(tracing: Any, key: str = "async") -> list[Any]:
    return [dict(span.attributes).get(key) for span in tracing.spans if span.name == "note"]


def test_a_context_value_is_available_in_everything_that_the_call_calls_and_nowhere_else(
    module, instrumented, tracing, logged
):
    with instrumented(SPEC, module):
        bus = module.Bus()
        bus.note(0)
        assert bus.receive("first") == "first"
        bus.note(0)
        assert bus.receive("plain") == "plain"  # its condition is false
    assert noted(tracing, "sync") == [None, "first", None, None]
    assert logged() == []


@pytest.mark.parametrize("error", [ValueError("host"), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_call_that_raises_resets_its_carried_values(error: BaseException, module, instrumented, tracing, logged):
    with instrumented(SPEC, module):
        with pytest.raises(type(error)) as caught:
            module.Bus().receive(error)
        module.Bus().note(0)
    assert caught.value is error
    assert noted(tracing, "sync") == [str(error) or "", None]
    assert logged() == []


def test_a_nested_call_carries_its_own_value_and_then_the_outer_one_is_back(module, instrumented, tracing):
    async def run() -> None:
        bus = module.Bus()

        async def inner() -> None:
            bus.note(2)

        async def outer() -> None:
            bus.note(1)
            await bus.areceive("inner", inner)
            bus.note(3)

        await bus.areceive("outer", outer)
        bus.note(4)

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert noted(tracing) == ["outer", "inner", "outer", None]


def test_a_carried_none_hides_the_value_of_the_outer_call(module, instrumented, tracing):
    async def run() -> None:
        bus = module.Bus()

        async def inner() -> None:
            bus.note(1)

        await bus.areceive("outer", lambda: bus.areceive(None, inner))

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert noted(tracing) == [None]


def test_concurrent_tasks_each_have_their_own_value(module, instrumented, tracing):
    async def run() -> None:
        bus = module.Bus()
        all_entered = [asyncio.Event(), asyncio.Event()]

        async def work(number: int) -> None:
            all_entered[number].set()
            await all_entered[1 - number].wait()
            bus.note(number)

        await asyncio.gather(*(bus.areceive(f"task {n}", lambda n=n: work(n)) for n in (0, 1)))

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert sorted(zip(noted(tracing, "number"), noted(tracing), strict=True)) == [(0, "task 0"), (1, "task 1")]


def test_a_task_that_outlives_the_call_keeps_its_carried_value(module, instrumented, tracing):
    async def run() -> None:
        bus, over = module.Bus(), asyncio.Event()
        started: list[asyncio.Task[None]] = []

        async def later() -> None:
            await over.wait()
            bus.note(1)

        async def start() -> None:
            started.append(asyncio.ensure_future(later()))

        await bus.areceive("long gone", start)
        bus.note(0)
        over.set()
        await started[0]

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert dict(zip(noted(tracing, "number"), noted(tracing), strict=True)) == {0: None, 1: "long gone"}


def test_a_cancelled_call_resets_its_carried_values(module, instrumented, tracing, logged):
    async def run() -> None:
        bus, waiting = module.Bus(), asyncio.Event()

        async def wait() -> None:
            waiting.set()
            await asyncio.Event().wait()

        async def outer() -> None:
            with pytest.raises(asyncio.CancelledError):
                await bus.areceive("cancelled", wait)
            bus.note(1)

        task = asyncio.ensure_future(outer())
        await waiting.wait()
        task.cancel()
        await task

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert noted(tracing) == [None]
    assert logged() == []


def test_another_thread_has_the_value_only_if_the_program_passes_the_context_on(module, instrumented, tracing):
    async def run() -> None:
        bus = module.Bus()

        async def work() -> None:
            thread = threading.Thread(target=bus.note, args=(1,))
            thread.start()
            thread.join()
            await asyncio.to_thread(bus.note, 2)
            # A context from before the call.
            outside.run(bus.note, 3)

        outside = contextvars.copy_context()
        await bus.areceive("mine", work)

    with instrumented(SPEC, module):
        asyncio.run(run())
    assert dict(zip(noted(tracing, "number"), noted(tracing), strict=True)) == {1: None, 2: "mine", 3: None}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_call_that_is_never_awaited_carries_nothing(module, instrumented, tracing, logged):
    with instrumented(SPEC, module):
        bus = module.Bus()
        coroutine = bus.areceive("never", None)
        bus.note(0)
        coroutine.close()
        del coroutine
        bus.note(1)
    assert noted(tracing) == [None, None]
    assert logged() == []


def test_a_call_can_be_closed_in_another_context(module, instrumented, tracing, logged):
    class Wait:
        def __await__(self) -> Any:
            yield

    async def wait() -> None:
        await Wait()

    with instrumented(SPEC, module):
        coroutine = module.Bus().areceive("left", wait)
        contextvars.copy_context().run(coroutine.send, None)
        coroutine.close()
        module.Bus().note(1)
    assert noted(tracing) == [None]
    assert logged() == []


def test_a_parameter_and_a_name_of_the_hook_take_precedence_over_a_carried_value(module, instrumented, tracing):
    spec = """
hooks:
  receive: {call: "HOST:Bus.receive"}
  note: {call: "HOST:Bus.note", names: {named: number + 1}}
context:
  number: {during: receive, value: message}
  named: {during: receive, value: message}
  unnamed: {during: receive, value: message}
spans:
  note: {at: note.enter, attributes: {number: number, named: named, unnamed: unnamed}}
"""
    with instrumented(spec, module):
        module.Bus().receive("context")
    assert dict(tracing.span.attributes) == {"number": 1, "named": 2, "unnamed": "context"}


def test_the_hooks_of_a_call_do_not_see_the_values_that_it_carries(module, instrumented, tracing):
    spec = """
hooks:
  one: {call: "HOST:Bus.receive", when: message != "never"}
  two: {call: "HOST:Bus.receive", names: {before: received}}
context:
  received: {during: one, value: str(message)}
spans:
  one: {around: one, attributes: {enter: received, exit: "received if result else None"}}
  two: {around: two, name: two, attributes: {name: before, enter: received, exit: "received if result else None"}}
  moment: {at: two.return, attributes: {exit: received}}
"""
    with instrumented(spec, module):
        module.Bus().receive("first")
    assert {span.name: dict(span.attributes) for span in tracing.spans} == {"one": {}, "two": {}, "moment": {}}


def test_a_context_value_can_be_used_in_every_expression(module, instrumented, tracing, logged):
    spec = """
hooks:
  receive: {call: "HOST:Bus.receive"}
  note: {call: "HOST:Bus.note", when: received.id == 7, names: {id: received.id}}
context:
  received: {during: receive, value: message}
spans:
  note:
    name: note {received.id}
    at: note.enter
    when: received.missing is None
    attributes: {id: id, deep: received.inner.value, missing: received.inner.nothing.at.all}
"""
    with instrumented(spec, module):
        module.Bus().receive({"id": 7, "inner": {"value": 8}})
        module.Bus().receive({"id": 9})
        module.Bus().note(0)
    assert (tracing.span.name, dict(tracing.span.attributes)) == ("note 7", {"id": 7, "deep": 8})
    assert logged() == []


def test_a_value_that_cannot_be_read_is_logged_once_and_none_is_carried(module, instrumented, tracing, logged):
    class Odd:
        @property
        def field(self) -> None:
            raise OSError("property")

    with instrumented(SPEC.replace("value: message, when", "value: message.field, when"), module):
        for _ in range(2):
            module.Bus().receive(Odd())
    assert noted(tracing, "sync") == [None, None]
    (line,) = logged()
    assert "spec.yaml:8:" in line and "context value received failed: OSError: property" in line


def test_a_name_that_the_call_does_not_have_is_logged_and_nothing_is_carried(module, instrumented, tracing, logged):
    with instrumented(SPEC.replace("value: message, when", "value: mesage, when"), module):
        module.Bus().receive("first")
    assert noted(tracing, "sync") == [None]
    (line,) = logged()
    assert '"mesage" is not a parameter' in line and 'did you mean "message"?' in line


@pytest.mark.parametrize("method", ["give", "agive"])
def test_a_generator_carries_nothing_and_that_is_logged(method: str, module, instrumented, tracing, logged):
    spec = f"""
hooks: {{give: {{call: "HOST:Bus.{method}"}}, note: {{call: "HOST:Bus.note"}}}}
context: {{given: {{during: give, value: message}}}}
spans: {{note: {{at: note.enter, attributes: {{given: given}}}}}}
"""

    async def items() -> list[Any]:
        return [item async for item in module.Bus().agive("x")]

    with instrumented(spec, module):
        assert (list(module.Bus().give("x")) if method == "give" else asyncio.run(items())) in ([2], [3])
    assert dict(tracing.span.attributes) == {}
    (line,) = logged()
    assert "spec.yaml:4:" in line and "error[not-carried]" in line
    assert 'is a generator, and a value is only carried through a call: the context value "given" is left out' in line


def test_two_specs_can_carry_different_values_under_one_name(module, instrumented, tracing):
    one, two = (
        SPEC.replace("value: message, when", f"value: '\"{word}\"', when").replace("  note: {at", f"  {word}: {{at")
        for word in ("one", "two")
    )
    with instrumented([one, two], module):
        module.Bus().receive("x")
    assert {span.name: span.attributes["sync"] for span in tracing.spans} == {"one": "one", "two": "two"}


def test_after_uninstrument_a_call_in_progress_still_resets_its_carried_values(module, instrumented, tracing, logged):
    async def run(instrumentor: Any) -> None:
        bus = module.Bus()

        async def work() -> None:
            bus.note(1)
            instrumentor.uninstrument()
            bus.note(2)
            assert carried() == {"areceived": "under way"}

        await bus.areceive("under way", work)
        assert carried() == {}

    with instrumented(SPEC, module) as instrumentor:
        asyncio.run(run(instrumentor))
    assert noted(tracing) == ["under way"]
    assert logged() == []


def carried() -> dict[str, Any]:
    """The values carried in the current context, by any spec."""
    held = contextvars.copy_context().items()
    return {key.name.split()[-1]: value for key, value in held if key.name.startswith("instrument ")}


UNFINISHED = """
import contextlib
class Bus:
    async def work(self, number): return self.note(number)
    def coroutine(self, message): return self.work(1)
    def steps(self, message):
        def steps():
            yield self.note(2)
            yield self.note(3)
        return steps()
    @contextlib.contextmanager
    def block(self, message):
        yield self.note(4)
    def note(self, number): return number
"""


def test_a_value_is_carried_while_an_unfinished_result_runs_and_at_no_other_time(
    make_module, instrumented, tracing, logged
):
    spec = """
hooks:
  calls: {call: ["HOST:Bus.coroutine", "HOST:Bus.steps", "HOST:Bus.block"]}
  note: {call: "HOST:Bus.note"}
context: {received: {during: calls, value: message, when: message != "never"}}
spans: {note: {at: note.enter, attributes: {number: number, received: received}}}
"""
    module = make_module(UNFINISHED)
    with instrumented(spec, module):
        bus = module.Bus()
        assert asyncio.run(bus.coroutine("coroutine")) == 1
        for _ in bus.steps("steps"):
            bus.note(0)
        with bus.block("block"):
            bus.note(5)
        bus.note(0)
        assert asyncio.run(bus.coroutine("never")) == 1
    found = list(zip(noted(tracing, "number"), noted(tracing, "received"), strict=True))
    carried = [(1, "coroutine"), (2, "steps"), (0, None), (3, "steps"), (0, None), (4, "block"), (5, "block")]
    assert found == [*carried, (0, None), (1, None)]
    assert logged() == []


def test_a_condition_selects_calls_in_a_trace_and_the_outermost_call(make_module, instrumented, tracing, logged):
    module = make_module("""
        class Part:
            def render(self, depth):
                query()
                return depth and self.render(depth - 1)
            async def arender(self, depth):
                query()
                return depth and await self.arender(depth - 1)
        def query(): return 1
    """)
    spec = """
hooks:
  renders: {call: ["HOST:Part.render", "HOST:Part.arender"]}
context: {rendering: {during: renders, value: "True"}}
spans:
  query: {around: "HOST:query", when: in_trace()}
  page: {around: renders, when: rendering is None}
"""
    with instrumented(spec, module):
        module.query()
        part = module.Part()
        for _ in range(2):
            assert part.render(2) == 0
        assert asyncio.run(part.arender(1)) == 0
    assert tracing.names == [*["query"] * 3, "page"] * 2 + ["query", "query", "page"]
    assert logged() == []
