"""A program exits as it does untraced, whatever the way. Open spans are ended and marked if that is possible."""

import signal
import sys
from pathlib import Path

import pytest

from tests.programs import both_ways, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and exec are those of POSIX")

OPEN = "shop.begin(1)\nprint('open')\n"


@pytest.mark.parametrize("traced", ["before", "after", "before batched", "after batched"])
@pytest.mark.parametrize(
    ("end", "code"),
    [("", 0), ("import sys; sys.exit(3)", 3), ("raise ValueError('over')", 1)],
    ids=["normal", "sys.exit", "exception"],
)
def test_open_spans_end_marked_at_exit_whenever_the_provider_was_created(
    end: str, code: int, traced: str, tmp_path: Path
):
    done = run(tmp_path, OPEN + "shop.begin(2)\nshop.end(2)\n" + end, traced=traced)
    assert (done.code, done.lines) == (code, ["open"])
    assert done.ends() == {1: "shutdown", 2: None}
    assert ("ValueError: over" in done.errors) == (code == 1)


@pytest.mark.parametrize(
    "end",
    ["", "import sys; sys.exit(3)", "shop.work(lambda: 1 / 0)", "raise SystemExit('a message')"],
    ids=["normal", "sys.exit", "exception", "message"],
)
def test_a_program_exits_as_it_does_untraced(end: str, tmp_path: Path):
    done = both_ways(tmp_path, OPEN + end)
    assert done.ends() == {1: "shutdown"}


def test_no_span_is_lost_if_the_program_exits_on_sigterm(tmp_path: Path):
    source = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
    shop.begin(1)
    def wait():
        print("ready")
        while True: time.sleep(0.05)  # `signal.pause` would miss a signal that comes just before it
    shop.work(wait, id=2)
    """
    done = both_ways(tmp_path, source, send=signal.SIGTERM, traced="before batched")
    assert done.code == 5
    assert (done.ends(), done.ends("work")) == ({1: "shutdown"}, {2: None})
    assert done.named("work")[0]["description"] == "SystemExit: 5"


def test_the_span_of_a_call_that_sigint_interrupts_ends_with_the_interrupt(tmp_path: Path):
    source = """
    import os, signal
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)  # a signal that comes just before the read ends it too
    shop.begin(1)
    def wait(): print("ready"); os.read(reader, 1)  # one line: the signal may come before the read
    shop.work(wait, id=2)
    """
    done = both_ways(tmp_path, source, send=signal.SIGINT)
    assert done.code == -signal.SIGINT
    assert (done.ends(), done.named("work")[0]["description"]) == ({1: "shutdown"}, None)


def test_every_span_ends_if_asyncio_run_is_interrupted(tmp_path: Path):
    source = """
    import asyncio, sys
    def tick():  # without it, a signal that comes just before the loop waits would be missed
        asyncio.get_running_loop().call_later(0.1, tick)
    async def wait():
        # Once every task waits: before Python 3.11 the interrupt is raised in the task that runs.
        asyncio.get_running_loop().call_later(0.05, print, "ready")
        await asyncio.Event().wait()
    async def main():
        tick()
        shop.begin(1)
        numbers = shop.aeach(3)
        await numbers.__anext__()
        await asyncio.gather(shop.awork(asyncio.Event().wait, id=3), shop.awork(wait, id=2))
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
    """
    done = both_ways(tmp_path, source, send=signal.SIGINT)
    assert done.code == 130
    assert (done.ends(), done.ends("awork"), done.ends("aeach")) == ({1: "shutdown"}, {2: None, 3: None}, {None: None})
    assert {span["description"] for span in done.named("awork")} == {None}


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ("os._exit(4)", ["open"]),
        ("os.execv(sys.executable, [sys.executable, '-c', 'print(\"another\")'])", ["open", "another"]),
        ("os.kill(os.getpid(), 9)", ["open"]),
    ],
    ids=["os._exit", "exec", "kill"],
)
def test_only_exported_spans_remain_after_an_exit_without_cleanup(end: str, lines: list[str], tmp_path: Path):
    done = both_ways(tmp_path, f"import os, sys\n{OPEN}shop.work(id=1)\n{end}")
    assert done.lines == lines
    assert [span["name"] for span in done.spans] == ["work"]


def test_unfinished_generators_and_coroutines_end_marked_at_exit_without_messages(tmp_path: Path):
    source = """
    import asyncio
    generator = shop.each(3)
    print(next(generator))
    asynchronous = shop.aeach(3)
    try:
        asynchronous.__anext__().send(None)
    except StopIteration as given:
        print(given.value)
    class Later:
        def __await__(self): yield
    async def later():
        await Later()
    coroutine = shop.awork(later, id=1)
    coroutine.send(None)
    never_begun = shop.each(3)
    """
    done = both_ways(tmp_path, source)
    assert (done.code, done.lines, done.errors) == (0, ["0", "0"], "")
    assert sorted((span["name"], span["attributes"].get("instrument.end")) for span in done.spans) == [
        ("aeach", "shutdown"),
        ("awork", "shutdown"),
        ("each", "shutdown"),
    ]


def test_the_span_of_a_call_in_a_daemon_thread_ends_marked(tmp_path: Path):
    source = """
    import threading
    inside = threading.Event()
    def wait():
        inside.set()
        threading.Event().wait()
    threading.Thread(target=shop.work, args=(wait, 7), daemon=True).start()
    inside.wait()
    """
    done = both_ways(tmp_path, source, traced="before batched")
    assert (done.code, done.errors, done.ends("work")) == (0, "", {7: "shutdown"})


def test_a_thread_that_python_waits_for_ends_its_own_spans(tmp_path: Path):
    source = """
    import threading
    main = threading.main_thread()
    def later():
        main.join()
        shop.end(1)
    shop.begin(1)
    threading.Thread(target=shop.work, args=(later, 2)).start()
    """
    done = both_ways(tmp_path, source)
    assert (done.ends(), done.ends("work")) == ({1: None}, {2: None})
