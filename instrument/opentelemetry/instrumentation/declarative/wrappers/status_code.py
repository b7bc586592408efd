"""Generates the code that chooses a status: the first of several that applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.span_plan import StatusPlan
from opentelemetry.instrumentation.declarative.runtime.outcome import first_status
from opentelemetry.instrumentation.declarative.wrappers.expression_group import ExpressionGroup
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope


def first_status_source(
    statuses: Iterable[StatusPlan],
    group: ExpressionGroup,
    scope: ExpressionScope,
    can_read: Callable[[StatusPlan, Expression], bool],
) -> str | None:
    """The source of the first status that applies. One that cannot be read here does not apply; None if none can."""
    candidates: list[str] = []
    errors: list[str] = []
    for status in statuses:
        if status.when is not None and scope.is_false(status.when):
            continue
        expressions = {"applies": status.when, "status": status.error, "ok": status.ok}
        usable = {wanted: each for wanted, each in expressions.items() if each is not None and can_read(status, each)}
        if (status.when is None or "applies" in usable) and (status.unset or usable.keys() & {"status", "ok"}):
            values = {
                wanted: (group.condition if wanted == "applies" else group.value)(wanted, each)
                for wanted, each in usable.items()
            }
            parts = (values.get("applies", "True"), values.get("status", "None"), values.get("ok", "None"))
            candidates.append(f"({', '.join(parts)}, {status.unset})")
            errors += [values["status"]] if [*values] == ["status"] and not status.unset else []
    if not candidates:
        return None
    if len(candidates) == len(errors) == 1:
        return errors[0]  # there is nothing to choose from
    choose = scope.names.constant("first_status", first_status)
    return f"{choose}({', '.join([scope.exception, *candidates])})"
