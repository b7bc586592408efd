"""Parses and checks expressions and name templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from typing import NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, quoted
from opentelemetry.instrumentation.declarative.expressions.expression import Expression, ExpressionError, Template
from opentelemetry.instrumentation.declarative.expressions.grammar import (
    MAX_EXPRESSION_DEPTH,
    GrammarChecker,
    tree_depth,
)

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
        raise ExpressionError([_syntax_problem(stripped, inner_mark, error)]) from None
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
    """Refuse unknown escape sequences, for which Python would write a warning to the application's standard error."""
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


def _syntax_problem(text: str, mark: Mark, error: SyntaxError | ValueError) -> Problem:
    reason = "it has a character that Python does not accept"
    if isinstance(error, SyntaxError):
        reason = (error.msg or "invalid syntax").split("(<unknown>", 1)[0].strip()
        if error.offset and error.lineno == 1:
            mark = mark.at(min(error.offset - 1, len(text) - 1), 1)
    matches = [help(found) for pattern, help in _SYNTAX_OF_OTHERS if (found := pattern.search(text))]
    operators = [help for help in matches if help.startswith("write `")]
    help = "; ".join(operators) if matches[:1] == operators[:1] and operators else next(iter(matches), _GENERAL_HELP)
    return Problem(mark, "expression-syntax", f"{quoted(text)} is not an expression: {reason}", help)


_GENERAL_HELP = "write it as in Python: names, attributes, comparisons, and text in quotes"


def _as_text(text: str) -> str:
    return f"write '\"{text}\"' for the text, in an attribute {{const: {text}}}"


def _always(help: str) -> Callable[[re.Match[str]], str]:
    return lambda _: help


#: The syntax of other languages, and what to write instead.
_SYNTAX_OF_OTHERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"^(?:[$#%][{(]?|<)\s*([A-Za-z_][\w.]*)\s*[)}>%]?$"), lambda found: f"write {found[1]}"),
    (re.compile(r"[(,]\s*([-/:;^*.|][^\s,)]*)\s*[,)]"), lambda found: f'put text in quotes: "{found[1]}"'),
    (re.compile(r"^\{%|^<%|^\{\{(.*)\}\}$"), _always("write the expression without braces")),
    (re.compile(r"===|!=="), lambda found: f"write `{found[0][:2]}`"),
    (re.compile(r"<>"), _always("write `!=`")),
    (re.compile(r"\w->\w"), _always("write a dot in place of `->`")),
    (re.compile(r"\.(map|filter)\("), _always("write [item.name for item in items if item.name]")),
    (re.compile(r"\[[*]?\]"), _always("write [0] for the first item, or [item.name for item in items] for all")),
    (re.compile(r"=>|->"), _always("a function cannot be defined here: add a Python function under `functions`")),
    (re.compile(r"&&|\|\||(?<![=!<>])!(?!=)(?![rsa]$)"), _always("write `and`, `or`, `not`")),
    (re.compile(r"\?\."), _always("write a plain dot: a missing value is None")),
    (re.compile(r"\?\?|\?:"), _always("write `or`, or `value if value is not None else other`")),
    (re.compile(r"\?"), _always("write `value if condition else other`")),
    (re.compile(r"\bif\b(?!.*\belse\b)"), _always("add `else None`")),
    (re.compile(r"\b(AND|OR|NOT|IN|IS)\b"), lambda found: f"write `{found[0].lower()}`"),
    (re.compile(r"\bnew\s+\w|\btypeof\b|\binstanceof\b"), _always('write is_a(value, "Name") for a type')),
    (re.compile(r"\b(return|lambda|def|import)\b"), _always("write the value only, without a statement")),
    (re.compile(r"(?<![=!<>])=(?!=)"), _always("write `==` to compare")),
    (re.compile(r";"), _always("write one value: an attribute for each")),
    (re.compile(r"\bisnt\b|\bisn't\b"), _always("write `is not`")),
    (re.compile(r"`"), _always("put text in quotes")),
    (re.compile(r"\+\+|--"), _always("expressions only read: write value + 1")),
    (re.compile(r"![rsa]$|:[<>=^]?[0-9.,]*[a-z%]?$"), _always("write the value without a format")),
    (re.compile(r"@([\w.]+)"), lambda found: f"write {found[1]} without @"),
    (re.compile(r"^[A-Za-z][\w'-]*(\s+[\w'-]+)+[.!]?$|^[A-Za-z]+'[a-z]+$"), lambda found: _as_text(found[0])),
    (re.compile(r"^(?!.*\.\.)[A-Za-z\d][\w/.:-]*[/:.-][\w/.:-]*(?<!\.)$"), lambda found: _as_text(found[0])),
)
