"""The time to read a spec grows linearly with its size. Steps are counted, not seconds."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError, closest, quoted
from opentelemetry.instrumentation.declarative.expressions.parser import MAX_EXPRESSION_LENGTH
from opentelemetry.instrumentation.declarative.language.document import parse_document
from opentelemetry.instrumentation.declarative.language.yaml_reader import MAX_BYTES, MAX_DIRECTIVES
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.validation import MAX_VALUES, read_spec

HEAD = "instrument: 2\nname: shop\n"
SPAN = HEAD + "spans:\n  buy:\n    around: 'shop:buy'\n"


def lines(head: str, line: str) -> Callable[[int], str]:
    """A text with a line for each number below a count."""
    return lambda count: head + "".join(line.replace("#", str(number)) for number in range(count))


SHAPES: dict[str, Callable[[int], str]] = {
    "hooks": lines(HEAD + "hooks:\n", "  h#: {call: 'a.b:c#'}\n"),
    "hooks on one callable": lines(HEAD + "hooks:\n", "  h#: {call: 'a.b:c', when: 'x == #'}\n"),
    "spans": lines(HEAD + "spans:\n", "  s#: {around: 'a.b:c#', attributes: {a: x.y, b: '{x: 1}'}}\n"),
    "attributes": lines(SPAN + "    attributes:\n", "      a.k#: self.x# or y\n"),
    "events at one moment": lines(
        HEAD + "hooks: {h: {call: 'a:b'}}\nspans:\n  s:\n    around: h\n    key: x\n    events:\n",
        "      e#: {at: h.return}\n",
    ),
    "one event at many moments": lambda count: (
        lines(HEAD + "hooks:\n", "  h#: {call: 'a:b#'}\n")(count)
        + "enrich: {current: {events: {e: {at: ["
        + ", ".join(f"h{number}.exit" for number in range(count))
        + "]}}}}\n"
    ),
    "modules": lambda count: (
        lines(HEAD + "modules:\n", "  m#: n#\n")(count) + lines("hooks:\n", "  h#: {call: 'm:c'}\n")(count)
    ),
    "aliases": lines(SPAN + "    attributes:\n      a: &x self.a\n", "      a#: *x\n"),
    "anchors": lines(SPAN + "    attributes:\n", "      a#: &x#   # a comment\n        self.a\n"),
    "comments after an anchor": lambda count: (
        SPAN + "    key: &x\n" + "      # no key yet\n" * count + "      self.a\n"
    ),
    "empty values": lines(HEAD + "hooks:\n", "  h#:\n"),
    "a list": lambda count: HEAD + "extends: [" + "a, " * count + "b]\n",
    "a list of items that cannot be sorted": lambda count: HEAD + "extends: [" + "{a: 1}, 5, " * count + "b]\n",
    "a template": lambda count: SPAN + f"    name: '{'{a}' * count}'\n",
    "stray braces": lambda count: SPAN + f"    name: '{'} ' * count}'\n",
    "duplicate keys": lambda count: "a: 1\n" * count,
    "unknown keys": lines(HEAD, "k#: 1\n"),
    "misspelt keys": lines(HEAD + "hooks:\n", "  h#: {cal: 'a:b'}\n"),
    "misspelt hooks": lambda count: (
        lines(HEAD + "hooks:\n", "  h#: {call: 'a:b'}\n")(count) + lines("spans:\n", "  s#: {around: hh#}\n")(count)
    ),
    "wrong expressions": lines(SPAN + "    attributes:\n", "      a#: b ** #\n"),
    "wrong versions": lambda count: HEAD + f"target: {{distribution: a, version: '{'>=1,' * count};'}}\n",
    "tags": lines("", "a#: !x y\n"),
    "directives": lambda count: "".join(f"%TAG !{number}! x\n" for number in range(count)) + "--- {a: 1}\n",
    "deep lists": lambda count: "a: " + "[" * count + "]" * count,
    "a long text": lambda count: SPAN + f'    name: "{"x " * count * 20}"\n',
    "a block of text": lambda count: SPAN + "    name: |\n" + "      x\n" * count,
    "a long key": lambda count: HEAD + f"? {'x' * count * 20}\n: 1\n",
    "missing files": lambda count: (
        HEAD + "extends: [" + ", ".join(f"f{number}.yaml" for number in range(count)) + "]\n"
    ),
}


def steps(read: Callable[[], Any]) -> int:
    """The number of function calls, including those of C functions."""
    count = 0

    def called(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        with contextlib.suppress(SpecError):
            read()
    finally:
        sys.setprofile(before)
    return count


def read_and_render(file: Path) -> None:
    """Read a file and render its problems."""
    try:
        read_spec(file)
    except SpecError as error:
        str(error)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_steps_to_read_a_spec_do_not_grow_quadratically(shape: str, tmp_path: Path):
    file = tmp_path / "spec.yaml"
    taken = []
    for count in (10, 60, 240):
        file.write_text(SHAPES[shape](count), encoding="utf-8")
        taken.append(steps(lambda: read_and_render(file)))
    _, some, many = taken
    # Four times the size takes about four times as long; quadratic growth would take sixteen times as long.
    assert many < 6 * some, taken


@pytest.mark.parametrize(
    "shape",
    ["hooks", "hooks on one callable", "spans", "attributes", "events at one moment", "one event at many moments"],
)
def test_the_steps_of_static_checks_do_not_grow_quadratically(shape: str, tmp_path: Path):
    file = tmp_path / "spec.yaml"
    taken = []
    for count in (10, 60, 240):
        file.write_text(SHAPES[shape](count).replace(", b: '{x: 1}'", ""), encoding="utf-8")
        found = read_spec(file)
        taken.append(steps(lambda found=found: static_warnings(found)))
    _, some, many = taken
    assert many < 6 * some, taken


@pytest.mark.parametrize("letters", [100_000, 400_000])
def test_an_alias_counts_with_the_length_of_its_value(letters: int):
    text = f"a: &x {'y' * letters}\n" + "".join(f"b{number}: *x\n" for number in range(MAX_BYTES // letters + 1))
    with pytest.raises(SpecError, match="more than 1 MiB of text"):
        parse_document(text, "f.yaml")


def test_many_directives_are_refused_before_the_parser_compares_them():
    text = "".join(f"%TAG !{number}! x\n" for number in range(MAX_DIRECTIVES + 1)) + "--- {a: 1}\n"
    with pytest.raises(SpecError, match="more than 10 lines start with"):
        parse_document(text, "f.yaml")
    assert parse_document("%YAML 1.1\n--- {a: 1}\n", "f.yaml").data == {"a": 1}


def test_a_version_specifier_matches_without_backtracking(tmp_path: Path):
    """A pattern that matches ">=1" also as ">" and "=1" would try both for each of forty specifiers."""
    file = tmp_path / "spec.yaml"
    file.write_text(f"{HEAD}target: {{distribution: a, version: '{','.join(['>=1'] * 40)} ;'}}\n")
    with pytest.raises(SpecError, match="is not a version specifier"):
        read_spec(file)
    file.write_text(f"{HEAD}target: {{distribution: a, version: '===1.0 , ~=2.0,!= 3,==4.*'}}\n")
    read_spec(file)


def test_a_spec_with_very_many_releases_is_refused_before_each_is_validated(tmp_path: Path):
    file = tmp_path / "spec.yaml"
    head = HEAD + "target: {distribution: a}\nhooks: {h: {call: 'a:b'}}\nreleases:\n"
    file.write_text(lines(head, "  r#: {version: '<1', hooks: {h: {when: x}}}\n")(int(MAX_VALUES**0.5)))
    with pytest.raises(SpecError, match="values for each of"):
        read_spec(file)


def test_a_name_cannot_be_longer_than_an_expression(tmp_path: Path):
    file = tmp_path / "spec.yaml"
    file.write_text(f"{SPAN}    name: '{'x' * (MAX_EXPRESSION_LENGTH + 1)}'\n")
    with pytest.raises(SpecError, match="expression-too-long"):
        read_spec(file)


def test_a_very_long_text_in_a_message_is_not_processed_as_a_whole():
    assert steps(lambda: quoted("\n" * 10**6)) < 1_000
    assert quoted("\n" * 10**6) == '"' + "\\n" * 29 + '\\…"'


def test_suggestions_are_searched_in_a_limited_number_of_names():
    known = [f"word{number}" for number in range(20_000)]
    few = steps(lambda: closest("werd7", known[:2_000]))
    assert steps(lambda: closest("werd7", known)) < 4 * few
    assert closest("WORD19999", known) == "word19999"
