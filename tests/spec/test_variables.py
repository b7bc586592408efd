"""References to environment variables in specs, as in OpenTelemetry's configuration files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language.document import KeyPath, parse_document
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

INVALID = sorted((Path(__file__).parents[1] / "specs" / "invalid").glob("*/spec.yaml"))

# The variables and the table of OpenTelemetry's specification.
VALUES = {
    "STRING_VALUE": "value",
    "BOOL_VALUE": "true",
    "INT_VALUE": "1",
    "FLOAT_VALUE": "1.1",
    "INVALID_MAP_VALUE": "value\nkey:value",
    "DO_NOT_REPLACE_ME": "Never use this value",
    "REPLACE_ME": "${DO_NOT_REPLACE_ME}",
    "VALUE_WITH_ESCAPE": "value$$",
    "EMPTY": "",
}
TABLE = [
    ("${STRING_VALUE}", "value"),
    ("${BOOL_VALUE}", True),
    ("${INT_VALUE}", 1),
    ("${FLOAT_VALUE}", 1.1),
    ('"${STRING_VALUE}"', "value"),
    ('"${BOOL_VALUE}"', "true"),
    ("'${INT_VALUE}'", "1"),
    ('"${FLOAT_VALUE}"', "1.1"),
    ("${env:STRING_VALUE}", "value"),
    ("${INVALID_MAP_VALUE}", "value\nkey:value"),
    ("foo ${STRING_VALUE} ${FLOAT_VALUE}", "foo value 1.1"),
    ("${UNDEFINED_KEY}", None),
    ('"${UNDEFINED_KEY}"', ""),
    ("${UNDEFINED_KEY:-fallback}", "fallback"),
    ("${env:UNDEFINED_KEY:-fallback}", "fallback"),
    ("${EMPTY:-fallback}", "fallback"),
    ("${UNDEFINED_KEY:-7}", 7),
    ("${UNDEFINED_KEY:-}", None),
    ("${REPLACE_ME}", "${DO_NOT_REPLACE_ME}"),
    ("${UNDEFINED_KEY:-${STRING_VALUE}}", "${STRING_VALUE}"),
    ("$${STRING_VALUE}", "${STRING_VALUE}"),
    ("$$${STRING_VALUE}", "$value"),
    ("$$$${STRING_VALUE}", "$${STRING_VALUE}"),
    ("$${STRING_VALUE:-fallback}", "${STRING_VALUE:-fallback}"),
    ("$${STRING_VALUE:-${STRING_VALUE}}", "${STRING_VALUE:-value}"),
    ("${UNDEFINED_KEY:-$${UNDEFINED_KEY}}", "${UNDEFINED_KEY:-${UNDEFINED_KEY}}"),
    ("${VALUE_WITH_ESCAPE}", "value$$"),
    ("a $$ b", "a $ b"),
    ("a $ b", "a $ b"),
]


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDEFINED_KEY", raising=False)
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("written", "expected"), TABLE)
def test_references_are_substituted_as_in_the_table_of_the_specification(written: str, expected):
    (value,) = parse_document(f"key: {written}", "a.yaml").data.values()
    assert value == expected
    assert type(value) is type(expected)


def test_references_in_keys_and_comments_are_not_substituted():
    assert parse_document("${STRING_VALUE}: a  # ${1x}\n${1x}: b", "a.yaml").data == {
        "${STRING_VALUE}": "a",
        "${1x}": "b",
    }


def test_items_blocks_and_values_of_aliases_are_substituted_once():
    text = "list: [&a '$${STRING_VALUE}', *a]\nblock: |\n  one ${STRING_VALUE}\n  two\n"
    data = parse_document(text, "a.yaml").data
    assert data == {"list": ["${STRING_VALUE}", "${STRING_VALUE}"], "block": "one value\ntwo\n"}


@pytest.mark.parametrize("bad", ["${1API_KEY}", "${API_$KEY}", "${STRING_VALUE:?error}", "${}", "${a.b}"])
def test_a_reference_that_names_no_variable_is_a_problem_at_its_position(bad: str):
    with pytest.raises(SpecError) as caught:
        parse_document(f"key: it is {bad} here", "a.yaml")
    (problem,) = caught.value.problems
    assert (str(problem.mark), problem.mark.length, problem.code) == ("a.yaml:1:12", len(bad), "bad-reference")
    assert problem.message == f'"{bad}" is not a reference to an environment variable'


def test_problems_after_a_reference_keep_their_position(tmp_path: Path):
    file = tmp_path / "my.yaml"
    file.write_text(
        "instrument: 2\nname: ${STRING_VALUE}\nspans:\n"
        '  a: {name: "${STRING_VALUE} {x}", around: "m:f", kindd: client, attributes: {b: "x +"}}\n'
    )
    with pytest.raises(SpecError) as caught:
        read_spec(file)
    line = file.read_text().splitlines()[3]
    assert [(p.mark.line, p.mark.column, p.code) for p in caught.value.problems] == [
        (4, line.index("kindd") + 1, "unknown-key"),
        (4, line.index('"x +"') + 1, "expression-syntax"),
    ]


def test_a_substituted_value_is_checked_like_any_other_text(monkeypatch: pytest.MonkeyPatch):
    for value in ("\x1b[2J", "a\u202eb"):
        monkeypatch.setenv("STRING_VALUE", value)
        with pytest.raises(SpecError) as caught:
            parse_document("key: a ${STRING_VALUE}", "a.yaml")
        assert [problem.code for problem in caught.value.problems] == ["control-character"]
        assert value not in str(caught.value)
    monkeypatch.setenv("STRING_VALUE", "x" * 100_000)
    with pytest.raises(SpecError, match="1 MiB of text"):
        parse_document("key: [" + "'${STRING_VALUE}', " * 20 + "]", "a.yaml")


def test_check_does_not_show_the_value_of_a_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A variable replaces every single value of every invalid spec. The libraries are imported once for all checks."""
    monkeypatch.setenv("SECRET", "zqx.secret - zqx +")
    failed = 0
    for file in INVALID:
        for path, text in _with_variable(file):
            (tmp_path / "spec.yaml").write_text(text)
            format_ = ("text", "json", "github")[failed % 3]
            failed += main(["check", "--format", format_, str(tmp_path / "spec.yaml")])
            assert "zqx" not in capsys.readouterr().out, (file, path)
    assert failed > 100


def _with_variable(file: Path) -> Iterator[tuple[KeyPath, str]]:
    """The texts of a spec with one of its values replaced by a variable."""
    try:
        document = parse_document(file.read_text(), "spec.yaml")
    except (SpecError, UnicodeDecodeError):
        return
    for path, mark in document.marks.items():
        value = document.at(path[:-1]).data[path[-1]] if path and isinstance(path[-1], str) else None
        if isinstance(value, str) and mark.verbatim and path != ("instrument",):
            lines = file.read_text().splitlines()
            line = lines[mark.line - 1]
            before, after = line[: mark.column - 1], line[mark.column - 1 + mark.length :]
            lines[mark.line - 1] = f'{before}"${{SECRET}}"{after}'
            yield path, "\n".join(lines)


def test_a_problem_of_a_variable_shows_its_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("KIND", "banana")
    file = tmp_path / "my.yaml"
    file.write_text('instrument: 2\nname: a\nspans:\n  a: {around: "m:f", kind: "${KIND}"}\n')
    assert main(["check", "--no-import", "--format", "json", str(file)]) == 1
    (problem,) = json.loads(capsys.readouterr().out)
    assert (problem["line"], problem["code"]) == (4, "wrong-value")
    assert problem["message"] == 'the value of "${KIND}" is not valid here; it is not shown'
    monkeypatch.setenv("KIND", "client")
    assert main(["check", "--no-import", str(file)]) == 0


def test_a_spec_is_active_with_the_values_of_variables(
    monkeypatch: pytest.MonkeyPatch, make_module, instrumented, tracing
):
    monkeypatch.setenv("STAGE", "blue")
    module = make_module("def f(price): return price")
    spec = """
    spans:
      f:
        around: "HOST:f"
        name: "{price} $${price} ${STAGE}"
        attributes: {stage: {const: "${STAGE}"}, region: {const: "${UNSET_REGION:-eu}"}, n: {const: "${N:-3}"}}
    """
    with instrumented(spec, module):
        module.f(2)
    assert tracing.span.name == "2 $2 blue"
    assert dict(tracing.span.attributes) == {"stage": "blue", "region": "eu", "n": "3"}
