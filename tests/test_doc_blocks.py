"""Every command in the documentation runs and prints the output shown. ``UPDATE_DOCS=1`` updates the pages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from .doc_blocks import ROOT, Ran, blocks, examples, matches, normalized, run_examples, run_page, update

ALL = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in ALL if any(block.language == "sh" for block in blocks(page))]
INSTRUMENT = (sys.executable, "-m", "opentelemetry.instrumentation.declarative")
PAGES_WITH_EXAMPLES = [page for page in ALL if examples(page)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as the reader has it, with an environment in which everything is installed."""
    for name in ("Makefile", "pyproject.toml", "instrument", "schemas", "configs", "docs", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "docs" / "demo" / "app.py", tmp_path)  # a copy, because a page may overwrite it
    (tmp_path / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (tmp_path / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (tmp_path / ".venv" / ".demo").touch()
    return tmp_path


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_runs_and_prints_the_output_shown(page: Path, checkout: Path):
    assert differences(page, run_page(page, checkout, {})) == []


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES, ids=name)
def test_every_example_of_a_page_prints_the_output_shown(page: Path, tmp_path: Path):
    assert differences(page, run_examples(page, tmp_path)) == []


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES, ids=name)
def test_the_specs_of_a_page_with_examples_are_short_and_without_warnings(page: Path, tmp_path: Path):
    specs = [block for block in blocks(page) if block.title and block.language == "yaml"]
    for block in specs:
        (tmp_path / str(block.title)).write_text(block.text, encoding="utf-8")
    checked = subprocess.run(
        [*INSTRUMENT, "check", "--strict", "--no-import", *(str(block.title) for block in specs)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert [block.title for block in specs if block.text.count("\n") > 22] == []


def test_there_are_pages_with_commands_and_with_examples():
    assert len(PAGES) >= 5
    assert len(examples(ROOT / "docs" / "gallery.md")) >= 15


def differences(page: Path, ran_blocks: Iterable[Ran]) -> list[str]:
    """Describe where the output of blocks is not as the page shows it, or update the page."""
    wrong = []
    for ran in ran_blocks:
        where = f"{page.relative_to(ROOT)}:{ran.block.line}"
        if ran.expected is None:
            if ran.code != 0:
                wrong.append(f"{where} ends with {ran.code}:\n{ran.printed}")
        elif not matches(ran.printed, ran.expected):
            wrong.append(f"{where} prints:\n{normalized(ran.printed)}")
            if os.environ.get("UPDATE_DOCS"):
                update(page, ran)
    return wrong
