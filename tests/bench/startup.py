"""What this package adds to the start of a process: ``make bench-start``.

Each program runs under ``opentelemetry-instrument`` twice a round, in random order: with the instrumentation disabled
and with it. The processor time (user and system) that the second adds over the first is measured; the table shows the
median of the rounds. Times depend on the machine, so each is also shown relative to the disabled process. Exits with 1
if a row exceeds its target.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import NamedTuple

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


class Result(NamedTuple):
    """Medians in milliseconds: of the disabled process, and of what is added to it; and the added quartiles."""

    disabled: float
    added: float
    lower: float
    upper: float


def processor_time(program: str, folder: Path, variables: dict[str, str]) -> float:
    """The milliseconds of processor time of one process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
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


def measure(row: Row, folder: Path, rounds: int) -> Result:
    """Run both variants of a row in pairs."""
    variants = {"disabled": DISABLED, "enabled": {"OTEL_PYTHON_DECLARATIVE_SPECS": row.specs}}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in random.sample(list(variants), 2):
            times[name].append(processor_time(row.program, folder, variants[name]))
    added = [enabled - disabled for enabled, disabled in zip(times["enabled"], times["disabled"], strict=True)]
    lower, median, upper = statistics.quantiles(added, n=4)
    return Result(statistics.median(times["disabled"]), median, lower, upper)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20, help="pairs of processes per row (default: 20)")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {options.rounds} pairs of processes per row, processor time in ms\n")
    print(f"{'':34}{'disabled':>9}{'added':>8}{'quartiles':>15}{'added/disabled':>16}   target")
    results: dict[str, Result] = {}
    exceeded = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "overlay.yaml").write_text(OVERLAY, encoding="utf-8")
        for row in ROWS:
            processor_time(row.program, folder, {})  # compiled files and the disk cache are warm
            found = results[row.name] = measure(row, folder, options.rounds)
            above = row.target is not None and found.added > row.target
            exceeded |= above
            target = "" if row.target is None else f"{row.target:6.0f}{' EXCEEDED' if above else ''}"
            quartiles = f"{found.lower:.0f}..{found.upper:.0f}"
            share = found.added / found.disabled
            print(f"{row.name:34}{found.disabled:9.0f}{found.added:8.0f}{quartiles:>15}{share:16.2f}   {target}")
    if options.json:
        options.json.write_text(json.dumps({name: each._asdict() for name, each in results.items()}, indent=2) + "\n")
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
