"""Applies the content policy to expressions at plan time, so that content costs nothing more at run time."""

from __future__ import annotations

import ast
from dataclasses import replace

from opentelemetry.instrumentation.declarative.expressions import (
    CONTENT_DESCRIPTION,
    CUT_CONTENT,
    HASHED_CONTENT,
    Expression,
    HelperCall,
)
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, ContentPolicy


def apply_content_policy(policy: ContentPolicy, expression: Expression) -> Expression | None:
    """The expression to record in place of one that reads content; None if content is not recorded."""
    if not policy.recorded:
        return None
    if policy.hashed:
        return _call(HASHED_CONTENT, expression)
    return expression if policy.max_length is None else _call(CUT_CONTENT, expression, policy.max_length)


def apply_to_description(policy: ContentPolicy, expression: Expression) -> Expression:
    """The expression for the description of a status that is content. Whether it has a value does not change."""
    if policy == FULL_CONTENT or not _reads_text(expression.tree):
        return expression
    return _call(CONTENT_DESCRIPTION, expression, *policy)


def _reads_text(tree: ast.expr) -> bool:
    """Whether the value of an expression can be a text that is not in the spec."""
    if isinstance(tree, ast.IfExp):
        return _reads_text(tree.body) or _reads_text(tree.orelse)
    return not isinstance(tree, (ast.Constant, ast.Compare))


def _call(helper: str, expression: Expression, *arguments: bool | int | None) -> Expression:
    return replace(expression, tree=HelperCall.of(helper, expression.tree, *map(ast.Constant, arguments)))
