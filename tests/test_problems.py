import pickle
from dataclasses import replace

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MAX_PROBLEMS,
    Mark,
    Problem,
    SpecError,
    closest,
    limit_problems,
    quoted,
)

SOURCE = "instrument: 2\nspans:\n  checkout:\n    atributes:\n"


def problem(line: int = 4, column: int = 5) -> Problem:
    message, help = '"atributes" is not a key of a span', 'did you mean "attributes"?'
    return Problem(Mark("my.yaml", line, column, 9), "unknown-key", message, help)


def test_a_mark_is_printed_as_file_line_and_column():
    assert str(Mark("my.yaml", 6, 5)) == "my.yaml:6:5"


def test_a_piece_of_a_plain_scalar_is_found_by_its_offset():
    assert Mark("f", 1, 10, 20).at(4, 3) == Mark("f", 1, 14, 3)


def test_a_piece_of_a_quoted_scalar_starts_after_the_quote():
    assert Mark("f", 1, 10, 20, quoted=True).at(4, 3) == Mark("f", 1, 15, 3)


@pytest.mark.parametrize(("offset", "length"), [(0, 99), (9, 99), (18, 1)])
def test_a_piece_never_extends_beyond_its_quotes(offset: int, length: int):
    piece = Mark("f", 1, 10, 20, quoted=True).at(offset, length)
    assert piece.column >= 11
    assert piece.column + piece.length <= 10 + 20


def test_a_piece_of_folded_or_escaped_text_is_the_whole_text():
    mark = Mark("f", 1, 10, 20, quoted=True, verbatim=False)
    assert mark.at(4, 3) == mark


def test_a_problem_is_rendered_with_its_line_and_its_help():
    assert problem().render(SOURCE) == (
        'my.yaml:4:5: error[unknown-key]: "atributes" is not a key of a span\n'
        "  4 |     atributes:\n"
        "    |     ^^^^^^^^^\n"
        '  help: did you mean "attributes"?'
    )


def test_a_problem_is_rendered_with_the_line_of_the_file_if_no_source_is_given(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert Problem(Mark(str(file), 2, 1), "c", "m").render().splitlines()[1:] == ["  2 | b: 2", "    | ^"]


@pytest.mark.parametrize("file", ["no/such/file.yaml", ".", "with\0null", "<string>"])
def test_a_problem_whose_file_cannot_be_read_is_rendered_without_its_line(file: str):
    assert Problem(Mark(file, 2, 1), "c", "m").render() == f"{file}:2:1: error[c]: m"


@pytest.mark.parametrize(("line", "column"), [(99, 1), (0, 1), (1, 99)])
def test_a_problem_outside_its_source_is_rendered_without_a_line(line: int, column: int):
    assert len(problem(line, column).render(SOURCE).splitlines()) == 2


def test_carets_are_below_wide_characters_and_after_tabs():
    excerpt = Problem(Mark("f", 1, 3, 2), "c", "m").render("\t\u4e2d\u6587x").splitlines()[1:]
    assert excerpt == ["  1 | \t\u4e2d\u6587x", "    | \t  ^^^"]


def test_control_characters_of_the_file_do_not_reach_the_terminal():
    assert "\x1b" not in Problem(Mark("f", 1, 1), "c", "m").render("\x1b[31m")


def test_a_long_line_is_cut_around_the_problem():
    excerpt = Problem(Mark("f", 1, 5001, 3), "c", "m").render("a" * 5000 + "bad" + "a" * 5000).splitlines()
    assert len(excerpt[1]) < 200
    caret = excerpt[2].index("^")
    assert excerpt[1][caret : caret + 3] == "bad"
    assert excerpt[2].endswith(" ^^^")


def test_a_spec_error_lists_all_problems_in_the_order_of_the_file():
    error = SpecError([problem(4), problem(2), problem(4, 1)], {"my.yaml": SOURCE})
    assert [(p.mark.line, p.mark.column) for p in error.problems] == [(2, 5), (4, 1), (4, 5)]
    assert str(error) == "\n".join(p.render(SOURCE) for p in error.problems)


def test_a_spec_error_can_be_pickled():
    error = pickle.loads(pickle.dumps(SpecError([problem()], {"my.yaml": SOURCE})))
    assert error.problems == (problem(),)
    assert "did you mean" in str(error)


def test_the_closest_word_is_suggested():
    assert closest("atributes", ["around", "attributes"]) == "attributes"
    assert closest("KIND", ["kind", "name"]) == "kind"
    assert closest("zzz", ["kind", "name"]) is None
    assert closest("x" * 10_000, ["x" * 9_999]) is None


def test_text_in_a_message_is_quoted_on_one_line_and_bounded():
    assert quoted("a\nb") == '"a\\nb"'
    assert len(quoted("x" * 1000)) == 62


def test_subject_and_suggestion_are_not_part_of_the_identity_of_a_problem():
    named = replace(problem(), subject="atributes", suggestion="attributes")
    assert named == problem()
    assert len({named, problem()}) == 1


def test_a_problem_of_a_value_from_the_environment_shows_nothing_of_it():
    mark = Mark("f", 1, 1, references="${KIND}")
    found = Problem(
        mark, "unknown-hook", 'there is no hook "s3cret"', "did you mean s3cre?", "error", "s3cret", "s3cre"
    )
    assert found.message == 'the value of "${KIND}" is not valid here; it is not shown'
    assert "s3cre" not in repr(found)


def test_a_warning_is_rendered_as_a_warning():
    assert replace(problem(), severity="warning").render(SOURCE).startswith("my.yaml:4:5: warning[unknown-key]: ")


def test_the_last_of_too_many_warnings_is_a_warning():
    many = [Problem(Mark("f", line, 1), "c", "m", severity="warning") for line in range(1, MAX_PROBLEMS + 10)]
    found = limit_problems(many)
    assert (len(found), found[-1].code, found[-1].severity) == (MAX_PROBLEMS + 1, "more-problems", "warning")
