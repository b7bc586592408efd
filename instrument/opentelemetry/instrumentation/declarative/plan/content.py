"""What becomes of attributes that are marked as content: left out, recorded whole, cut, or as a hash."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from opentelemetry.instrumentation.declarative.expressions import CUT_CONTENT, HASHED_CONTENT, Expression

_TRUNCATE = re.compile(r"truncate:([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Content:
    """How content is recorded. Decided on where the plan is made: what is recorded whole is read as anything else."""

    recorded: bool
    helper: str | None = None
    length: int | None = None

    def of(self, expression: Expression) -> Expression | None:
        """The expression that is recorded in the place of one that reads content; None where nothing is."""
        if not self.recorded or self.helper is None:
            return expression if self.recorded else None
        more: list[ast.expr] = [] if self.length is None else [ast.Constant(self.length)]
        return replace(expression, tree=ast.Call(ast.Name(self.helper, ast.Load()), [expression.tree, *more], []))


NO_CONTENT = Content(recorded=False)
WHOLE_CONTENT = Content(recorded=True)


def content_as(value: str) -> Content | None:
    """What ``full``, ``truncate:N`` or ``sha256`` means; None for anything else."""
    if value == "full":
        return WHOLE_CONTENT
    if value == "sha256":
        return Content(True, HASHED_CONTENT)
    found = _TRUNCATE.fullmatch(value)
    return Content(True, CUT_CONTENT, int(found[1])) if found else None
