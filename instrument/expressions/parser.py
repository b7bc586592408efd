"""Text to checked expressions."""

from __future__ import annotations

import ast
from collections.abc import Collection

from instrument.expressions.grammar import Check
from instrument.expressions.model import Expression, ExpressionError, Template
from instrument.problems import Mark, Problem

#: An expression longer than this is a mistake, and the parser's own recursion is bounded by it.
LONGEST = 2_000


def parse(text: str, mark: Mark, functions: Collection[str] = ()) -> Expression:
    """Read and check an expression. ``functions``: the names of those the spec adds.

    Raises ExpressionError with every problem found.
    """
    stripped = text.strip()
    if len(text) > LONGEST:
        raise ExpressionError(
            [
                Problem(
                    mark,
                    "expression-too-long",
                    f"this expression has {len(text)} characters: {LONGEST} are allowed",
                    "name a Python function under `functions` instead",
                )
            ]
        )
    if not stripped:
        raise ExpressionError(
            [Problem(mark, "empty-expression", "this expression is empty", "write what is to be read")]
        )
    try:
        tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError([_syntax_problem(stripped, mark, error)]) from None
    check = Check(stripped, mark.at(len(text) - len(text.lstrip()), 1) if stripped != text else mark, set(functions))
    try:
        check.visit(tree)
    except RecursionError:
        check.problems.append(Problem(mark, "expression-too-long", "this expression is nested too deeply"))
    if check.problems:
        raise ExpressionError(check.problems)
    return Expression(text, mark, frozenset(check.names), frozenset(check.called), tree.body, check.names)


def parse_template(text: str, mark: Mark, functions: Collection[str] = ()) -> Template:
    """Read a name template: text with expressions in braces, ``{{`` and ``}}`` for the braces themselves."""
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
                        'this "{" is never closed',
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
                Problem(mark.at(position, 1), "template-brace", 'this "}" opens nowhere', "write }} for a brace")
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
    """Where the brace that opens at ``start`` closes; braces inside quotes do not count."""
    quote = ""
    depth = 0
    for position in range(start, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def _syntax_problem(text: str, mark: Mark, error: BaseException) -> Problem:
    where = mark
    if isinstance(error, SyntaxError) and error.offset:
        where = mark.at(min(max(error.offset - 1, 0), max(len(text) - 1, 0)), 1)
    why = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
    return Problem(where, "expression-syntax", f'"{_short(text)}" is not an expression: {why}')


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
