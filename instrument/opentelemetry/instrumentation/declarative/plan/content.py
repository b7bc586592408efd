"""Applies the content policy to expressions at plan time, so that content costs nothing more at run time."""

from __future__ import annotations

import ast
from dataclasses import replace

from opentelemetry.instrumentation.declarative.expressions import CUT_CONTENT, HASHED_CONTENT, Expression, HelperCall
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy


def apply_content_policy(policy: ContentPolicy, expression: Expression) -> Expression | None:
    """The expression to record in place of one that reads content; None if content is not recorded."""
    if not policy.recorded:
        return None
    if policy.hashed:
        return _call(HASHED_CONTENT, expression)
    return expression if policy.max_length is None else _call(CUT_CONTENT, expression, policy.max_length)


def _call(helper: str, expression: Expression, *arguments: int) -> Expression:
    return replace(expression, tree=HelperCall.of(helper, expression.tree, *map(ast.Constant, arguments)))
