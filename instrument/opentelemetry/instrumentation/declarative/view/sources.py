"""Where spans come from: files, standard input, and programs that export them over OTLP."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.view.formats.reading import Recording, read
from opentelemetry.instrumentation.declarative.view.progress import progress

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.view.endpoint import Endpoint

#: How often, in seconds, to look for spans that have arrived.
_INTERVAL = 0.2


class SourceError(Exception):
    """There are no spans. The message says why."""


def read_files(paths: Sequence[str]) -> Recording:
    """The spans of all files. Raises SourceError."""
    recording = Recording()
    with progress() as shown:
        for path in paths:
            recording.label = f"{path}: " if len(paths) > 1 else ""
            try:
                with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as stream:
                    read(stream, recording, lambda _: shown(lambda: _amount(recording)))
            except OSError as error:
                raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    return _checked(recording, _why_empty(" and ".join(paths), recording))


def _amount(recording: Recording) -> str:
    return f"{len(recording.spans):,} spans, {recording.size / 1e6:,.0f} MB"


def _why_empty(name: str, recording: Recording) -> str:
    expected = "Expected are lines of AG2's spans.jsonl or OTLP in JSON, as OTEL_TRACES_EXPORTER=jsonl writes it"
    if recording.broken:
        first = recording.broken[0]
        return f"{name} has no spans: {first.where} {first.reason}. {expected}"
    if recording.other_signals:
        return f"{name} has no spans, only metrics or logs"
    if recording.is_truncated:
        return f"{name} has no complete line: the first one is cut off, or is not JSON. {expected}"
    return f"{name} is empty: no span has been written to it"


def receive(host: str, port: int) -> Recording:
    """The spans that arrive until the user presses Ctrl-C. Raises SourceError."""
    endpoint = open_endpoint(host, port)
    print(f"receiving spans at {endpoint.url} ({endpoint.protocols}). Ctrl-C shows them.", file=sys.stderr)
    advice = None
    with progress() as shown:
        try:
            while True:
                time.sleep(_INTERVAL)
                if endpoint.recording.advice != advice:
                    advice = endpoint.recording.advice
                    shown.say(f"{advice}.")
                shown(lambda: _amount(endpoint.recording))
        except KeyboardInterrupt:
            pass
    endpoint.close()
    advice = endpoint.recording.advice
    return _checked(endpoint.recording, f"no span has arrived{f': {advice}' if advice else ''}")


def record(command: Sequence[str]) -> tuple[Recording, int]:
    """The spans that a command writes with our exporter, and its exit code. Raises SourceError."""
    recording = Recording()
    with tempfile.TemporaryDirectory(prefix="instrument-view-") as folder:
        path = os.path.join(folder, "spans.jsonl")
        code = _run(command, _exporters("jsonl", OTEL_PYTHON_DECLARATIVE_SPANS_FILE=path))
        if os.path.exists(path):
            with open(path, "rb") as stream:
                read(stream, recording)
    advice = "Run it under opentelemetry-instrument, or with --listen if this package is not in its environment"
    return _checked(recording, f"{command[0]} has ended with {code} and written no span. {advice}"), code


def receive_from(command: Sequence[str], host: str, port: int) -> tuple[Recording, int]:
    """The spans that a command exports over OTLP, and its exit code. Raises SourceError."""
    endpoint = open_endpoint(host, port)
    variables = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{endpoint.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }
    code = _run(command, _exporters("otlp", **variables))
    endpoint.close()
    advice = "It must be instrumented, and have an exporter for OTLP over HTTP"
    return _checked(endpoint.recording, f"{command[0]} has ended with {code} and exported no span. {advice}"), code


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command with these variables in its environment. Returns its exit code, as a shell does."""
    if shutil.which(command[0]) is None:
        raise SourceError(f"there is no command {command[0]}. Name a command on PATH")
    sys.stdout.flush()
    process = subprocess.Popen(command, env={**os.environ, **variables})
    with _ignored_interrupts():  # the command gets them too
        code = process.wait()
    return code if code >= 0 else 128 - code


def _exporters(added: str, **variables: str) -> dict[str, str]:
    """The variables that add an exporter of spans to those that are set."""
    names = [name for name in os.environ.get("OTEL_TRACES_EXPORTER", "").split(",") if name not in ("", "none", added)]
    return {
        "OTEL_TRACES_EXPORTER": ",".join([*names, added]),
        "OTEL_METRICS_EXPORTER": os.environ.get("OTEL_METRICS_EXPORTER", "none"),
        "OTEL_LOGS_EXPORTER": os.environ.get("OTEL_LOGS_EXPORTER", "none"),
        **variables,
    }


def open_endpoint(host: str, port: int) -> Endpoint:
    """An endpoint at an address. Raises SourceError."""
    from opentelemetry.instrumentation.declarative.view.endpoint import Endpoint

    try:
        return Endpoint(host, port)
    except OSError as error:
        raise SourceError(f"{host}:{port} cannot be used: {error.strerror or error}. Name another port") from None


def _checked(recording: Recording, why_empty: str) -> Recording:
    if not len(recording.spans):
        raise SourceError(why_empty)
    return recording


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
