"""Regular expressions in expressions: which are accepted, and for texts of which length."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import ExpressionError, parse
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.patterns import PatternError, safe_pattern


def problems(text: str) -> list[Problem]:
    try:
        parse(text, Mark("f.yaml", 1, 1, len(text)))
    except ExpressionError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*",
        "(a|a)*b",
        "(a|ab|b)*c",
        "(a?)*b",
        "(a{0,2})*b",
        "(x+x+)+y",
        r"(\w+\s?)*$",
        "(.*,)*x",
        "(a?){30}a{30}",
        "a?" * 25 + "a" * 25,
        ".*.*.*.*x",
        "(a{1,50}){1,50}b",
        "(.*)\\1",
        "(?=(a+)+)b",
        "(?=.*a)b",
        "(a|ab){40}d",
        "(?:(?:a|b|ab){0,40}){0,40}c",
        "a" * 501,
    ],
)
def test_a_pattern_that_could_take_very_long_is_refused(pattern: str):
    with pytest.raises(PatternError) as caught:
        safe_pattern(pattern)
    assert caught.value.help


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        (r"^/users/([^/]+)/orders/([^/]+)$", 10_000),
        (r"(\d+)", 10_000),
        (r"^(GET|POST|PUT) ", 10_000),
        (r"(?i)\b(select|insert|update)\b", 10_000),
        (r"(?:\d{1,3}\.){3}\d{1,3}", 10_000),
        (r"^v?(\d+)\.(\d+)", 10_000),
        (r"[0-9a-f]{8}-[0-9a-f]{4}", 10_000),
        (r"FROM\s+(\w+)", 1_000),
        (r"\w+@\w+\.com", 1_000),
        (r"'[^']*'", 1_000),
        (r".*foo", 1_000),
    ],
)
def test_a_pattern_of_everyday_use_is_accepted_for_texts_of_at_least_this_length(pattern: str, length: int):
    assert safe_pattern(pattern).max_length >= length


@pytest.mark.parametrize(("pattern", "text"), [(r"\w+@", "a"), (r"\s+$", " "), (r".*.*x", "a"), (r"(\d+)x", "1")])
def test_the_worst_text_that_a_pattern_accepts_takes_a_bounded_time(pattern: str, text: str):
    safe = safe_pattern(pattern)
    assert FUNCTIONS["match"].call(text * (safe.max_length - 1) + "!", pattern) is None
    with pytest.raises(ValueError, match="too long for the pattern"):
        FUNCTIONS["match"].call(text * (safe.max_length + 1), pattern)


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\s", "ä", r"\b", "$"])


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["*", "+", "?", "*?", "{2}", "{0,3}", "{2,}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, counts).map(lambda t: f"({t[0]}){t[1]}"),
        st.tuples(inner, inner).map(lambda t: f"(?:{t[0]}|{t[1]})"),
        st.tuples(ATOMS, counts).map("".join),
    )


@settings(max_examples=300)
@given(st.recursive(ATOMS, grown, max_leaves=10), st.sampled_from(["a", "ab", "aab", "ba ", "aä"]))
def test_an_accepted_pattern_finds_what_python_finds_and_ends(pattern: str, unit: str):
    try:
        safe = safe_pattern(pattern)
    except PatternError:
        return
    text = (unit * safe.max_length)[: safe.max_length - 1] + "\0"
    found = FUNCTIONS["match"].call(text, pattern)
    expected = re.compile(pattern).search(text)
    assert found == (None if expected is None else expected[1 if expected.re.groups else 0])


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("match(a, b)", 10, "the pattern of match() must be a text in quotes: it is checked before the program runs"),
        ("match(a, '[')", 10, "the regular expression cannot be used: unterminated character set at position 0"),
        ("replace(a, 'b', c)", 17, "the replacement of replace() must be a text in quotes"),
        (r"replace(a, 'b', '\\1')", 17, "the replacement cannot be used: invalid group reference 1"),
        ("replace(a, '.', '/')", 12, '"." is not plain text in a regular expression'),
        ("match(a, b'x')", 10, "the pattern of match() must be a text in quotes"),
        ("match_any(a, 'b,[')", 14, "the regular expression cannot be used: unterminated character set at position 0"),
        ("match_any(a, 'b,.')", 14, '"." is not plain text in a regular expression'),
        ("match_any(a, '' or 'b,[')", 14, "the regular expression cannot be used: unterminated character set"),
        ("match_any(a, b or 'c')", 14, "the patterns of match_any() must be a text in quotes"),
        ("match(a, '(a+)+')", 10, "the regular expression cannot be used: a repetition without an upper bound"),
    ],
)
def test_a_problem_of_a_pattern_is_reported_at_its_position(text: str, column: int, message: str):
    (problem,) = problems(text)
    assert (problem.code, problem.mark.column) == ("bad-pattern", column)
    assert problem.message.startswith(message)
    assert problem.help


def test_the_first_of_several_patterns_that_is_not_empty_is_checked():
    assert problems("match_any(path, '' or '/health' or '[')") == []


def test_a_pattern_with_a_backslash_is_written_as_a_raw_text():
    assert problems(r"match(path, r'/users/(\d+)')") == []
    assert [problem.code for problem in problems(r"match(path, '/users/(\d+)')")] == ["expression-syntax"]
