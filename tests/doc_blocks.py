"""The fenced blocks of a documentation page: files are written, commands run, and their output is compared.

A block with a title, as in ```python title=shop.py```, is a file. ```sh``` blocks run in one shell for the whole page.
A ```text``` block right after one is its expected output: ``⋮`` matches any lines, and values that differ from run to
run, such as ids and times, are not compared.

An example is a program with its output right after it, and a spec of the same name. The examples of a page run in one
process, because most of the time of a short program is its start.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

_FENCE = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "==== end of block"
#: A folder with a distro. Otherwise a program that is slow prints traces between its lines, and not after them.
_LATE_TRACES = ROOT / "tests" / "programs" / "late_traces"
_EXPORTERS = {"OTEL_TRACES_EXPORTER": "tree", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
#: Commands for the reader that are not run, because their packages are already installed.
_INSTALLS = re.compile(r"^(python3? -m venv .*|\. \.venv/bin/activate|pip install .*|make test)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its title if it is a file, its text and its line."""

    language: str
    title: str | None
    text: str
    line: int
    #: Whether it follows the previous block without text in between.
    follows: bool


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of a page: its exit code, the output that the page shows, if any, and its real output."""

    block: Block
    code: int
    expected: str | None
    printed: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text, end, result = page.read_text(encoding="utf-8"), -1, []
    for found in _FENCE.finditer(text):
        follows = end >= 0 and not text[end : found.start()].strip()
        result.append(Block(found[1], found[2], found[3], text[: found.start()].count("\n") + 1, follows))
        end = found.end()
    return result


def run_page(page: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[Ran]:
    """Run the commands of a page in an empty folder, as a reader would, from top to bottom."""
    found = blocks(page)
    commands: list[tuple[Block, str | None]] = []
    script = ["exec 2>&1"]
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.title:
            script.append(_write_command(block))
        elif block.language == "sh":
            shown = after.text if after is not None and after.language == "text" and after.follows else None
            commands.append((block, shown))
            script += [_INSTALLS.sub("", block.text), f'echo; echo "{_END} $?"']
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**_environment(), **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    printed = re.split(rf"^{_END} (\d+)\n", done.stdout, flags=re.MULTILINE)
    for (block, shown), output, code in zip(commands, printed[::2], printed[1::2], strict=False):
        yield Ran(block, int(code), shown, output)


def examples(page: Path) -> list[tuple[Block, str]]:
    """Return the programs of a page that are followed by what they print, each with that text."""
    found = blocks(page)
    return [
        (block, after.text)
        for block, after in itertools.pairwise(found)
        if block.language == "python" and block.title and after.language == "text" and after.follows
    ]


def run_examples(page: Path, folder: Path) -> Iterator[Ran]:
    """Run the examples of a page with their specs in an empty folder."""
    for block in blocks(page):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
    programs = [(str(block.title), block, shown) for block, shown in examples(page)]
    specs = [title.replace(".py", ".yaml") for title, _, _ in programs]
    done = subprocess.run(
        ["opentelemetry-instrument", "python", ROOT / "tests" / "programs" / "examples.py", _END]
        + [title for title, _, _ in programs],
        cwd=folder,
        env={**_environment(), **_EXPORTERS, "OTEL_PYTHON_DECLARATIVE_SPECS": ",".join(specs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    printed = done.stdout.split(f"{_END}\n")
    assert len(printed) == len(programs) + 1, done.stdout
    for (_, block, shown), output in zip(programs, printed, strict=False):
        yield Ran(block, done.returncode, shown, output)


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON", "MAKE"))}
    return {
        **kept,
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(_LATE_TRACES)]),
        "OTEL_PYTHON_DISTRO": _LATE_TRACES.name,
        "COLUMNS": "120",
    }


def _write_command(block: Block) -> str:
    """Return the shell command that writes a block to its file."""
    assert block.title is not None
    folder = os.path.dirname(block.title)
    make_folder = f"mkdir -p '{folder}'\n" if folder else ""
    return f"{make_folder}cat > '{block.title}' <<'END OF FILE'\n{block.text}END OF FILE"


def normalized(text: str) -> str:
    """Replace everything that differs from run to run."""
    text = re.sub(r"\b\d[\d,]*\.\d+ (ms|s)\b", "N ms", text)
    text = re.sub(r"\b(time_to_\w+)=\d[\d.e-]*", r"\1=N", text)
    text = re.sub(r"\btrace [0-9a-f]{4,16}\b", "trace ID", text)
    text = re.sub(r"\(\d+ lines\)", "(N lines)", text)  # Python's tracebacks differ from version to version
    text = re.sub(r"\b(ag2(?:_native)?\.yaml):\d+", r"\1:N", text)
    text = re.sub(r"\[[0-9a-f]{4,16}\]", "[ID]", text)
    text = re.sub(r"\b[0-9a-f]{16,32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def matches(printed: str, shown: str) -> bool:
    """Whether the output is as shown; ``⋮`` matches any lines."""
    parts = [part.strip("\n") for part in re.split(r"^[ │]*⋮$", normalized(shown), flags=re.MULTILINE)]
    pattern = r"(?:.*\n)*?".join(re.escape(f"{part}\n") if part else "" for part in parts)
    return re.fullmatch(pattern, normalized(printed) + "\n") is not None


def update(page: Path, ran: Ran) -> None:
    """Replace the output that a page shows by the real one."""
    text = page.read_text(encoding="utf-8")
    shown = f"{ran.block.text}```\n\n```text\n"
    assert text.count(shown + (ran.expected or "")) == 1, f"{page}:{ran.block.line} is not unique"
    page.write_text(
        text.replace(shown + (ran.expected or ""), shown + ran.printed.strip("\n") + "\n"), encoding="utf-8"
    )
