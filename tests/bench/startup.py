"""What this package adds to the start of a process.

Each program runs under ``opentelemetry-instrument`` twice a round, in random order: with the instrumentation disabled
and with it. The processor time (user and system) that the second adds to the first is measured.

All modules are compiled before, as they are in an installed package, whatever ``PYTHONDONTWRITEBYTECODE`` says.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.results import Result, result

SCRIPTS = Path(sysconfig.get_path("scripts"))
OVERLAY = """\
instrument: 2
extends: ag2
spans:
  envelope:
    attributes:
      app.priority: envelope.priority
      app.text_length: len(envelope.event_data.text)
"""
DISABLED = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "declarative"}
NOT_IMPORTED, IMPORTED = "pass", "import ag2.network"


class Row(NamedTuple):
    """One comparison: the program, the specs that are listed, and the most that they may add, in milliseconds."""

    name: str
    program: str
    specs: str
    target: float | None


ROWS = (
    Row("no spec, AG2 never imported", NOT_IMPORTED, "", 60),
    Row("an overlay, AG2 never imported", NOT_IMPORTED, "overlay.yaml", 150),
    Row("no spec, AG2 imported", IMPORTED, "", None),
    Row("an overlay, AG2 imported", IMPORTED, "overlay.yaml", 350),
)


def processor_time(program: str, folder: Path, variables: dict[str, str]) -> float:
    """The milliseconds of processor time of one process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [SCRIPTS / "opentelemetry-instrument", sys.executable, "-c", program],
        cwd=folder,
        env=environment | variables,
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(row: Row, folder: Path, rounds: int) -> tuple[float, list[float]]:
    """Run both variants of a row in pairs; return the median without this package, and what it adds in each pair."""
    variants = {"disabled": DISABLED, "enabled": {"OTEL_PYTHON_DECLARATIVE_SPECS": row.specs}}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in random.sample(list(variants), 2):
            times[name].append(processor_time(row.program, folder, variants[name]))
    added = [enabled - disabled for enabled, disabled in zip(times["enabled"], times["disabled"], strict=True)]
    return statistics.median(times["disabled"]), added


def rows(rounds: int) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "overlay.yaml").write_text(OVERLAY, encoding="utf-8")
        for row in ROWS:
            processor_time(row.program, folder, {"OTEL_PYTHON_DECLARATIVE_SPECS": row.specs})  # compiles the modules
            disabled, added = measure(row, folder, rounds)
            yield result("Start: added to a process", row.name, added, "ms", row.target, note=f"of {disabled:.0f} ms")
