"""An application in a process of its own, under ``opentelemetry-instrument`` or not, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
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


#: OpenTelemetry's own limit: older releases of `opentelemetry-instrument` do not instrument the processes that a program starts.
needs_instrumented_children = pytest.mark.skipif(
    Version(metadata.version("opentelemetry-instrumentation")) < Version("0.63b0"),
    reason="opentelemetry-instrument instruments child processes since 0.63b0",
)


@dataclass
class Ended:
    """What came of a process: its code, the application's own lines, the spans between them, and what was said."""

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
    **environment: str,
) -> Ended:
    """Run an application, a file or a ``module`` in a folder. ``paths`` come first where it looks for modules."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    settings = {
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "PYTHONPATH": os.pathsep.join(map(str, [*paths, SOURCE])),
        # What is imported by way of a link must not be written where the link leads to.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [*([str(COMMAND)] if traced else []), sys.executable, *(["-m"] if module else []), str(app)],
        cwd=folder or app.parent,
        env={**kept, **settings, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Ended(done.returncode, *read(done.stdout), done.stderr)


def read(output: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The application's own lines, and the spans between them."""
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
