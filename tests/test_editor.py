"""The schema in an editor: the diagnostics, completions and hovers of yaml-language-server, which editors use."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language_server import LanguageServer, missing

ROOT = Path(__file__).parents[1]
SHIPPED = [*sorted((ROOT / "configs").glob("*.yaml")), *sorted((ROOT / "docs" / "demo").glob("*.yaml"))]
#: Documents of the tests are opened with this path, to which the schema in their first line is relative.
HERE = ROOT / "configs" / "trial.yaml"
HEAD = "# yaml-language-server: $schema=../schemas/spec-2.schema.json\n"
SHOP = f"{HEAD}instrument: 2\nname: shop\n"
SPAN = f"{SHOP}spans:\n  buy:\n"

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    with LanguageServer(ROOT) as server:
        yield server


def diagnostics(server: LanguageServer, text: str) -> list[tuple[str, str]]:
    """The pieces of a text that have diagnostics, with the messages."""
    lines = text.split("\n")
    found = []
    for diagnostic in server.diagnostics(HERE, text):
        start, end = diagnostic["range"]["start"], diagnostic["range"]["end"]
        assert start["line"] == end["line"]
        found.append((lines[start["line"]][start["character"] : end["character"]], diagnostic["message"]))
    return found


def labels(server: LanguageServer, text: str) -> list[str]:
    return [item["label"] for item in server.completions(HERE, text)]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_shipped_specs_have_no_diagnostics(server: LanguageServer, file: Path):
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=")
    assert server.diagnostics(file) == []


def test_a_valid_spec_has_no_diagnostics(server: LanguageServer):
    text = SPAN + "    around: shop.cart:Cart.buy\n    kind: client\n    attributes: {shop.total: result.total}\n"
    assert diagnostics(server, text) == []


def test_a_misspelt_key_has_a_diagnostic_at_its_position(server: LanguageServer):
    text = SPAN + "    around: shop.cart:Cart.buy\n    atributes: {shop.total: result.total}\n"
    assert diagnostics(server, text) == [("atributes", "Property atributes is not allowed.")]


def test_a_value_that_is_not_allowed_has_a_diagnostic_with_the_allowed_ones(server: LanguageServer):
    ((piece, message),) = diagnostics(server, SPAN + "    around: shop.cart:Cart.buy\n    kind: clent\n")
    assert piece == "clent"
    assert '"internal", "client", "server", "producer", "consumer"' in message


def test_an_invalid_moment_has_a_diagnostic_with_the_form_of_a_moment(server: LanguageServer):
    ((piece, message),) = diagnostics(server, SPAN + "    at: buying.begin\n")
    assert piece == "buying.begin"
    assert message == "A moment is the name of a hook, a dot, and enter, item, return, raise or exit."


def test_a_conflicting_key_has_a_diagnostic_with_the_reason(server: LanguageServer):
    found = diagnostics(server, SPAN + "    around: shop.cart:Cart.buy\n    at: buying.enter\n")
    assert {message for _, message in found} == {"This key is not allowed together with the other keys here."}
    assert "buying.enter" in [place for place, _ in found]


def test_missing_keys_have_no_diagnostics_because_a_layer_below_may_have_them(server: LanguageServer):
    incomplete = "spans:\n  buy:\n    kind: client\n"
    assert diagnostics(server, SHOP + incomplete) == []
    assert diagnostics(server, f"{HEAD}instrument: 2\nextends: ag2\n{incomplete}") == []
    assert diagnostics(server, f"{HEAD}instrument: 2\nextends: ag2\nspans: {{usage: null}}\n") == []


def test_each_key_of_a_span_is_completed_once(server: LanguageServer):
    found = labels(server, SPAN + "    |")
    assert {"around", "start", "end", "at", "attributes", "links", "events", "kind", "parent"} <= {*found}
    assert sorted(found) == sorted(set(found))


def test_a_key_is_completed_with_its_description(server: LanguageServer):
    items = {item["label"]: item for item in server.completions(HERE, SPAN + "    |")}
    documentation = items["around"]["documentation"]
    text = documentation["value"] if isinstance(documentation, dict) else documentation
    assert "The calls that the span covers" in text


def test_the_keys_of_an_overlay_are_completed(server: LanguageServer):
    found = labels(server, f"{HEAD}instrument: 2\nextends: ag2\nspans:\n  envelope:\n    |")
    assert {"around", "attributes", "links"} <= {*found}


def test_the_sections_of_a_spec_are_completed_except_existing_ones(server: LanguageServer):
    found = labels(server, f"{SHOP}|")
    assert {"hooks", "spans", "enrich", "context", "extensions", "inject", "owners", "releases"} <= {*found}
    assert "name" not in found


def test_the_kinds_of_a_span_are_completed(server: LanguageServer):
    found = labels(server, SPAN + "    around: shop.cart:Cart.buy\n    kind: |")
    assert [label for label in found if label != "null"] == ["internal", "client", "server", "producer", "consumer"]


@pytest.mark.parametrize("place", ["    at: |", "    start: |", "    start:\n      - |", "    end:\n      at: |"])
def test_each_moment_of_a_hook_is_completed(server: LanguageServer, place: str):
    found = {item["label"]: item["insertText"] for item in server.completions(HERE, SPAN + place)}
    for phase in ("enter", "return", "raise", "exit"):
        assert found[f"HOOK.{phase}"].endswith(f"${{1:hook}}.{phase}")


def test_a_span_snippet_is_a_valid_span(server: LanguageServer):
    snippets = [item for item in server.completions(HERE, SPAN + "    |") if item["label"].startswith("span ")]
    assert len(snippets) == 3
    for item in snippets:
        body = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", item["insertText"])
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        assert diagnostics(server, SPAN + lines) == [], item["label"]


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("    aro|und: shop.cart:Cart.buy\n", "The calls that the span covers"),
        ("    around: shop.cart:Cart.buy\n    ki|nd: client\n", "The OpenTelemetry kind of the span."),
        ("    start: buying.en|ter\n", "When the span starts."),
        ("    attributes:\n      shop.total: res|ult.total\n", "evaluated as soon as all names in it are available"),
    ],
)
def test_hovering_over_a_key_shows_its_description(server: LanguageServer, text: str, description: str):
    found = server.hover(HERE, SPAN + text)
    assert description in found
    assert "Write a value or remove the key" not in found  # a text that is only for our own problems
