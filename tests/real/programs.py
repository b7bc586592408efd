"""Starts a program with instrumentation and without, uses both in the same way, and compares what they do."""

from __future__ import annotations

import contextlib
import copy
import http.client
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.testing.recorded_trace import SpanTree
from opentelemetry.instrumentation.declarative.testing.tree_builder import build_tree
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tests.processes import COMMAND, PACKAGE, PATIENCE, SOURCE, until

HERE = Path(__file__).parent
#: What differs between two runs of a program: process ids, ports, addresses of objects, times.
VARYING = re.compile(
    r"\[\d+\]|\(\d+\)|(?<=pid: )\d+|\b0x[0-9a-f]+\b|(?<=127\.0\.0\.1:)\d+|\[\d{4}-\d\d-\d\d [^\]]*\]|\d+\.\d+ ?m?s\b"
)

#: What OpenTelemetry writes because `span_file` configures the SDK.
OTHER_CONFIGURATOR = "Configuration of configurator not loaded"

#: How the instrumentation scope of each spec without `scope` starts.
SCOPE = "instrument."


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skip the tests of a module if one of these modules is not installed."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} not installed: `make test-real` does it")


@dataclass
class Program:
    """A running program."""

    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    """The lines that it has written so far, to standard output and standard error."""

    def port(self, pattern: str = r"https?://127\.0\.0\.1:(\d+)") -> int:
        """The port at which it listens, once it has written that."""
        until(lambda: self._find(pattern) or self.process.poll() is not None, f"the line {pattern}")
        found = self._find(pattern)
        assert found is not None, "\n".join(self.output)
        return int(found[1])

    def _find(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in [*self.output] if (found := re.search(pattern, line))), None)

    def collect_output(self) -> None:
        assert self.process.stdout is not None
        self.output.extend(line.rstrip() for line in self.process.stdout)


class Client:
    """Sends requests over one connection, one after the other, and keeps the answers."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.answers: list[list[Any]] = []

    def send(self, method: str, path: str, body: Any = None, form: Any = None, **headers: str) -> None:
        """Send a request, with a body as JSON or with a form."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            content, sent["content-type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        else:
            content, sent["content-type"] = "" if body is None else json.dumps(body), "application/json"
        self._connection.request(method, path, content, sent)
        response = self._connection.getresponse()
        received = {name: value for name, value in response.getheaders() if name.lower() != "date"}
        self.answers.append([method, path, response.status, received, response.read().decode()])
        if response.status == 500:
            # Some servers close the connection without saying so.
            self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *raised: object) -> None:
        self._connection.close()


@dataclass
class Run:
    """The result of a program: what a use of it returned, its output, and its spans in the order of their starts."""

    result: Any
    code: int
    output: list[str]
    all_spans: list[ReadableSpan]
    """Also those of other instrumentations. FastAPI traces itself since 0.165."""

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans of the spec, as if there were no other instrumentation."""
        by_id = {span.context.span_id: span for span in self.all_spans}

        def parent(span: ReadableSpan) -> SpanContext | None:
            above = span.parent
            while above is not None and above.span_id in by_id and not _is_ours(by_id[above.span_id]):
                above = by_id[above.span_id].parent
            return above

        return [_with_parent(span, parent(span)) for span in self.all_spans if _is_ours(span)]

    def traces(self, *roots: str, without: Collection[str] = ()) -> list[SpanTree]:
        """A tree for each span without a parent that has one of these names; without names, for all of them.

        The status of a span tells its exception: events of exceptions are left out.

        Args:
            without: the names of spans that are left out. They must not have children.
        """
        found: dict[int, list[ReadableSpan]] = {}
        root: dict[int, int] = {}
        for span in self.spans:
            if span.name in without:
                continue
            own = span.context.span_id
            root[own] = root[span.parent.span_id] if span.parent else own
            found.setdefault(root[own], []).append(_without_exceptions(span))
        return [SpanTree(build_tree(spans)) for spans in found.values() if not roots or spans[0].name in roots]

    def trace(self, root: str) -> SpanTree:
        """The tree of the only span without a parent that has this name."""
        (tree,) = self.traces(root)
        return tree

    @property
    def roots(self) -> list[str]:
        """The names of the spans without a parent, in the order of their starts."""
        return [span.name for span in self.spans if span.parent is None]

    @property
    def below_server_spans(self) -> list[tuple[str, list[str]]]:
        """The server spans of other instrumentations, each with the spans of the spec that are in no other of these."""
        others = {span.context.span_id: span for span in self.all_spans if not _is_ours(span)}
        below: dict[int, list[str]] = {key: [] for key, span in others.items() if span.kind is SpanKind.SERVER}
        for span in self.all_spans:
            above = span.parent if _is_ours(span) else None
            while above is not None and above.span_id in others and above.span_id not in below:
                above = others[above.span_id].parent
            if above is not None and above.span_id in below:
                below[above.span_id].append(span.name)
        return [(others[key].name, names) for key, names in below.items()]

    @property
    def comparable_output(self) -> list[str]:
        """The lines without what differs from run to run, sorted: several processes write them.

        Tracebacks are left out, because they have an entry more for each instrumented function.
        """
        return sorted(VARYING.sub("…", line) for line in self.output if not line.startswith(("  ", OTHER_CONFIGURATOR)))


def both_ways(
    folder: Path,
    command: Sequence[str],
    use: Callable[[Program], Any],
    scratch: Path,
    *,
    spec: Path | None = None,
    beside: Collection[str] = (),
    stop: bool = True,
    **environment: str,
) -> tuple[Run, Run]:
    """Run a program with instrumentation and without, at the same time. Returns both results, the instrumented first.

    Args:
        folder: the program, which is the working directory.
        command: the arguments of Python.
        use: makes requests, and returns what is compared.
        scratch: a folder, whose subfolders ``instrumented`` and ``plain`` are the variable ``SCRATCH`` of each process.
        spec: the spec; ``spec.yaml`` in the folder by default.
        beside: the names of the other instrumentations that are active.
        stop: whether the program is stopped by SIGTERM; otherwise it ends by itself.
    """

    def run(traced: bool) -> Run:
        files = scratch / ("instrumented" if traced else "plain")
        files.mkdir(exist_ok=True)
        spans = files / "spans.jsonl"
        started = _environment(folder, files, spec or folder / "spec.yaml", beside if traced else ())
        with _started(folder, command, traced, {**started, **environment}) as program:
            try:
                result = use(program)
            except Exception as error:
                raise AssertionError("the program failed:\n" + "\n".join(program.output)) from error
            if stop:
                program.process.send_signal(signal.SIGTERM)
            code = program.process.wait(timeout=PATIENCE)
        records = [json.loads(line) for line in spans.read_text("utf-8").splitlines()] if spans.exists() else []
        return Run(result, code, program.output, _spans(records))

    with ThreadPoolExecutor(2) as pool:
        with_spans, without = pool.map(run, (True, False))
    return with_spans, without


def assert_unchanged(with_spans: Run, without: Run) -> None:
    """The program answers, writes and exits as it does without instrumentation, and only one of them has spans."""
    assert with_spans.result == without.result
    assert with_spans.comparable_output == without.comparable_output
    assert with_spans.code == without.code
    assert not without.spans


@contextlib.contextmanager
def _started(folder: Path, command: Sequence[str], traced: bool, environment: dict[str, str]) -> Iterator[Program]:
    process = subprocess.Popen(
        [*([str(COMMAND)] if traced else []), sys.executable, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    program = Program(process)
    reader = threading.Thread(target=program.collect_output)
    reader.start()
    try:
        yield program
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def _environment(folder: Path, files: Path, spec: Path, beside: Collection[str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    others = {each.name for each in metadata.entry_points(group="opentelemetry_instrumentor")}
    return {
        **kept,
        "OTEL_PYTHON_CONFIGURATOR": "span_file",
        "OTEL_PYTHON_DECLARATIVE_SPECS": str(spec),
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ",".join(sorted(others - {"declarative", *beside})),
        "SPAN_FILE": str(files / "spans.jsonl"),
        # For the files of the program.
        "SCRATCH": str(files),
        "PYTHONPATH": os.pathsep.join(map(str, [folder, HERE / "span_file", SOURCE])),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The test reacts to lines as soon as they are written.
        "PYTHONUNBUFFERED": "1",
    }


def _spans(records: Iterable[dict[str, Any]]) -> list[ReadableSpan]:
    return [
        ReadableSpan(
            each["name"],
            context=_context(each["context"]),
            parent=_context(each["parent"]) if each["parent"] else None,
            attributes=each["attributes"],
            events=[Event(name, attributes, time) for name, attributes, time in each["events"]],
            links=[Link(_context(ids), attributes) for ids, attributes in each["links"]],
            kind=SpanKind[each["kind"]],
            status=Status(StatusCode[each["status"][0]], each["status"][1]),
            start_time=each["start"],
            end_time=each["end"],
            instrumentation_scope=InstrumentationScope(each["scope"]),
        )
        for each in sorted(records, key=lambda each: each["start"])
    ]


def _is_ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name.startswith(SCOPE)


def _with_parent(span: ReadableSpan, parent: SpanContext | None) -> ReadableSpan:
    changed = copy.copy(span)
    changed._parent = parent
    return changed


def _without_exceptions(span: ReadableSpan) -> ReadableSpan:
    changed = copy.copy(span)
    changed._events = [event for event in span.events if event.name != "exception"]
    return changed


def _context(ids: list[Any]) -> SpanContext:
    trace_id, span_id, is_remote = ids
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))


def check(folder: Path, *options: str | Path, **environment: str) -> str:
    """What `instrument check --strict` writes about the spec of a program, and its exit code.

    Args:
        options: more arguments; the spec by default.
    """
    done = subprocess.run(
        [sys.executable, "-m", PACKAGE, "check", "--strict", *map(str, options or ["spec.yaml"])],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return f"{done.stdout}{done.stderr}exit code {done.returncode}"
