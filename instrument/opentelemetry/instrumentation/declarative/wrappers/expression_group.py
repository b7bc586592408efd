"""Generates the source that evaluates expressions, with a null-safe fallback."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.expressions.constants import constant
from opentelemetry.instrumentation.declarative.plan.span_plan import AttributePlan
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.null_safe import (
    AttributesSlot,
    LocatedSource,
    NameSlot,
    NullSafeReader,
    Slot,
    ValueSlot,
)
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import render_name
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import ExpressionScope

#: A dict display that is longer than this gets a line for each item.
_LINE_WIDTH = 90


class ExpressionGroup:
    """Expressions that are evaluated together: directly or, if one fails, each on its own and null-safe."""

    def __init__(self, scope: ExpressionScope, rule: Rule) -> None:
        self._scope = scope
        self._rule = rule
        #: The local, the source of its value and the slot of the fallback.
        self._reads: list[tuple[str, str, Slot]] = []
        self._expressions: list[Expression] = []

    def __bool__(self) -> bool:
        return bool(self._reads)

    def value(self, wanted: str, expression: Expression, *, keep: bool = False) -> str:
        """Evaluate an expression; return the name of its local. ``keep``: it is needed beyond the current block."""
        local = self._scope.names.local(wanted) if keep else None
        return self._add(wanted, self._direct(expression), ValueSlot(self._null_safe(expression)), local)

    def condition(self, wanted: str, expression: Expression) -> str:
        """Evaluate an expression that is true or false; return the name of its local."""
        self._expressions.append(expression)
        slot = ValueSlot((expression.null_safe_condition(self._scope), expression.mark))
        return self._add(wanted, expression.direct_condition(self._scope), slot)

    def rendered_name(self, wanted: str, parts: Sequence[str | Expression]) -> str:
        """Render the parts of a template; return the name of its local."""
        slots = [part if isinstance(part, str) else self._null_safe(part) for part in parts]
        if all(isinstance(part, str) for part in parts):
            return self._add(wanted, repr(render_name(*parts)), NameSlot(slots))
        sources = [repr(part) if isinstance(part, str) else self._direct(part) for part in parts]
        render = self._scope.names.constant("render_name", render_name)
        return self._add(wanted, f"{render}({', '.join(sources)})", NameSlot(slots))

    def attributes(self, wanted: str, attributes: Sequence[AttributePlan]) -> str:
        """Evaluate attributes; return the source for a dict of them."""
        attributes = one_for_each_key(attributes)
        items = [f"{attribute.key!r}: {self._direct(attribute.expression)}" for attribute in attributes]
        slots = [(attribute.key, self._null_safe(attribute.expression)) for attribute in attributes]
        text = f"{{{', '.join(items)}}}"
        if len(text) > _LINE_WIDTH:
            text = "\n".join(["{", *(f"    {item}," for item in items), "}"])
        local = self._add(wanted, text, AttributesSlot(slots))
        if self._rule.stats is None:
            return local
        noted = self._rule.stats.attributes({each.key: each.expression.mark for each in attributes})
        return f"{self._scope.names.constant('noted', noted)}({local})"

    def lines(self) -> Lines:
        """The lines that assign all locals."""
        direct = [line for local, text, _ in self._reads for line in f"{local} = {text}".split("\n")]
        if all(isinstance(each.tree, (ast.Name, ast.Constant)) for each in self._expressions):
            return direct
        scope = self._scope
        names = {name for expression in self._expressions for name in expression.names}
        # The hooked callable is passed as well: the reader is the same for all callables with the same wrapper.
        read = {scope.variable(name) for name in names if name in scope.locals or scope.is_hooked_callable(name)}
        parameters = sorted(read - {"None"})
        slots = [slot for _, _, slot in self._reads]
        reader = scope.names.constant(
            "read_null_safe", NullSafeReader(self._rule, parameters, slots, scope.names.constants)
        )
        locals_, arguments = ", ".join(local for local, _, _ in self._reads), ", ".join(parameters)
        return [
            "try:",
            f"    if {reader}.first:",
            f"        {locals_} = {reader}.first({arguments})",
            "    else:",
            *indented(indented(direct)),
            f"except {scope.names.builtin('Exception')}:",
            f"    {locals_} = {reader}({arguments})",
        ]

    def _add(self, wanted: str, text: str, slot: Slot, local: str | None = None) -> str:
        local = local or self._scope.names.temporary(wanted)
        self._reads.append((local, text, slot))
        return local

    def _direct(self, expression: Expression) -> str:
        self._expressions.append(expression)
        return expression.direct(self._scope)

    def _null_safe(self, expression: Expression) -> LocatedSource:
        return expression.null_safe(self._scope), expression.mark


def one_for_each_key(attributes: Iterable[AttributePlan]) -> list[AttributePlan]:
    """The attributes with one entry per key: the last one whose condition is true is recorded."""
    found: dict[str, AttributePlan] = {}
    for each in attributes:
        before = found.get(each.key)
        conditional = before is not None and each.when is not None
        found[each.key] = replace(each, otherwise=before.expression) if before and conditional else each
    return [*found.values()]


def conditional(condition: Expression, scope: ExpressionScope, rule: Rule, lines: Lines) -> Lines:
    """Put lines under a condition. One that is constant is decided here, and not at each call."""
    is_known, value = constant(condition.tree, scope.added_functions)
    if is_known:
        return lines if value else []
    if condition.total:
        return [f"if {condition.direct_condition(scope)}:", *indented(lines)]
    group = ExpressionGroup(scope, rule)
    local = group.condition("when", condition)
    return [*group.lines(), f"if {local}:", *indented(lines)]
