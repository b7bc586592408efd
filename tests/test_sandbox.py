"""Known attacks on sandboxes for `eval`: each is refused, or harmless and bounded."""

import sys
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.expressions import ExpressionError, parse, parse_template
from opentelemetry.instrumentation.declarative.expressions.conversion import MAX_CHARACTERS, bounded_text, to_json
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.number_operators import multiply
from opentelemetry.instrumentation.declarative.expressions.operators import add, collection, listing, text
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import attribute_value, render_name

from tests.attacks import CLASSICS, HARMLESS, LOOK_ALIKES
from tests.fuzz.hostile import Called, Endless, EndlessMapping, Host, Liar, Loud, circle, shared, untouched, world
from tests.fuzz.targets import NAMESPACE, SOURCE_NAMES, expression, mark


def null_safe(text: str, available: dict[str, Any]) -> Any:
    """The value that a wrapper records: None if reading it raises."""
    found = parse(text, mark(text))
    try:
        value = eval(found.null_safe(SOURCE_NAMES), {**NAMESPACE, **available})
    except Exception:
        return None
    return value


@pytest.mark.parametrize("text", [*CLASSICS, "1\n2", *LOOK_ALIKES])
def test_an_attack_is_refused_with_help(text: str):
    with pytest.raises(ExpressionError) as caught:
        parse(text, mark(text))
    for problem in caught.value.problems:
        assert problem.code in ("not-allowed", "expression-syntax", "unknown-function", "wrong-arguments")
        assert problem.help
    with pytest.raises(ExpressionError):
        parse_template(f"a {{ {text} }} b", mark(text))


@pytest.mark.parametrize(("text", "value"), HARMLESS.items())
def test_an_attack_that_only_reads_has_a_harmless_value(text: str, value):
    found = null_safe(text, world())
    if value is None:
        assert found is None or callable(found)
    else:
        assert attribute_value(found) == attribute_value(value)
    expression(text.encode())


@pytest.mark.parametrize("sign", ["(", "[", "-", "not ", "f'{", "a.", "a[", "a if ", "a == ", "a or ", "len("])
@pytest.mark.parametrize("count", [40, 300, 660])
def test_no_nesting_makes_the_parser_crash(sign: str, count: int):
    closing = {"(": ")", "[": "]", "f'{": "}'", "a[": "]", "len(": ")", "a if ": " else a"}.get(sign, "")
    expression((sign * count + "a" + closing * count).encode())


@pytest.mark.parametrize("limit", [120, 200])
def test_a_low_recursion_limit_causes_a_problem_instead_of_a_crash(limit: int):
    before = sys.getrecursionlimit()
    depth = 0
    frame: Any = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + limit)
    try:
        with pytest.raises(ExpressionError):
            parse("(" * 150 + "a" + ")" * 150 + "**2", mark("a"))
    finally:
        sys.setrecursionlimit(before)


def test_rendered_source_uses_no_builtins_of_python():
    found = parse("len(self.id) + 1 if self in (1, [2]) else f'{self.id}'", mark("x"))
    for source in (found.direct(SOURCE_NAMES), found.null_safe(SOURCE_NAMES)):
        names = set(compile(source, "f", "eval").co_names)
        assert names <= {"self", "id", *SOURCE_NAMES.namespace({"len": len})}


@pytest.mark.parametrize(
    "make",
    [circle, lambda: shared(60), lambda: {"a": shared(60)}, lambda: (shared(60),), lambda: ["x" * 10**6] * 900],
    ids=["circle", "list", "dict", "tuple", "one large text"],
)
@pytest.mark.parametrize("name", ["json", "sha256", "str", "truncate"])
def test_any_value_is_converted_to_text_in_bounded_memory(make: Callable[[], Any], name: str):
    value = make()
    tracemalloc.start()
    try:
        found = FUNCTIONS[name].call(value, *((50,) if name == "truncate" else ()))
        texts = (attribute_value(value), text("a ", value), render_name("a ", value), bounded_text(value))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) < 4 * MAX_CHARACTERS
    assert all(len(str(each)) < 4 * MAX_CHARACTERS for each in texts if type(each) is str)
    assert peak < 40 * MAX_CHARACTERS


def test_a_large_text_that_occurs_many_times_is_not_copied_many_times():
    assert len(to_json(["x" * 10**6] * 900)) < 1.1 * MAX_CHARACTERS
    assert len(to_json({f"{n}" + "k" * 10**6: 1 for n in range(30)})) < 1.1 * MAX_CHARACTERS
    odd = "ä" * 10**6
    kept = attribute_value([odd] * 900)
    assert isinstance(kept, list)
    assert all(each is odd for each in kept)


def test_results_of_operators_are_bounded():
    large = "x" * (MAX_CHARACTERS // 2 + 1)
    for left, right in ((large, large), (large.encode(), large.encode()), ([0] * 600, [0] * 600), ((0,) * 999, (0, 0))):
        with pytest.raises(ValueError, match="would make a"):
            add(left, right)
    assert add("a", "b") + add([1], [2])[0] * "" == "ab"
    with pytest.raises(OverflowError):
        multiply(10**4000, 10**4000)
    assert len(text(large, large, large)) == MAX_CHARACTERS + 1
    assert text(large, large).endswith("x…")
    assert multiply(2**6000, 2**6000) == 2**12000


def test_too_many_nested_lists_are_refused():
    found: list[Any] = ["x"]
    for _ in range(8):
        found = listing([found, found])
    with pytest.raises(ValueError, match="too many lists"):
        listing([found, found])
    with pytest.raises(ValueError, match="too many lists"):
        add(found, [found])
    assert listing([list(range(10**5))]) == [list(range(10**5))]


@pytest.mark.parametrize("value", [Endless(), untouched(), iter([1]), range(10**9), Liar(), Host(), 5])
def test_the_operator_in_is_refused_if_it_would_iterate(value):
    with pytest.raises(TypeError, match="`in` would"):
        collection(value)


@pytest.mark.parametrize("value", ["a", b"a", [1], (1,), {1}, {1: 2}, frozenset(), range(5), Decimal, EndlessMapping()])
def test_the_operator_in_is_allowed_if_the_value_answers_it(value):
    if value is Decimal:
        value = dict.fromkeys([value]).keys()
    assert collection(value) is value


def test_a_short_notation_of_a_very_large_number_is_refused():
    convert = FUNCTIONS["int"].call
    for value in (Decimal("1e999999999"), Decimal("-1e999999999"), Decimal("nan"), "9" * 5_000, b"9" * 10**6):
        with pytest.raises((OverflowError, ValueError)):
            convert(value)
    assert [convert(value) for value in (Decimal("12.5"), "12", True, 12.9, None)] == [12, 12, 1, 12, None]


def test_a_pattern_is_bounded_in_length_and_time():
    like = FUNCTIONS["like"].call
    with pytest.raises(ValueError, match="too long"):
        like("x", "[" * 10**6)
    assert like("a" * 10**5 + "c", "*a" * 400 + "b") is False


CHAIN = """
hooks:
  ask:
    call: "HOST:Desk.ask"
    names:
NAMES
spans:
  talk: {around: ask, attributes: {found: 'FOUND'}}
"""


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("[LAST, LAST]", "a39 == b39"),
        ("(LAST, LAST)", "a39 in [b39]"),
        ("[LAST, LAST]", "a39"),
        ("LAST + LAST", "len(a39)"),
        ("f'{LAST}{LAST}{LAST}'", "len(a39) + len(b39)"),
    ],
)
def test_names_that_build_on_each_other_are_bounded(tracing, make_module, instrumented, step: str, found: str):
    module = make_module("class Desk:\n    def ask(self, question):\n        return 'an answer'\n")
    names = "".join(
        f'      {side}{number}: "{step.replace("LAST", f"{side}{number - 1}" if number else "question")}"\n'
        for side in "ab"
        for number in range(40)
    )
    with instrumented(CHAIN.replace("NAMES\n", names).replace("FOUND", found), module):
        assert module.Desk().ask("x" * 100) == "an answer"
    value = tracing.span.attributes.get("found")
    assert value is None or len(str(value)) < 4 * MAX_CHARACTERS


def test_a_name_that_python_normalizes_does_not_replace_a_parameter(make_module, spec_file: Callable[..., Any]):
    from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
    from opentelemetry.instrumentation.declarative.plan.validation import read_spec

    text = "hooks: {ask: {call: 'a:b', unpack: [sel\uff46]}}\nspans: {talk: {around: ask}}\n"
    with pytest.raises(SpecError, match="Python normalizes it to another name"):
        read_spec(spec_file(text))


NAMES = st.sampled_from(sorted(world(1)))
PIECES = st.sampled_from([".id", ".inner.names", "[0]", "[-1:]", "['id']", ".items", "[none]", ".__len__", ".text"])
SIGNS = st.sampled_from("+ - * / // % == != < >= and or is in not_in".replace("_in", "-in").split())
CALLS = st.sampled_from(sorted(FUNCTIONS))


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, PIECES).map(lambda t: f"({t[0]}){t[1]}"),
        st.tuples(inner, SIGNS, inner).map(lambda t: f"({t[0]}) {t[1].replace('-', ' ')} ({t[2]})"),
        st.tuples(CALLS, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(CALLS, inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"[({t[0]}), ({t[1]})]"),
        st.tuples(NAMES, NAMES).map(lambda t: f'f"{{{t[0]}}} {{{t[1]}}}"'),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}) if ({t[1]}) else ({t[2]})"),
        st.tuples(inner, inner, PIECES).map(lambda t: f"[(x, {t[0]}) for x in ({t[1]}) if x{t[2]}]"),
        st.tuples(CALLS, inner, PIECES).map(lambda t: f"{t[0]}(x{t[2]} for x in ({t[1]}))"),
    )


@settings(max_examples=400)
@given(st.recursive(NAMES, grown, max_leaves=8))
def test_both_forms_agree_on_hostile_objects_without_calling_them(text: str):
    expression(text.encode())


def test_the_hostile_objects_raise_if_they_are_called():
    for value in (Host().get, Host(), lambda *_: next(untouched())):
        with pytest.raises(Called):
            value()
    with pytest.raises(KeyError):
        str(Loud())
