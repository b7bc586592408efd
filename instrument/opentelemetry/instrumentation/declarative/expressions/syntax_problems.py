"""What is wrong with an expression that is not valid Python. Other languages write it in another way."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, quoted
from opentelemetry.instrumentation.declarative.expressions.other_syntax import as_yaml, rewritten


def syntax_problem(text: str, mark: Mark, error: SyntaxError | ValueError, functions: Collection[str] = ()) -> Problem:
    """The problem of a text that Python cannot parse: why, and what to write instead."""
    whole = mark
    reason = "it has a character that Python does not accept"
    if isinstance(error, SyntaxError):
        reason = (error.msg or "invalid syntax").split("(<unknown>", 1)[0].strip()
        if error.offset and error.lineno == 1:
            mark = mark.at(min(error.offset - 1, len(text) - 1), 1)
    if (intended := rewritten(text, set(functions))) is not None:
        help = f"write {as_yaml(intended, whole)}"
        return Problem(mark, "expression-syntax", f"{quoted(text)} is not an expression: {reason}", help)
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
