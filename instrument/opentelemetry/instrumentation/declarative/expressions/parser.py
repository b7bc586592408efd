"""Text to checked expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from typing import NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, shown
from opentelemetry.instrumentation.declarative.expressions.expression import Expression, ExpressionError, Template
from opentelemetry.instrumentation.declarative.expressions.grammar import DEEPEST, Check, depth

#: An expression longer than this is a mistake, and the parser's own recursion is bounded by it.
LONGEST = 2_000

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = "\n\\'\"abfnrtvxNuU01234567"
_RAW = re.compile(r"""\b([rR][fF]?|[fF][rR])["']""")
_TOO_LONG = "name a Python function under `functions` instead"


def parse(text: str, mark: Mark, functions: Collection[str] = ()) -> Expression:
    """Read and check an expression. ``functions``: the names of those the spec adds.

    Raises ExpressionError with every problem found.
    """
    if len(text) > LONGEST:
        _fail(mark, "expression-too-long", f"this expression has {len(text)} characters, and {LONGEST} are allowed")
    stripped = text.strip()
    if not stripped:
        raise ExpressionError(
            [Problem(mark, "empty-expression", "this expression is empty", "write what is to be read, or remove it")]
        )
    place = mark if stripped == text else mark.at(len(text) - len(text.lstrip()), len(stripped))
    _check_escapes(stripped, place)
    try:
        tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError) as error:
        raise ExpressionError([_syntax_problem(stripped, place, error)]) from None
    except (RecursionError, MemoryError):
        tree = None
    if tree is None or depth(tree) > DEEPEST:
        _fail(mark, "expression-too-long", f"this expression is nested more than {DEEPEST} levels deep")
    check = Check(stripped, place, set(functions))
    check.visit(tree)
    if check.problems:
        raise ExpressionError(check.problems)
    return Expression(text, mark, frozenset(check.names), frozenset(check.called), tree.body, check.names)


def _fail(mark: Mark, code: str, message: str) -> NoReturn:
    raise ExpressionError([Problem(mark, code, message, _TOO_LONG)])


def _check_escapes(text: str, mark: Mark) -> None:
    """Refuse an escape that Python does not know: it would warn of it on the host's standard error."""
    if "\\" not in text or _RAW.search(text):
        return
    for found in _ESCAPE.finditer(text):
        if found[1] not in _KNOWN_ESCAPES:
            message = f"{shown(found[0])} is no escape that Python knows"
            raise ExpressionError(
                [Problem(mark.at(found.start(), 2), "expression-syntax", message, "double the backslash")]
            )


def parse_template(text: str, mark: Mark, functions: Collection[str] = ()) -> Template:
    """Read a name template: text with expressions in braces, ``{{`` and ``}}`` for the braces themselves."""
    if len(text) > LONGEST:
        _fail(mark, "expression-too-long", f"this name has {len(text)} characters, and {LONGEST} are allowed")
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


def _syntax_problem(text: str, mark: Mark, error: SyntaxError | ValueError) -> Problem:
    where = mark
    why = "it holds a character that Python does not read"
    if isinstance(error, SyntaxError):
        why = (error.msg or "invalid syntax").split("(<unknown>", 1)[0].strip()
        if error.offset and error.lineno == 1:
            where = mark.at(min(error.offset - 1, len(text) - 1), 1)
    mend = "write it as in Python: names, attributes, comparisons, and plain text in quotes"
    for pattern, better in _MENDS:
        if pattern.search(text):
            mend = better
            break
    return Problem(where, "expression-syntax", f"{shown(text)} is not an expression: {why}", mend)


#: What people write who have another language in their fingers.
_MENDS = (
    (re.compile(r"![rsa]$|:[<>=^]?[0-9.,]*[a-z%]?$"), "write the value plainly, without a format"),
    (re.compile(r"&&|\|\||(?<![=!<>])!(?!=)"), "write `and`, `or`, `not`"),
    (re.compile(r"\?\."), "a plain dot will do: what is missing is None"),
    (re.compile(r"\?"), "write `value if condition else other`"),
    (re.compile(r"(?<![=!<>:])=(?!=)"), "write `==` to compare"),
)
