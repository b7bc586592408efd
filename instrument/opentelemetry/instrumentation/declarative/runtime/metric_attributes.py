"""The attributes that a metric of spans has of its own: they are read from the attributes of each span."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import Expression, PlainNames
from opentelemetry.instrumentation.declarative.plan.metric_planner import NAMES_OF_SPANS
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.runtime.guard import Rule

_Read = Callable[[str, Mapping[str, Any]], Any]


class MetricAttributes:
    """Reads the attributes of a metric for a span, by the names of ``NAMES_OF_SPANS``.

    ``functions`` and ``decide`` are those of the spec, which are complete when the first span starts.
    """

    def __init__(
        self,
        plans: tuple[AttributePlan, ...],
        functions: Callable[[], Mapping[str, Callable[..., Any]]],
        decide: Callable[[Expression], bool],
        rule: Rule,
    ) -> None:
        self._plans = plans
        self._functions = functions
        self._decide = decide
        self._rule = rule
        self._readers: list[tuple[str, _Read, Rule]] | None = None

    def of(self, span_type: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes for a span. One that fails is left out, which is reported."""
        if self._readers is None:
            self._readers = self._compiled()
        found: dict[str, Any] = {}
        for key, read, rule in self._readers:
            if not rule.on:
                continue
            try:
                value = read(span_type, attributes)
            except Exception as failure:
                rule.failed(failure)
            else:
                if value is not None:
                    found[key] = value
        return found

    def _compiled(self) -> list[tuple[str, _Read, Rule]]:
        names = PlainNames()
        namespace = names.namespace(self._functions())
        readers = []
        for plan in self._plans:
            rule = self._rule.part(plan.value.mark)
            if self._applies(plan.once, rule):
                # The source is generated from a validated expression.
                source = f"lambda {', '.join(NAMES_OF_SPANS)}: {plan.expression.null_safe(names)}"
                readers.append((plan.key, eval(source, namespace), rule))
        return readers

    def _applies(self, condition: Expression | None, rule: Rule) -> bool:
        try:
            return condition is None or self._decide(condition)
        except Exception as failure:
            rule.failed(failure)
            return False
