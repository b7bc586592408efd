import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.language.document import parse_document, read_document
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.language.yaml_errors import MAX_DEPTH
from opentelemetry.instrumentation.declarative.language.yaml_reader import MAX_BYTES, MAX_NODES

AG2 = (directory("configs") / "ag2.yaml").read_text(encoding="utf-8")
BEGINNING = AG2[:6000]


def value(text: str) -> object:
    return parse_document(f"key: {text}", "f.yaml").data["key"]


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        parse_document(text, "f.yaml")
    return caught.value.problems


def codes(text: str) -> list[str]:
    return [problem.code for problem in problems(text)]


def inside(mark: Mark, text: str) -> bool:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    width = len(lines[mark.line - 1]) if 1 <= mark.line <= len(lines) else -1
    return 1 <= mark.column <= width + 1 and mark.column + mark.length <= max(width, mark.column) + 1


def underlined(text: str, mark: Mark) -> str:
    return text.split("\n")[mark.line - 1][mark.column - 1 : mark.column - 1 + mark.length]


@pytest.mark.parametrize("text", ["", "~", "null", "# a comment"])
def test_an_empty_value_is_none(text: str):
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("false", False), ("0", 0), ("-12", -12), ("1.5", 1.5), ("-0.25", -0.25), ("1.0", 1.0)],
)
def test_a_plain_scalar_with_one_obvious_meaning_has_that_value(text: str, expected: object):
    assert value(text) == expected
    assert type(value(text)) is type(expected)


WORDS_AS_TEXT = (
    "on off yes no none True NULL 010 0x1f 0o7 1_000 1e5 .inf .nan 1. .5 1.10 1.2.3 2024-01-01 12:30:45 +1 ="
)


@pytest.mark.parametrize("text", [*WORDS_AS_TEXT.split(), "1" + "0" * 30 + ".0", "9" * 5000])
def test_any_other_plain_scalar_is_text(text: str):
    assert value(text) == text


@pytest.mark.parametrize("text", ['"1"', "'1'", "|-\n  1", ">-\n  1"])
def test_a_quoted_or_block_scalar_is_always_text(text: str):
    assert value(text) == "1"


def test_keys_are_text_as_written():
    assert list(parse_document("on: 1\n1: 2\n~: 3\n'<<': 4\n1.10: 5\n", "f").data) == ["on", "1", "~", "<<", "1.10"]


def test_values_and_keys_have_marks():
    text = 'spans:\n  checkout: {name: "a b", list: [x, yy]}\n'
    document = parse_document(text, "f.yaml")
    assert document.keys[("spans", "checkout", "name")] == Mark("f.yaml", 2, 14, 4)
    assert document.marks[("spans", "checkout", "name")] == Mark("f.yaml", 2, 20, 5, quoted=True)
    assert document.marks[("spans", "checkout", "list", 1)] == Mark("f.yaml", 2, 37, 2)
    assert underlined(text, document.marks[("spans", "checkout", "list")]) == "[x, yy]"
    assert document.marks[()].line == 1
    assert () not in document.keys


def test_an_empty_value_has_the_mark_of_its_key():
    document = parse_document("a:\nb: {c: , d}\n", "f")
    assert all(document.marks[path] == document.keys[path] for path in [("a",), ("b", "c"), ("b", "d")])


def test_the_mark_of_an_anchored_value_starts_at_its_text():
    text = "a: &x not (1)\nb: *x\nc: &y\n  # a comment\n  d: 1\ne: *y\nf: &z 'q'\n"
    marks = parse_document(text, "f").marks
    assert underlined(text, marks[("a",)]) == underlined(text, marks[("b",)]) == "not (1)"
    assert marks[("b",)].line == 1
    assert underlined(text, marks[("c",)]) == "d"
    assert marks[("e", "d")] == marks[("c", "d")]
    assert underlined(text, marks[("f",)]) == "'q'"
    assert marks[("f",)].quoted


def test_an_alias_is_a_copy_of_its_value():
    data = parse_document("a: &x {k: [1]}\nb: *x\n", "f").data
    data["a"]["k"].append(2)
    assert data["b"] == {"k": [1]}


PIECES = {"a == b": True, '"a b"': True, r'"a \"b\""': False, "'it''s'": False, "|\n  a": False, "a\n  b": False}


@pytest.mark.parametrize(("text", "verbatim"), PIECES.items())
def test_escaped_or_folded_text_is_not_verbatim(text: str, verbatim: bool):
    assert parse_document(f"k: {text}", "f").marks[("k",)].verbatim is verbatim


def marks_with(loader: object, text: str, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(yaml, "CSafeLoader", loader, raising=False)
        try:
            return parse_document(text, "f")
        except SpecError as error:
            return [(p.code, p.mark.line) for p in error.problems]


BOTH_READ = (AG2, AG2.replace("\n", "\r\n"), 'é: "\U0001f600 x"  # 中\n中文: {a: , b, c: [ d ]}\n')
BOTH_READ += ("a:\n- \n- b: |\n   x\n\n- 'c\n  d'\n", "a: &x\nb: *x\nc: &y z\nd:\n- 1\n")
BOTH_REFUSE = (
    "a: &x !!str z\n",
    "a: b: c\n",
    "a: [1\nb: 2\n",
    "a:\n  b: 1\n c: 2\n",
    "\ta: 1\n",
    "a: 'b\n",
    "[a",
    "a: *x",
)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
@pytest.mark.parametrize("text", [*BOTH_READ, *BOTH_REFUSE])
def test_both_loaders_give_equal_marks(text: str, monkeypatch: pytest.MonkeyPatch):
    assert marks_with(yaml.CSafeLoader, text, monkeypatch) == marks_with(yaml.SafeLoader, text, monkeypatch)


def test_every_mark_of_the_ag2_spec_underlines_its_text():
    document = parse_document(AG2, "ag2.yaml")
    for path, mark in document.keys.items():
        assert underlined(AG2, mark).strip("\"'") == path[-1]
    for path, mark in document.marks.items():
        found: object = document.data
        for step in path:
            found = found[step]  # type: ignore[index]
        if isinstance(found, str):
            assert mark.verbatim
            assert underlined(AG2, mark.at(0, len(found))) == found


def test_a_duplicate_key_is_refused_with_the_line_of_the_first():
    (problem,) = problems("a: 1\nb: 2\na: 3\n")
    assert (problem.code, problem.mark.line, problem.mark.column) == ("duplicate-key", 3, 1)
    assert "line 1" in str(problem.help)
    assert codes("1: a\n'1': b\n") == ["duplicate-key"]


def test_all_problems_of_a_text_are_reported_at_once():
    text = "a: 1\na: 2\n<<: {x: 1}\n? [1]\n: 2\nb: !!str 5\nc: *u\nd: &d [*d]\n--- \ne: f\n"
    expected = ["duplicate-key", "merge-key", "yaml-key", "yaml-tag", "yaml-alias", "yaml-alias", "several-documents"]
    assert codes(text) == expected


def test_the_text_before_a_syntax_error_is_still_checked():
    assert codes("a: 1\na: 2\nb: [1\nc: 3\n") == ["duplicate-key", "yaml-syntax"]


def test_a_tag_is_underlined():
    text = "a: &x !!python/object:os.system x\n"
    (problem,) = problems(text)
    assert problem.code == "yaml-tag"
    assert underlined(text, problem.mark) == "!!python/object:os.system"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff", "~"])
def test_a_file_without_content_is_refused(text: str):
    assert codes(text) == ["empty-file"]


@pytest.mark.parametrize("text", ["- a\n", "word\n", "[a]", "1"])
def test_a_root_that_is_not_a_mapping_is_refused(text: str):
    assert codes(text) == ["not-a-mapping"]


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x7f", "\x85", "\u2028", "\ufeff", "\ud800", "\uffff"])
def test_an_invisible_character_is_refused_at_its_position(sign: str):
    (problem,) = problems(f"a: 1\nb: x{sign}\n")
    assert (problem.code, problem.mark.line, problem.mark.column) == ("control-character", 2, 5)


def test_an_alias_bomb_is_refused_before_it_is_built():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert codes("\n".join(lines)) == ["too-large"]


def test_too_many_values_are_refused():
    assert codes("a: [" + "1," * MAX_NODES + "]") == ["too-large"]


LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("depth", [MAX_DEPTH, 2_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")])
def test_deep_nesting_is_refused_without_recursion(
    loader: type, depth: int, opening: str, closing: str, monkeypatch: pytest.MonkeyPatch
):
    """libyaml 0.2.6, which is part of PyYAML 6.0.4, has its own limit."""
    monkeypatch.setattr(yaml, "CSafeLoader", loader, raising=False)
    found = problems("a:\n  " + opening * depth + "x" + closing * depth)
    assert [problem.code for problem in found] == ["too-large"]
    assert found[0].message == f"this is nested more than {MAX_DEPTH} levels deep"


def test_deep_nesting_through_aliases_is_refused():
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH + 5)]
    assert codes("\n".join(lines)) == ["too-large"]


def test_a_text_over_one_mebibyte_is_refused(tmp_path: Path):
    text = "a: 1\n#" + "é" * (MAX_BYTES // 2)
    assert codes(text) == ["too-large"]
    (tmp_path / "f.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match="too-large"):
        read_document(tmp_path / "f.yaml")


def test_a_file_is_read_with_its_name_as_given(tmp_path: Path):
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n")
    document = read_document(tmp_path / "f.yaml")
    assert document.file == str(tmp_path / "f.yaml")
    assert document.data == {"a": 1, "b": "é"}
    assert document.keys[("a",)].column == 1


@pytest.mark.parametrize("path", ["no/such.yaml", "with\0null", "."])
def test_a_file_that_cannot_be_read_is_a_problem(path: str):
    with pytest.raises(SpecError) as caught:
        read_document(path)
    assert [problem.code for problem in caught.value.problems] == ["unreadable-file"]
    assert caught.value.problems[0].mark == Mark(path, 1, 1)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_a_file_in_another_encoding_is_a_problem(tmp_path: Path, encoding: str):
    (tmp_path / "f.yaml").write_bytes("a: é\n".encode(encoding))
    with pytest.raises(SpecError) as caught:
        read_document(os.fspath(tmp_path / "f.yaml"))
    assert caught.value.problems[0].code in ("encoding", "control-character")


def test_a_byte_that_is_not_utf_8_is_reported_at_its_position(tmp_path: Path):
    (tmp_path / "f.yaml").write_bytes("a: é\nb: ".encode() + b"x\xff\n")
    with pytest.raises(SpecError) as caught:
        read_document(tmp_path / "f.yaml")
    assert (caught.value.problems[0].mark.line, caught.value.problems[0].mark.column) == (2, 5)


WORDS = [
    *"ab1~@é:{}[],'\"|># \n\t\r\\\x85\U0001f600",
    ": ",
    "- ",
    "? ",
    "\n  ",
    "&x",
    "*x",
    "!!str ",
    "! ",
    "<<",
    "\r\n",
]
WORDS += ["\\ud800", "\\U00110000", "---\n", "...\n", "%YAML 1.1\n", "%T\n"]
texts = st.text() | st.lists(st.sampled_from(WORDS), max_size=40).map("".join)


def marks_of(text: str) -> list[Mark]:
    """All marks of the values of a text, or of its problems."""
    try:
        document = parse_document(text, "f.yaml")
    except SpecError as error:
        return [problem.mark for problem in error.problems if str(error)]
    return [*document.marks.values(), *document.keys.values()]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_any_text_is_a_document_or_a_spec_error_with_problems_inside_the_file(
    loader: object, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(yaml, "CSafeLoader", loader, raising=False)

    @settings(max_examples=400)
    @given(texts)
    def holds(text: str) -> None:
        marks = marks_of(text)
        assert marks
        assert all(inside(mark, text.removeprefix("\ufeff")) for mark in marks), marks

    holds()


@settings(max_examples=100)
@given(st.integers(0, len(BEGINNING)), st.integers(0, 30), st.sampled_from(WORDS))
def test_a_damaged_spec_is_a_document_or_a_spec_error(start: int, length: int, word: str):
    text = BEGINNING[:start] + word + BEGINNING[start + length :]
    assert all(inside(mark, text) for mark in marks_of(text))
