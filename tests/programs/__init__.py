"""Small programs in processes of their own, and what comes of them with tracing and without."""

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

from tests.processes import SOURCE

HERE = Path(__file__).parent


@dataclass
class Done:
    """What came of a program: its code, what it has printed and said, and the spans of all its processes."""

    code: int
    lines: list[str]
    errors: str
    spans: list[dict[str, Any]] = field(default_factory=list)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == name]

    def ends(self, name: str = "order") -> dict[Any, str | None]:
        """By its id, how each span of a name has ended: `instrument.end`, or None for an end of its own."""
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
        # What another process is to do must not depend on how much of a line is still in a buffer.
        "PYTHONUNBUFFERED": "1",
    }


def spans_in(folder: Path) -> list[dict[str, Any]]:
    file = folder / "spans.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _as_in_a_terminal() -> None:
    """Let SIGINT interrupt: where the tests run in the background of a shell it is ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(
    folder: Path,
    source: str,
    *,
    traced: str = "before",
    command: tuple[str, ...] = (sys.executable,),
    send: signal.Signals | None = None,
    **more: str,
) -> Done:
    """Run a program. ``send``: a signal that it gets when it has printed ``ready``."""
    (folder / "app.py").write_text("import traced\ntraced.on()\nimport shop\n" + textwrap.dedent(source))
    (folder / "spans.jsonl").unlink(missing_ok=True)
    process = subprocess.Popen(
        [*command, str(folder / "app.py")],
        cwd=folder,
        env={**environment(folder, traced), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_as_in_a_terminal,
    )
    try:
        lines = []
        if send is not None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if line == "ready\n":
                    break
            process.send_signal(send)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return Done(process.returncode, [*map(str.rstrip, lines), *output.splitlines()], errors, spans_in(folder))


def both_ways(folder: Path, source: str, **how: Any) -> Done:
    """Run a program with tracing and without: whoever runs it must see the same."""
    bare = run(folder, source, **{**how, "traced": ""})
    traced = run(folder, source, **how)
    assert (traced.code, traced.lines, _places_hidden(traced.errors)) == (
        bare.code,
        bare.lines,
        _places_hidden(bare.errors),
    )
    assert bare.spans == []
    return traced


def _places_hidden(errors: str) -> str:
    """What was said without the frames of our wrappers, by which alone a traceback may differ."""
    kept: list[str] = []
    hidden = False
    for line in errors.splitlines():
        if line.startswith("  File "):
            hidden = "<instrument " in line
        elif not line.startswith("    "):
            hidden = False
        if not hidden and line.strip(" ^~"):  # nor what points into a line
            kept.append(line)
    return "\n".join(kept)
