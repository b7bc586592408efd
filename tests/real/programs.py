"""Starts a program with instrumentation and without, uses both in the same way, and compares what they do."""

from __future__ import annotations

import contextlib
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
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.processes import COMMAND, PACKAGE, PATIENCE, SOURCE, until
from tests.real.environment import HERE, environment, read_records
from tests.real.runs import Run, spans_of


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
    """Sends requests, one after the other, and keeps the answers.

    Each has a connection of its own: uvicorn runs a request that arrives before the application has ended the answer to
    the last one of its connection in the context of that one, with its current span.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: list[list[Any]] = []

    def send(self, method: str, path: str, body: Any = None, form: Any = None, **headers: str) -> None:
        """Send a request, with a body as JSON or with a form."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            content, sent["content-type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        else:
            content, sent["content-type"] = "" if body is None else json.dumps(body), "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, content, {**sent, "connection": "close"})
            response = connection.getresponse()
            received = {name: value for name, value in response.getheaders() if name.lower() != "date"}
            self.answers.append([method, path, response.status, received, response.read().decode()])


def both_ways(
    folder: Path,
    command: Sequence[str],
    use: Callable[[Program], Any],
    scratch: Path,
    *,
    spec: Path | None = None,
    beside: Collection[str] = (),
    stop: bool = True,
    **more: str,
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
        started = environment(
            spec or folder / "spec.yaml",
            spans,
            files,
            folder,
            HERE / "span_file",
            beside=beside if traced else (),
            # The test reacts to lines as soon as they are written.
            **{"OTEL_PYTHON_CONFIGURATOR": "span_file", "PYTHONUNBUFFERED": "1", **more},
        )
        with _started(folder, command, traced, started) as program:
            try:
                result = use(program)
            except Exception as error:
                raise AssertionError("the program failed:\n" + "\n".join(program.output)) from error
            if stop:
                program.process.send_signal(signal.SIGTERM)
            code = program.process.wait(timeout=PATIENCE)
        return Run(result, code, program.output, spans_of(read_records(spans)))

    with ThreadPoolExecutor(2) as pool:
        with_spans, without = pool.map(run, (True, False))
    return with_spans, without


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
        timeout=PATIENCE,
    )
    return f"{done.stdout}{done.stderr}exit code {done.returncode}"
