"""Runs command lines as their users do, with and without instrumentation, and shows the spans of all their processes.

Unlike ``programs``, which is for servers, nothing replaces the configuration of OpenTelemetry's SDK: spans are exported
in batches, and when a process exits.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import COMMAND, PATIENCE, ended
from tests.real.environment import HERE, environment, read_records

SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass(frozen=True)
class CommandLine:
    """A program in a folder of this package, and a folder for what its processes write."""

    name: str
    scratch: Path

    @property
    def folder(self) -> Path:
        return HERE / self.name

    def start(self, command: Sequence[str], *, traced: bool = True, **more: str) -> subprocess.Popen[str]:
        """Start a command: `python …`, or the name of one that is installed."""
        name, *arguments = command
        program = sys.executable if name == "python" else str(SCRIPTS / name)
        return subprocess.Popen(
            [*([str(COMMAND)] if traced else []), program, *arguments],
            cwd=self.folder,
            env={**self._environment(traced), **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> CommandResult:
        """Run a command twice at once, with and without instrumentation: both must print the same."""
        with ended(self.start(command, traced=False)) as plain, ended(self.start(command)) as traced:
            expected = (plain.communicate(timeout=PATIENCE), plain.returncode)
            actual = (traced.communicate(timeout=PATIENCE), traced.returncode)
        before, after = _without_varying(expected), _without_varying(actual)
        assert after == before, f"the program prints\n{after}\ninstead of\n{before}"
        return CommandResult(traced.returncode, self.spans())

    def spans(self) -> list[dict[str, Any]]:
        return read_records(self._spans_file)

    @property
    def _spans_file(self) -> Path:
        return self.scratch / "spans.jsonl"

    def _environment(self, traced: bool) -> dict[str, str]:
        scratch = self.scratch / ("traced" if traced else "untraced")
        scratch.mkdir(exist_ok=True)
        exporters = {"OTEL_TRACES_EXPORTER": "span_file", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
        paths = (self.folder, _exporter(self.scratch))
        return environment(self.folder / "spec.yaml", self._spans_file, scratch, *paths, **exporters)


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the spans of a command that was run with instrumentation."""

    code: int
    spans: list[dict[str, Any]]

    def tree(self, *, ordered: bool = True) -> str:
        return tree_of(self.spans, ordered=ordered)


def tree_of(spans: list[dict[str, Any]], *, ordered: bool = True) -> str:
    """A line for each span: its name, its attributes, and how it failed, below its parent.

    Siblings are in the order of their starts, or in that of their texts if they run at the same time.
    """
    known = {_id(span["context"]) for span in spans}
    assert len(known) == len(spans), "a span has been exported twice"

    def below(parent: tuple[int, ...] | None) -> Iterator[str]:
        children = [span for span in spans if (known & {_id(span["parent"])} or {None}) == {parent}]
        children.sort(key=lambda span: span["start"])
        texts = [
            "\n".join([_line(span), *(textwrap.indent(text, "  ") for text in below(_id(span["context"])))])
            for span in children
        ]
        yield from texts if ordered else sorted(texts)

    return "\n".join(below(None))


def lines(text: str) -> str:
    """An expected tree as it is written in a test."""
    return textwrap.dedent(text).strip("\n")


def sorted_tree(text: str) -> str:
    """An expected tree with its roots in the order of their texts."""
    return "\n".join(sorted(re.split(r"\n(?! )", lines(text))))


def _exporter(scratch: Path) -> Path:
    """A folder with the exporter of `span_file` as an installed distribution, without its configurator."""
    made = scratch / "exporter"
    distribution = made / "span_exporter-1.dist-info"
    if not made.exists():
        distribution.mkdir(parents=True)
        shutil.copy(HERE / "span_file" / "span_file.py", made)
        (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: span_exporter\nVersion: 1\n")
        entry_point = "[opentelemetry_traces_exporter]\nspan_file = span_file:SpanFile\n"
        (distribution / "entry_points.txt").write_text(entry_point)
    return made


def _id(context: list[Any] | None) -> tuple[int, ...] | None:
    return tuple(context[:2]) if context else None


def _line(span: dict[str, Any]) -> str:
    attributes = [f"{key}={value}" for key, value in span["attributes"].items()]
    status, description = span["status"]
    failed = [f"! {description or ''}".rstrip()] if status == "ERROR" else []
    return " ".join([span["name"], *attributes, *failed])


def _without_varying(value: object) -> str:
    """What a program has printed, without what differs between two processes: addresses and times."""
    return re.sub(r"0x[0-9a-f]+|in \d+\.\d+s", "…", str(value))
