"""A signal that ends the process completes the telemetry first, and the program does not notice."""

import inspect
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.lifecycle import fatal_signals

from tests.programs import both_ways, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")

#: A program that waits for a signal with an open span, and inside a call.
WAIT = """
import os, signal, sys, threading, time
def wait_endlessly():
    while True: time.sleep(0.05)  # `signal.pause` would miss a signal that comes just before it
def wait():
    print("ready")
    wait_endlessly()
def wait_for_signal():
    shop.begin(1)
    shop.work(wait, id=2)
"""
BOTH_MARKED = ({1: "shutdown"}, {2: "shutdown"})


@pytest.fixture
def handling() -> Iterator[None]:
    fatal_signals.start_handling_fatal_signals()
    yield
    fatal_signals.stop_handling_fatal_signals()


@pytest.mark.parametrize("traced", ["before", "after batched"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_open_and_queued_spans_are_exported_before_a_signal_ends_the_process(
    number: signal.Signals, traced: str, tmp_path: Path
):
    done = both_ways(tmp_path, WAIT + "wait_for_signal()", send=number, traced=traced)
    assert done.code == -number
    assert (done.ends(), done.ends("work")) == BOTH_MARKED


def test_the_report_is_written_before_a_signal_ends_the_process(tmp_path: Path):
    report = tmp_path / "report.txt"
    done = run(tmp_path, WAIT + "wait_for_signal()", send=signal.SIGTERM, OTEL_PYTHON_DECLARATIVE_REPORT=str(report))
    assert done.code == -signal.SIGTERM
    assert "span order: shutdown (1)" in report.read_text()


def test_nothing_is_done_if_the_option_is_off(tmp_path: Path):
    source = WAIT + "wait_for_signal()"
    done = run(tmp_path, source, send=signal.SIGTERM, OTEL_PYTHON_DECLARATIVE_FLUSH_ON_SIGNAL="0")
    assert (done.code, done.spans) == (-signal.SIGTERM, [])


RERAISED = """
handler = signal.getsignal(signal.SIGTERM)
print(handler == signal.SIG_DFL, callable(handler))
class Stop(Exception): pass
def stop(*_): raise Stop
"""


@pytest.mark.parametrize(
    "restore",
    [
        "signal.signal(signal.SIGTERM, previous)",
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)",
        "signal.signal(15, 0)",
        "signal.signal(handler=signal.SIG_DFL, signalnum=15)",
    ],
)
@pytest.mark.parametrize("again", ["signal.raise_signal(signal.SIGTERM)", "os.kill(os.getpid(), 15)"])
def test_a_program_that_handles_a_signal_and_then_ends_itself_by_it_loses_nothing(
    restore: str, again: str, tmp_path: Path
):
    source = f"""{WAIT}{RERAISED}
previous = signal.signal(signal.SIGTERM, stop)
print(previous == signal.SIG_DFL, callable(previous))
try:
    wait_for_signal()
except Stop:
    print("cleanup")
{restore}
{again}
print("not reached")
"""
    done = both_ways(tmp_path, source, send=signal.SIGTERM, traced="before batched")
    assert (done.code, done.lines[-1]) == (-signal.SIGTERM, "cleanup")
    assert (done.ends(), done.ends("work")) == ({1: "shutdown"}, {2: None})


def test_a_loop_that_removes_its_handler_restores_ours(tmp_path: Path):
    source = f"""{WAIT}
import asyncio
async def main():
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    shop.begin(1)
    print("ready")
    await stopped.wait()
    print(loop.remove_signal_handler(signal.SIGTERM))
asyncio.run(main())
signal.raise_signal(signal.SIGTERM)
"""
    done = both_ways(tmp_path, source, send=signal.SIGTERM, traced="before batched")
    assert (done.code, done.lines) == (-signal.SIGTERM, ["ready", "True"])
    assert done.ends() == {1: "shutdown"}


def test_a_handler_of_the_program_is_alone_in_effect(tmp_path: Path):
    source = f"""{WAIT}
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
wait_for_signal()
"""
    done = both_ways(tmp_path, source, send=signal.SIGTERM)
    assert (done.code, done.spans) == (7, [])


def test_an_ignored_signal_stays_ignored(tmp_path: Path):
    source = """
    import os, signal, subprocess, sys
    child = "import signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)"
    print("ready")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)
    print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)
    subprocess.run([sys.executable, "-c", child], check=True)
    """
    done = both_ways(tmp_path, source)
    assert (done.code, done.lines) == (0, ["ready", "True", "True"])


def test_a_child_process_has_the_default_action(tmp_path: Path):
    source = """
    import signal, subprocess, sys
    child = "import os, signal; signal.signal(15, signal.getsignal(15)); os.kill(os.getpid(), 15)"
    print(subprocess.run([sys.executable, "-S", "-c", child]).returncode)
    """
    assert both_ways(tmp_path, source).lines == ["-15"]


HANGS = """
from opentelemetry.instrumentation.declarative.runtime.lifecycle import fatal_signals
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry import trace
fatal_signals.TIMEOUT = SECONDS
class Hangs(SpanExporter):
    def export(self, spans): print("ready"); threading.Event().wait()
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(Hangs()))
shop.begin(1)
"""


def test_an_exporter_that_hangs_delays_the_end_only_until_a_timeout(tmp_path: Path):
    source = f"{WAIT}{HANGS.replace('SECONDS', '3')}\nsignal.raise_signal(signal.SIGTERM)"
    done = run(tmp_path, source)
    assert done.code == -signal.SIGTERM
    assert done.ends() == {1: "shutdown"}
    assert "the telemetry was not complete after 3 seconds: the signal ends the process." in done.errors


def test_ctrl_c_ends_the_wait_for_an_exporter_that_hangs(tmp_path: Path):
    source = f"{WAIT}{HANGS.replace('SECONDS', '60')}\nsignal.raise_signal(signal.SIGTERM)"
    done = run(tmp_path, source, send=signal.SIGINT)
    assert (done.code, done.errors) == (-signal.SIGTERM, "")


@pytest.mark.parametrize("lock", ["logging._lock", "threading._active_limbo_lock", "trace_processor()._lock"])
def test_the_interrupted_code_may_hold_a_lock(lock: str, tmp_path: Path):
    """The process ends, if need be without the telemetry that needs the lock."""
    source = f"""{WAIT}
import logging
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.runtime.lifecycle import fatal_signals
fatal_signals.TIMEOUT = fatal_signals.MESSAGE_TIMEOUT = 0.1
trace_processor = lambda: trace.get_tracer_provider()._active_span_processor
shop.begin(1)
with {lock}:
    signal.raise_signal(signal.SIGTERM)
"""
    assert run(tmp_path, source).code == -signal.SIGTERM


def test_a_signal_that_interrupts_the_telemetry_itself_is_postponed_until_its_locks_are_free(tmp_path: Path):
    source = f"""{WAIT}
class Key(str):
    '''Its comparison happens while the table of open spans is locked.'''
    def __eq__(self, other):
        os.kill(os.getpid(), signal.SIGTERM)
        return str.__eq__(self, other)
    __hash__ = str.__hash__
shop.begin(1)
shop.begin(Key("a"))
shop.end("a")
print("ready")
wait_endlessly()
"""
    done = run(tmp_path, source, traced="before batched")
    assert (done.code, done.errors, done.ends()) == (-signal.SIGTERM, "", {1: "shutdown", "a": None})


def test_a_signal_during_the_end_changes_nothing(tmp_path: Path):
    source = f"""{WAIT}
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
class Again(SpanProcessor):
    def on_end(self, span): os.kill(os.getpid(), signal.SIGTERM)
trace.get_tracer_provider().add_span_processor(Again())
wait_for_signal()
"""
    done = run(tmp_path, source, send=signal.SIGTERM)
    assert (done.code, done.errors) == (-signal.SIGTERM, "")
    assert (done.ends(), done.ends("work")) == BOTH_MARKED


def test_a_forked_child_completes_its_own_telemetry(tmp_path: Path):
    source = f"""{WAIT}
shop.begin("parent")
reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    shop.begin("child")
    os.write(writer, b"x")
    wait_endlessly()
os.read(reader, 1)
os.kill(pid, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = both_ways(tmp_path, source, traced="before")
    assert done.lines == ["-15"]
    assert done.ends() == {"parent": "shutdown", "child": "shutdown"}


def test_a_program_that_is_instrumented_in_another_thread_ends_as_it_does_untraced(tmp_path: Path):
    """Only the main thread can set handlers. It does when it restores the default action."""
    source = """
    import os, signal, sys, threading
    os.environ["TRACED"] = "before batched"
    thread = threading.Thread(target=traced.on)
    thread.start()
    thread.join()
    shop.begin(1)
    if os.fork() == 0:
        shop.begin(2)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.wait()[1]))
    signal.raise_signal(signal.SIGTERM)
    """
    done = run(tmp_path, source, traced="")
    assert (done.code, done.lines, done.ends()) == (-signal.SIGTERM, ["-15"], {2: "shutdown"})


# ── The functions of the module `signal` ──


@pytest.mark.usefixtures("handling")
def test_the_program_sees_the_default_action_in_place_of_our_handler():
    import _signal

    assert _signal.getsignal(signal.SIGTERM) == fatal_signals._handling.end_process
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    def handler(*_: Any) -> None: ...

    assert signal.signal(signal.SIGTERM, handler) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is handler
    assert signal.signal(signal.SIGTERM, signal.SIG_IGN) is signal.SIG_DFL
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN


@pytest.mark.usefixtures("handling")
def test_other_signals_and_handlers_are_not_affected():
    import _signal

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    before = signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    assert _signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL
    signal.signal(signal.SIGUSR2, before)


@pytest.mark.usefixtures("handling")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "missing 2 required positional arguments"),
        ((signal.SIGTERM,), "missing 1 required positional argument: 'handler'"),
        ((signal.SIGTERM, 0, 0), "takes 2 positional arguments but 3 were given"),
        ((signal.SIGTERM, None), "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"),
    ],
)
def test_a_wrong_call_raises_what_it_raises_untraced(args: tuple[Any, ...], message: str):
    with pytest.raises(TypeError, match=message):
        signal.signal(*args)


@pytest.mark.usefixtures("handling")
def test_an_object_that_compares_equal_to_everything_is_not_taken_for_the_default_action():
    class Handler:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = object.__hash__

        def __call__(self, *_: Any) -> None: ...

    handler = Handler()
    assert signal.signal(signal.SIGTERM, handler) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is handler


def test_undo_restores_the_code_and_the_default_action():
    import _signal

    functions = (signal.signal, signal.getsignal)
    before = [(function, function.__code__, inspect.signature(function)) for function in functions]
    fatal_signals.start_handling_fatal_signals()
    assert [(each, inspect.signature(each)) for each in (signal.signal, signal.getsignal)] == [
        (function, signature) for function, _, signature in before
    ]
    assert signal.signal.__code__ is not before[0][1]
    fatal_signals.start_handling_fatal_signals()
    fatal_signals.stop_handling_fatal_signals()
    assert signal.signal.__code__ is not before[0][1]  # still used once
    fatal_signals.stop_handling_fatal_signals()
    assert [function.__code__ for function in functions] == [code for _, code, _ in before]
    assert _signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_undo_below_the_code_of_another_tool_is_exact_once_that_tool_has_removed_its_code():
    own = signal.getsignal.__code__
    fatal_signals.start_handling_fatal_signals()
    ours = signal.getsignal.__code__
    below = FunctionType(ours, vars(signal))

    def tool(signalnum: Any) -> Any:
        return __tool(signalnum)  # type: ignore[name-defined]  # noqa: F821

    signal.__tool = below  # type: ignore[attr-defined]
    try:
        signal.getsignal.__code__ = tool.__code__
        fatal_signals.stop_handling_fatal_signals()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        fatal_signals.start_handling_fatal_signals()
        signal.getsignal.__code__ = ours
        fatal_signals.stop_handling_fatal_signals()
        assert signal.getsignal.__code__ is own
    finally:
        signal.getsignal.__code__ = own
        del signal.__tool  # type: ignore[attr-defined]


@pytest.mark.usefixtures("handling")
def test_another_thread_cannot_set_handlers_as_without_us():
    raised: list[str] = []

    def set_handler() -> None:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        except ValueError as error:
            raised.append(str(error))

    thread = threading.Thread(target=set_handler)
    thread.start()
    thread.join()
    assert raised == ["signal only works in main thread of the main interpreter"]
