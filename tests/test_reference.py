"""`instrument reference`: the page and the registry of what a spec records."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.inspection.described import ValueType
from opentelemetry.instrumentation.declarative.inspection.described.conventions import conventional_brief
from opentelemetry.instrumentation.declarative.inspection.described.spec_documents import read_spec_documents
from opentelemetry.instrumentation.declarative.inspection.described.value_types import value_type
from opentelemetry.instrumentation.declarative.inspection.reference import reference_page
from opentelemetry.instrumentation.declarative.language.releases import no_release

from tests import weaver
from tests.processes import PACKAGE, SOURCE

SHOP = """\
instrument: 2
name: shop
target: {distribution: shop, version: ">=1"}
scope: {name: shop.tracing, version: "1.2", link_kind: shop.link.kind}
hooks:
  pay: {call: "shop.till:Till.pay", when: amount > 0}
  open_till: {call: "shop.till:Till.open"}
  close_till: {call: "shop.till:Till.close"}
  scan: {call: "shop.till:Till.scan"}
spans:
  till:
    name: till {self.number}
    key: self.number
    start: {at: open_till.enter, names: {clerk: str(self.clerk)}}
    end: [close_till.exit]
    counts: {scans: {at: scan.return, key: self.number}}
    parent: none
    attributes:
      shop.till.number: int(self.number)
      shop.till.clerk: clerk
      shop.till.scans: scans or None
      http.request.method: self.method
    events:
      scanned:
        at: scan.return
        key: self.number
        attributes: {shop.item: item.name, shop.note: {value: item.note, content: true}}
  payment:
    around: pay
    kind: client
    parent: [{span: till, key: self.number}, current]
    links: {paid_by: {traceparent: customer.context}}
    attributes:
      shop.currency: {const: EUR}
      shop.total: result.total
      shop.how: '"cash" if cash else "card"'
      shop.error: type_name(error)
    status: {error: result.problem}
releases:
  old:
    version: "<1.5"
    spans: {payment: {attributes: {shop.total: result}}}
    enrich: {current: {events: {beep: {at: scan.return}}}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the tables under a heading, by their first cell."""
    _, _, below = text.partition(f"\n{heading}\n")
    level = heading.split(" ")[0]
    lines = []
    for line in below.splitlines():
        if line.startswith("#") and len(line.split(" ")[0]) <= len(level):
            break
        lines.append(line)
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("| ")]
    return {first: rest for first, *rest in cells}


def written(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["reference", *arguments]) == 0
    return capsys.readouterr().out


def test_the_page_describes_the_lifetime_and_the_links_of_each_span(shop: Path, capsys: pytest.CaptureFixture[str]):
    text = written(capsys, str(shop))
    till, payment = rows(text, "### `till`"), rows(text, "### `payment`")
    assert till["name"] == ["`till {self.number}`"]
    assert till["starts"] == ["when `Till.open` (`open_till`) is called"]
    assert till["ends"] == ["when `Till.close` (`close_till`) returns or raises"]
    assert till["key"] == ["`self.number`"]
    assert till["parent"] == ["none, the span is the root of a new trace"]
    assert payment["lifetime"] == ["around `Till.pay` (`pay`)"]
    assert payment["kind"] == ["client"]
    assert payment["parent"] == ["the span `till` with the key `self.number`, otherwise the current span"]
    assert payment["link `paid_by`"] == ["the trace context in `customer.context`"]
    assert payment["status"] == [
        "ERROR, described by `result.problem` (content)<br>The messages of exceptions are content"
    ]


def test_the_page_describes_the_type_of_each_attribute_and_when_it_is_recorded(
    shop: Path, capsys: pytest.CaptureFixture[str]
):
    text = written(capsys, str(shop))
    till, payment = rows(text, "### `till`"), rows(text, "### `payment`")
    assert till["`shop.till.number`"] == ["int", "read from `int(self.number)`", "at the start"]
    assert till["`shop.till.clerk`"] == ["string", "read from `clerk`", "at the start"]
    assert till["`shop.till.scans`"] == ["int", "read from `scans or None`", "at the end"]
    assert payment["`shop.currency`"] == ["string: `EUR`", "`EUR`", "always"]
    assert payment["`shop.total`"] == ["", "read from `result.total`", "when the call returns"]
    assert payment["`shop.how`"][0] == "string: `cash`, `card`"
    assert payment["`shop.error`"][2] == "when the call raises"


def test_the_page_describes_events_and_which_of_their_attributes_are_content(
    shop: Path, capsys: pytest.CaptureFixture[str]
):
    when, attributes = rows(written(capsys, str(shop)), "### `till`")["`scanned`"]
    assert when == "when `Till.scan` (`scan`) returns"
    assert attributes == "`shop.item`: `item.name`<br>`shop.note`: `item.note` (content)"


def test_the_page_lists_what_can_end_a_span_instead_of_its_own_end(shop: Path, capsys: pytest.CaptureFixture[str]):
    shop.write_text(SHOP + "owners: {till: {object: self, closes: close_till.exit}}\n")
    text = written(capsys, str(shop))
    assert rows(text, "### `till`")["`instrument.end`"][0] == "string: `limit`, `shutdown`"
    assert rows(text, "### `payment`")["`instrument.end`"][0] == "string: `shutdown`"
    text = written(capsys, "ag2")
    assert rows(text, "### `channel`")["`instrument.end`"][0] == "string: `limit`, `shutdown`, `hub_closed`"
    assert "`hung_up`" in rows(text, "### `agent_lifetime`")["`instrument.end`"][0]
    assert "`instrument.end`" not in rows(text, "### `task_failure`")
    assert rows(text, "### `task`")["also written by"] == ["`SpansFile`"]


def test_a_key_of_the_semantic_conventions_has_their_description(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert conventional_brief("http.request.method") == "HTTP request method."
    assert rows(written(capsys, str(shop)), "### `till`")["`http.request.method`"][1].startswith("HTTP request method.")


def test_a_key_that_the_conventions_deprecate_or_do_not_know_has_no_description():
    assert conventional_brief("http.method") is None  # deprecated, in every supported release of the conventions
    assert conventional_brief("shop.total") is None
    assert conventional_brief("../../etc.passwd") is None


def test_a_bar_in_an_expression_does_not_end_a_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "shop.yaml"
    file.write_text("instrument: 2\nname: shop\nspans: {a: {around: 'shop:pay', name: 'pay {\"a|b\"}'}}\n")
    assert '`pay {"a\\|b"}`' in written(capsys, str(file))


def test_a_release_is_chosen_by_its_name_or_by_a_version(shop: Path, capsys: pytest.CaptureFixture[str]):
    newest = written(capsys, str(shop))
    assert "`result.total`" in newest
    assert "beep" not in newest
    for release in ("old", "1.4"):
        older = written(capsys, str(shop), "--release", release)
        assert rows(older, "### `payment`")["`shop.total`"][1] == "read from `result`"
        assert "`beep`" in rows(older, "## Events on existing spans")
    assert written(capsys, str(shop), "--release", "1.5").splitlines()[4:] == newest.splitlines()[4:]


def test_a_release_that_does_not_exist_is_a_usage_error(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["reference", str(shop), "--release", "ancient"]) == 2
    assert capsys.readouterr().err == (
        'instrument reference: "ancient" is not a release in the spec. '
        "Name a version, or a release under `releases`: old.\n"
    )
    assert main(["reference", str(shop), "--release", "1.x.y"]) == 2
    assert "is not a valid version. Write it as 1.2.1." in capsys.readouterr().err


def test_differences_from_other_releases_are_listed(shop: Path):
    documents = read_spec_documents(str(shop))
    old = documents.description(lambda name, _version: name == "old")
    text = reference_page(documents.description(no_release), documents.file, "in the latest release", {"old": old})
    assert rows(text, "## Other releases")["old"] == ["span `payment` differs, event `beep` is added"]


def test_an_overlay_is_described_with_what_it_extends(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "instrument: 2\nextends: ag2\nspans: {usage: null, envelope: {attributes: {app.priority: envelope.priority}}}\n"
    )
    text = written(capsys, str(mine))
    assert "What `mine.yaml` records for ag2" in text
    assert rows(text, "### `envelope`")["`app.priority`"] == ["", "read from `envelope.priority`", "at the start"]
    assert "### `usage`" not in text


def test_problems_of_a_spec_are_reported_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "bad.yaml"
    file.write_text("instrument: 2\nname: bad\nspans: {a: {arround: 'shop:pay'}}\n")
    output = tmp_path / "page.md"
    assert main(["reference", str(file), "-o", str(output)]) == 1
    assert 'did you mean "around"?' in capsys.readouterr().err
    assert not output.exists()


def test_the_page_is_written_to_a_file(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    output = tmp_path / "page.md"
    assert written(capsys, str(shop), "-o", str(output)) == ""
    assert output.read_text() == written(capsys, str(shop))
    assert main(["reference", str(shop), "-o", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def registry_of(spec: Path | str, folder: Path, *more: str) -> list[dict[str, Any]]:
    assert main(["reference", str(spec), "--format", "registry", "-o", str(folder), *more]) == 0
    return weaver.groups(folder)


@pytest.mark.parametrize("release", [(), ("--release", "before_one"), ("--release", "0.13.4")])
def test_weaver_accepts_the_registry_of_ag2(tmp_path: Path, release: tuple[str, ...]):
    assert len(registry_of("ag2", tmp_path, *release)) >= 15
    assert weaver.problems(tmp_path) == []


def test_weaver_accepts_the_registry_of_a_users_own_spec(shop: Path, tmp_path: Path):
    groups = {group["id"]: group for group in registry_of(shop, tmp_path / "registry")}
    assert weaver.problems(tmp_path / "registry") == []
    payment = groups["span.shop.payment"]
    assert payment["span_kind"] == "client"
    levels = {one["ref"]: one["requirement_level"] for one in payment["attributes"]}
    assert levels["shop.currency"] == "required"
    assert levels["shop.total"] == {"conditionally_required": "If `result.total` has a value, when the call returns."}
    assert groups["span.shop.till"]["events"] == ["event.shop.scanned"]
    assert {one["ref"]: one["requirement_level"] for one in groups["event.shop.scanned"]["attributes"]}[
        "shop.note"
    ] == "opt_in"
    defined = {one["id"]: one for one in groups["registry.shop"]["attributes"]}
    assert defined["shop.till.number"]["type"] == "int"
    assert defined["shop.total"]["type"] == "any"
    assert [member["value"] for member in defined["shop.how"]["type"]["members"]] == ["cash", "card"]
    assert [member["value"] for member in defined["shop.link.kind"]["type"]["members"]] == ["paid_by"]


def test_departures_from_the_registry_format_are_found(shop: Path, tmp_path: Path):
    registry_of(shop, tmp_path / "registry")
    spans = tmp_path / "registry" / "spans.yaml"
    whole = spans.read_text()
    for change in (
        ("span_kind: client\n", "span_kind: clent\n"),
        ("    stability: development\n", ""),
        ("- ref: shop.total\n", "- ref: shop.totals\n"),
        ("- event.shop.scanned\n", "- event.shop.scaned\n"),
        ("id: span.shop.payment\n", "id: span.shop.till\n"),
    ):
        assert change[0] in whole
        spans.write_text(whole.replace(*change))
        assert weaver.problems(tmp_path / "registry") != [], change


def test_the_schema_url_of_a_registry_can_be_given(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    registry_of(shop, tmp_path / "registry", "--schema-url", "https://shop.test/schemas/shop/3.0.0")
    assert yaml.safe_load((tmp_path / "registry" / "manifest.yaml").read_text())["schema_url"].endswith("/shop/3.0.0")
    assert main(["reference", str(shop), "--schema-url", "https://shop.test/1"]) == 2
    assert "a page has no schema URL" in capsys.readouterr().err


def test_a_registry_needs_a_directory(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["reference", str(shop), "--format", "registry"]) == 2
    assert "Name one with -o." in capsys.readouterr().err
    assert main(["reference", str(shop), "--format", "registry", "-o", str(shop)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_registry_is_written_without_the_groups_of_an_earlier_spec(shop: Path, tmp_path: Path):
    folder = tmp_path / "registry"
    registry_of(shop, folder)
    shop.write_text("instrument: 2\nname: shop\nspans: {pay: {around: 'shop:pay'}}\n")
    registry_of(shop, folder)
    assert sorted(file.name for file in folder.iterdir()) == ["attributes.yaml", "manifest.yaml", "spans.yaml"]
    assert weaver.problems(folder) == []


HOSTILE = ("on", "no", "'it''s'", "a: b # c", "- x", "{x}", "line\nbreak", "“…”", "\\d", "0x10", "1.0", " x ", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_unchanged_in_the_registry(tmp_path: Path, text: str):
    file = tmp_path / "shop.yaml"
    spec = {
        "instrument": 2,
        "name": "shop",
        "spans": {"a": {"around": "shop:pay", "attributes": {"k": {"const": text}, "n": {"const": 1}}}},
    }
    file.write_text(yaml.safe_dump(spec, allow_unicode=True))
    groups = registry_of(file, tmp_path / "registry")
    (found,) = (one for one in groups[0]["attributes"] if one["id"] == "k")
    assert [member["value"] for member in found["type"]["members"]] == [text]
    assert weaver.problems(tmp_path / "registry") == []


@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ("len(x)", ValueType("int")),
        ("int(x) or None", ValueType("int")),
        ("x is not None", ValueType("boolean")),
        ("not x", ValueType("boolean")),
        ("f'{x}'", ValueType("string")),
        ("str(x) if y else None", ValueType("string")),
        ("'a' if x else 'b'", ValueType("string", ("a", "b"), True)),
        ("'a' if x else str(y)", ValueType("string", ("a",), False)),
        ("len(x) + 1", ValueType("int")),
        ("len(x) / 2", ValueType("double")),
        ("[str(x)] if x else None", ValueType("string[]")),
        ("-1", ValueType("int")),
        ("x", None),
        ("x.y or 'a'", None),
        ("len(x) if y else 'a'", None),
        ("own(x)", None),
        ("[x]", None),
    ],
)
def test_the_type_of_an_expression_is_inferred_if_possible(expression: str, known: ValueType | None):
    assert value_type(parse(expression, Mark("f", 1, 1), ["own"]).tree) == known


def test_the_registry_beside_a_spec_describes_what_it_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "shop.yaml"
    file.write_text(
        "instrument: 2\nname: shop\nspans:\n"
        "  a: {around: 'shop:pay', attributes: {k: result}}\n"
        "  b: {around: 'shop:owe', attributes: {k: result}, links: {l: current}}\n"
    )
    (tmp_path / "shop_registry.yaml").write_text(
        "instrument: 2\nspans: {a: A customer pays.}\nlinks: {l: What it follows from.}\n"
        "attributes: {instrument.end: Why it was ended., k: What is paid.}\n"
    )
    text = written(capsys, str(file))
    assert "A customer pays." in text
    assert rows(text, "### `a`")["`k`"][1] == rows(text, "### `b`")["`k`"][1] == "What is paid.<br>read from `result`"
    assert rows(text, "### `a`")["`instrument.end`"][1] == "Why it was ended."
    assert rows(text, "### `b`")["link `l`"] == ["the current span<br>What it follows from."]
    groups = {group["id"]: group for group in registry_of(file, tmp_path / "registry")}
    assert groups["span.shop.a"]["brief"] == "A customer pays."
    assert {one["id"]: one["brief"] for one in groups["registry.shop"]["attributes"]}["k"] == "What is paid."


def test_a_traced_process_does_not_load_the_reference():
    code = f"import sys, {PACKAGE}.process.instrumentor, {PACKAGE}.plan.validation; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert f"{PACKAGE}.process.instrumentor" in loaded
    assert [
        name for name in loaded if name.startswith((f"{PACKAGE}.inspection", f"{PACKAGE}.lint", f"{PACKAGE}.cli"))
    ] == []


def test_the_page_describes_what_is_changed_beside_what_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.yaml").write_text("""
instrument: 2
name: mine
hooks: {match: {call: "shop.web:match"}, send: {call: "shop.web:send"}}
functions: {note: {call: "shop.web:note", at: send.return, of: {span: view}, arguments: [result]}}
spans:
  view:
    around: shop.web:view
    key: request.id
    inject: {traceparent: request.trace}
    attribute_groups: {route: {at: match.return, name: "view {result}"}}
enrich:
  root:
    attribute_groups: {route: {at: match.return, when: result, name: "{method} {result}"}}
    status: {at: match.raise, when: is_cancelled(error), error: str(error)}
    links: {sent: {at: send.return, to: {span: view, key: result.id}}}
inject:
  outgoing: {at: send.enter, carrier: message.headers}
  reply: {at: send.enter, when: message.reply, field: message.reply_to, value: message.id}
""")
    text = written(capsys, str(tmp_path / "mine.yaml"))
    assert rows(text, "### `view`")["name"] == ["`view`<br>then `view {result}` when `match` (`match`) returns"]
    matched, sent = "`match` (`match`) returns", "`send` (`send`) is called"
    assert rows(text, "## Changes of existing spans") == {
        "change": ["on", "when"],
        "name `{method} {result}`": ["the local root", f"{matched}, if `result`"],
        "status ERROR, described by `str(error)`, if `is_cancelled(error)`": [
            "the local root",
            "`match` (`match`) raises",
        ],
        "link `sent` to the span `view` with the key `result.id`": ["the local root", "`send` (`send`) returns"],
    }
    assert rows(text, "## Fields of the program") == {
        "value": ["written to", "when"],
        "the traceparent": ["`request.trace`", "a span `view` starts"],
        "the context of the current span": ["`message.headers`", sent],
        "`message.id`": ["`message.reply_to`", f"{sent}, if `message.reply`"],
    }
    assert rows(text, "## Functions that are called with a span") == {
        "function": ["span", "when"],
        "`shop.web:note` with `result`": ["the open span `view`", "`send` (`send`) returns"],
    }
