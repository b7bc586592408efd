"""The exporter `tree` in programs that run for long, in several threads and processes, and at their end."""

import contextlib
import gc
import io
import os
import re
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative.exporters import unprinted_traces
from opentelemetry.instrumentation.declarative.exporters.tree import ConfiguredTreeExporter, TreeSpanProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.processes import until
from tests.programs import run


class Program:
    """A program whose spans are printed, and what is printed."""

    def __init__(self, out: io.StringIO | None = None, settle: float = 0, **options: int) -> None:
        self.out = io.StringIO() if out is None else out
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(TreeSpanProcessor(self.out, settle=settle, **options))
        self.tracer = self.provider.get_tracer("test")

    def start(self, name: str, parent: trace.Span | trace.SpanContext | None = None) -> trace.Span:
        if isinstance(parent, trace.SpanContext):
            parent = trace.NonRecordingSpan(parent)
        return self.tracer.start_span(name, context=None if parent is None else trace.set_span_in_context(parent))

    def printed(self) -> str:
        """What was printed since the last time, without ids and durations."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        text = re.sub(r"trace [0-9a-f]{4,}", "trace ID", text)
        return re.sub(r" · [\d.,]+ ms", "", text).strip()


@pytest.fixture
def program() -> Program:
    return Program()


def test_a_trace_is_printed_when_its_root_has_ended(program: Program):
    root = program.start("request")
    program.start("query", root).end()
    assert program.printed() == ""
    root.end()
    assert program.printed() == "trace ID · 2 spans\n└─ request\n   └─ query"
    program.provider.shutdown()
    assert program.printed() == ""


@pytest.mark.parametrize("is_remote", [True, False])
def test_a_span_whose_parent_is_not_in_this_process_is_a_local_root(program: Program, is_remote: bool):
    caller = trace.SpanContext(0xA, 0xB, is_remote=is_remote, trace_flags=trace.TraceFlags(1))
    first, second = program.start("first", caller), program.start("second", caller)
    program.start("query", second).end()
    first.end()
    reason = "is in another process" if is_remote else "has not ended or is not recorded in this process"
    parent = f"└─ parent 000000000000000b {reason}"
    assert program.printed() == f"trace ID · 1 span\n{parent}\n   └─ first"
    second.end()
    assert program.printed() == f"trace ID · 2 spans · continued\n{parent}\n   └─ second\n      └─ query"


def test_spans_that_are_still_open_are_marked_and_printed_again_when_they_end(program: Program):
    root = program.start("request")
    task = program.start("background task", root)
    program.start("step 1", task).end()
    root.end()
    assert program.printed() == (
        "trace ID · 3 spans · 1 still open\n└─ request\n   └─ background task · still open\n      └─ step 1"
    )
    program.start("step 2", task).end()
    assert program.printed() == ""
    task.end()
    assert program.printed() == (
        "trace ID · 2 spans · continued\n└─ parent request is shown above\n   └─ background task\n      └─ step 2"
    )


def test_a_late_span_of_a_printed_trace_is_printed_below_its_parent(program: Program):
    root = program.start("request")
    root.end()
    program.printed()
    program.start("log the access", root).end()
    assert program.printed() == (
        "trace ID · 1 span · continued\n└─ parent request is shown above\n   └─ log the access"
    )


def test_at_the_end_everything_is_printed_also_what_is_still_open(program: Program):
    root = program.start("serve")
    program.start("request", root).end()
    alone = program.start("watch")
    program.provider.shutdown()
    assert program.printed() == (
        "trace ID · 2 spans · 1 still open\n└─ serve · still open\n   └─ request\n\n"
        "trace ID · 1 span · 1 still open\n└─ watch · still open"
    )
    alone.end()
    assert program.printed() == ""


def test_spans_that_end_because_the_process_exits_are_printed_together(program: Program):
    """They end in any order, parents before their children too."""
    root = program.start("serve")
    child = program.start("request", root)
    for span in (root, child):
        span.set_attribute("instrument.end", "shutdown")
        span.end()
    assert program.printed() == ""
    program.provider.force_flush()
    assert program.printed() == (
        "trace ID · 2 spans\n└─ serve\n   │ instrument.end=shutdown\n   └─ request\n        instrument.end=shutdown"
    )


def test_a_link_names_spans_that_are_open_or_were_printed(program: Program):
    printed, opened = program.start("printed"), program.start("opened")
    printed.end()
    program.printed()
    links = [trace.Link(printed.get_span_context()), trace.Link(opened.get_span_context())]
    program.tracer.start_span("this", links=links).end()
    assert re.sub(r"\[[0-9a-f]{4,}\]", "[ID]", program.printed()).splitlines()[2:] == [
        "     ↪ → printed [ID]",
        "     ↪ → opened [ID]",
    ]


def test_every_trace_is_printed_however_many_there_are(program: Program):
    for _ in range(3):
        for number in range(4_000):
            program.start(f"request-{number}").end()
        assert program.printed().count("└─ request-") == 4_000


def test_of_a_trace_with_very_many_spans_the_first_and_the_latest_are_printed():
    program = Program(max_spans=4)
    root = program.start("serve")
    for number in range(100):
        program.start(f"request-{number}", root).end()
    root.end()
    text = program.printed()
    assert re.findall(r"─ (\S+)", text) == ["serve", "request-0", "request-1", "request-99"]
    assert text.endswith("97 spans of this trace are not shown: only its first and its latest are kept.")


def test_the_number_of_spans_that_are_kept_is_limited():
    program = Program()
    traces = unprinted_traces.UnprintedTraces(max_waiting=10, sees_starts=True)
    program.provider._active_span_processor._span_processors[0]._printer.traces = traces  # type: ignore[attr-defined]
    roots = [program.start(f"root-{number}") for number in range(4)]
    for root in roots:
        for _ in range(4):
            program.start("query", root).end()
    text = program.printed()
    assert text.startswith("trace ID · 5 spans · 1 still open\n└─ root-0 · still open\n")
    assert "root-2" not in text


def test_a_span_that_is_dropped_without_an_end_is_not_kept(program: Program):
    root = program.start("root")
    program.start("dropped", root)
    gc.collect()
    root.end()
    assert program.printed() == "trace ID · 1 span\n└─ root"


def test_spans_of_several_threads_are_printed_whole(program: Program):
    def requests() -> None:
        for _ in range(200):
            root = program.start("request")
            program.start("query", root).end()
            root.end()

    threads = [threading.Thread(target=requests) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert program.printed().split("\n\n") == ["trace ID · 2 spans\n└─ request\n   └─ query"] * 800


def test_a_stream_that_fails_is_reported_once_and_raises_nothing(caplog: pytest.LogCaptureFixture):
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    program = Program(Full())
    for _ in range(3):
        program.start("request").end()
    program.provider.shutdown()
    assert caplog.text.count("traces cannot be printed: [Errno 28] No space left on device") == 1


def test_a_finalizer_that_ends_a_span_while_a_trace_is_printed_is_printed_after_it():
    class Reentrant(io.StringIO):
        again = True

        def write(self, text: str) -> int:
            if self.again:
                self.again = False
                program.start("nested").end()
            return super().write(text)

    program = Program(Reentrant())
    program.start("outer").end()
    assert re.findall(r"─ (\w+)", program.printed()) == ["outer", "nested"]


def test_text_that_the_program_captures_is_not_mixed_with_traces(capsys: pytest.CaptureFixture[str]):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(TreeSpanProcessor(settle=0))
    with contextlib.redirect_stdout(io.StringIO()) as captured:
        provider.get_tracer("test").start_span("request").end()
        print("result")
    assert captured.getvalue() == "result\n"
    assert "└─ request" in capsys.readouterr().out


def test_a_program_may_replace_its_standard_output():
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="ascii")) as original:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(TreeSpanProcessor(settle=0))
        sys.stdout = replaced = io.TextIOWrapper(original.detach(), encoding="utf-8")  # type: ignore[attr-defined]
        provider.get_tracer("test").start_span("request").end()
        assert "└─ request" in replaced.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_redirected", [True, False])
def test_the_traces_of_a_process_whose_output_another_one_reads_go_to_standard_error(
    is_redirected: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    status = os.fstat(1)
    of_parent = "0:0" if is_redirected else f"{status.st_dev}:{status.st_ino}"
    monkeypatch.setenv("_INSTRUMENT_STANDARD_OUTPUT", f"{os.getppid()} {of_parent}")
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ConfiguredTreeExporter()))
    provider.get_tracer("test").start_span("request").end()
    printed = capfd.readouterr()
    assert ("└─ request" in printed.out, "└─ request" in printed.err) == (not is_redirected, is_redirected)


def test_spans_that_start_soon_after_the_root_has_ended_are_printed_with_it(monkeypatch: pytest.MonkeyPatch):
    """A message is sent, and its span ends, before it is received."""
    now = [0.0]
    monkeypatch.setattr(unprinted_traces, "time", SimpleNamespace(monotonic=lambda: now[0]))
    program = Program(settle=0.3)
    sent = program.start("send")
    sent.end()
    now[0] += 0.2
    context = sent.get_span_context()
    remote = trace.SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=context.trace_flags)
    received = program.start("receive", remote)
    program.start("handle", received).end()
    received.end()
    now[0] += 0.2
    assert program.printed() == ""
    now[0] += 0.2
    until(lambda: program.out.getvalue(), "the print")
    assert program.printed() == "trace ID · 3 spans\n└─ send\n   └─ receive\n      └─ handle"
    program.start("next").end()
    now[0] += 0.4
    until(lambda: program.out.getvalue(), "the print")


def test_a_program_that_ends_at_once_prints_its_traces_in_order_of_start():
    program = Program(settle=60)
    first, second = program.start("first"), program.start("second")
    second.end()
    first.end()
    program.provider.shutdown()
    assert re.findall(r"─ (\w+)", program.printed()) == ["first", "second"]


def test_a_trace_with_spans_that_stay_open_is_printed_although_it_does_not_settle(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(unprinted_traces, "_LONGEST", 0.05)
    program = Program(settle=60)
    root = program.start("request")
    task = program.start("task", root)
    root.end()
    until(lambda: program.out.getvalue(), "the print")
    assert program.printed() == "trace ID · 2 spans · 1 still open\n└─ request\n   └─ task · still open"
    task.end()


# ── Processes ──

TREE = """
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.exporters.tree import add_tree_exporter
add_tree_exporter()
"""

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def shown(lines: list[str]) -> list[str]:
    """The names of the spans in the order in which they are printed, and the lines of the program."""
    text = "\n".join(line for line in lines if not line.startswith("trace ") and "=" not in line)
    return re.findall(r"\S.*\S", re.sub(r" · [\d.,]+ ms", "", text))


@needs_fork
@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)"])
def test_a_forked_child_prints_its_traces_and_not_those_of_its_parent(end: str, tmp_path: Path):
    source = f"""{TREE}
import os, sys
print("before", end=" ")
sys.stdout.reconfigure(write_through=False)
def fork():
    pid = os.fork()
    if pid == 0:
        shop.inner(id="in the child")
        {end}
    os.waitpid(pid, 0)
shop.work(fork, id=1)
"""
    done = run(tmp_path, source, PYTHONUNBUFFERED="")
    assert (done.code, done.errors) == (0, "")
    assert shown(done.lines) == ["before", "└─ parent work is in another process", "└─ inner", "└─ work"]


POOL = f"""{TREE}
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
def task(id):
    shop.begin(id)
    shop.work(shop.inner, id=id)
    return id
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("METHOD")) as pool:
        print(sorted(pool.map(task, range(20))))
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_workers_of_a_pool_print_their_traces_whole(method: str, tmp_path: Path):
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    done = run(tmp_path, POOL.replace("METHOD", method))
    assert (done.code, done.errors) == (0, "")
    text = re.sub(r" · [\d.,]+ ms", "", "\n".join([*done.lines, ""]))
    assert len(re.findall(r"trace \w+ · 2 spans\n└─ work\n   │ id=\d+\n   └─ inner\n", text)) == 20
    assert len(re.findall(r"trace \w+ · 1 span\n└─ order\n     id=\d+ instrument.end=shutdown\n", text)) == 20


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_a_program_that_is_stopped_by_sigterm_prints_what_is_still_open(tmp_path: Path):
    source = f"""{TREE}
import time
from opentelemetry import trace
shop.begin(1)
other = trace.get_tracer("other").start_span("of another instrumentation")
print("ready")
while True: time.sleep(0.05)
"""
    done = run(tmp_path, source, send=signal.SIGTERM)
    assert done.code == -signal.SIGTERM
    text = re.sub(r" · [\d.,]+ ms", "", "\n".join(done.lines))
    assert "└─ order\n     id=1 instrument.end=shutdown" in text
    assert "└─ of another instrumentation · still open" in text


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are those of POSIX")
def test_a_closed_pipe_does_not_affect_the_exit(tmp_path: Path):
    source = f"""{TREE}
import os
reader, writer = os.pipe()
os.dup2(writer, 1)
os.close(reader)
for id in range(3): shop.work(id=id)
"""
    done = run(tmp_path, source, PYTHONUNBUFFERED="")
    assert (done.code, done.errors.count("traces cannot be printed: [Errno 32] Broken pipe")) == (0, 1)
