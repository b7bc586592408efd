"""The generated files in docs/ are up to date, and the gate reports stale ones."""

import functools
import importlib
import re
import shutil
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.node_type import NodeType
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS, ShippedSpec
from opentelemetry.instrumentation.declarative.language.value_types import ValueType

from tests import weaver
from tests.processes import SOURCE

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def generator() -> Iterator[types.ModuleType]:
    """The module ``docs/generate.py``. Each text is generated once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        module = importlib.import_module("generate")
        for path, text in module.GENERATED.items():
            patch.setitem(module.GENERATED, path, functools.cache(text))
        yield module


def test_no_file_is_stale(generator: types.ModuleType, capsys: pytest.CaptureFixture[str]):
    assert generator.main(["--check"]) == 0  # `make lint` runs the command
    assert capsys.readouterr().err == ""


def test_a_stale_file_is_reported_with_what_to_do(
    generator: types.ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for folder in ("docs/reference", "docs/problems", "schemas"):
        shutil.copytree(DOCS.parent / folder, tmp_path / folder)
    reference = tmp_path / "docs" / "reference"
    page = reference / "ag2.md"
    page.write_text(page.read_text(encoding="utf-8").replace("`envelope`", "`letter`", 1), encoding="utf-8")
    (reference / "language.md").unlink()
    assert generator.main(["--check", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{reference / name}.md is stale. Run `make docs`." for name in ("language", "ag2")
    ]
    assert not (reference / "language.md").exists()


def test_generating_writes_stale_files_with_the_same_text_in_any_directory(generator: types.ModuleType, tmp_path: Path):
    assert generator.main(["--root", str(tmp_path)]) == 0
    assert generator.main(["--check", "--root", str(tmp_path)]) == 0
    written = sorted(file for file in tmp_path.rglob("*") if file.is_file())
    assert len(written) >= 5
    for file in written:
        text = file.read_text(encoding="utf-8")
        assert text == (DOCS.parent / file.relative_to(tmp_path)).read_text(encoding="utf-8")
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert str(SOURCE) not in text


@pytest.mark.parametrize("spec", SHIPPED_SPECS, ids=lambda spec: spec.name)
def test_each_shipped_spec_has_a_page_and_a_registry(spec: ShippedSpec):
    assert (DOCS / "reference" / f"{spec.name}.md").is_file()
    assert weaver.problems(DOCS / "reference" / "registry" / spec.name) == []


def test_every_key_that_the_decoder_accepts_has_an_entry_and_no_other_has_one():
    nodes: dict[str, NodeType] = {}
    types: list[ValueType] = [NodeValue(Spec), NodeValue(Registry)]
    while types:
        each = types.pop()
        if isinstance(each, NodeValue) and nodes.get(each.definition) is each.node_type:
            continue
        types += each.inner_types()
        if isinstance(each, NodeValue):
            assert each.definition not in nodes, f"two nodes are called {each.definition}"
            nodes[each.definition] = each.node_type
    text = (DOCS / "reference" / "language.md").read_text(encoding="utf-8")
    listed = set()
    for name, section in re.findall(r'<a id="(\w+)"></a>\n\n## (.*?)(?=\n<a id="\w+"></a>\n\n## |\Z)', text, re.S):
        listed |= {(name, key) for key in re.findall(rf'<a id="{name}-([\w]+)">', section)}
        _, _, shared = section.partition("These keys are the same as at the top level")
        listed |= {(name, key) for key in re.findall(r"\(#spec-(\w+)\)", shared)}
    assert listed == {(name, key) for name, node in nodes.items() for key in node.keys}


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.name)
def test_every_link_within_a_generated_page_has_a_target(page: Path):
    text = page.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)
    }
    anchors = headings | set(re.findall(r'<a id="([^"]+)">', text))
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) >= text.count("\n### ") // 2
    assert [link for link in links if link not in anchors] == []
    assert len(re.findall(r'<a id="([^"]+)">', text)) == len(set(re.findall(r'<a id="([^"]+)">', text)))


def test_the_rows_of_a_table_have_the_same_number_of_cells():
    text = (DOCS / "reference" / "ag2.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
