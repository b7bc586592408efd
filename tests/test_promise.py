"""The pages that make promises name the tests that verify them: each of these tests exists."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCS = TESTS.parent / "docs"
PAGES = ["processes.md", "promise.md"]


def existing() -> set[str]:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py")]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)}


def rows(page: str) -> list[str]:
    """The rows of every table of a page, without the header."""
    table = [line for line in (DOCS / page).read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [line for line in table if not re.match(r"\|[-|]+\|$", line) and "| tests |" not in line]


@pytest.mark.parametrize("page", PAGES)
def test_each_row_names_tests_that_exist(page: str):
    assert len(rows(page)) >= 10
    there = existing()
    for row in rows(page):
        named = re.findall(r"`(test_\w+)`", row.rsplit("|", 2)[1])
        assert named, f"nothing holds: {row}"
        assert [name for name in named if name not in there] == []


@pytest.mark.parametrize(
    "module", ["test_exits", "test_forks", "test_processes", "test_servers", "test_telemetry_failures"]
)
def test_each_test_of_these_modules_is_named_in_a_row(module: str):
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES)
    tree = ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    own = {"test_the_programs_of_the_tests_import_the_package_under_test"}  # tests the tests themselves
    assert [name for name in names if f"`{name}`" not in text and name not in own] == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("place", ["README.md", "docs/architecture.md"])
def test_the_pages_are_linked_from_readme_and_architecture(page: str, place: str):
    assert re.search(rf"\]\((docs/)?{page}\)", (TESTS.parent / place).read_text(encoding="utf-8"))
