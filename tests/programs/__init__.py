"""Runs small programs in other processes, with tracing and without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import PATIENCE, SOURCE, ended

HERE = Path(__file__).parent


@dataclass
class ProgramResult:
    """The result of a program: exit code, output, standard error, and the spans of all its processes."""

    code: int
    lines: list[str]
    errors: str
    spans: list[dict[str, Any]] = field(default_factory=list)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]

    def ends(self, name: str = "order") -> dict[Any, str | None]:
        """The value of `instrument.end` of each span of a name by its id; None for a regular end."""
        found = self.named(name)
        ends = {span["attributes"].get("id"): span["attributes"].get("instrument.end") for span in found}
        assert len(ends) == len(found), "a span has ended twice"
        return ends


def environment(folder: Path, traced: str = "before", paths: tuple[Path, ...] = ()) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return {
        **kept,
        "TRACED": traced,
        "SPANS": str(folder / "spans.jsonl"),
        "PYTHONPATH": os.pathsep.join(map(str, [folder, HERE, *paths, SOURCE])),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The test reacts to lines as soon as they are printed.
        "PYTHONUNBUFFERED": "1",
    }


def spans_in(folder: Path) -> list[dict[str, Any]]:
    file = folder / "spans.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def run(
    folder: Path,
    source: str,
    *,
    traced: str = "before",
    command: tuple[str, ...] = (sys.executable,),
    send: signal.Signals | None = None,
    **more: str,
) -> ProgramResult:
    """Run a program. ``send``: a signal that it is sent once it has printed ``ready``."""
    (folder / "app.py").write_text("import traced\ntraced.on()\nimport shop\n" + textwrap.dedent(source))
    (folder / "spans.jsonl").unlink(missing_ok=True)
    process = subprocess.Popen(
        [*command, str(folder / "app.py")],
        cwd=folder,
        env={**environment(folder, traced), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(process):
        lines = []
        if send is not None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line == "ready\n":
                    break
            process.send_signal(send)
        output, errors = process.communicate(timeout=PATIENCE)
    return ProgramResult(process.returncode, [*map(str.rstrip, lines), *output.splitlines()], errors, spans_in(folder))


def both_ways(folder: Path, source: str, **how: Any) -> ProgramResult:
    """Run a program with tracing and without, and compare what the user sees. Returns the result with tracing."""
    untraced = run(folder, source, **{**how, "traced": ""})
    traced = run(folder, source, **how)
    assert (traced.code, traced.lines, _without_wrapper_frames(traced.errors)) == (
        untraced.code,
        untraced.lines,
        _without_wrapper_frames(untraced.errors),
    )
    assert untraced.spans == []
    return traced


def _without_wrapper_frames(errors: str) -> str:
    """The text without the frames of wrappers, which are the only allowed difference of tracebacks.

    The frame of a function that is patched in place shows the line of its definition.
    """
    kept: list[str] = []
    hidden = False
    lines = errors.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        if line.startswith("  File "):
            hidden = "<instrument " in line or following.startswith(("    def ", "    async def ", "    @"))
        elif not line.startswith("    "):
            hidden = False
        if not hidden and line.strip(" ^~"):  # nor the markers below a line
            kept.append(line)
    return "\n".join(kept)
