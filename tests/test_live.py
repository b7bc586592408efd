"""Spans that are still open: `instrument status` shows them, and pending records export them."""

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.exporters import pending_records
from opentelemetry.instrumentation.declarative.exporters.pending_records import PendingRecords
from opentelemetry.instrumentation.declarative.exporters.tree import TreeSpanProcessor
from opentelemetry.instrumentation.declarative.live import live_spans, status_client, status_server
from opentelemetry.instrumentation.declarative.live.live_spans import LiveSpans
from opentelemetry.instrumentation.declarative.live.open_span_processor import OpenSpanProcessor
from opentelemetry.instrumentation.declarative.live.status_client import NoStatus, read_status
from opentelemetry.instrumentation.declarative.live.status_sockets import make_socket_folder, socket_folder, socket_path
from opentelemetry.instrumentation.declarative.live.status_text import age_text, status_text
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, set_span_in_context

from tests import processes

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no Unix sockets")
SECOND = 1_000_000_000
NOW = 1_767_225_600 * SECOND


@pytest.fixture(autouse=True)
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for sockets that no other process uses. Its path is short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, a thread may be late to answer and to end."""
    monkeypatch.setattr(live_spans, "_PATIENCE", processes.PATIENCE)
    monkeypatch.setattr(status_client, "_TIMEOUT", processes.PATIENCE)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock by which spans have an age. It stands still unless a test sets ``now``."""
    stopped = SimpleNamespace(now=NOW, time_ns=lambda: stopped.now, strftime=time.strftime, gmtime=time.gmtime)
    for module in (pending_records, status_server):
        monkeypatch.setattr(module, "time", stopped)
    return stopped


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    made = TracerProvider()
    yield made
    made.shutdown()


def aged(provider: TracerProvider, name: str, age: float, parent: Any = None, **options: Any) -> Any:
    """An open span that started some seconds before ``NOW``."""
    start = NOW - int(age * SECOND)
    context = None if parent is None else set_span_in_context(parent)
    return provider.get_tracer("shop", "1.0").start_span(name, context, start_time=start, **options)


def exported(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


# ── Pending records ──


def test_an_open_span_has_a_pending_record_whenever_its_age_has_doubled(
    provider: TracerProvider, clock: SimpleNamespace
):
    exporter, records = exported(provider), PendingRecords(5, provider)
    cause = aged(provider, "cause", 0)
    span = aged(provider, "order", 6, attributes={"id": 7}, links=[Link(cause.get_span_context(), {"kind": "a"})])
    young = aged(provider, "young", 4)
    for _ in range(3):
        records.write([span, young])
    (record,) = exporter.get_finished_spans()
    assert (record.name, record.parent) == ("order (pending)", span.get_span_context())
    assert record.start_time == record.end_time == NOW
    assert record.context.span_id != span.context.span_id
    assert [dict(link.attributes) for link in record.links] == [{"kind": "a"}]
    assert dict(record.attributes) == {  # and no parent
        "id": 7,
        "instrument.pending.name": "order",
        "instrument.pending.start": "2025-12-31T23:59:54Z",
        "instrument.pending.age": 6,
    }
    assert record.instrumentation_scope.name == "shop"

    for seconds, records_so_far in ((5, 1), (6, 2), (17, 2), (18, 3)):
        clock.now = NOW + seconds * SECOND
        records.write([span])
        records.write([span])
        assert [each.name for each in exporter.get_finished_spans()] == ["order (pending)"] * records_so_far


def test_records_are_bounded_and_the_others_follow(provider: TracerProvider):
    exporter, records = exported(provider), PendingRecords(5, provider)
    spans = [aged(provider, f"{number}", 6) for number in range(700)]
    records.write(spans)
    assert len(exporter.get_finished_spans()) == 500
    records.write(spans)
    names = [span.name for span in exporter.get_finished_spans()]
    assert len(names) == len(set(names)) == 700


def test_the_exporter_tree_prints_a_pending_record_on_a_line_and_not_as_part_of_the_trace(
    provider: TracerProvider,
):
    out = io.StringIO()
    provider.add_span_processor(TreeSpanProcessor(out, settle=0))
    span = aged(provider, "order\x1b[2J", 6, attributes={"id": 7})
    PendingRecords(5, provider).write([span])
    line = out.getvalue()
    assert line.startswith("still open after 6 s: order\\x1b[2J [") and line.endswith("] id=7\n")
    span.end()
    provider.force_flush()
    assert "1 span\n" in out.getvalue() and "pending" not in out.getvalue()


# ── instrument status ──


@posix
def test_a_process_answers_with_its_open_spans(provider: TracerProvider, capsys: pytest.CaptureFixture[str]):
    live = LiveSpans(provider, status=True, pending_after=None)
    live.start()
    try:
        turn = aged(provider, "turn", 65, attributes={"agent": "bob", "text": "two words"})
        turn.add_event("opened", timestamp=NOW - 3 * SECOND)
        tool = aged(provider, "tool", 2, parent=turn)
        aged(provider, "ended", 1).end()
        processes.until(lambda: _answers(os.getpid()), "an answer")
        assert main(["status", str(os.getpid())]) == 0
        head, blank, *lines = capsys.readouterr().out.splitlines()
        assert head.startswith(f"process {os.getpid()} · ") and head.endswith(" · 2 open spans · 2026-01-01T00:00:00Z")
        assert not blank
        assert lines == [
            "  1 min 5 s  turn",
            '               agent=bob text="two words"',
            "               • opened 3.0 s ago",
            "      2.0 s    tool",
        ]
        tool.end()
        turn.end()
        assert main(["status"]) == 0
        assert capsys.readouterr().out.endswith(" · 0 open spans\n")
        assert main(["status", str(os.getpid()), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["spans"] == []
    finally:
        live.stop()
    assert main(["status"]) == 1
    assert "OTEL_PYTHON_DECLARATIVE_STATUS=1" in capsys.readouterr().err


@posix
def test_a_process_says_at_which_lines_its_threads_and_tasks_wait(
    provider: TracerProvider, capsys: pytest.CaptureFixture[str]
):
    lock, loop = threading.Lock(), asyncio.new_event_loop()
    news: asyncio.Future[None] = loop.create_future()

    def charge() -> None:
        with lock:  # it is never free
            pass

    async def read_news() -> None:
        await news  # nobody writes any

    async def main_task() -> None:
        await asyncio.gather(read_news(), read_news())

    def run_loop() -> None:
        loop.run_until_complete(main_task())

    live = LiveSpans(provider, status=True, pending_after=None)
    live.start()
    lock.acquire()
    threads = [threading.Thread(target=target, name=target.__name__) for target in (charge, run_loop)]
    for thread in threads:
        thread.start()
    try:
        processes.until(lambda: _answers(os.getpid()), "an answer")

        def shown() -> str:
            assert main(["status", str(os.getpid()), "--stacks"]) == 0
            return capsys.readouterr().out

        processes.until(lambda: all(line in shown() for line in ("with lock:", "await news")), "the lines")
        stacks = shown().partition("thread charge\n")[2]
    finally:
        lock.release()
        loop.call_soon_threadsafe(news.set_result, None)
        for thread in threads:
            thread.join()
        loop.close()
        live.stop()
    assert "charge: with lock:  # it is never free\n" in stacks
    assert re.search(
        r"task Task-\d+ and 1 other at the same place\n  tests/test_live.py:\d+ .*read_news: await news", stacks
    )
    assert "main_task: await asyncio.gather(read_news(), read_news())\n" in stacks
    assert "run_loop" not in stacks  # a loop that waits for events is not shown
    assert "instrument live" not in stacks


def _answers(pid: int) -> bool:
    try:
        return bool(read_status(pid))
    except NoStatus:
        return False


@posix
def test_a_process_that_does_not_answer_is_an_error_that_says_why(capsys: pytest.CaptureFixture[str]):
    assert main(["status", "1"]) == 1
    assert "no process 1 of this user answers" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue looks like an ended process")
def test_a_process_that_has_not_answered_others_either_is_said_not_to_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(status_client, "_TIMEOUT", 0.01)
    path = str(socket_path(make_socket_folder(), os.getpid()))
    with contextlib.ExitStack() as clients, socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(path)
        with pytest.raises(NoStatus, match=f"process {os.getpid()} did not answer in"):
            read_status(os.getpid())


@posix
def test_a_folder_with_a_long_path_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    for variable in ("XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.setenv(variable, str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert socket_folder().parent == Path("/tmp")


@posix
def test_the_socket_is_not_put_where_others_can_open_it(
    sockets: Path, provider: TracerProvider, caplog: pytest.LogCaptureFixture
):
    folder = sockets / f"opentelemetry-instrument-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o755)
    live = LiveSpans(provider, status=True, pending_after=None)
    live.start()
    live.stop()
    assert list(folder.iterdir()) == []
    assert "is not a folder that only this user can open" in caplog.text


@posix
def test_a_socket_has_its_path_only_when_it_listens(
    sockets: Path, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
):
    paths_before_listening = []
    listen = socket.socket.listen

    def listening(listener: socket.socket, backlog: int) -> None:
        paths_before_listening.extend(sockets.rglob("*.sock"))
        listen(listener, backlog)

    monkeypatch.setattr(socket.socket, "listen", listening)
    live = LiveSpans(provider, status=True, pending_after=None)
    live.start()
    try:
        processes.until(lambda: _answers(os.getpid()), "an answer")  # a client deletes a path that refuses connections
    finally:
        live.stop()
    assert paths_before_listening == [] == list(sockets.rglob("*.*"))


def test_the_text_is_bounded_and_escapes_what_would_move_the_cursor():
    span = {"trace_id": "a", "parent_id": None, "start": 0, "latest_event": None}
    hostile = {**span, "name": "\x1b[2J", "span_id": "1", "attributes": {"k\n": "\x07" + "x" * 500}}
    status = {"pid": 1, "program": "a\rb", "time": SECOND, "open": 2_500, "spans": [hostile]}
    text = status_text(status)
    assert text.replace("\n", "").isprintable()
    assert "x" * 60 not in text
    assert "2,499 younger spans are not shown." in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "250 ms"), (59.9, "59.9 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h"), (-5, "0 ms")],
)
def test_an_age_has_its_two_largest_units(seconds: float, text: str):
    assert age_text(int(seconds * SECOND)) == text


def test_spans_that_are_nested_deeper_than_the_stack_are_shown(provider: TracerProvider):
    spans = [
        {"trace_id": "a", "span_id": str(n), "parent_id": str(n - 1) if n else None, "start": n, "name": f"span {n}"}
        for n in range(2_000)
    ]
    status = {"pid": 1, "program": "app.py", "time": SECOND, "open": 2_000}
    text = status_text({**status, "spans": [{**each, "attributes": {}, "latest_event": None} for each in spans]})
    assert [line.split()[-1] for line in text.splitlines()[2:]] == [str(n) for n in range(2_000)]


def test_a_processor_forgets_spans_when_it_is_stopped(provider: TracerProvider):
    processor = OpenSpanProcessor()
    processor.add_to(provider)
    processor.add_to(provider)  # twice has no effect
    span = aged(provider, "a", 0)
    assert processor.spans() == [span]
    processor.stop()
    aged(provider, "b", 0)
    assert processor.spans() == []


HANGS = """
import os, sys, threading
def wait():
    threading.Event().wait()
def work(id):
    if os.fork() == 0:
        child()
    wait()
def child():
    print(os.getpid(), flush=True)
    wait()
work(7)
"""


@posix
def test_a_forked_child_answers_with_its_own_open_spans(tmp_path: Path):
    (tmp_path / "app.py").write_text(HANGS)
    (tmp_path / "app.yaml").write_text(
        "instrument: 2\nname: app\nspans:\n"
        "  work: {around: '__main__:work', attributes: {id: id}}\n"
        "  wait: {around: '__main__:wait'}\n"
        "  child: {around: '__main__:child'}\n"
    )
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("OTEL_")},
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DECLARATIVE_SPECS": "app.yaml",
        "OTEL_PYTHON_DECLARATIVE_STATUS": "1",
    }
    command = [str(processes.COMMAND), sys.executable, "app.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        child = int(program.stdout.readline())
        try:
            processes.until(lambda: _open(program.pid) == ["work", "wait"], "the answer of the program")
            processes.until(lambda: _open(child) == ["child", "wait"], "the answer of the child")
        finally:
            os.kill(child, signal.SIGKILL)
            program.kill()
    processes.until(lambda: not _answers(child), "the end of the child")


def _open(pid: int) -> list[str]:
    try:
        return [span["name"] for span in read_status(pid)["spans"]]
    except NoStatus:
        return []
