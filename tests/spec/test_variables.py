"""References to environment variables in specs, as OpenTelemetry's configuration files have them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language import document as source
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

INVALID = sorted((Path(__file__).parents[1] / "specs" / "invalid").glob("*/spec.yaml"))

# The table of the standard, with the values that it gives.
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


@pytest.mark.parametrize(("written", "meant"), TABLE)
def test_a_reference_means_what_the_table_of_the_standard_says(written: str, meant: Any) -> None:
    (value,) = source.parse_document(f"key: {written}", "a.yaml").data.values()
    assert value == meant
    assert type(value) is type(meant)


def test_keys_and_comments_are_no_place_for_references() -> None:
    assert source.parse_document("${STRING_VALUE}: a  # ${1x}\n${1x}: b", "a.yaml").data == {
        "${STRING_VALUE}": "a",
        "${1x}": "b",
    }


def test_items_blocks_and_what_an_alias_stands_for_are_replaced_once() -> None:
    text = "list: [&a '$${STRING_VALUE}', *a]\nblock: |\n  one ${STRING_VALUE}\n  two\n"
    data = source.parse_document(text, "a.yaml").data
    assert data == {"list": ["${STRING_VALUE}", "${STRING_VALUE}"], "block": "one value\ntwo\n"}


@pytest.mark.parametrize("bad", ["${1API_KEY}", "${API_$KEY}", "${STRING_VALUE:?error}", "${}", "${a.b}"])
def test_what_names_no_variable_is_a_problem_at_its_place(bad: str) -> None:
    with pytest.raises(SpecError) as caught:
        source.parse_document(f"key: it is {bad} here", "a.yaml")
    (problem,) = caught.value.problems
    assert (str(problem.mark), problem.mark.length, problem.code) == ("a.yaml:1:12", len(bad), "bad-reference")
    assert problem.message == f'"{bad}" names no environment variable'


def test_what_follows_a_reference_keeps_its_place(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(
        "instrument: 1\nname: ${STRING_VALUE}\nspans:\n"
        '  a: {name: "${STRING_VALUE} {x}", around: "m:f", kindd: client, attributes: {b: "x +"}}\n'
    )
    with pytest.raises(SpecError) as caught:
        read_spec(file)
    line = file.read_text().splitlines()[3]
    assert [(p.mark.line, p.mark.column, p.code) for p in caught.value.problems] == [
        (4, line.index("kindd") + 1, "unknown-key"),
        (4, line.index('"x +"') + 1, "expression-syntax"),
    ]


def test_a_value_of_the_environment_is_checked_like_any_other_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("\x1b[2J", "a\u202eb"):
        monkeypatch.setenv("STRING_VALUE", value)
        with pytest.raises(SpecError) as caught:
            source.parse_document("key: a ${STRING_VALUE}", "a.yaml")
        assert [problem.code for problem in caught.value.problems] == ["control-character"]
        assert value not in str(caught.value)
    monkeypatch.setenv("STRING_VALUE", "x" * 100_000)
    with pytest.raises(SpecError, match="1 MiB of text"):
        source.parse_document("key: [" + "'${STRING_VALUE}', " * 20 + "]", "a.yaml")


def test_check_shows_nothing_of_a_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the place of every single value of every spec that has something wrong."""
    monkeypatch.setenv("SECRET", "zqx.secret - zqx +")
    shown = 0
    for file in INVALID:
        try:
            document = source.parse_document(file.read_text(), "spec.yaml")
        except (SpecError, UnicodeDecodeError):
            continue
        lines = file.read_text().splitlines()
        for way, mark in document.marks.items():
            value = document.at(way[:-1]).data[way[-1]] if way and isinstance(way[-1], str) else None
            if not isinstance(value, str) or not mark.verbatim or way == ("instrument",):
                continue
            line = lines[mark.line - 1]
            changed = [*lines]
            changed[mark.line - 1] = line[: mark.column - 1] + '"${SECRET}"' + line[mark.column - 1 + mark.length :]
            (tmp_path / "spec.yaml").write_text("\n".join(changed))
            with contextlib.suppress(SpecError):
                read_spec(tmp_path / "spec.yaml")
                continue
            shown += 1
            main(["check", "--format", ("text", "json", "github")[shown % 3], str(tmp_path / "spec.yaml")])
            assert "zqx" not in capsys.readouterr().out, (file, way)
    assert shown > 100


def test_a_variable_that_is_wrong_is_told_by_its_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIND", "banana")
    file = tmp_path / "my.yaml"
    file.write_text('instrument: 1\nname: a\nspans:\n  a: {around: "m:f", kind: "${KIND}"}\n')
    assert main(["check", "--no-import", "--format", "json", str(file)]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["line"], told["code"]) == (4, "wrong-value")
    assert told["message"] == 'what "${KIND}" stands for is wrong here; it is not shown'
    monkeypatch.setenv("KIND", "client")
    assert main(["check", "--no-import", str(file)]) == 0


def test_a_spec_runs_with_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, make_module: Any, instrumented: Any, tracing: Any
) -> None:
    monkeypatch.setenv("STAGE", "blue")
    module = make_module("def f(price): return price")
    spec = """
    spans:
      f:
        around: "HOST:f"
        name: "{price} $${price} ${STAGE}"
        constants: {stage: "${STAGE}", region: "${REGION_OF_NOBODY:-eu}", n: "${N:-3}"}
    """
    with instrumented(spec, module):
        module.f(2)
    assert tracing.span.name == "2 $2 blue"
    assert dict(tracing.span.attributes) == {"stage": "blue", "region": "eu", "n": "3"}
