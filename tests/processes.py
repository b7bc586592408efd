"""Runs an application in another process, under ``opentelemetry-instrument`` or not."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation import declarative
from packaging.version import Version

COMMAND = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
PACKAGE = "opentelemetry.instrumentation.declarative"
SOURCE = Path(declarative.__file__).parents[3]
"""The source root of the package under test, for processes that must import the same."""
ROOT = Path(__file__).resolve().parents[1]

#: Seconds after which a test gives up waiting. It is much longer than anything takes on a busy machine.
PATIENCE = 120.0


#: Older releases of `opentelemetry-instrument` do not instrument the processes that a program starts.
needs_instrumented_children = pytest.mark.skipif(
    Version(metadata.version("opentelemetry-instrumentation")) < Version("0.63b0"),
    reason="opentelemetry-instrument instruments child processes since 0.63b0",
)


@dataclass
class ProcessResult:
    """The result of a process: exit code, lines of the program, spans, and standard error."""

    code: int
    lines: list[str]
    spans: list[dict[str, Any]]
    errors: str

    def named(self, prefix: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"].startswith(prefix)]


def run(
    app: Path,
    *,
    traced: bool = True,
    paths: Iterable[Path] = (),
    module: bool = False,
    folder: Path | None = None,
    flags: Sequence[str] = (),
    **environment: str,
) -> ProcessResult:
    """Run an application: a file, or with ``module`` a module in a folder.

    Args:
        paths: folders that are searched first for modules.
        flags: flags of ``opentelemetry-instrument``.
    """
    arguments = [*(["-m"] if module else []), str(app)]
    folder = folder or app.parent
    return run_python(*arguments, traced=traced, paths=paths, folder=folder, flags=flags, **environment)


def run_python(
    *arguments: str,
    folder: Path,
    traced: bool = True,
    paths: Iterable[Path] = (),
    flags: Sequence[str] = (),
    input: str | None = None,
    **environment: str,
) -> ProcessResult:
    """Run Python with arguments, and with ``input`` as its standard input."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    settings = {
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "PYTHONPATH": os.pathsep.join(map(str, [*paths, SOURCE])),
        # Bytecode of modules that are imported through a link must not be written to its target.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [*([str(COMMAND), *flags] if traced else []), sys.executable, *arguments],
        cwd=folder,
        input=input,
        env={**kept, **settings, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return ProcessResult(done.returncode, *read(done.stdout), done.stderr)


def read(output: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Separate the lines of the program and the spans of the console exporter."""
    lines, spans, decoder = [], [], json.JSONDecoder()
    while output:
        if output.startswith("{"):
            span, end = decoder.raw_decode(output)
            spans.append(span)
            output = output[end:].lstrip("\n")
        else:
            line, _, output = output.partition("\n")
            lines.append(line)
    return lines, spans


def until(condition: Callable[[], Any], what: str = "it") -> None:
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End a process after the block, whatever happens, and close its streams: they would fail another test."""
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """A port for a server that has to know its port before it starts.

    It stays bound, so that no other process is given this port. Servers can bind it as well, and are the only ones that
    listen: they set one of these options.
    """
    with socket.socket() as bound:
        for option in ("SO_REUSEADDR", "SO_REUSEPORT"):
            if hasattr(socket, option):
                bound.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a server listens at a port of this host."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def replace(file: Path, text: str) -> None:
    """Replace a file at once: a process that watches it never reads a part of the text."""
    written = file.with_name(f"{file.name}.written")
    written.write_text(text)
    written.replace(file)
