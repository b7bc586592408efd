"""The specs in the documentation are valid, mistakes are reported as shown, and links lead somewhere."""

import re
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S))
]


def test_the_documentation_contains_specs():
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_each_spec_in_the_documentation_is_valid(block: str, tmp_path: Path):
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


def test_the_page_on_ag2_shows_the_spec_that_the_demo_adds():
    overlay = (ROOT / "docs" / "demo" / "my.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{overlay}```" in (ROOT / "docs" / "how-to" / "ag2.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((ROOT / "docs" / "demo").glob("*.yaml")), ids=lambda file: file.name)
def test_each_spec_of_the_demo_is_valid(file: Path):
    read_spec(file)


def test_a_mistake_is_reported_as_the_readme_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (spec,) = re.findall(r"```yaml title=shop.yaml\n(.*?)```", readme, re.S)
    Path("shop.yaml").write_text(spec.replace("attributes:", "atributes:"), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_spec("shop.yaml")
    assert str(caught.value) in readme


WRITTEN = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]


@pytest.mark.parametrize("page", [*PAGES, *WRITTEN], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_relative_link_leads_to_a_file_and_to_a_heading_in_it(page: Path):
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


def test_the_index_links_to_every_page_that_is_written_by_hand():
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    pages = {page.relative_to(docs).as_posix() for page in (*docs.glob("*.md"), *docs.glob("how-to/*.md"))}
    assert {page for page in pages if f"]({page})" not in index} == {"README.md"}


def anchors(page: Path) -> set[str]:
    """The anchors of a page: those of its headings, as GitHub makes them, and those that are written out."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {
        *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings),
        *re.findall(r'<a (?:id|name)="([^"]+)"', text),
    }
