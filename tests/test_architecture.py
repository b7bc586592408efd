"""docs/architecture.md lists the packages by the layers of the import contract, and names only files that exist.

The contract is the section ``[tool.importlinter]`` of pyproject.toml, which ``make lint`` enforces. ``UPDATE_DOCS=1``
writes the table of packages into the page.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import PACKAGE, SOURCE

ROOT = Path(__file__).parents[1]
FOLDER = SOURCE.joinpath(*PACKAGE.split("."))
PAGE = ROOT / "docs" / "architecture.md"
HEAD = "| layer | package | contents |\n|---|---|---|\n"


def layers() -> list[list[str]]:
    """The packages of each layer, from the top."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # Python 3.10 has no tomllib
    (listed,) = re.findall(r"^layers = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return [line.split(" | ") for line in re.findall(r'"(.*)"', listed)]


def summary(file: Path) -> str:
    """The first line of a module's docstring, in Markdown."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("``", "`")


def table() -> str:
    """The table of packages, each with the first line of its docstring."""
    rows = []
    for number, packages in enumerate(layers(), 1):
        for package in packages:
            for file in sorted((FOLDER / package).rglob("__init__.py")):
                name = file.parent.relative_to(FOLDER).as_posix()
                rows.append(f"| {number} | `{name}` | {summary(file)} |\n")
    return HEAD + "".join(rows)


def shown_table() -> str:
    """The table of packages as the page shows it."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(HEAD) :].partition("\n\n")[0].rstrip("\n") + "\n"


def named_files(page: Path) -> Iterator[str]:
    """The files and folders that a page names in backquotes."""
    for name in re.findall(r"`([\w./-]+)`", page.read_text(encoding="utf-8")):
        if re.search(r"\w/(\w|$)", name) or name.endswith((".py", ".md", ".toml")):
            yield name


@pytest.mark.parametrize("name", ["newest_only.txt", "every_python.txt"])
def test_the_tests_that_a_list_names_exist(name: str):
    lines = [line for line in (ROOT / "tests" / name).read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert [line for line in lines if not (ROOT / line).exists()] == []


def test_the_page_lists_every_package_with_its_layer_in_the_order_of_the_contract():
    if os.environ.get("UPDATE_DOCS"):
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(shown_table(), table()), encoding="utf-8")
    assert shown_table() == table(), "if the contract or a docstring has changed: run this test with UPDATE_DOCS=1"


def test_every_package_belongs_to_a_layer():
    packages = {file.parent.name for file in FOLDER.glob("*/__init__.py")}
    assert sorted(package for layer in layers() for package in layer) == sorted(packages)


def test_every_package_has_a_docstring():
    assert [str(file) for file in FOLDER.rglob("__init__.py") if not summary(file)] == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_names_exists(page: str):
    names = set(named_files(ROOT / page))
    assert len(names) >= 20
    examples = ("NAME", "CODE")  # stand for any name
    missing = [
        name
        for name in sorted(names)
        if not (ROOT / name).exists() and not (FOLDER / name).exists() and not any(word in name for word in examples)
    ]
    assert missing == []


def test_reading_and_planning_a_spec_needs_neither_opentelemetry_nor_wrapt():
    source = (
        "import importlib, pkgutil, sys\n"
        "for layer in ('language', 'expressions', 'plan'):\n"
        f"    package = importlib.import_module(f'{PACKAGE}.{{layer}}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.'):\n"
        "        importlib.import_module(module.name)\n"
        "        print(module.name)\n"
        "names = ('opentelemetry.trace', 'opentelemetry.metrics', 'opentelemetry.sdk', 'wrapt')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    *imported, loaded = done.stdout.splitlines()
    assert len(imported) >= 20
    assert loaded == "[]"
