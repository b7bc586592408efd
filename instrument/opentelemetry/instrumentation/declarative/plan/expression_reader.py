"""The texts of a spec, parsed; every mistake in them, and every name read at a moment that does not have it, told."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import MOST_PROBLEMS, Mark, Problem, closest, shown
from opentelemetry.instrumentation.declarative.expressions import (
    Expression,
    ExpressionError,
    Template,
    parse,
    parse_template,
)
from opentelemetry.instrumentation.declarative.language.content import ContentPolicy
from opentelemetry.instrumentation.declarative.language.spec_model import Attribute, Phase, SpanType, Text
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.plan.model import DYNAMIC, THERE, AttributePlan

_T = TypeVar("_T")

Phases = Sequence[Phase]
ENTER: Phases = ("enter",)
#: Also where nothing is known of the moments: what is wrong there is told elsewhere.
EXIT: Phases = ("exit",)


def phases_of(span: SpanType) -> tuple[Phases, Phases]:
    """At which phases a span starts and ends, as far as it is known."""
    if span.around:
        return ENTER, EXIT
    if span.at:
        return (span.at.phase,), (span.at.phase,)
    return tuple(start.at.phase for start in span.starts) or EXIT, tuple(end.at.phase for end in span.ends) or EXIT


class ExpressionReader:
    """Parses the texts of one spec and keeps the problems found on the way."""

    def __init__(self, functions: Collection[str], content: ContentPolicy) -> None:
        self.functions = functions
        self.content = content
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, each thing once; where there is too much of it, not all."""
        return [*self._problems]

    def expression(self, text: Text, phases: Phases, mend: str | None = None) -> Expression | None:
        """An expression that is read at these phases; what can be read at none of them is a problem."""
        expression = self._parsed(parse, text)
        if expression is not None:
            self._check_timely(expression, phases, mend)
        return expression

    def optional(self, text: Text | None, phases: Phases, mend: str | None = None) -> Expression | None:
        return None if text is None else self.expression(text, phases, mend)

    def template(self, text: Text, phases: Phases) -> Template:
        template = self._parsed(parse_template, text) or Template(text.value, text.mark, (text.value,))
        for part in template.parts:
            if isinstance(part, Expression):
                self._check_timely(part, phases)
        return template

    def readings(self, attributes: Iterable[Attribute], phases: Phases) -> tuple[AttributePlan, ...]:
        found = []
        for attribute in attributes:
            expression = self.expression(attribute.value, phases)
            if expression is not None and attribute.content:
                expression = apply_content_policy(self.content, expression)
            if expression is not None:
                found.append(AttributePlan(attribute.key, expression))
        return tuple(found)

    def field(self, text: Text, phases: Phases, mend: str | None = None) -> Expression | None:
        """An expression that can be written to."""
        field = self.expression(text, phases, mend)
        if field is None or field.assignable:
            return field
        self.problem(
            field.mark,
            "not-a-field",
            f'"{field.text}" cannot be written to: only a field can',
            'name one, as in message.trace_id or message.headers["traceparent"]',
        )
        return None

    def target(self, text: Text, phases: Phases) -> Expression | None:
        """What a write sets: a field or, before the call, one of its parameters."""
        expression = self.expression(text, phases)
        if expression is not None and expression.is_name and set(phases) == {"enter"}:
            return expression
        return self.field(text, phases)

    def names(self, given: Iterable[Text]) -> None:
        """What is wrong with names that a spec gives."""
        seen: set[str] = set()
        for name in given:
            why = None
            if name.value in DYNAMIC:
                why = "it is what the call returns" if name.value == "result" else "it is what the call raises"
            elif keyword.iskeyword(name.value) or not name.value.isidentifier() or name.value.startswith("__"):
                why = "Python itself uses it"
            elif unicodedata.normalize("NFKC", name.value) != name.value:
                why = "Python reads it as another"  # as that of a parameter, which it would replace
            elif name.value in seen:
                why = "it is given twice"
            seen.add(name.value)
            if why:
                self.problem(
                    name.mark, "bad-name", f'"{name.value}" cannot be given as a name: {why}', "choose another name"
                )

    def unknown(self, text: Text, what: str, known: Iterable[str]) -> None:
        if len(self._problems) > MOST_PROBLEMS:
            return  # to look for what was meant takes long
        known = [*known]
        near = closest(text.value, known)
        mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known) or 'none'}"
        self.problem(text.mark, f"unknown-{what}", f"there is no {what} {shown(text.value)}", mend)

    def problem(self, mark: Mark, code: str, message: str, mend: str) -> None:
        self._problems.setdefault(Problem(mark, code, message, mend))

    def _parsed(self, read: Callable[..., _T], text: Text) -> _T | None:
        try:
            return read(text.value, text.mark, self.functions)
        except ExpressionError as error:
            self._problems.update(dict.fromkeys(error.problems))
            return None

    def _check_timely(self, expression: Expression, phases: Phases, mend: str | None = None) -> None:
        there = frozenset[str]().union(*(DYNAMIC if phase == "exit" else THERE[phase] for phase in phases))
        wanted = DYNAMIC & expression.names
        if not wanted or wanted & there:
            return
        name = min(wanted)
        done, moment = ("returned", "return") if name == "result" else ("raised", "raise")
        self.problem(
            expression.name_marks[name],
            "too-early",
            f'"{name}" is not there at {" or ".join(dict.fromkeys(phases))}: only a call that has {done} has one',
            mend or f"use a moment that has it: {moment} or exit",
        )
