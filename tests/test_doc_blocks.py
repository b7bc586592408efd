"""Every command in the documentation runs and prints the output shown. ``UPDATE_DOCS=1`` updates the pages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from .doc_blocks import ROOT, blocks, matches, normalized, run_page, update

ALL = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in ALL if any(block.language == "sh" for block in blocks(page))]


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_runs_and_prints_the_output_shown(page: Path, checkout: Path):
    wrong = []
    for ran in run_page(page, checkout, {}):
        where = f"{page.relative_to(ROOT)}:{ran.block.line}"
        if ran.expected is None:
            if ran.code != 0:
                wrong.append(f"{where} ends with {ran.code}:\n{ran.printed}")
        elif not matches(ran.printed, ran.expected):
            wrong.append(f"{where} prints:\n{normalized(ran.printed)}")
            if os.environ.get("UPDATE_DOCS"):
                update(page, ran)
    assert wrong == []


def test_there_are_pages_with_commands():
    assert len(PAGES) >= 5
