from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError
from opentelemetry.instrumentation.declarative.language import shipped
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers, read_shipped
from opentelemetry.instrumentation.declarative.language.releases import no_release
from opentelemetry.instrumentation.declarative.language.shipped import ShippedSpec
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec

SHOP = """\
instrument: 2
name: shop
hooks:
  pay: {call: "shop.cart:Cart.pay"}
spans:
  buy:
    around: pay
    kind: client
    attributes: {shop.id: self.id, shop.total: result.total}
  send:
    at: pay.return
"""


class Folder:
    """A folder of spec files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def read(self, name: str) -> Layers:
        return read_spec(self.path / name)

    def merged(self, name: str) -> Document:
        layers = self.read(name)
        return layers.merged_onto(read_shipped(layers.extends_shipped) if layers.extends_shipped else None, no_release)

    def problems(self, name: str) -> list[Problem]:
        with pytest.raises(SpecError) as caught:
            self.read(name)
        return list(caught.value.problems)

    def locations(self, name: str) -> list[tuple[str, int, str]]:
        return [(Path(p.mark.file).name, p.mark.line, p.code) for p in self.problems(name)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("shop.yaml", SHOP)
    return made


def over(text: str, extends: str = "./shop.yaml") -> str:
    return f"instrument: 2\nextends: {extends}\n{text}"


def test_a_layer_can_add_entries(folder: Folder):
    folder.write("my.yaml", over("spans: {buy: {attributes: {app.tier: self.tier}}}"))
    merged = folder.merged("my.yaml")
    assert merged.data["name"] == "shop"
    assert merged.data["spans"]["buy"]["attributes"] == {
        "shop.id": "self.id",
        "shop.total": "result.total",
        "app.tier": "self.tier",
    }
    assert [each.key for each in plan_of(merged).spans["buy"].attributes] == ["shop.id", "shop.total", "app.tier"]


def test_a_layer_can_replace_entries_and_remove_them_with_null(folder: Folder):
    folder.write("my.yaml", over("spans: {buy: {kind: null, attributes: {shop.id: self.number}}, send: null}"))
    merged = folder.merged("my.yaml").data["spans"]
    assert merged == {
        "buy": {"around": "pay", "attributes": {"shop.id": "self.number", "shop.total": "result.total"}},
    }


def test_merged_values_keep_the_marks_of_their_files(folder: Folder):
    folder.write("my.yaml", over("spans:\n  buy:\n    attributes:\n      app.tier: self.tier\n"))
    merged = folder.merged("my.yaml")
    attributes = ("spans", "buy", "attributes")
    assert Path(merged.marks[(*attributes, "shop.id")].file).name == "shop.yaml"
    mark = merged.keys[(*attributes, "app.tier")]
    assert (Path(mark.file).name, mark.line, mark.column) == ("my.yaml", 6, 7)
    (span,) = [each for each in plan_of(merged).spans.values() if each.name == "buy"]
    assert [Path(each.expression.mark.file).name for each in span.attributes] == ["shop.yaml", "shop.yaml", "my.yaml"]


def test_a_shipped_spec_is_extended_without_copying_it(folder: Folder):
    folder.write("my.yaml", over("spans: {envelope: {attributes: {app.priority: envelope.priority}}}", "ag2"))
    layers = folder.read("my.yaml")
    assert layers.extends_shipped == "ag2"
    assert len(layers.documents) == 1
    keys = [each.key for each in plan_of(folder.merged("my.yaml")).spans["envelope"].attributes]
    assert "app.priority" in keys
    assert len(keys) > 5


def test_a_chain_of_three_layers_is_merged_from_the_lowest_up(folder: Folder):
    folder.write("house.yaml", over("spans: {buy: {kind: server, name: house, attributes: {a: self.a}}}"))
    folder.write("my.yaml", over("spans: {buy: {name: mine}}", "./house.yaml"))
    layers = folder.read("my.yaml")
    assert [Path(document.file).name for document in layers.documents] == ["shop.yaml", "house.yaml", "my.yaml"]
    buy = folder.merged("my.yaml").data["spans"]["buy"]
    assert (buy["kind"], buy["name"], buy["attributes"]["a"]) == ("server", "mine", "self.a")


def test_a_chain_can_end_in_a_shipped_spec(folder: Folder):
    folder.write("house.yaml", over("spans: {agent: {attributes: {a: agent.a}}}", "ag2"))
    folder.write("my.yaml", over("spans: {agent: {attributes: {b: agent.b}}}", "[ag2, house.yaml]"))
    assert folder.read("my.yaml").extends_shipped == "ag2"
    assert {"ag2.span.type", "a", "b"} <= {*folder.merged("my.yaml").data["spans"]["agent"]["attributes"]}


def test_a_file_that_two_layers_extend_is_merged_once_below_both(folder: Folder):
    folder.write("one.yaml", over("spans: {buy: {kind: server}}"))
    folder.write("two.yaml", over("spans: {buy: {name: two}}"))
    folder.write("my.yaml", over("spans: {buy: {attributes: {shop.id: null}}}", "[one.yaml, ./two.yaml]"))
    buy = folder.merged("my.yaml").data["spans"]["buy"]
    assert (buy["kind"], buy["name"]) == ("server", "two")
    assert [*buy["attributes"]] == ["shop.total"]


def test_a_path_is_relative_to_the_file_that_names_it(folder: Folder):
    folder.write("sub/house.yaml", over("spans: {buy: {name: house}}", "../shop.yaml"))
    folder.write("my.yaml", over("spans: {buy: {kind: server}}", "sub/house.yaml"))
    assert folder.merged("my.yaml").data["spans"]["buy"]["name"] == "house"


def test_a_null_that_removes_nothing_is_a_problem(folder: Folder):
    folder.write("my.yaml", over("spans:\n  buy:\n    attributes: {shop.idd: null}\n  sned: null\n"))
    assert folder.locations("my.yaml") == [
        ("my.yaml", 5, "nothing-to-remove"),
        ("my.yaml", 6, "nothing-to-remove"),
    ]


def test_an_entry_that_a_lower_layer_has_removed_cannot_be_removed_again(folder: Folder):
    folder.write("house.yaml", over("spans: {send: null}"))
    folder.write("my.yaml", over("spans: {send: null}", "house.yaml"))
    assert folder.locations("my.yaml") == [("my.yaml", 3, "nothing-to-remove")]


@pytest.mark.parametrize(
    ("extends", "code", "help"),
    [
        ("ag22", "unknown-spec", 'did you mean "ag2"?'),
        ("something", "unknown-spec", "there are: ag2, openai, mcp, a2a; a file name ends in .yaml"),
        ("./no.yaml", "no-file", 'did you mean "shop.yaml"?'),
        ("./my.yaml", "extends-cycle", "name the spec to extend"),
        ("[ag2, ag2]", "wrong-value", None),
    ],
)
def test_a_file_that_cannot_be_extended_is_reported(folder: Folder, extends: str, code: str, help: str | None):
    folder.write("my.yaml", over("spans: {buy: {kind: server}}", extends))
    problem, *_ = folder.problems("my.yaml")
    assert (problem.code, problem.mark.line) == (code, 2)
    assert help in (problem.help, None)


def test_files_that_extend_each_other_are_reported(folder: Folder):
    folder.write("one.yaml", over("spans: {x: {kind: server}}", "./two.yaml"))
    folder.write("two.yaml", over("spans: {x: {kind: server}}", "./three.yaml"))
    folder.write("three.yaml", over("spans: {x: {kind: server}}", "./one.yaml"))
    assert folder.locations("one.yaml") == [("three.yaml", 2, "extends-cycle")]


def test_a_file_can_extend_only_one_shipped_spec(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shipped, "SHIPPED_SPECS", (*shipped.SHIPPED_SPECS, ShippedSpec("other", "other", ("other",))))
    folder.write("my.yaml", over("spans: {agent: {kind: server}}", "[ag2, other]"))
    (problem,) = folder.problems("my.yaml")
    assert problem.code == "extends-two"
    assert problem.message == '"other" is the second shipped spec that this file extends: it can extend only one'


BROKEN = over('spans: {buy: {name: "x}}')


def test_a_broken_layer_does_not_hide_problems_of_others(folder: Folder):
    folder.write("one.yaml", BROKEN)
    folder.write("two.yaml", over("spans: {buy: {knid: server}}"))
    folder.write("my.yaml", over("spans: {buy: {attributes: 5}}", "[one.yaml, two.yaml, gone.yaml]"))
    assert folder.locations("my.yaml") == [
        ("my.yaml", 2, "no-file"),
        ("my.yaml", 3, "wrong-type"),
        ("one.yaml", 3, "yaml-syntax"),
        ("two.yaml", 3, "unknown-key"),
    ]


def test_a_structural_problem_in_one_layer_does_not_hide_other_problems_in_another(folder: Folder):
    folder.write("house.yaml", over("spans: {buy: {knid: server, attributes: {a: x ** 2}}}"))
    folder.write("my.yaml", over("spans: {buy: {attributes: {b: y.z()}}, new: {around: pai}}", "house.yaml"))
    assert folder.locations("my.yaml") == [
        ("house.yaml", 3, "unknown-key"),
        ("house.yaml", 3, "not-allowed"),
        ("my.yaml", 3, "not-allowed"),
        ("my.yaml", 3, "unknown-hook"),
    ]


def test_a_broken_layer_that_two_others_extend_is_reported_once(folder: Folder):
    folder.write("low.yaml", BROKEN)
    for name in ("one.yaml", "two.yaml"):
        folder.write(name, over("spans: {buy: {kind: server}}", "low.yaml"))
    folder.write("my.yaml", over("spans: {buy: {kind: server}}", "[one.yaml, two.yaml]"))
    assert folder.locations("my.yaml") == [("low.yaml", 3, "yaml-syntax")]


@pytest.mark.parametrize(
    ("text", "line", "code", "message"),
    [
        ("hooks:\n  turn: null\n", 4, "unknown-hook", 'there is no hook "turn" once it is removed here'),
        ("spans:\n  agent_lifetime: null\n", 4, "unknown-span", 'there is no span "agent_lifetime" once'),
        ("functions:\n  tool_result: null\n", 4, "unknown-function", 'there is no function "tool_result" once'),
        ("spans:\n  agent:\n    around: null\n", 4, "missing-key", 'a span needs "around", "start" or "at"'),
        ("spans:\n  agent: {key: null}\n", 4, "no-key", 'the span "agent" has no `key`'),
    ],
)
def test_a_change_that_breaks_a_shipped_spec_is_reported_in_the_file_that_changes_it(
    folder: Folder, text: str, line: int, code: str, message: str
):
    folder.write("my.yaml", over(text, "ag2"))
    problems = folder.problems("my.yaml")
    assert {(Path(problem.mark.file).name, problem.mark.line, problem.code) for problem in problems} == {
        ("my.yaml", line, code)
    }
    assert any(problem.message.startswith(message) for problem in problems)


def test_merging_layers_does_not_change_their_documents(folder: Folder):
    folder.write("my.yaml", over("spans: {buy: {kind: null}}"))
    layers = folder.read("my.yaml")
    before: list[Any] = [repr(document) for document in layers.documents]
    layers.merged_onto(None, no_release)
    assert [repr(document) for document in layers.documents] == before
