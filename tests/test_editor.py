"""The schema in an editor: what yaml-language-server, which editors use for YAML, marks, offers and tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language_server import LanguageServer, missing

ROOT = Path(__file__).parents[1]
SHIPPED = [*sorted((ROOT / "configs").glob("*.yaml")), *sorted((ROOT / "docs" / "demo").glob("*.yaml"))]
#: A document of the test's own is opened as if it stood here: its first line names the schema from here.
HERE = ROOT / "configs" / "trial.yaml"
HEAD = "# yaml-language-server: $schema=../schemas/spec-1.schema.json\n"
SHOP = f"{HEAD}instrument: 1\nname: shop\n"
SPAN = f"{SHOP}spans:\n  buy:\n"

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    with LanguageServer(ROOT) as server:
        yield server


def marked(server: LanguageServer, text: str) -> list[tuple[str, str]]:
    """What is marked in a text, and the messages."""
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
def test_nothing_is_marked_in_what_is_shipped(server: LanguageServer, file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=")
    assert server.diagnostics(file) == []


def test_nothing_is_marked_in_a_spec_that_is_right(server: LanguageServer) -> None:
    text = SPAN + "    around: shop.cart:Cart.buy\n    kind: client\n    attributes: {shop.total: result.total}\n"
    assert marked(server, text) == []


def test_a_misspelt_key_is_marked_at_its_place(server: LanguageServer) -> None:
    text = SPAN + "    around: shop.cart:Cart.buy\n    atributes: {shop.total: result.total}\n"
    assert marked(server, text) == [("atributes", "Property atributes is not allowed.")]


def test_a_value_that_is_not_one_of_a_few_is_marked_with_these(server: LanguageServer) -> None:
    ((place, message),) = marked(server, SPAN + "    around: shop.cart:Cart.buy\n    kind: clent\n")
    assert place == "clent"
    assert '"internal", "client", "server", "producer", "consumer"' in message


def test_a_moment_that_is_none_is_told_how_a_moment_is_written(server: LanguageServer) -> None:
    ((place, message),) = marked(server, SPAN + "    at: buying.begin\n")
    assert place == "buying.begin"
    assert message == "A moment is a hook, a dot and one of enter, return, raise, exit."


def test_a_key_that_cannot_stand_beside_others_is_marked_with_what_is_wrong(server: LanguageServer) -> None:
    found = marked(server, SPAN + "    around: shop.cart:Cart.buy\n    at: buying.enter\n")
    assert {message for _, message in found} == {"This key cannot stand beside the other keys here."}
    assert "buying.enter" in [place for place, _ in found]


def test_what_a_whole_spec_lacks_is_marked_and_what_an_overlay_leaves_to_others_is_not(server: LanguageServer) -> None:
    lacking = "spans:\n  buy:\n    kind: client\n"
    assert [message for _, message in marked(server, SHOP + lacking)] == ['Missing property "around".']
    assert marked(server, f"{HEAD}instrument: 1\nextends: ag2\n{lacking}") == []
    assert marked(server, f"{HEAD}instrument: 1\nextends: ag2\nspans: {{usage: null}}\n") == []


def test_null_in_a_whole_spec_is_marked(server: LanguageServer) -> None:
    assert len(marked(server, SPAN + "    around: shop.cart:Cart.buy\n    kind:\n")) == 1


def test_the_keys_of_a_span_are_offered_once_each(server: LanguageServer) -> None:
    found = labels(server, SPAN + "    |")
    assert {"around", "start", "end", "at", "attributes", "links", "events", "kind", "parent"} <= {*found}
    assert sorted(found) == sorted(set(found))


def test_a_key_is_offered_with_its_description(server: LanguageServer) -> None:
    items = {item["label"]: item for item in server.completions(HERE, SPAN + "    |")}
    documentation = items["around"]["documentation"]
    text = documentation["value"] if isinstance(documentation, dict) else documentation
    assert "that the span is around" in text


def test_the_keys_of_an_overlay_are_offered_as_well(server: LanguageServer) -> None:
    found = labels(server, f"{HEAD}instrument: 1\nextends: ag2\nspans:\n  envelope:\n    |")
    assert {"around", "attributes", "links"} <= {*found}


def test_the_sections_of_a_spec_are_offered_but_not_those_that_are_there(server: LanguageServer) -> None:
    found = labels(server, f"{SHOP}|")
    assert {"hooks", "spans", "events", "carried", "taps", "writes", "closings", "mirrors", "releases"} <= {*found}
    assert "name" not in found


def test_the_kinds_of_a_span_are_offered(server: LanguageServer) -> None:
    found = labels(server, SPAN + "    around: shop.cart:Cart.buy\n    kind: |")
    assert [label for label in found if label != "null"] == ["internal", "client", "server", "producer", "consumer"]


@pytest.mark.parametrize("place", ["    at: |", "    start: |", "    start:\n      - |", "    end:\n      at: |"])
def test_each_moment_of_a_hook_is_offered(server: LanguageServer, place: str) -> None:
    found = {item["label"]: item["insertText"] for item in server.completions(HERE, SPAN + place)}
    for phase in ("enter", "return", "raise", "exit"):
        assert found[f"HOOK.{phase}"].endswith(f"${{1:hook}}.{phase}")


def test_a_span_that_is_offered_whole_is_a_right_span(server: LanguageServer) -> None:
    offered = [item for item in server.completions(HERE, SPAN + "    |") if item["label"].startswith("a span ")]
    assert len(offered) == 3
    for item in offered:
        body = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", item["insertText"])
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        assert marked(server, SPAN + lines) == [], item["label"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("    aro|und: shop.cart:Cart.buy\n", "that the span is around"),
        ("    around: shop.cart:Cart.buy\n    ki|nd: client\n", "The OpenTelemetry kind of the span."),
        ("    start: buying.en|ter\n", "When the span begins."),
        ("    attributes:\n      shop.total: res|ult.total\n", "read as soon as the names in it exist"),
    ],
)
def test_what_stands_under_the_pointer_is_described(server: LanguageServer, text: str, told: str) -> None:
    found = server.hover(HERE, SPAN + text)
    assert told in found
    assert "Give it a value or take the key out" not in found  # what is for our own errors
