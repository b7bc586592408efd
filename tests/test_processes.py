"""Threads, pools and event loops in one process; and processes that start others."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation import declarative

from tests.processes import COMMAND, PACKAGE, needs_instrumented_children
from tests.programs import HERE, both_ways, environment, run, spans_in


def test_a_span_around_a_call_is_a_child_of_the_current_span_of_its_thread(tmp_path: Path):
    source = """
    import contextvars, threading
    from concurrent.futures import ThreadPoolExecutor
    together = threading.Barrier(2, timeout=100)
    def outer(id):
        def meet():
            together.wait()
            shop.inner(id=id)
            together.wait()
        return shop.work(meet, id=id)
    def handed_out():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(shop.inner, "alone").result()
            pool.submit(contextvars.copy_context().run, shop.inner, "handed").result()
    threads = [threading.Thread(target=outer, args=(id,)) for id in ("a", "b")]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    shop.work(handed_out, id="pool")
    """
    done = both_ways(tmp_path, source)
    spans = {span["attributes"]["id"]: span["span"] for span in done.named("work")}
    assert {span["attributes"]["id"]: span["parent"] for span in done.named("inner")} == {
        "a": spans["a"],
        "b": spans["b"],
        "alone": None,  # Python does not copy the context to another thread
        "handed": spans["pool"],
    }


def test_keyed_spans_that_start_in_one_thread_end_in_another_exactly_once(tmp_path: Path):
    source = """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(4) as first, ThreadPoolExecutor(4) as second:
        for done in [second.submit(shop.end, begun.result()) for begun in
                     [first.submit(shop.begin, id) for id in range(200)]]:
            done.result()
        list(second.map(shop.end, range(200)))
    shop.begin("left")
    """
    done = both_ways(tmp_path, source)
    assert done.ends() == {**dict.fromkeys(range(200)), "left": "shutdown"}


def test_event_loops_that_run_in_sequence_or_in_parallel_do_not_mix_their_spans(tmp_path: Path):
    source = """
    import asyncio, threading
    together = threading.Barrier(3, timeout=100)
    async def inside(id):
        async def meet():
            await asyncio.to_thread(together.wait)
            await asyncio.gather(*(shop.awork(id=(id, n)) for n in range(2)))
            await asyncio.to_thread(shop.inner, id)  # which hands the context on
            async for _ in shop.aeach(2):
                shop.inner((id, "each"))
        await shop.awork(meet, id=id)
    threads = [threading.Thread(target=asyncio.run, args=(inside(id),)) for id in ("a", "b", "c")]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    together = threading.Barrier(1)
    for id in ("d", "e"):
        asyncio.run(inside(id))
    async def begin(): shop.begin("over")
    async def end(): shop.end("over")
    asyncio.run(begin())
    asyncio.run(end())
    """
    done = both_ways(tmp_path, source)
    tops = {span["attributes"]["id"]: span["span"] for span in done.named("awork") if span["parent"] is None}
    assert sorted(tops) == ["a", "b", "c", "d", "e"]
    below = [span for span in [*done.named("awork"), *done.named("inner")] if span["parent"] is not None]
    assert len(below) == 5 * (2 + 1 + 2)
    for span in below:
        assert span["parent"] == tops[_first(span["attributes"]["id"])]
    assert done.ends() == {"over": None}


def _first(id: Any) -> str:
    """The loop that an id names: the id itself, or its first element, also of a list that is recorded as JSON."""
    if isinstance(id, str):
        return id if len(id) == 1 else str(json.loads(id)[0])
    return str(id[0])


@needs_instrumented_children
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_under_opentelemetry_instrument_every_child_is_instrumented(method: str, tmp_path: Path):
    """opentelemetry-instrument sets `PYTHONPATH`, so that each Python that the program starts is instrumented too."""
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    source = f"""
    import multiprocessing, subprocess, sys
    def task(id):
        shop.begin(id)
        shop.work(id=id)
    if __name__ == "__main__":
        child = multiprocessing.get_context("{method}").Process(target=task, args=("child",))
        child.start()
        child.join()
        subprocess.run([sys.executable, "-c", "import shop; shop.work(id='run')"], check=True)
        task("main")
    """
    # The command configures the SDK; `traced.on()` does nothing.
    done = run(
        tmp_path,
        source,
        traced="",
        command=(str(COMMAND), sys.executable),
        OTEL_TRACES_EXPORTER="console",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_PYTHON_DECLARATIVE_SPECS=str(HERE / "spec.yaml"),
    )
    assert done.code == 0
    pattern = r'"name": "(work|order)",.*?"id": "(\w+)"(?:,\s+"instrument.end": "(\w+)")?'
    ends = re.findall(pattern, "\n".join(done.lines), re.S)
    assert sorted(ends) == [
        ("order", "child", "shutdown"),
        ("order", "main", "shutdown"),
        ("work", "child", ""),
        ("work", "main", ""),
        ("work", "run", ""),
    ]


def test_the_programs_of_the_tests_import_the_package_under_test(tmp_path: Path):
    """Otherwise the tests of processes would test another copy."""
    done = run(tmp_path, f"from {PACKAGE} import __file__\nprint(__file__)")
    assert done.lines == [declarative.__file__]
    assert environment(tmp_path)["SPANS"].startswith(str(tmp_path))
    assert spans_in(tmp_path) == []
