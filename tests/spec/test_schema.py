import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.decode import find_problems
from opentelemetry.instrumentation.declarative.language.document import parse_document, read_document
from opentelemetry.instrumentation.declarative.language.json_schema import json_schema
from opentelemetry.instrumentation.declarative.language.resources import directory
from referencing import Registry, Resource

SCHEMA: dict[str, Any] = json_schema()
REGISTRY: Any = Registry().with_resource("spec-2.schema.json", Resource.from_contents(SCHEMA))
SPEC = "instrument: 2\nname: shop\n"


def nodes(node: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema node with its pointer."""
    if not isinstance(node, dict) or set(node) == {"$ref"}:
        return
    yield pointer, node
    for word in ("items", "additionalProperties", "propertyNames"):
        yield from nodes(node.get(word), f"{pointer}/{word}")
    for word in ("properties", "$defs"):
        for key, inner in node.get(word, {}).items():
            yield from nodes(inner, f"{pointer}/{word}/{key}")
    for index, inner in enumerate(node.get("anyOf", ())):
        if not {"type", "anyOf", "$ref"} & {*inner}:
            continue  # a form of a node, which only says which keys exclude each other
        yield from nodes(inner, f"{pointer}/anyOf/{index}")


NODES = list(nodes(SCHEMA))


def validator(pointer: str) -> Draft202012Validator:
    pointer = pointer.replace("$defs/", "%24defs/")
    return Draft202012Validator({"$ref": f"spec-2.schema.json#{pointer}"}, registry=REGISTRY)


def problems(text: str) -> list[Problem]:
    return [each.problem for each in find_problems(parse_document(text, "f.yaml"))]


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def test_the_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "spec-2.schema.json"


def test_every_node_has_a_title_and_a_description():
    assert len(NODES) > 150
    assert [
        pointer for pointer, node in NODES if not ("$ref" in node or (node.get("title") and node.get("description")))
    ] == []


def test_every_node_for_a_value_has_examples():
    assert [p for p, n in NODES if "$ref" not in n and n.get("type") != "null" and not n.get("examples")] == []


@pytest.mark.parametrize(("pointer", "node"), [(p, n) for p, n in NODES if "examples" in n or "default" in n])
def test_every_example_and_every_default_is_valid_for_its_own_node(pointer: str, node: dict[str, Any]):
    for example in [*node.get("examples", ()), *([node["default"]] if "default" in node else ())]:
        validator(pointer).validate(example)


def test_mappings_with_defined_keys_allow_no_others():
    fixed = [(p, n) for p, n in NODES if "properties" in n]
    assert [pointer for pointer, node in fixed if node.get("additionalProperties") is not False] == []


def test_every_key_and_value_of_the_language_is_in_lower_case():
    keys = [key for _, node in NODES for key in node.get("properties", ())]
    words = [word for _, node in NODES for word in node.get("enum", ()) if word is not None]
    assert all(text == text.lower() and text.replace("_", "").isalnum() for text in keys + words)


def test_the_ag2_spec_has_no_problems():
    assert find_problems(read_document(directory("configs") / "ag2.yaml")) == []


@pytest.mark.parametrize(
    "text",
    [
        "spans: {a: {around: shop:pay}}",
        "spans: {a: {around: pay, key: {value: x, keep_ended: 3}, parent: none, when: y}}",
        "spans: {a: {start: h.enter, end: h.exit, key: x}}",
        "spans: {a: {start: {at: h.enter, when: y}, end: [h.exit, {at: g.raise, key: z, attributes: {k: v}}], key: x}}",
        "spans: {a: {at: h.enter, timestamps: {start: iso(x)}, links: {kind: current, other: {traceparent: x}}}}",
        "spans: {a: {at: h.enter, attributes: {a.b: {const: text}, c: {const: 1}, d: {const: 1.5}}}}",
        "spans: {a: {at: h.enter, attributes: {e: {const: true}, f: {const: [a, b]}}}}",
        "enrich: {root: {events: {a.b: {at: [h.enter, h.raise], name: 'x {y}'}}}}",
        "target: {distribution: a-b, version: '~=1.0, !=1.5'}",
    ],
)
def test_valid_documents_have_no_problems(text: str):
    assert problems(SPEC + text) == []


@pytest.mark.parametrize(
    "text",
    [
        "spans: {envelope: {attributes: {app.priority: envelope.priority, old: null}, events: {e: , f: {when: x}}}}",
        "spans: {envelope: , agent: {around: null, at: h.enter, when: null, kind: null, parent: {required: true}}}",
        "hooks: {a: , b: {when: x}, c: {call: null, extension: t}}",
        "extensions: {a: {install: {when: x}}}",
        "target: {version: '>=2'}\nscope: {version: '3', link_kind: }",
        "spans: {a: {attributes: {k: {content: true}}, links: {k: {key: x}, l: }, status: , end: {when: x}}}",
    ],
)
def test_an_overlay_can_be_partial_and_can_remove_entries(text: str):
    assert problems("instrument: 2\nextends: ag2\n" + text) == []
    assert problems("instrument: 2\nextends: [ag2, ./b.yaml]\n" + text) == []
    assert problems(SPEC + text) != []


def test_a_misspelt_key_is_reported_once_with_a_suggestion():
    problem = only(SPEC + "spans:\n  a:\n    arround: shop:pay\n")
    assert (problem.code, problem.mark.line, problem.mark.column) == ("unknown-key", 5, 5)
    assert problem.message == '"arround" is not a key of a span'
    assert problem.help == 'did you mean "around"?'


def test_a_misspelt_key_does_not_hide_problems_of_the_correct_key_next_to_it():
    codes = [p.code for p in problems(SPEC + "spans:\n  a:\n    arround: x\n    around: 5\n")]
    assert codes == ["unknown-key", "wrong-type"]


def test_the_problems_of_the_intended_alternative_are_reported():
    problem = only(SPEC + "spans:\n  a: {around: h, parent: {span: b, key: c, requird: true}}\n")
    assert (problem.code, problem.help) == ("unknown-key", 'did you mean "required"?')


@pytest.mark.parametrize(
    ("value", "help"),
    [("5", "write {const: 5}"), ("true", "write {const: true}"), ("{a}", "write a"), ("[h.x]", 'write "[h.x]"')],
)
def test_the_help_for_an_expression_that_is_not_text_says_how_to_write_it(value: str, help: str):
    problem = only(SPEC + f"spans: {{a: {{around: h, attributes: {{k: {value}}}}}}}")
    assert problem.code == "wrong-type"
    assert help in (problem.help or "")


@pytest.mark.parametrize("value", ['{include: ["shop:pay", "shop:ship"]}', '["shop:pay", "shop:ship"]', "{shop:pay}"])
def test_the_help_for_several_callables_of_a_span_suggests_a_hook(value: str):
    problem = only(SPEC + f"spans: {{a: {{around: {value}}}}}")
    assert problem.code == "wrong-type"
    assert problem.help == "add a hook with `call: {include: [...]}`, and write its name here"


def test_a_conflict_is_reported_at_the_key_that_is_not_allowed():
    problem = only(SPEC + "spans:\n  a:\n    around: h\n    kind: client\n    at: h.enter\n")
    assert (problem.code, problem.mark.line) == ("conflict", 7)
    assert problem.message == '"at" is not allowed in a span around a call'


def test_a_block_of_a_wrong_type_is_reported_at_its_key():
    problem = only(SPEC + "spans:\n  a:\n    around: h\n    name:\n      b: c\n")
    assert (problem.code, problem.mark.line, problem.mark.column) == ("wrong-type", 6, 5)


@pytest.mark.parametrize("number", ["2.0", "true", "3", "'2'", ""])
def test_only_the_integer_2_is_version_2(number: str):
    assert len(problems(f"instrument: {number}\nname: shop\n")) == 1


def test_a_name_followed_by_a_line_break_is_not_a_name():
    assert only('instrument: 2\nname: "shop\\n"\n').code == "wrong-value"


def test_no_message_mentions_schemas():
    document = parse_document(
        SPEC + "spans: {a: {parent: [x], end: 5, start: {}, events: {e: {at: 5}}, links: 5}}", "f"
    )
    text = " ".join(problem.render("") for _, problem, _ in find_problems(document))
    assert "schema" not in text
    assert "valid under" not in text


KEYS = sorted({key for _, node in NODES for key in node.get("properties", ())} | {"a", "A b", "h.x", "spams"})
leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["h.enter", "a:b", "none", "", "x y", "{"])
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
)
sections = st.sampled_from(["spans", "hooks", "events", "extensions"])
spans = st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(KEYS), trees, max_size=6))


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), trees, max_size=6) | st.dictionaries(sections, spans, min_size=1))
def test_every_problem_of_any_document_has_a_position_in_the_file_and_help(data: dict[str, Any]):
    text = json.dumps(data, indent=1)
    found = problems(text)
    lines = text.split("\n")
    for problem in found:
        assert 1 <= problem.mark.line <= len(lines)
        assert 1 <= problem.mark.column <= len(lines[problem.mark.line - 1]) + 1
        assert problem.message
        assert problem.help
    if not found:
        Draft202012Validator(SCHEMA).validate(data)


def test_a_target_in_the_wrong_form_does_not_prevent_reading_the_hooks():
    problem = only(SPEC + 'target: shop\nhooks: {pay: {call: "shop:pay"}}')
    assert (problem.code, problem.help) == ("wrong-type", "write {distribution: shop}")
