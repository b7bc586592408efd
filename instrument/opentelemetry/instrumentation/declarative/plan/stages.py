"""The stages of a call at which something can happen, and the names that exist only at some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.constants import is_missing, without

Stage = Literal["enter", "item", "return", "raise"]
STAGES: tuple[Stage, ...] = ("enter", "item", "return", "raise")
#: Those at which a call ends.
ENDS: tuple[Stage, ...] = ("return", "raise")

#: The names for what a result such as a stream has given: the last item, the number of items, and a time.
ITEM_NAMES = frozenset({"last_item", "item_count", "previous_item_time"})
#: The names for the outcome of a call.
OUTCOME_NAMES = frozenset({"result", "error"}) | ITEM_NAMES
#: Which of them exist at each stage.
OUTCOME_NAMES_AT: Mapping[Stage, frozenset[str]] = {
    "enter": frozenset(),
    "item": ITEM_NAMES,
    "return": frozenset({"result"}) | ITEM_NAMES,
    "raise": frozenset({"error"}) | ITEM_NAMES,
}


def is_evaluated(expression: Expression, stage: Stage) -> bool:
    """Whether an expression is evaluated at a stage.

    If it reads names for the outcome, at least one of those it reads has to exist there. When the call has ended, the
    others are None, and an expression that only reads these is evaluated too, unless it is certainly missing:
    ``error is None`` is true when the call has returned.
    """
    outcome = OUTCOME_NAMES.intersection(expression.names)
    return not outcome or bool(outcome & OUTCOME_NAMES_AT[stage]) or can_be_read_without(expression, stage, outcome)


def can_be_read_without(expression: Expression, stage: str, absent: frozenset[str]) -> bool:
    """Whether an expression can have a value at a stage although these names for the outcome do not exist there."""
    return stage in ENDS and not any(
        is_missing(tree, absent) for tree in (expression.tree, without(expression.tree, absent))
    )
