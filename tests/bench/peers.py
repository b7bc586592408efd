"""What other libraries add to a call for the same span, each in an environment of its own: ``make bench-peers``."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.bench.results import Result, result
from tests.bench.spans import added, measured

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-peers"
PROGRAM = Path(__file__).with_name("peer_programs.py")
#: The distribution of each.
PEERS = {
    "opentelemetry": "opentelemetry-sdk",
    "openinference": "openinference-instrumentation",
    "ddtrace": "ddtrace",
    "sentry": "sentry-sdk",
    "newrelic": "newrelic",
    "logfire": "logfire",
    "monocle": "monocle_apptrace",
}
SECTION = "Other libraries: the same span, relative to start_as_current_span"


class NotMeasuredError(Exception):
    """Why a library has no row."""


def rows(rounds: int) -> Iterator[Result]:
    ENVIRONMENTS.mkdir(exist_ok=True)
    by_hand: list[float] = []
    for name, distribution in PEERS.items():
        # OpenTelemetry's SDK comes first: the others are compared with it.
        try:
            release, times = _times(name, distribution, rounds)
        except NotMeasuredError as reason:
            yield Result(SECTION, name, note=f"not measured: {reason}")
            continue
        by_hand = by_hand or times
        ratios = [each / median(by_hand) for each in times]
        yield result(SECTION, f"{distribution} {release}", ratios, note=f"{median(times):.0f} ns")
        if name == "opentelemetry":
            ours = added(measured("simple processor", rounds, 1), "sync declared")
            title = f"this package, SDK {version('opentelemetry-sdk')}"
            yield result(SECTION, title, [each / median(by_hand) for each in ours], note=f"{median(ours):.0f} ns")


def _times(name: str, distribution: str, rounds: int) -> tuple[str, list[float]]:
    """The release of a library, and what it adds to a call in each round."""
    folder = ENVIRONMENTS / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    extra = ["opentelemetry-sdk"] if name in ("openinference", "monocle") else []
    _run("it cannot be installed", python, "-m", "pip", "install", "--quiet", distribution, *extra)
    code = f"import importlib.metadata as found; print(found.version({distribution!r}))"
    release = _run("it has no version", python, "-c", code).strip()
    output = _run("its program fails", python, PROGRAM, name, str(rounds))
    return release, json.loads(output.splitlines()[-1])


def _run(problem: str, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=ENVIRONMENTS, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotMeasuredError(f"{problem}: {reason[:80]}")
    return done.stdout
