"""The examples in the documentation are correct: specs are valid and the README's spec runs. Links lead somewhere."""

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


def test_the_documentation_contains_specs() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_each_spec_in_the_documentation_is_valid(block: str, tmp_path: Path) -> None:
    """A complete spec is validated; an excerpt must at least be YAML with sections of the language."""
    file = tmp_path / "shown.yaml"
    file.write_text(block)
    if "spans:" in block and "instrument: 2" in block:
        read_spec(file)
    else:
        assert set(source.parse_document(block, "shown").data) <= {
            "instrument",
            "name",
            "hooks",
            "extensions",
            "owners",
        }


def test_the_readmes_spec_for_your_own_code_records_the_span_that_it_describes(traced: Any, make_module: Any) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (spec,) = re.findall(r"```yaml\n(instrument: 2\nname: shop\n.*?)```", text, re.S)
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


def test_the_readme_shows_the_spec_that_the_demo_adds() -> None:
    overlay = (ROOT / "docs" / "demo" / "my.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{overlay}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "demo").glob("*.yaml")), ids=lambda file: file.name)
def test_each_spec_of_the_demo_is_valid(file: Path) -> None:
    read_spec(file)


def test_a_mistake_is_reported_as_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    overlay = (ROOT / "docs" / "demo" / "my.yaml").read_text(encoding="utf-8").replace("attributes:", "atributes:")
    Path("my.yaml").write_text(overlay.split("\n", 1)[1])
    with pytest.raises(SpecError) as caught:
        read_spec("my.yaml")
    assert str(caught.value) in (ROOT / "README.md").read_text(encoding="utf-8")


WRITTEN = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]


@pytest.mark.parametrize("page", [*PAGES, *WRITTEN], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_relative_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page: those of its headings, as GitHub makes them, and those that are written out."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings),
        *re.findall(r'<a (?:id|name)="([^"]+)"', text),
    }
