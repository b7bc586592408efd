"""What the documents show is true: each spec in them is right, and the one for a user's own code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

from .conftest import undone_exactly

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S))
]

SHOP = """
class Customer:
    tier = "gold"

class Receipt:
    total = 9.5

class Cart:
    customer = Customer()
    lines = ["tea", "cup"]

    def checkout(self):
        return Receipt()
"""


def test_the_documents_show_specs() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_each_spec_in_the_documents_is_right(block: str, tmp_path: Path) -> None:
    """A whole spec is checked as a whole; a part of one has at least to be YAML of sections that a spec has."""
    file = tmp_path / "shown.yaml"
    file.write_text(block)
    if "spans:" in block and "instrument: 1" in block:
        read_spec(file)
    else:
        assert set(source.parse(block, "shown").data) <= {"instrument", "name", "hooks", "taps", "closings", "mirrors"}


def test_the_spec_for_a_users_own_code_gives_the_span_that_the_readme_says(traced: Any, make_module: Any) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (spec,) = re.findall(r"```yaml\n(instrument: 1\nname: shop\n.*?)```", text, re.S)
    shop = make_module(SHOP, "shop.cart")
    with undone_exactly(shop), traced(spec) as trace:
        shop.Cart().checkout()
    assert (
        trace.tree
        == """
        checkout gold
          shop.items=2
          shop.total=9.5
        """
    )


def test_the_readme_shows_the_file_that_the_demo_adds() -> None:
    mine = (ROOT / "docs" / "demo" / "my.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{mine}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "demo").glob("*.yaml")), ids=lambda file: file.name)
def test_each_spec_of_the_demo_is_right(file: Path) -> None:
    read_spec(file)


def test_a_mistake_is_told_as_the_readme_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = (ROOT / "docs" / "demo" / "my.yaml").read_text(encoding="utf-8").replace("attributes:", "atributes:")
    Path("my.yaml").write_text(mine.split("\n", 1)[1])
    with pytest.raises(SpecError) as caught:
        read_spec("my.yaml")
    assert str(caught.value) in (ROOT / "README.md").read_text(encoding="utf-8")
