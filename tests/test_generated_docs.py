"""What is generated in docs/ is what would be generated; the gate says so where it is not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.schema import schema_path
from opentelemetry.instrumentation.declarative.language.shipped import PACKAGED, Packaged

from tests import weaver
from tests.processes import SOURCE

DOCS = Path(__file__).parents[1] / "docs"


def generate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DOCS / "generate.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)


def test_nothing_in_the_documents_is_stale() -> None:
    done = generate("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_is_stale_is_named_with_what_to_do(tmp_path: Path) -> None:
    for folder in ("reference", "problems"):
        shutil.copytree(DOCS / folder, tmp_path / folder)
    page = tmp_path / "reference" / "ag2.md"
    page.write_text(page.read_text(encoding="utf-8").replace("`envelope`", "`letter`", 1), encoding="utf-8")
    (tmp_path / "reference" / "language.md").unlink()
    done = generate("--check", "--docs", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{tmp_path / 'reference' / name}.md is stale: it is not what would be generated. Run `make docs`."
        for name in ("language", "ag2")
    ]
    assert not (tmp_path / "reference" / "language.md").exists()


def test_generating_mends_what_is_stale_and_gives_the_same_everywhere(tmp_path: Path) -> None:
    assert generate("--docs", tmp_path).returncode == 0
    assert generate("--check", "--docs", tmp_path).returncode == 0
    written = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert len(written) >= 5
    for file in written:
        text = file.read_text(encoding="utf-8")
        assert text == (DOCS / file.relative_to(tmp_path)).read_text(encoding="utf-8")
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert str(SOURCE) not in text


@pytest.mark.parametrize("spec", PACKAGED, ids=lambda spec: spec.name)
def test_each_shipped_spec_has_a_page_and_a_registry(spec: Packaged) -> None:
    assert (DOCS / "reference" / f"{spec.name}.md").is_file()
    assert weaver.problems(DOCS / "reference" / "registry" / spec.name) == []


def test_the_words_of_the_language_all_have_an_entry() -> None:
    schema = json.loads(schema_path().read_text(encoding="utf-8"))
    text = (DOCS / "reference" / "language.md").read_text(encoding="utf-8")
    words = [
        key
        for name, node in [("", schema), *schema["$defs"].items()]
        if not name.startswith("complete_")
        for key in node.get("properties", ())
    ]
    assert len(words) >= 90
    assert [key for key in words if f"### `{key}`" not in text] == []


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.name)
def test_every_link_within_a_generated_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)
    }
    anchors = headings | set(re.findall(r'<a id="([^"]+)">', text))
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) >= text.count("\n### ")
    assert [link for link in links if link not in anchors] == []
    assert len(re.findall(r'<a id="([^"]+)">', text)) == len(set(re.findall(r'<a id="([^"]+)">', text)))


def test_no_cell_of_a_table_is_cut_in_two() -> None:
    text = (DOCS / "reference" / "ag2.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
