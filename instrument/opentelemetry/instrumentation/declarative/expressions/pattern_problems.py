"""Checks the regular expressions in the calls of an expression."""

from __future__ import annotations

import ast
from collections.abc import Callable

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.patterns import (
    PatternError,
    check_replacement,
    safe_pattern,
    separate_patterns,
)

#: Patterns that are certainly intended as plain text.
_PLAIN = frozenset(".|$^")


def pattern_problems(name: str, function: Function, call: ast.Call, mark: Callable[[ast.AST], Mark]) -> list[Problem]:
    """The problems of the pattern in a call, and of its replacement. ``mark`` returns the location of a node."""
    arguments = dict(zip(function.parameters, call.args, strict=False))
    literals: list[str] = []
    for parameter in filter(None, (function.pattern, function.replacement)):
        node = arguments[parameter]
        text = _text(node)
        if text is None:
            message = f"the {parameter} of {name}() must be a text in quotes: it is checked before the program runs"
            return [Problem(mark(node), "bad-pattern", message, f'write the {parameter} itself, as in r"[0-9]+"')]
        literals.append(text)
    pattern, *replacements = literals
    node = arguments[function.pattern or ""]
    patterns = separate_patterns(pattern) if function.several_patterns else (pattern,)
    if plain := next((each for each in patterns if each in _PLAIN), None):
        message = f'"{plain}" is not plain text in a regular expression: it does not match itself'
        return [Problem(mark(node), "bad-pattern", message, f'write r"\\{plain}"')]
    try:
        for each in patterns:
            safe_pattern(each)
        for replacement in replacements:
            node = arguments[function.replacement or ""]
            check_replacement(pattern, replacement)
    except PatternError as error:
        kind = "regular expression" if node is arguments[function.pattern or ""] else "replacement"
        return [Problem(mark(node), "bad-pattern", f"the {kind} cannot be used: {error}", error.help)]
    return []


def _text(node: ast.expr) -> str | None:
    """The text of a literal, or the first of several with `or` between them that is not empty; None if it varies."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        texts = [_text(value) for value in node.values]
        return None if None in texts else next(filter(None, texts), "")
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
