"""Hooks on coroutines that a call is given or returns: the call is the awaiting of the coroutine."""

import asyncio
import gc
import traceback
import warnings
from typing import Any

import pytest

HOST = """
import asyncio

class Loop:
    def start(self, work): return asyncio.ensure_future(work)
    def start_later(self, work): return self.start(work)
    def pass_on(self, work): return work

async def brew(minutes):
    await asyncio.sleep(0)
    if minutes < 0:
        raise ValueError("no tea left")
    return minutes

async def fetch(): raise ValueError("no milk left")
"""
SPEC = """
hooks:
  start: {call: "HOST:Loop.start"}
  work: {value: start.work}
spans:
  work: {around: work, name: "{hooked.name}", attributes: {shop.path: hooked.path, shop.result: result}}
"""


@pytest.fixture
def host(make_module) -> Any:
    return make_module(HOST)


def test_a_span_around_a_coroutine_lasts_from_its_first_step_to_its_end(host, instrumented, tracing):
    async def main() -> None:
        loop = host.Loop()
        task = loop.start(host.brew(3))
        assert not tracing.spans
        assert (await task, await loop.start(host.brew(4))) == (3, 4)
        with pytest.raises(ValueError, match="no tea left"):
            await loop.start(host.brew(-1))
        task = loop.start(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with instrumented(SPEC, host):
        asyncio.run(main())
    assert tracing.names == ["brew", "brew", "brew", "sleep"]
    assert [span.attributes.get("shop.result") for span in tracing.spans] == [3, 4, None, None]
    assert [span.status.status_code.name for span in tracing.spans] == ["UNSET", "UNSET", "ERROR", "UNSET"]
    assert {span.attributes["shop.path"] for span in tracing.spans} == {"brew", "sleep"}


def test_a_coroutine_that_is_hooked_describes_itself_as_before(host, instrumented):
    async def main() -> None:
        original = host.brew(1)
        task = host.Loop().start(original)
        found = task.get_coro()
        assert asyncio.iscoroutine(found)
        assert (found.__name__, found.__qualname__) == (original.__name__, original.__qualname__)
        assert found.cr_code.co_filename == original.cr_code.co_filename
        assert found.cr_code.co_firstlineno == original.cr_code.co_firstlineno
        await task

    with instrumented(SPEC, host):
        asyncio.run(main())


def test_a_traceback_through_a_hooked_coroutine_names_only_lines_of_its_function(host, instrumented):
    async def main() -> None:
        await host.Loop().start(host.fetch())

    with instrumented(SPEC, host), pytest.raises(ValueError, match="no milk left") as error:
        asyncio.run(main())
    first_line = host.fetch.__code__.co_firstlineno
    entries = [entry for entry in traceback.extract_tb(error.value.__traceback__) if entry.name == "fetch"]
    assert len(entries) > 1
    assert {entry.lineno for entry in entries} == {first_line}


def test_a_coroutine_that_passes_several_hooked_calls_is_one_call(host, instrumented, tracing):
    spec = """
    hooks:
      start: {call: "HOST:Loop.start"}
      start_later: {call: "HOST:Loop.start_later"}
      work: {value: [start.work, start_later.work]}
      pass_on: {call: "HOST:Loop.pass_on"}
      passed: {value: [pass_on.work, pass_on.result]}
    spans: {work: {around: work}, passed: {around: passed}}
    """

    async def main() -> None:
        loop = host.Loop()
        assert await loop.start_later(loop.pass_on(host.brew(3))) == 3

    with instrumented(spec, host):
        asyncio.run(main())
    assert sorted(tracing.names) == ["passed", "work"]


def test_a_coroutine_that_is_never_awaited_is_warned_about_once(host, instrumented, tracing):
    spec = SPEC.replace("Loop.start", "Loop.pass_on")
    gc.collect()  # what other tests have left may warn too
    with instrumented(spec, host), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        host.Loop().pass_on(host.brew(3))
        gc.collect()
    assert [str(each.message) for each in caught] == ["coroutine 'brew' was never awaited"]
    assert not tracing.spans


def test_the_coroutine_itself_can_still_be_closed_and_is_not_closed_for_its_other_holder(host, instrumented, tracing):
    with instrumented(SPEC.replace("Loop.start", "Loop.pass_on"), host):
        original = host.brew(3)
        host.Loop().pass_on(original).close()
        assert asyncio.run(original) == 3
    assert not tracing.spans


def test_after_uninstrumenting_coroutines_are_passed_on_as_they_are(host, instrumented, tracing):
    with instrumented(SPEC, host):
        pass
    coroutine = host.brew(3)
    assert host.Loop().pass_on(coroutine) is coroutine
    assert asyncio.run(coroutine) == 3
    assert not tracing.spans
