import ast
import warnings
from collections import defaultdict
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression, ExpressionError, parse
from opentelemetry.instrumentation.declarative.expressions.constants import folded
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.null_safe import (
    AttributesSlot,
    NameSlot,
    NullSafeReader,
    ValueSlot,
)

from tests.fuzz.targets import NAMESPACE, SOURCE_NAMES, mark


class Called(BaseException):
    """Something of the program was called."""


class Host:
    """An object of the program. Reading it is allowed; calling it or one of its methods is not."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __call__(self, *_args: Any) -> NoReturn:
        raise Called

    def startswith(self, *_args: Any) -> NoReturn:
        raise Called

    lower = upper = endswith = replace = append = get = pop = startswith


def stop() -> NoReturn:
    raise Called


def untouched() -> Any:
    stop()
    yield


CART = Host(id="c-1", total=12.5, none=None, lines=["a", "b"], _state=7, get="got", customer=Host(tier="gold", age=41))
ENVIRONMENT: dict[str, Any] = {
    "cart": CART,
    "data": {"id": "d-1", "items": [1, 2], "nested": {"deep": {"x": 1}}, 5: "five"},
    "made": defaultdict(stop, present=3),
    "rows": [{"id": 1}, Host(id=2), None],
    "text": "some text",
    "number": 42,
    "stream": untouched(),
    "none": None,
}


def direct(text: str, **names: Any) -> Any:
    return eval(parse(text, mark(text)).direct(SOURCE_NAMES), {**NAMESPACE, **ENVIRONMENT, **names})


def null_safe(text: str, **names: Any) -> Any:
    """The value that a wrapper falls back to if the direct form fails."""
    available = {**ENVIRONMENT, **names}
    source = parse(text, mark(text)).null_safe(SOURCE_NAMES)
    rule = Rule(RuleId("span", "test", mark(text)))
    return NullSafeReader(rule, list(available), [ValueSlot((source, mark(text)))], NAMESPACE)(*available.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cart.customer.tier", "gold"),
        ("cart._state", 7),
        ("data.items", [1, 2]),
        ("data[5]", "five"),
        ("cart.get", "got"),
        ("rows[-1]", None),
        ("cart.lines[0:1]", ["a"]),
        ("text[:4]", "some"),
        ("number * 2 - 1", 83),
        ("number % 5 + number // 4 / 2", 7.0),
        ('f"{number} of {text}"', "42 of some text"),
        ("f\"{f'{number}'}\"", "42"),
        ("'gold' if cart.total > 10 else 'none'", "gold"),
        ("cart.none or 'nobody'", "nobody"),
        ("not cart.none and 1 < number <= 42", True),
        ('cart.id in ("c-1", "c-2")', True),
        ('"b" in cart.lines and "z" not in cart.lines and "some" in text', True),
        ('"b" in cart.none or "b" not in cart.none', True),
        ("cart.none is None", True),
        ("[number, 1]", [42, 1]),
        ("len(cart.lines)", 2),
        ("type_name(cart.customer)", "Host"),
        ("-number", -42),
        ("match_any(text, '' or 'some')", True),
    ],
)
def test_allowed_expressions_have_their_value_in_both_forms(text: str, value):
    assert direct(text) == value
    assert null_safe(text) == value


@pytest.mark.parametrize(("text", "value"), [('"b" in cart.missing', False), ('"b" not in none.x', True)])
def test_nothing_is_in_a_container_that_is_missing(text: str, value: bool):
    assert null_safe(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [("data.id", "d-1"), ('data["nested"].deep.x', 1), ("rows[0].id + rows[1].id", 3), ("made.present", 3)],
)
def test_a_key_of_a_mapping_is_read_with_a_dot(text: str, value):
    assert null_safe(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "cart.missing",
        "cart.missing.further.still",
        "data.missing",
        'data["missing"].x',
        "made.absent",
        'made["absent"]',
        "rows[99].id",
        "rows[2].id",
        "none.id",
        "none[0]",
        "number.bits",
        "number[0]",
        "rows[0:1].id",
        "len(cart.missing)",
        "str(cart.missing)",
        "data[rows]",
        "cart.missing + 1",
        "cart.total / 0",
        '"a" in stream',
    ],
)
def test_a_value_that_is_missing_or_impossible_is_none(text: str):
    assert null_safe(text) is None


def test_reading_a_missing_item_does_not_create_it():
    before = dict(ENVIRONMENT["made"])
    assert direct('made["absent"]') is None
    assert ENVIRONMENT["made"] == before


def test_the_operator_in_does_not_exhaust_an_iterator():
    rest = iter([1, 2, 3])
    with pytest.raises(TypeError, match="exhaust"):
        direct("1 in rest", rest=rest)
    assert list(rest) == [1, 2, 3]


@pytest.mark.parametrize("text", ["a * number", "number * a", "b * number", "c * 10000000000", "a % number"])
def test_text_and_lists_are_not_repeated_or_formatted(text: str):
    with pytest.raises(TypeError, match="expected a number"):
        direct(text, a="%s", b=[0], c=b"x")


def test_once_the_direct_form_has_failed_often_the_null_safe_form_is_read_first():
    texts = {"a": "thing.host", "b": "thing.port or 80"}
    sources = [(key, (parse(text, mark(text)).null_safe(SOURCE_NAMES), mark(text))) for key, text in texts.items()]
    rule = Rule(RuleId("span", "test", mark("x")))
    reader = NullSafeReader(rule, ["thing"], [AttributesSlot(sources), NameSlot(["to ", sources[0][1]])], NAMESPACE)
    assert reader({"host": "h"}) == [{"a": "h", "b": 80}, "to h"]
    assert reader.first is None
    for _ in range(100):
        reader({"host": "h"})
    assert reader.first is not None
    for thing in ({"host": "h"}, Host(host="h")):
        assert reader.first(thing) == [{"a": "h", "b": 80}, "to h"]
    assert rule.failures == 0


def test_if_an_expression_raises_the_others_still_have_their_values_at_this_and_later_calls():
    texts = {"a": "thing.host", "b": "len(thing.port)"}
    sources = [(key, (parse(text, mark(text)).null_safe(SOURCE_NAMES), mark(text))) for key, text in texts.items()]
    reader = NullSafeReader(Rule(RuleId("span", "test", mark("x"))), ["thing"], [AttributesSlot(sources)], NAMESPACE)
    for _ in range(100):
        reader({"host": "h", "port": "1"})
    thing = {"host": "h", "port": 5}
    with pytest.raises(TypeError):
        reader.first(thing)
    assert [reader(thing), reader(thing)] == [{"a": "h", "b": None}] * 2
    assert reader({"host": "h", "port": "12"}) == {"a": "h", "b": 2}
    assert reader.first is None


NAMES = st.sampled_from(sorted(ENVIRONMENT))
LITERALS = st.sampled_from(["1", "0", "2.5", "'a'", '""', "None", "True", "[1, 2]", "('a', 1)", "-3"])
FIELDS = st.sampled_from(["id", "total", "lines", "none", "customer", "missing", "items", "get", "keys", "nested"])
BINARY = st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "!=", "<", ">=", "and", "or", "is", "in"])
CALLS = st.sampled_from(sorted(name for name, function in FUNCTIONS.items() if len(function.parameters) == 1))
PAIRS = st.sampled_from(sorted(name for name, function in FUNCTIONS.items() if len(function.parameters) == 2))


def extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, FIELDS).map(lambda t: f"({t[0]}).{t[1]}"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[({t[1]}):]"),
        st.tuples(inner, BINARY, inner).map(lambda t: f"(({t[0]}) {t[1]} ({t[2]}))"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}) if ({t[1]}) else ({t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[({t[0]}), ({t[1]})]"),
        st.tuples(FIELDS, inner).map(lambda t: f'{{"{t[0]}": ({t[1]})}}'),
        st.tuples(CALLS, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(PAIRS, inner, inner).map(lambda t: f"{t[0]}(({t[1]}), ({t[2]}))"),
        st.tuples(NAMES, FIELDS).map(lambda t: f'f"{{{t[0]}}} and {{{t[0]}.{t[1]}}}"'),
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, FIELDS, inner).map(lambda t: f"[x.{t[1]} for x in ({t[0]}) if ({t[2]})]"),
    )


@settings(max_examples=600)
@given(st.recursive(NAMES | LITERALS | st.tuples(NAMES, FIELDS).map(".".join), extended, max_leaves=8))
def test_both_forms_have_the_same_value_and_neither_calls_or_changes_the_application(text: str):
    made = dict(ENVIRONMENT["made"])
    try:
        expression = parse(text, mark(text))
    except ExpressionError:
        return  # repeats text, or compares with a literal by `is`
    names = {**NAMESPACE, **ENVIRONMENT}
    tree = ast.dump(expression.tree)
    try:
        value = eval(expression.direct(SOURCE_NAMES), dict(names))
    except Exception:
        null_safe(text)
    else:
        assert repr(eval(expression.null_safe(SOURCE_NAMES), dict(names))) == repr(value)
        assert repr(null_safe(text)) == repr(value)
    assert ENVIRONMENT["made"] == made
    assert ast.dump(expression.tree) == tree
    assert set(expression.names) <= set(ENVIRONMENT)


def test_the_deepest_allowed_expression_can_be_rendered_in_both_forms():
    text = "cart" + ".customer" * 45
    assert null_safe(text) is None
    parse(text, mark(text)).direct(SOURCE_NAMES)


@pytest.mark.parametrize("text", ["1" * 2000, "1e999", '"\\ud800"', "'\\x41\\n'", "r'\\d'", "a.b # why"])
def test_unusual_literals_are_rendered_in_both_forms_without_a_warning(text: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expression = parse(text, mark(text))
        compile(expression.direct(SOURCE_NAMES), "f", "eval")
        compile(expression.null_safe(SOURCE_NAMES), "f", "eval")


def test_an_expression_has_its_names_and_functions_with_their_marks():
    expression: Expression = parse("len(cart.lines) + other", Mark("f.yaml", 3, 10, 25, quoted=True))
    assert expression.names == {"cart", "other"}
    assert expression.functions == {"len"}
    assert expression.name_marks["other"].column == 29


@pytest.mark.parametrize(
    ("text", "assignable"),
    [("a.b", True), ('a.b["c"]', True), ("a", False), ("a.b[1:2]", False), ("len(a)", False), ("str(a).b", False)],
)
def test_only_a_field_can_be_assigned_to(text: str, assignable: bool):
    assert parse(text, mark(text)).assignable is assignable


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("name in split('a,b', ',')", "name in ['a', 'b']"),
        ("name in split(replace('a, b', ' ', ''), ',') and lower('X') == name", "name in ['a', 'b'] and 'x' == name"),
        ("[each for each in values if each in split('a b')]", "[each for each in values if each in ['a', 'b']]"),
        ("round(2.5) + len(name)", "2 + len(name)"),
        # what a spec adds, what varies, what fails and what reads a name is evaluated when the expression is
        ("lower('X')", "lower('X')"),
        ("now() + clock()", "now() + clock()"),
        ("min('a', 1)", "min('a', 1)"),
        ("upper(name)", "upper(name)"),
    ],
)
def test_calls_that_are_constant_are_replaced_by_their_value(text: str, written: str):
    added = {"lower"} if text == written else ()
    assert ast.unparse(folded(parse(text, mark(text)).tree, added)) == written
