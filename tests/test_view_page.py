"""The page that ``instrument view --html`` writes, as text and in a browser."""

import base64
import gzip
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

from . import browser as browsers
from . import recorded_spans as spans
from .browser import Browser
from .recorded_spans import record

EVIL = '</script><img src=x onerror="document.title=1">\u202e\x00\x1b[2J\u2028\ud800{{constructor}}'


def write_page(folder: Path, records: Iterable[spans.Record], *options: str) -> Path:
    file, page = folder / "spans.jsonl", folder / "page.html"
    file.write_text(spans.lines(records), encoding="utf-8")
    assert main(["view", str(file), "--html", str(page), *options]) == 0
    return page


def data_of(page: Path) -> Any:
    """The data that a page contains."""
    (text,) = re.findall(r'<script type="text/plain" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    return json.loads(gzip.decompress(base64.b64decode(text)), parse_constant=pytest.fail)


def evil_records() -> list[spans.Record]:
    attributes = {EVIL: EVIL, "large": "y" * 2_000_000, "list": [EVIL, 1], "huge": 10**30, "nan": float("nan")}
    agents = spans.agent(EVIL, EVIL, "agent") | {"ag2.network.channel_id": EVIL, "gen_ai.task.name": EVIL}
    return [
        record(EVIL, 1, 1, 0, 10, attributes=agents | attributes, status="ERROR", status_message=EVIL),
        record(EVIL, 1, 2, 1, None, attributes=spans.tool(EVIL), parent=1, links=[(EVIL, 1, 1), (EVIL, 9, 9)]),
        record("event", 2, 3, 2, 3, events=[{"at": spans.iso(2), "name": EVIL, "attributes": {EVIL: EVIL}}]),
    ]


# ── The text of a page ──


def test_a_page_allows_its_own_script_and_style_only(tmp_path: Path):
    text = write_page(tmp_path, spans.network()).read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    (script,), (style,) = (
        re.findall(r"<script>(.*?)</script>", text, re.S),
        re.findall(r"<style>(.*?)</style>", text, re.S),
    )
    hashes = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert re.findall(
        r"\b(?:src|href|action|srcset)\s*=|@import|url\(|innerHTML|outerHTML|insertAdjacent|eval\(", text
    ) == [
        "url("  # of the marker at the end of an arrow
    ]
    assert "Permission is hereby granted" in text  # the licence of dagre


def test_values_of_spans_are_data_of_the_page_and_nothing_else(tmp_path: Path):
    page = write_page(tmp_path, evil_records())
    text = page.read_text(encoding="utf-8")
    assert "onerror" not in text
    assert text.count("</script") == 2
    data = data_of(page)
    assert EVIL in data["texts"]
    assert {str(10**30), "nan"} <= set(map(str, data["values"]))
    assert max(len(str(value)) for value in data["values"]) < 101_000


def test_a_page_has_the_selected_traces_and_what_could_not_be_read(tmp_path: Path):
    file, page = tmp_path / "spans.jsonl", tmp_path / "page.html"
    file.write_text(spans.lines(spans.network()) + "{\n", encoding="utf-8")
    assert main(["view", str(file), "--html", str(page), "--trace", "0004"]) == 0
    data = data_of(page)
    assert [data["texts"][span[2]] for span in data["spans"]] == [
        "invoke_agent coordinator",
        "execute_tool delegate",
        "execute_tool publish",
    ]
    assert data["notes"] == ["line 15 is not JSON: Expecting property name enclosed in double quotes: it is left out."]


# ── In a browser ──

in_browser = pytest.mark.skipif(browsers.EXECUTABLE is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@in_browser
def test_the_views_of_a_page_show_the_network(tmp_path: Path, browser: Browser):
    browser.open(write_page(tmp_path, spans.network()))
    assert sorted(browser.texts(".graph .name")) == ["application", "coordinator", "researcher"]
    assert sorted(browser.texts(".graph .label")) == ["1 request, 1 answer", "2 messages"]
    assert browser.texts("#failures .item") == [
        "+0.0450 s coordinator execute_tool publish: PermissionError: read-only"
    ]
    browser.run("page.showView('story')")
    assert browser.texts(".story-row")[5] == "+0.0050 s coordinator → researcher in consulting #1"
    browser.run("page.showView('sequence')")
    assert browser.texts(".participant") == ["application", "coordinator", "researcher"]
    assert browser.texts("#no-content")[0].startswith("What was said is not recorded: set OTEL_")
    assert browser.texts(".sequence-row")[2] == "+0.0050 s consulting #1"
    browser.run("page.showView('waterfall')")
    rows = browser.texts("#waterfall-list .row")
    assert "↪network.envelope ag2.msg.text → researcher coordinator 1.00 ms" in [row.lstrip("▾ ") for row in rows]
    assert len(rows) == 14
    assert browser.messages == []


LABELS_APART = """
[...document.querySelectorAll(".graph .label-back, .graph .node > rect")].map(e => e.getBoundingClientRect())
  .every((a, i, all) => all.every((b, j) =>
    i === j || a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top))
"""


@in_browser
@pytest.mark.parametrize(("agents", "is_graph"), [(2, True), (4, True), (6, True), (8, False)])
def test_no_label_of_a_graph_hides_another_and_large_networks_are_a_matrix(
    tmp_path: Path, browser: Browser, agents: int, is_graph: bool
):
    ids = [f"{number:032x}" for number in range(agents)]
    records = [record("life", n, n + 1, n, 900, attributes=spans.agent(f"agent {n}", id)) for n, id in enumerate(ids)]
    for number, (sender, recipient) in enumerate(itertools.permutations(ids, 2)):
        attributes = spans.message(sender, f"{number:032x}", ag2__network__audience=[recipient])
        records.append(record("message", 1000 + number, 1000 + number, 100 + number, None, attributes=attributes))
    browser.open(write_page(tmp_path, records))
    assert browser.texts("#graph-hint")[0].startswith("A box is an agent" if is_graph else "A number is how often")
    assert len(browser.texts(".graph .name")) == (agents if is_graph else 0)
    assert len(browser.texts(".graph .label")) == (agents * (agents - 1) / 2 if is_graph else 0)
    assert len(browser.texts(".matrix .cell")) == (0 if is_graph else agents * (agents - 1))
    assert browser.run(LABELS_APART)


@in_browser
def test_filters_search_and_details_of_a_page(tmp_path: Path, browser: Browser):
    open_span = record("network.channel late", 7, 30, 70, None, attributes=spans.typed("channel"))
    browser.open(write_page(tmp_path, [*spans.network(), open_span]), "waterfall/" + f"{7:016x}")
    assert browser.texts("#details h2") == ["invoke_agent researcher"]
    facts = browser.texts("#details dd")
    assert facts[0] == "13.00 ms"
    assert "consulting #1" in facts
    assert "false" not in browser.run("document.getElementById('details').textContent")
    assert browser.texts("#details section h3") == ["Attributes 3", "Linked from 1", "Children 5"]
    assert browser.texts("#waterfall-list .current .span-name") == ["invoke_agent researcher"]
    browser.run("[...document.querySelectorAll('#details .jump')][0].click()")
    assert browser.texts("#details h2") == ["network.envelope ag2.msg.text"]

    matching = "document.getElementById('matching').textContent"
    for change, expected in [
        ("{query: 'publish'}", 1),
        ("{actor: page.model.actors.findIndex(a => a[0] === 'researcher')}", 9),
        ("{channel: 0}", 9),
        ("{errors: true}", 1),
        ("{open: true}", 1),
    ]:
        browser.run(f"page.reset(), page.filter({change})")
        assert browser.run(matching) == f"{expected} of 15 spans", change
    assert browser.texts("#waterfall-list .row .length") == ["no end"]
    browser.run("page.reset(), page.filter({query: 'publish'})")
    escape = "new KeyboardEvent('keydown', {key: 'Escape', bubbles: true, cancelable: true})"
    browser.run(f"document.getElementById('details').hidden = true, byId('query').dispatchEvent({escape})")
    assert browser.run(f"{matching} + byId('query').value") == ""
    browser.run("page.filter({open: true}), page.showView('overview')")
    assert browser.texts("#open-spans .item") == [
        "+0.0700 s application network.channel late, open for at least 30.00 ms"
    ]


@in_browser
def test_a_page_of_a_program_without_agents_shows_what_it_calls_and_where_the_time_goes(
    tmp_path: Path, browser: Browser
):
    query = {"db.system.name": "postgresql"}
    workers = [
        [
            record("POST /order", n, n, 0, 20, kind="SERVER"),
            record("SELECT", n, n + 10, 1, 9, parent=n, kind="CLIENT", attributes=query),
            record("SELECT", n, n + 20, 9, 11, parent=n, kind="CLIENT", attributes=query),
        ]
        for n in (1, 2)  # processes of the same service
    ]
    browser.open(write_page(tmp_path, [spans.otlp(records, "shop") for records in workers]))
    assert sorted(browser.texts(".graph .name")) == ["postgresql", "shop"]
    assert browser.texts("#graph-title, .graph .label") == ["What calls what", "4 calls"]
    assert browser.texts(".operations tbody tr") == [
        "POST /order shop 20.00 ms 2 20.00 ms 20.00 ms",
        "SELECT shop 20.00 ms 4 2.00 ms 8.00 ms",
    ]
    browser.run("document.querySelectorAll('.operations tbody tr')[1].click()")
    assert browser.texts("#details dd")[0] == "8.00 ms"
    browser.run("page.showView('waterfall')")
    assert browser.texts(".legend") == ["shop"]
    browser.run("page.showView('overview'), page.filter({query: 'nowhere'})")
    assert browser.texts(".overview-graph > *") == ["No calls, messages or spans that have ended are selected."]
    # Without calls, there is no sequence.
    browser.open(write_page(tmp_path, [record("alone", 1, 1, 0, 1)]), "sequence")
    assert browser.texts("[role=tab]") == ["Overview", "Story", "Waterfall"]
    assert browser.run("page.view") == "overview"
    assert "agent" not in browser.run("document.getElementById('app').innerText.toLowerCase()")


@in_browser
def test_no_value_is_executed_or_hides_another(tmp_path: Path, browser: Browser):
    page = write_page(tmp_path, evil_records())
    title = str(tmp_path / "spans.jsonl")
    for view in ("overview", "story", "sequence", "waterfall"):
        for span in (1, 2, 3):
            browser.open(page, f"{view}/{span:016x}")
            assert browser.run("document.title") == title
            assert browser.run("document.images.length + document.scripts.length") == 1
            shown = browser.run("document.body.textContent")
            assert "<img src=x" in shown or view == "waterfall"
            assert not set(shown) & set("\u202e\x00\x1b\u2028")
    assert browser.messages == []


@in_browser
def test_a_page_with_many_spans_draws_only_what_is_visible(tmp_path: Path, browser: Browser):
    many = [record(f"span {n}", n % 500, n + 1, n, n + 5, attributes={"n": n}) for n in range(20_000)]
    browser.open(write_page(tmp_path, many))
    assert browser.texts("#times p")[1] == "19,988 more operations with less time"
    browser.run("page.showView('waterfall')")
    assert 10 < browser.run("document.querySelectorAll('#waterfall-list .row').length") < 100
    browser.run("page.waterfall.list.select(19_999)")
    assert browser.texts("#waterfall-list .current .span-name") == ["span 19999"]
    browser.run("page.filter({query: 'span 1999'})")
    assert browser.run("page.waterfall.rows.length") == 11
