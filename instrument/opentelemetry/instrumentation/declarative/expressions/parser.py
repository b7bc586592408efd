"""Parses and checks expressions and name templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, quoted
from opentelemetry.instrumentation.declarative.expressions.expression import Expression, ExpressionError, Template
from opentelemetry.instrumentation.declarative.expressions.grammar import GrammarChecker
from opentelemetry.instrumentation.declarative.expressions.trees import MAX_EXPRESSION_DEPTH, tree_depth

#: In characters. Also bounds the recursion of Python's parser.
MAX_EXPRESSION_LENGTH = 2_000

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = "\n\\'\"abfnrtvxNuU01234567"
_RAW = re.compile(r"""\b([rR][fF]?|[fF][rR])["']""")
_TOO_LONG = "use a Python function under `functions` instead"


def parse(text: str, mark: Mark, functions: Collection[str] = ()) -> Expression:
    """Parse and check an expression. ``functions``: the names of the functions that the spec adds.

    Raises ExpressionError with every problem found.
    """
    if len(text) > MAX_EXPRESSION_LENGTH:
        _fail_as_too_long(mark, f"this expression has {len(text)} characters: the limit is {MAX_EXPRESSION_LENGTH}")
    stripped = text.strip()
    if not stripped:
        raise ExpressionError(
            [Problem(mark, "empty-expression", "this expression is empty", "write an expression, or remove it")]
        )
    inner_mark = mark if stripped == text else mark.at(len(text) - len(text.lstrip()), len(stripped))
    _check_escapes(stripped, inner_mark)
    try:
        tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError) as error:
        # Not at the top: a process whose specs are valid does not need it.
        from opentelemetry.instrumentation.declarative.expressions.syntax_problems import syntax_problem

        raise ExpressionError([syntax_problem(stripped, inner_mark, error, functions)]) from None
    except (RecursionError, MemoryError):
        tree = None
    if tree is None or tree_depth(tree) > MAX_EXPRESSION_DEPTH:
        _fail_as_too_long(mark, f"this expression is nested more than {MAX_EXPRESSION_DEPTH} levels deep")
    checker = GrammarChecker(stripped, inner_mark, set(functions))
    checker.visit(tree)
    if checker.problems:
        raise ExpressionError(checker.problems)
    return Expression(text, mark, frozenset(checker.names), frozenset(checker.called), tree.body, checker.names)


def _fail_as_too_long(mark: Mark, message: str) -> NoReturn:
    raise ExpressionError([Problem(mark, "expression-too-long", message, _TOO_LONG)])


def _check_escapes(text: str, mark: Mark) -> None:
    """Refuse unknown escape sequences, for which Python would write a warning to the program's standard error."""
    if "\\" not in text or _RAW.search(text):
        return
    for found in _ESCAPE.finditer(text):
        if found[1] not in _KNOWN_ESCAPES:
            message = f"{quoted(found[0])} is not an escape sequence of Python"
            raise ExpressionError(
                [Problem(mark.at(found.start(), 2), "expression-syntax", message, "double the backslash")]
            )


def parse_template(text: str, mark: Mark, functions: Collection[str] = ()) -> Template:
    """Parse and check a name template: text with expressions in braces, and ``{{`` and ``}}`` for braces.

    Raises ExpressionError with every problem found.
    """
    if len(text) > MAX_EXPRESSION_LENGTH:
        _fail_as_too_long(mark, f"this name has {len(text)} characters: the limit is {MAX_EXPRESSION_LENGTH}")
    parts: list[str | Expression] = []
    problems: list[Problem] = []
    literal: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        if text[position : position + 2] in ("{{", "}}"):
            literal.append(char)
            position += 2
        elif char == "{":
            end = _closing_brace(text, position)
            if end is None:
                problems.append(
                    Problem(
                        mark.at(position, 1),
                        "template-brace",
                        'this "{" is not closed',
                        "close it with }, or write {{ for a brace",
                    )
                )
                break
            if literal:
                parts.append("".join(literal))
                literal = []
            inner = text[position + 1 : end]
            try:
                parts.append(parse(inner, mark.at(position + 1, len(inner)), functions))
            except ExpressionError as error:
                problems.extend(error.problems)
            position = end + 1
        elif char == "}":
            problems.append(
                Problem(mark.at(position, 1), "template-brace", 'this "}" closes nothing', "write }} for a brace")
            )
            position += 1
        else:
            literal.append(char)
            position += 1
    if literal:
        parts.append("".join(literal))
    if problems:
        raise ExpressionError(problems)
    return Template(text, mark, tuple(parts))


def _closing_brace(text: str, start: int) -> int | None:
    """The position of the brace that closes the one at ``start``. Braces in quotes do not count."""
    quote = ""
    escaped = False
    open_braces = 0
    for position in range(start, len(text)):
        char = text[position]
        if escaped:
            escaped = False
        elif quote:
            escaped = char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            open_braces += 1
        elif char == "}":
            open_braces -= 1
            if open_braces == 0:
                return position
    return None
