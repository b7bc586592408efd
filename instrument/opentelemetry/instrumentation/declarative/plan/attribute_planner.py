"""Plans attributes: their values, and the conditions under which they are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.constants import constant
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.language.nodes.attribute import Attribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import AttributeGroup
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader, Phases
from opentelemetry.instrumentation.declarative.plan.mapping_planner import entries_of_mapping
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan


class Condition(NamedTuple):
    """When something is recorded: if ``when`` is true at each call, and ``once`` when the callable is patched.

    ``never``: a condition that consists of fixed values is false.
    """

    when: Expression | None = None
    once: Expression | None = None
    never: bool = False

    def with_(self, text: Text | None, phases: Phases, reader: ExpressionReader) -> Condition:
        """The condition that this one and another one are true."""
        expression = reader.optional(text, phases)
        if expression is None:
            return self
        condition = self
        # A check describes the condition as it is written.
        for part in [expression] if reader.for_check else expression.conjuncts():
            condition = condition._with_part(part, reader)
        return condition

    def _with_part(self, expression: Expression, reader: ExpressionReader) -> Condition:
        is_known, value = constant(expression.tree, reader.functions)
        if is_known and (value or not reader.for_check):
            return self._replace(never=self.never or not value)
        if not is_known and _is_decided_once(expression, reader.varying):
            return self._replace(once=self.once.together_with(expression) if self.once else expression)
        return self._replace(when=self.when.together_with(expression) if self.when else expression)


ALWAYS = Condition()
_VARYING = frozenset(name for name, function in FUNCTIONS.items() if function.varies)


def _is_decided_once(condition: Expression, varying: frozenset[str]) -> bool:
    """Whether a condition has the same value at each call: it reads no name, and calls no function that varies."""
    return not condition.names and not condition.functions & (_VARYING | varying)


def attribute_plans(
    attributes: Iterable[Attribute], groups: Iterable[AttributeGroup], phases: Phases, reader: ExpressionReader
) -> tuple[AttributePlan, ...]:
    """Plan attributes and groups of them. Those that are not valid, or are content that is not recorded, are left out.

    Of several with the same key, the last one whose condition is true is recorded: those without a condition come
    first, and of these the ones in groups.
    """
    planned = [(_attribute_plan(each, ALWAYS, phases, reader), True) for each in attributes]
    for group in groups:
        condition = ALWAYS.with_(group.when, phases, reader)
        planned += [(_attribute_plan(each, condition, phases, reader), False) for each in group_attributes(group)]
    plans = [(plan, is_alone) for plan, is_alone in planned if plan is not None]
    plans.sort(key=lambda each: 2 if each[0].is_conditional else int(each[1]))
    return tuple(plan for plan, _ in plans)


def group_attributes(group: AttributeGroup) -> Iterator[Attribute]:
    """The attributes of a group, with what they have in common except for the condition."""
    return (replace(each, omit=each.omit or group.omit) for each in group.attributes)


def _attribute_plan(
    attribute: Attribute, shared: Condition, phases: Phases, reader: ExpressionReader
) -> AttributePlan | None:
    condition = shared.with_(attribute.when, phases, reader)
    value = _value(attribute, phases, reader)
    if value is not None and (attribute.is_mapping or attribute.only is not None):
        value = entries_of_mapping(attribute, value, reader)
    if value is not None and attribute.content:
        value = apply_content_policy(reader.content, value)
    if value is None or condition.never:
        return None
    return AttributePlan(
        attribute.name, value, condition.when, once=condition.once, omits_empty=attribute.omit == "empty"
    )


def _value(attribute: Attribute, phases: Phases, reader: ExpressionReader) -> Expression | None:
    if attribute.const is not None:
        return Expression.of_constant(attribute.const, attribute.mark)
    value = reader.optional(attribute.value, phases)
    if value is not None and attribute.omit == "empty":
        value = value.unless_empty()
    return value


def fixed_attributes(
    plans: Iterable[AttributePlan], reader: ExpressionReader
) -> tuple[dict[str, object], tuple[AttributePlan, ...]]:
    """Separate the attributes that always have the same value from the others. The former cost nothing at a call."""
    plans = [*plans]
    if reader.for_check:
        return {}, tuple(plans)
    keys = [plan.key for plan in plans]
    fixed: dict[str, object] = {}
    others: list[AttributePlan] = []
    for plan in plans:
        is_known, value = constant(plan.value.tree, reader.functions)
        if is_known and value is not None and not plan.is_conditional and keys.count(plan.key) == 1:
            fixed[plan.key] = value
        else:
            others.append(plan)
    return fixed, tuple(others)
