"""Rewrites expressions in the syntax of other languages as valid expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions.grammar import GrammarChecker
from opentelemetry.instrumentation.declarative.expressions.refused_syntax import content_of_braces

#: Texts in quotes, which are not rewritten.
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_LONGEST = 300
#: A name with its attributes and items, as in ``order.lines[0]``; texts in it are numbered.
_VALUE = r"[A-Za-z_]\w*(?:\.\w+|\[[^\]\s]*\])*"

#: Operators of other languages, each with the operator that it stands for.
_OPERATORS: tuple[tuple[str, str], ...] = (
    (r"(?<=[\w\])])\s*=>\s*(?=[\d.-])", " >= "),
    (r"(?<=[\w\])])\s*=<\s*(?=[\d.-])", " <= "),
    (r"===", "=="),
    (r"!==", "!="),
    (r"<>|(?<![\w.])ne(?![\w.])", "!="),
    (r"\s*&&\s*|\bAND\b", " and "),
    (r"\s*(?:\|\||\?\?)\s*|\bOR\b", " or "),
    (r"!(?=[\w(])|\bNOT\b", "not "),
    (r"\bIS\b", "is"),
    (r"\bIN\b", "in"),
    (r"\??\.(?=\[)", ""),
    (r"(?<=[\w\])])\.(_text\d+_)", r"[\1]"),
    (r"\?\.|(?<=\w)(?:->|::)(?=\w)", "."),
    (r"(?<=[\w\])])\s+eq\s+", " == "),
    (r"(?<=[\w\])])\s+ge\s+", " >= "),
    (r"(?<=[\w\])])\s+gt\s+", " > "),
    (r"(?<=[\w\])])\s+le\s+", " <= "),
    (r"(?<=[\w\])])\s+lt\s+", " < "),
    (r"\bisnt\b|\bisn't\b", "is not"),
    (r"^\s*return\b(?!\s*\.)", ""),
    (r"^\s*return\b(?=\s*\.)", "result"),
    (r"^\s*await\s+|;\s*$", ""),
    (r"(?<=[\w\])])\.length\b(?!\()", ".__len"),
    (r"\b(?:null|nil|undefined|NULL)\b", "None"),
    (r"\btrue\b", "True"),
    (r"\bfalse\b", "False"),
)
#: Constructs with several parts.
_CONSTRUCTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"({_VALUE})\.__len\b"), lambda found: f"len({found[1]})"),
    (re.compile(rf"({_VALUE})\s*=?~=?\s*(\S+)"), lambda found: f"match({found[1]}, {found[2]})"),
    (
        re.compile(r"^\s*(?:if\s+)?(.+?)(?:\s*\?\s*|\s+then\s+)(.+?)(?:\s+:\s+|\s+else\s+)(.+)$"),
        lambda found: f"{found[2]} if {found[1]} else {found[3]}",
    ),
    (re.compile(r"^\s*(.+?)(?:\s*\?\s*|\s+then\s+)(.+)$"), lambda found: f"{found[2]} if {found[1]} else None"),
    (re.compile(r"^\s*if\s+(.+?)\s*:\s*(.+)$"), lambda found: f"{found[2]} if {found[1]} else None"),
    (re.compile(r"(?<![=!<>])=(?!=)"), lambda _: "=="),
)


def rewritten(text: str, functions: set[str]) -> str | None:
    """The expression that was probably intended; None if that is not known."""
    if len(text) > _LONGEST:
        return None
    return next((each for each in _candidates(text) if each != text and _is_expression(each, functions)), None)


def _candidates(text: str) -> list[str]:
    candidates = [_outside_of_texts(text, _with_operators)]
    for pattern, rewrite in _CONSTRUCTS:
        candidates.append(_outside_of_texts(candidates[-1], partial(pattern.sub, rewrite)))
    closed = [re.sub(r"(?=[\])]*$)", quote, text, count=1) for quote in ('"', "'")]
    closed += [text + end for end in (" else None", '"', "'", ")", "]", '"]', "']", '")', "')", "))")]
    return [*_as_text_with_values(text), *candidates, *closed]


def _with_operators(text: str) -> str:
    for pattern, operator in _OPERATORS:
        text = re.sub(pattern, operator, text)
    return re.sub(r"\s+", " ", text).strip()


def as_yaml(text: str, mark: Mark) -> str:
    """How to write an expression as a value in YAML."""
    if re.search(r"[,\[\]{}#]|:\s|^[\"'!&*>|%@`?-]", text) or (mark.quoted and '"' in text):
        return "'{}'".format(text.replace("'", "''"))
    return text


def _outside_of_texts(text: str, rewrite: Callable[[str], str]) -> str:
    """Rewrite an expression in which a number in a word stands for each text in quotes."""
    texts: list[str] = []

    def hidden(found: re.Match[str]) -> str:
        texts.append(found[0])
        return f"_text{len(texts) - 1}_"

    rewritten = rewrite(_QUOTED.sub(hidden, text))
    return re.sub(r"_text(\d+)_", lambda found: texts[int(found[1])], rewritten)


def _as_text_with_values(text: str) -> list[str]:
    """Text with values in braces, as in the name of a span."""
    if not re.search(r"\{[^{}]+\}", text) or '"' in text:
        return []
    return [f'f"{text}"']


def _is_expression(text: str, functions: set[str]) -> bool:
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    checker = GrammarChecker(text, Mark("", 1, 1), functions)
    checker.visit(tree)
    return not checker.problems and content_of_braces(tree.body) is None
