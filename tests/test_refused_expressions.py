"""Expressions that are refused: each at its column, with help."""

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.expressions import ExpressionError, parse, parse_template

from tests.fuzz.targets import mark

INTERNAL_ATTRIBUTES = """
    __class__ __dict__ __globals__ __init__ __ gi_frame gi_code cr_frame cr_await ag_frame
    f_back f_builtins f_code f_globals f_locals tb_frame tb_next func_globals co_consts
"""


def refused(text: str) -> list[Problem]:
    with pytest.raises(ExpressionError) as caught:
        parse(text, mark(text))
    return caught.value.problems


def only(text: str) -> Problem:
    (problem,) = refused(text)
    return problem


@pytest.mark.parametrize("name", INTERNAL_ATTRIBUTES.split())
def test_attributes_that_are_internal_to_python_are_refused(name: str):
    problem = only(f"cart.{name}")
    assert (problem.code, problem.mark.column, problem.mark.length) == ("not-allowed", 6, len(name))
    assert problem.message == f'".{name}" is not allowed in an expression: it is internal to Python'


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("__import__", 1, '"__import__"'),
        ("().__class__", 4, '".__class__"'),
        ('"{0.x}".format(a)', 1, 'the method "format"'),
        ("a.items()", 1, 'the method "items"'),
        ("a[0](b)", 1, "only functions"),
        ("1 + (lambda: 0)", 6, "a lambda"),
        ("len({x for x in a})", 5, "a comprehension in braces"),
        ("a or {k: v for k in v}", 6, "a comprehension in braces"),
        ("a or (x for x in b)", 6, "a comprehension without brackets"),
        ("[x for x in a for y in b]", 19, "a comprehension has one `for`"),
        ("[x for x in a if x if b]", 23, "a comprehension has one `if`"),
        ("[[y for y in b] for x in a]", 2, "a comprehension cannot be in another one"),
        ("[x for x, y in a]", 8, "a comprehension gives each item one name"),
        ("[x for x in a] + x", 8, '"x" has two meanings'),
        ("(a := 1)", 2, "an assignment"),
        ("a and (await b)", 8, "await"),
        ("(yield a)", 2, "yield"),
        ("(yield from a)", 2, "yield"),
        ("[*a]", 2, "a star"),
        ("a ** b", 3, "`**`"),
        ("(a) <<  b", 5, "`<<`"),
        ("a >> b", 3, "`>>`"),
        ("a @ b", 3, "`@`"),
        ("a | b", 3, "`|`"),
        ("a & b", 3, "`&`"),
        ("a ^ b", 3, "`^`"),
        ("{a: 1}", 2, "a key of a mapping is text in quotes"),
        ("{1: a}", 2, "a key of a mapping is text in quotes"),
        ("{'a': 1, **b}", 12, "`**` is not allowed in a mapping"),
        ("{'a': 1, 'a': b}", 10, '"a" is a key of the mapping twice'),
        ("a in {1, 2}", 6, "a set"),
        ("a + 2j", 5, "the literal 2j"),
        ("a[...]", 3, "the literal ..."),
        ("a[1:2, 3]", 3, "a slice"),
        ('"x" * 1000000000', 5, "`*` multiplies numbers"),
        ("b * [0]", 3, "`*` multiplies numbers"),
        ("b + (0,) * n", 10, "`*` multiplies numbers"),
        ('f"{a}" * n', 8, "`*` multiplies numbers"),
        ('"%s" % a', 6, "`%` is the remainder"),
        ('a is "x"', 6, "`is` compares"),
        ("a is -3", 6, "`is` compares"),
        ("(1, 2) is not a", 1, "`is` compares"),
        ('f"{a!r}"', 4, "a format"),
        ('f"{a:>5}"', 4, "a format"),
        ('f"{a:{b}}"', 4, "a format"),
        ("äöü + a.__dict__", 9, '".__dict__"'),
    ],
)
def test_syntax_that_does_more_than_read_is_refused_at_its_position(text: str, column: int, word: str):
    problem = refused(text)[0]
    assert problem.code == "not-allowed"
    assert problem.mark.column == column
    assert problem.message.startswith(word)
    assert problem.help


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("lenn(a)", "unknown-function", 'did you mean "len"?'),
        ("getattr(a, 'b')", "unknown-function", "write a.b: a missing value is None"),
        ("len(a, b)", "wrong-arguments", "write len(value)"),
        ("len()", "wrong-arguments", "write len(value)"),
        ("truncate(a)", "wrong-arguments", "write truncate(value, length)"),
        ("len(*a)", "wrong-arguments", "write len(value)"),
        ("str(object=a)", "wrong-arguments", "write str(value)"),
        ("a.startswith('b')", "not-allowed", 'write starts_with(a, "b")'),
        ("round()", "wrong-arguments", "write round(number[, digits])"),
        ("clock(1)", "wrong-arguments", "write clock()"),
        ("a.split('b')", "not-allowed", 'write split(a, "b")'),
        ("  ", "empty-expression", "write an expression, or remove it"),
        ("a && b", "expression-syntax", "write a and b"),
        ("a?.b", "expression-syntax", "write a.b"),
        ("a ? b : c", "expression-syntax", "write b if a else c"),
        ("a = 1", "expression-syntax", "write a == 1"),
        (r"'\d'", "expression-syntax", "double the backslash"),
        ("a" * 2001, "expression-too-long", "use a Python function under `functions` instead"),
        ("a" + ".b" * 200, "expression-too-long", "use a Python function under `functions` instead"),
        ("not " * 400 + "a", "expression-too-long", "use a Python function under `functions` instead"),
        ("9" * 2001, "expression-too-long", "use a Python function under `functions` instead"),
    ],
)
def test_a_problem_has_help_with_the_correct_form(text: str, code: str, help: str):
    problem = only(text)
    assert (problem.code, problem.help) == (code, help)


def test_every_problem_of_an_expression_is_reported():
    assert [(p.mark.column, p.code) for p in refused("lenn(a.__class__) + b.get(c ** 2)")] == [
        (1, "unknown-function"),
        (8, "not-allowed"),
        (21, "not-allowed"),
        (29, "not-allowed"),
    ]


@pytest.mark.parametrize("text", ["(" * 900 + ")" * 900, "-" * 1999 + "1", "[" * 150 + "]" * 150, "a\0b", "if"])
def test_an_expression_that_python_cannot_parse_is_a_problem(text: str):
    assert refused(text)


def test_a_problem_after_leading_space_has_its_own_column():
    assert [p.mark.column for p in refused("   a.__class__")] == [6]


def test_a_template_consists_of_text_and_expressions():
    text = "chat {model.name} of {{{f\"{user}\"}}} {d['}']}"
    template = parse_template(text, mark(text))
    parts = [part if isinstance(part, str) else part.text for part in template.parts]
    assert parts == ["chat ", "model.name", " of {", 'f"{user}"', "} ", "d['}']"]
    assert template.names == {"model", "user", "d"}
    assert template.constant is None


def test_a_template_without_expressions_is_its_text():
    assert parse_template("a {{b}}", mark("a {{b}}")).constant == "a {b}"


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("a {b", 3, "template-brace"),
        ("a b}", 4, "template-brace"),
        ("a {'b}", 3, "template-brace"),
        ("a {}", 4, "empty-expression"),
        ("a { b.__x__}", 7, "not-allowed"),
        ("a {b} {c ** d}", 10, "not-allowed"),
        ("a {b!r}", 5, "expression-syntax"),
        (r'{"\"}"} {c.d()}', 10, "not-allowed"),
    ],
)
def test_a_problem_in_a_template_is_reported_at_its_column(text: str, column: int, code: str):
    with pytest.raises(ExpressionError) as caught:
        parse_template(text, mark(text))
    (problem,) = caught.value.problems
    assert (problem.mark.column, problem.code) == (column, code)
