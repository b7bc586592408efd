"""The rows that benchmarks measure, as one table, as JSON, and as plots."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.bench.explained import EXPLAINED

#: How many digits the values of a unit have.
_DIGITS = {"×": 2, "ns": 0, "µs": 1, "ms": 0}


@dataclass(frozen=True)
class Result:
    """One row: its median and the 10th and 90th percentile, or a note why there is none."""

    section: str
    name: str
    unit: str = "×"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    note: str = ""
    #: What the value is plotted over, for a row that is one point of a curve.
    x: float | None = None

    @property
    def exceeds(self) -> bool:
        return self.value is not None and self.target is not None and round(self.value, 2) > self.target

    @property
    def fails(self) -> bool:
        """Whether it exceeds its target without a reason, or by more than the reason explains."""
        return self.exceeds and round(self.value or 0, 2) > EXPLAINED.get((self.section, self.name), 0)

    @property
    def verdict(self) -> str:
        if not self.exceeds:
            return ""
        return "  exceeded" if self.fails else "  exceeded, explained"

    def line(self) -> str:
        if self.value is None:
            return f"  {self.name:58}{self.note}"
        digits = _DIGITS[self.unit]
        spread = "" if self.low is None or self.high is None else f"{self.low:.{digits}f}..{self.high:.{digits}f}"
        target = "" if self.target is None else f"{self.target:.{digits}f}{self.verdict}"
        value = f"{self.value:.{digits}f} {self.unit}"
        return f"  {self.name:58}{value:>10}{spread:>16}   {target:16}{self.note}".rstrip()


def result(
    section: str, name: str, values: Sequence[float], unit: str = "×", target: float | None = None, **more: Any
) -> Result:
    """The row of several measurements."""
    tenths = statistics.quantiles(values, n=10, method="inclusive") if len(values) > 1 else [values[0]] * 9
    return Result(section, name, unit, statistics.median(values), tenths[0], tenths[-1], target, **more)


def machine() -> dict[str, Any]:
    """What the results depend on. It identifies nobody."""
    return {"python": platform.python_version(), "cores": os.cpu_count(), "processor": _processor(), **_releases()}


def _processor() -> str:
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.machine()


def _releases() -> dict[str, str]:
    found = {}
    for name in ("opentelemetry-sdk", "ag2"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def print_head(about: dict[str, Any]) -> None:
    releases = ", ".join(f"{name} {about[name]}" for name in ("opentelemetry-sdk", "ag2") if name in about)
    print(f"Python {about['python']}, {releases}; {about['cores']} cores, {about['processor']}")
    print(f"\n  {'':58}{'median':>10}{'10th..90th':>16}   target")


def write_json(results: Sequence[Result], about: dict[str, Any], path: Path) -> None:
    rows = [{key: value for key, value in asdict(row).items() if value not in (None, "")} for row in results]
    path.write_text(json.dumps({"machine": about, "rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_plots(results: Sequence[Result], folder: Path) -> list[Path]:
    """One plot of the ratios, and one of each curve. Raises ImportError if matplotlib is not installed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    ratios = [row for row in results if row.unit == "×" and row.value is not None and row.x is None]
    if ratios:
        figure, axes = pyplot.subplots(figsize=(11, 1 + 0.28 * len(ratios)))
        colours = ["tab:red" if row.exceeds else "tab:green" if row.target else "tab:grey" for row in ratios]
        axes.barh([f"{row.section}: {row.name}" for row in ratios], [row.value or 0 for row in ratios], color=colours)
        axes.plot([row.target for row in ratios], range(len(ratios)), "k|", markersize=9)
        axes.axvline(1, color="black", linewidth=0.5)
        axes.invert_yaxis()
        axes.set_xlabel("cost as a multiple of that of the other variant; | is the target")
        written.append(_saved(figure, folder / "ratios.png"))
    for section, rows in groupby((row for row in results if row.x is not None), lambda row: row.section):
        points = [(row.x, row.value) for row in rows if row.value is not None]
        figure, axes = pyplot.subplots(figsize=(6, 4))
        axes.plot(*zip(*points, strict=True), marker="o")
        axes.set(xscale="log", title=section, ylabel=next(row.unit for row in results if row.section == section))
        axes.set_ylim(bottom=0)
        written.append(_saved(figure, folder / f"{section.partition(':')[0].replace(' ', '_')}.png"))
    return written


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110, bbox_inches="tight")
    return path
