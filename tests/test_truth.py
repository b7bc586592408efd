"""What the static analysis says about an expression holds for every evaluation."""

import ast
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import PlainNames, parse
from opentelemetry.instrumentation.declarative.expressions.constants import constant, is_missing
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.lint.conditions import Fact, never

VALUES = ["a", "b", "", 0, 1, True, False, None]
MARK = Mark("f", 1, 1)

literals = st.sampled_from(VALUES).map(repr)
names = st.sampled_from(["x", "y"])
atoms = st.one_of(
    literals,
    names,
    st.builds("{} {} {}".format, names, st.sampled_from(["==", "!="]), literals),
    st.builds("{} == {}".format, literals, names),
    st.builds("{} {} {}".format, names, st.sampled_from(["is", "is not"]), st.sampled_from(["None", "True", "False"])),
    st.builds("{} {} ({}, {})".format, names, st.sampled_from(["in", "not in"]), literals, literals),
    st.builds("{} < {}".format, names, literals),
    st.builds("{}({})".format, st.sampled_from(["bool", "str", "len", "upper", "type_name"]), names),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("(not {})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


def tree(text: str) -> ast.expr:
    return parse(text, MARK).tree


def value(text: str, **given: Any) -> Any:
    """The value of an expression as a wrapper reads it; None if it fails."""
    names = PlainNames()
    source = parse(text, MARK).null_safe(names)
    try:
        return eval(source, names.namespace({name: function.call for name, function in FUNCTIONS.items()}), given)
    except Exception:
        return None


@given(conditions)
def test_an_expression_that_is_never_true_is_false_for_all_values(text: str):
    if never([Fact(tree(text))]):
        assert not any(value(text, x=x, y=y) for x, y in product(VALUES, VALUES))


@given(conditions)
def test_an_expression_that_is_always_true_is_true_for_all_values(text: str):
    if never([Fact(tree(text), true=False)]):
        found = [value(text, x=x, y=y) for x, y in product(VALUES, VALUES)]
        assert all(each is None or each for each in found)  # the value of one that fails is missing


@given(conditions, conditions)
def test_facts_that_exclude_each_other_are_never_true_together(first: str, second: str):
    if never([Fact(tree(first)), Fact(tree(second))]):
        assert not any(value(first, x=x, y=y) and value(second, x=x, y=y) for x, y in product(VALUES, VALUES))


@given(conditions)
def test_an_expression_that_is_missing_is_none_for_all_values(text: str):
    if is_missing(tree(text), frozenset({"x"})):
        assert all(value(text, x=None, y=y) is None for y in VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "kind == 'a' and kind == 'b'",
        "kind in ('a', 'b') and not (kind == 'a' or kind == 'b')",
        "x and not x",
        "x is None and x",
        "x is None and x == 1",
        "order.kind == 1 and (order.kind == 2 or order.kind == 3)",
        "order['kind'] == 1 and order['kind'] == 2",
        "x and 1 > 2",
        "'a' in ['b']",
        "not f'{1}'",
    ],
)
def test_a_condition_that_contradicts_itself_is_never_true(text: str):
    assert never([Fact(tree(text))])


@pytest.mark.parametrize(
    "text",
    [
        "x == 1 and x is not True",
        "x == 'a' or x == 'b'",
        "len(x) == 1 and len(x) == 2",
        "x.a == 1 and x.b == 2",
        "x < 1 and x > 2",
    ],
)
def test_uncertain_expressions_are_not_reported(text: str):
    assert not never([Fact(tree(text))])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 + 2 == 3", (True, True)),
        ("'a' - 1", (True, None)),
        ("len('abc')", (True, 3)),
        ("len(x)", (False, None)),
        ("x", (False, None)),
        ("len", (False, None)),
    ],
)
def test_an_expression_without_names_is_constant(text: str, found: tuple[bool, Any]):
    assert constant(tree(text)) == found
