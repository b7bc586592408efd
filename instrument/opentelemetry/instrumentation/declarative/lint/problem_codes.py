"""What each code of a problem means, with an example that gives it and what is told of that: `schemas/problems.yaml`.

For `instrument check --explain` and for the pages under docs/problems. What is told is never written down: the examples
are checked, and where it takes the library, put to work on one that lies beside them.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest, shown
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.lint.installed import Verification
from opentelemetry.instrumentation.declarative.lint.output_formats import as_text
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.validation import examine

#: Where the pages lie, from docs/.
FOLDER = "problems"
_NOTE = "<!-- Generated from schemas/problems.yaml; what is changed here is lost. -->"

#: Of what is told of an example so many lines are shown.
_MOST_LINES = 24
_LINKS = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True, slots=True)
class Code:
    """An entry of the table. An example is its files by their names.

    ``checked`` is the one that is checked of the failing example; of the mended one it is the first.
    """

    name: str
    part: str
    means: str
    why: str
    mend: str
    failing: Mapping[str, str]
    mended: Mapping[str, str]
    checked: str
    also: tuple[str, ...] = ()
    encoding: str = "utf-8"
    cannot: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """All codes, the parts that they stand in, and the library that their examples are about."""

    parts: Mapping[str, str]
    library: Mapping[str, str]
    codes: Mapping[str, Code]


def table() -> Table:
    """The table as it is shipped."""
    data = source.read(directory("schemas") / "problems.yaml").data
    return Table(data["parts"], data["library"], {name: _code(name, entry) for name, entry in data["codes"].items()})


def told(files: Mapping[str, str], checked: str, library: Mapping[str, str], encoding: str = "utf-8") -> list[Problem]:
    """What is told of an example: of its files or, where nothing is wrong with these, with the library beside them."""
    with folder({**library, **files}, encoding, library):
        layers, problems = examine(checked)
        if layers is None or problems:
            return problems
        return [*static_warnings(layers), *Verification(layers).problems()]


def page(code: Code, library: Mapping[str, str]) -> str:
    """The page of a code, in Markdown."""
    parts = [f"# {code.name}", code.means, code.why]
    if code.cannot:
        return "\n\n".join([*parts, code.mend, code.cannot]) + "\n"
    before = told(code.failing, code.checked, library, code.encoding)
    with folder(code.failing, code.encoding):
        text = as_text({code.checked: before})
    parts += [
        *_shown_files(code.failing, code.checked),
        f"`instrument check {code.checked}` tells:"
        if code.part != "library"
        else "With [the library](README.md#the-library) installed, this is told:",
        _fenced("text", _shortened(text)),
        f"**What to do.** {code.mend}",
        *_shown_files(code.mended, next(iter(code.mended))),
    ]
    return "\n\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """Every page and their index, by its path from docs/."""
    known = table()
    found = {code.name: f"{page(code, known.library)}\n[All codes](README.md)\n" for code in known.codes.values()}
    return {f"{FOLDER}/{name}.md": f"{_NOTE}\n\n{text}" for name, text in {"README": _index(known), **found}.items()}


def explained(name: str) -> str:
    """The page of a code as text for a terminal; LookupError, with what is to be done, where there is no such code."""
    known = table()
    code = known.codes.get(name)
    if code is None:
        near = closest(name, known.codes)
        mend = f'Did you mean "{near}"?' if near else f"There are: {', '.join(known.codes)}."
        raise LookupError(f"there is no code {shown(name)}. {mend}")
    return _LINKS.sub(r"\1", page(code, known.library))


def _code(name: str, entry: Mapping[str, Any]) -> Code:
    failing, mended = (_files(entry.get(key, {})) for key in ("failing", "mended"))
    return Code(
        name=name,
        part=entry["part"],
        means=entry["means"].strip(),
        why=entry["why"].strip(),
        mend=entry["mend"].strip(),
        failing=failing,
        mended=mended,
        checked=entry.get("check") or next(iter(failing), ""),
        also=tuple(entry.get("also", ())),
        encoding=entry.get("encoding", "utf-8"),
        cannot=entry.get("cannot"),
    )


def _files(example: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"spec.yaml": example} if isinstance(example, str) else example


# ── What is told ──


@contextlib.contextmanager
def folder(files: Mapping[str, str], encoding: str, library: Mapping[str, str] | None = None) -> Iterator[None]:
    """Work in a folder that has these files. The modules of the library in it are forgotten afterwards."""
    packages = {name.partition("/")[0] for name in library or () if name.endswith(".py")}
    before, written, path = os.getcwd(), sys.dont_write_bytecode, list(sys.path)
    modules = _taken(packages)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode(encoding))
        try:
            os.chdir(folder)
            sys.path.insert(0, folder)
            sys.dont_write_bytecode = True
            importlib.invalidate_caches()
            yield
        finally:
            os.chdir(before)
            sys.dont_write_bytecode = written
            sys.path[:] = path
            _taken(packages)
            sys.modules.update(modules)


def _taken(packages: set[str]) -> dict[str, Any]:
    """The modules of these packages, taken out of those that are imported."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


# ── Pages ──


def _index(known: Table) -> str:
    lines = [
        "# What is told of a spec",
        "",
        "Each problem has a code, in brackets. Its page says what is wrong, shows an example with what is told of it,",
        "and the same mended. `instrument check --explain CODE` prints the page.",
    ]
    for part, title in known.parts.items():
        lines += ["", f"## {title}", "", "| code | means |", "|---|---|"]
        lines += [
            f"| [`{code.name}`]({code.name}.md) | {_flat(code.means)} |"
            for code in known.codes.values()
            if code.part == part
        ]
    lines += ["", "## The library", "", "The examples are about this one, release 1.2.0 of `shop`."]
    for name, text in known.library.items():
        if name.endswith(".py") and text:
            lines += ["", f"`{name}`:", "", _fenced("python", text)]
    return "\n".join(lines) + "\n"


def _shown_files(files: Mapping[str, str], checked: str) -> Iterator[str]:
    for name, text in files.items():
        if len(files) > 1 or name != checked:
            yield f"`{name}`:"
        yield _fenced("python" if name.endswith(".py") else "yml", _visible(text))


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _visible(text: str) -> str:
    """The text, an invisible character as its number."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"<U+{ord(c):04X}>" for c in text)


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= _MOST_LINES:
        return text
    return "\n".join([*lines[: _MOST_LINES // 2], "⋮", *lines[-_MOST_LINES // 4 :]])


def _flat(text: str) -> str:
    return " ".join(text.split())
