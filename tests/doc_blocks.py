"""The blocks of a page of the documentation: its files are written, its commands run, its output compared.

A block with a title, as in ```python title=shop.py```, is a file. ```sh``` runs, in one shell for the whole page, and
```text``` after it is what it prints: ``⋮`` in it stands for any lines, and what differs from run to run (ids, times)
is not compared.
"""

from __future__ import annotations

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
#: What is installed here already. A reader has to; nothing else is left out.
_INSTALLS = re.compile(r"^(python3? -m venv .*|\. \.venv/bin/activate|pip install .*|make test)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file that it is, if it is one, and what is in it."""

    language: str
    title: str | None
    text: str
    line: int
    #: Whether nothing stands between it and the block before.
    follows: bool


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of a page with what the page says that it prints, and what it has printed."""

    block: Block
    code: int
    expected: str | None
    printed: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text, end, made = page.read_text(encoding="utf-8"), -1, []
    for found in _FENCE.finditer(text):
        follows = end >= 0 and not text[end : found.start()].strip()
        made.append(Block(found[1], found[2], found[3], text[: found.start()].count("\n") + 1, follows))
        end = found.end()
    return made


def run_page(page: Path, folder: Path, environment: Mapping[str, str]) -> Iterator[Ran]:
    """Run a page in an empty folder, as a reader would from its top to its end."""
    found = blocks(page)
    commands: list[tuple[Block, str | None]] = []
    script = ["exec 2>&1"]
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.title:
            script.append(_written(block))
        elif block.language == "sh":
            shown = after.text if after is not None and after.language == "text" and after.follows else None
            commands.append((block, shown))
            script += [_INSTALLS.sub("", block.text), f'echo; echo "{_END} $?"']
    paths = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={**os.environ, "PATH": paths, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    printed = re.split(rf"^{_END} (\d+)\n", done.stdout, flags=re.MULTILINE)
    for (block, shown), output, code in zip(commands, printed[::2], printed[1::2], strict=False):
        yield Ran(block, int(code), shown, output)


def _written(block: Block) -> str:
    assert block.title is not None
    folder = os.path.dirname(block.title)
    made = f"mkdir -p '{folder}'\n" if folder else ""
    return f"{made}cat > '{block.title}' <<'END OF FILE'\n{block.text}END OF FILE"


def same(text: str) -> str:
    """What is printed without what differs from run to run."""
    text = re.sub(r"\b\d+\.\d+ (ms|s)\b", "N ms", text)
    text = re.sub(r"\btrace [0-9a-f]{4}\b", "trace ID", text)
    text = re.sub(r"\(\d+ lines\)", "(N lines)", text)  # Python's tracebacks differ from version to version
    text = re.sub(r"\bag2\.yaml:\d+", "ag2.yaml:N", text)
    text = re.sub(r"\[[0-9a-f]{4}\]", "[ID]", text)
    text = re.sub(r"\b[0-9a-f]{16,32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def matches(printed: str, shown: str) -> bool:
    """Whether what was printed is what is shown; ``⋮`` stands for any lines."""
    parts = [part.strip("\n") for part in re.split(r"^[ │]*⋮$", same(shown), flags=re.MULTILINE)]
    pattern = r"(?:.*\n)*?".join(re.escape(f"{part}\n") if part else "" for part in parts)
    return re.fullmatch(pattern, same(printed) + "\n") is not None


def show(page: Path, ran: Ran) -> None:
    """Put what was printed into the page."""
    text = page.read_text(encoding="utf-8")
    shown = f"{ran.block.text}```\n\n```text\n"
    assert text.count(shown + (ran.expected or "")) == 1, f"{page}:{ran.block.line} stands there twice"
    page.write_text(
        text.replace(shown + (ran.expected or ""), shown + ran.printed.strip("\n") + "\n"), encoding="utf-8"
    )
