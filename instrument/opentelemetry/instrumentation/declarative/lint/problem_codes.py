"""The catalog of problem codes, `schemas/problems.yaml`: their meaning, an example that has the problem, and its fix.

For `instrument check --explain` and the pages in docs/problems. The output for an example is not written down: the
example is checked, together with a small library if it needs one.
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

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest, quoted
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.lint.installed import Verification
from opentelemetry.instrumentation.declarative.lint.output_formats import problems_as_text
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.validation import examine

#: The directory of the pages in docs/.
DIRECTORY = "problems"
_NOTE = "<!-- Generated from schemas/problems.yaml: do not edit. -->"

#: How many lines of the output for an example are shown.
_MOST_LINES = 24
_LINKS = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """An entry of the catalog. An example is a mapping from file names to their text.

    ``checked`` is the file of the failing example that is checked; of the fixed one it is the first.
    """

    name: str
    part: str
    summary: str
    why: str
    fix: str
    failing: Mapping[str, str]
    fixed: Mapping[str, str]
    checked: str
    also: tuple[str, ...] = ()
    encoding: str = "utf-8"
    no_example: str | None = None


@dataclass(frozen=True, slots=True)
class ProblemCatalog:
    """All codes, the titles of the parts that they are grouped by, and the files of the examples' library."""

    parts: Mapping[str, str]
    library: Mapping[str, str]
    codes: Mapping[str, ProblemCode]


def load_catalog() -> ProblemCatalog:
    """Load the catalog that the package contains."""
    data = source.read_document(directory("schemas") / "problems.yaml").data
    codes = {name: _problem_code(name, entry) for name, entry in data["codes"].items()}
    return ProblemCatalog(data["parts"], data["library"], codes)


def example_problems(
    files: Mapping[str, str], checked: str, library: Mapping[str, str], encoding: str = "utf-8"
) -> list[Problem]:
    """Return the problems of an example: those of its files or, if there are none, those with the library."""
    with example_directory({**library, **files}, encoding, library):
        layers, problems = examine(checked)
        if layers is None or any(problem.is_fatal for problem in problems):
            return problems
        verification = Verification(layers)
        installed = verification.problems()
        static = static_warnings(layers)
        return list(dict.fromkeys([*verification.with_parameters(problems), *static, *installed]))


def code_page(code: ProblemCode, library: Mapping[str, str]) -> str:
    """Return the page of a code, in Markdown."""
    parts = [f"# {code.name}", code.summary, code.why]
    if code.no_example:
        return "\n\n".join([*parts, f"**What to do.** {code.fix}", code.no_example]) + "\n"
    problems = example_problems(code.failing, code.checked, library, code.encoding)
    with example_directory(code.failing, code.encoding):
        output = problems_as_text({code.checked: problems})
    parts += [
        *_file_blocks(code.failing, code.checked),
        f"`instrument check {code.checked}` reports:"
        if code.part != "library"
        else f"With [the library](README.md#the-library) installed, `instrument check {code.checked}` reports:",
        _code_block("text", _shortened(output)),
        f"**What to do.** {code.fix}",
        *_file_blocks(code.fixed, next(iter(code.fixed))),
    ]
    return "\n\n".join(parts) + "\n"


def code_pages() -> dict[str, str]:
    """Return all pages and their index, by their path in docs/."""
    catalog = load_catalog()
    pages = {
        code.name: f"{code_page(code, catalog.library)}\n[All codes](README.md)\n" for code in catalog.codes.values()
    }
    return {
        f"{DIRECTORY}/{name}.md": f"{_NOTE}\n\n{text}" for name, text in {"README": _index(catalog), **pages}.items()
    }


def explain_code(name: str) -> str:
    """Return the page of a code as text for a terminal. Raises LookupError, with a suggestion, for an unknown code."""
    catalog = load_catalog()
    code = catalog.codes.get(name)
    if code is None:
        similar = closest(name, catalog.codes)
        help = f'Did you mean "{similar}"?' if similar else f"There are: {', '.join(catalog.codes)}."
        raise LookupError(f"there is no code {quoted(name)}. {help}")
    return _LINKS.sub(r"\1", code_page(code, catalog.library))


def _problem_code(name: str, entry: Mapping[str, Any]) -> ProblemCode:
    failing, fixed = (_files(entry.get(key, {})) for key in ("failing", "fixed"))
    return ProblemCode(
        name=name,
        part=entry["part"],
        summary=entry["summary"].strip(),
        why=entry["why"].strip(),
        fix=entry["fix"].strip(),
        failing=failing,
        fixed=fixed,
        checked=entry.get("check") or next(iter(failing), ""),
        also=tuple(entry.get("also", ())),
        encoding=entry.get("encoding", "utf-8"),
        no_example=entry.get("no_example"),
    )


def _files(example: str | Mapping[str, str]) -> Mapping[str, str]:
    return {"spec.yaml": example} if isinstance(example, str) else example


# ── Examples ──


@contextlib.contextmanager
def example_directory(
    files: Mapping[str, str], encoding: str, library: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Change to a temporary directory with these files. Afterwards, the modules of the library are unloaded."""
    packages = {name.partition("/")[0] for name in library or () if name.endswith(".py")}
    before, dont_write_bytecode, path = os.getcwd(), sys.dont_write_bytecode, list(sys.path)
    modules = _unload(packages)
    with tempfile.TemporaryDirectory() as temporary:
        for name, text in files.items():
            file = Path(temporary, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode(encoding))
        try:
            os.chdir(temporary)
            sys.path.insert(0, temporary)
            sys.dont_write_bytecode = True
            importlib.invalidate_caches()
            yield
        finally:
            os.chdir(before)
            sys.dont_write_bytecode = dont_write_bytecode
            sys.path[:] = path
            _unload(packages)
            sys.modules.update(modules)


def _unload(packages: set[str]) -> dict[str, Any]:
    """Remove the modules of these packages from those that are imported, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in packages]
    return {name: sys.modules.pop(name) for name in names}


# ── Pages ──


def _index(catalog: ProblemCatalog) -> str:
    lines = [
        "# Problem codes",
        "",
        "Every problem that `instrument check` reports has a code, shown in brackets. The page of a code explains the",
        "problem, with an example and its fix. `instrument check --explain CODE` prints the page.",
    ]
    for part, title in catalog.parts.items():
        lines += ["", f"## {title}", "", "| code | meaning |", "|---|---|"]
        lines += [
            f"| [`{code.name}`]({code.name}.md) | {_on_one_line(code.summary)} |"
            for code in catalog.codes.values()
            if code.part == part
        ]
    lines += ["", "## The library", "", "The examples use this library, release 1.2.0 of `shop`."]
    for name, text in catalog.library.items():
        if name.endswith(".py") and text:
            lines += ["", f"`{name}`:", "", _code_block("python", text)]
    return "\n".join(lines) + "\n"


def _file_blocks(files: Mapping[str, str], checked: str) -> Iterator[str]:
    for name, text in files.items():
        if len(files) > 1 or name != checked:
            yield f"`{name}`:"
        yield _code_block("python" if name.endswith(".py") else "yml", _printable(text))


def _code_block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _printable(text: str) -> str:
    """Return the text with invisible characters as their code points."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"<U+{ord(c):04X}>" for c in text)


def _shortened(text: str) -> str:
    lines = text.splitlines()
    if len(lines) <= _MOST_LINES:
        return text
    return "\n".join([*lines[: _MOST_LINES // 2], "⋮", *lines[-_MOST_LINES // 4 :]])


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
