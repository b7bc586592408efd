"""Parses the texts of a spec, and collects the problems in them."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    MAX_PROBLEMS,
    Mark,
    Problem,
    closest,
    did_you_mean,
    quoted,
)
from opentelemetry.instrumentation.declarative.expressions import (
    Expression,
    ExpressionError,
    Template,
    parse,
    parse_template,
)
from opentelemetry.instrumentation.declarative.expressions.constants import folded
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy
from opentelemetry.instrumentation.declarative.language.values import Entries, Phase, Text
from opentelemetry.instrumentation.declarative.plan.shared_names import SharedNames
from opentelemetry.instrumentation.declarative.plan.stages import OUTCOME_NAMES, OUTCOME_NAMES_AT, can_be_read_without

_T = TypeVar("_T")

Phases = Sequence[Phase]
ENTER: Phases = ("enter",)
EXIT: Phases = ("exit",)


def names_at(phase: Phase) -> frozenset[str]:
    """Which of ``result`` and ``error`` can exist at a phase."""
    return OUTCOME_NAMES if phase == "exit" else OUTCOME_NAMES_AT[phase]


_AFTER_ITEM = ("the result of the call has given an item", "item, return")
#: What each name is, when it exists, and the first moments at which it can be read.
_OUTCOMES = {
    "result": ("the call's return value", "the call has returned", "return"),
    "error": ("the call's exception", "the call has raised", "raise"),
    "last_item": ("the last item of the call's result", *_AFTER_ITEM),
    "item_count": ("the number of items of the call's result", *_AFTER_ITEM),
    "previous_item_time": ("the time of the item before, of the call's result", *_AFTER_ITEM),
}


class ExpressionReader:
    """Parses the texts of one spec, each for the phases at which it is evaluated, and collects the problems."""

    def __init__(
        self,
        functions: Collection[str],
        content: ContentPolicy,
        names: Entries[Text] | None = None,
        varying: Collection[str] = (),
        *,
        for_check: bool = False,
    ) -> None:
        """``names`` are those that all expressions share, ``varying`` the functions whose value can differ.

        ``for_check``: values of environment variables decide nothing, as they can be others when the program runs.
        """
        self.functions = functions
        self.varying = frozenset(varying)
        self.content = content
        self.for_check = for_check
        self._problems: dict[Problem, None] = {}
        self.shared = SharedNames()
        if names:
            self._define(names)

    @property
    def problems(self) -> list[Problem]:
        """The problems found because of which the spec cannot be used, each once. Incomplete if there are too many."""
        return [problem for problem in self._problems if problem.is_fatal]

    @property
    def presumed(self) -> list[Problem]:
        """The problems that are none if a callable has a parameter named ``result`` or ``error``."""
        return [problem for problem in self._problems if problem.presumed]

    @property
    def local(self) -> list[Problem]:
        """The problems because of which only an entry is left out."""
        return [problem for problem in self._problems if problem.is_local]

    def expression(self, text: Text, phases: Phases, help: str | None = None) -> Expression | None:
        """Parse an expression; None if it is not valid. It is a problem if none of the phases has a name it reads."""
        expression = self._parsed(self._parse_expression, text)
        if expression is not None:
            self.check_phases(expression, phases, help)
        return expression

    def optional(self, text: Text | None, phases: Phases, help: str | None = None) -> Expression | None:
        return None if text is None else self.expression(text, phases, help)

    def names(self, texts: Entries[Text], phases: Phases, help: str | None = None) -> dict[str, Expression]:
        """Parse the expressions of names. One that is not valid is None, so that the name itself is known."""
        values = {name: self.expression(text, phases, help) for name, text in texts.items()}
        return {name: value or parse("None", texts[name].mark) for name, value in values.items()}

    def key(self, text: Text | None, phases: Phases, help: str | None = None) -> Expression | None:
        """Parse the key of a span. A tuple of which a part is missing is missing."""
        found = self.optional(text, phases, help)
        return None if found is None else found.of_key()

    def template(self, text: Text, phases: Phases) -> Template:
        """Parse a template; the text itself if it is not valid."""
        template = self._parsed(self._parse_template, text) or Template(text.value, text.mark, (text.value,))
        for part in template.parts:
            if isinstance(part, Expression):
                self.check_phases(part, phases)
        return template

    def field(self, text: Text, phases: Phases, help: str | None = None) -> Expression | None:
        """Parse an expression whose value is set: an attribute or item."""
        field = self.expression(text, phases, help)
        if field is None or field.assignable:
            return field
        self.problem(
            field.mark,
            "not-a-field",
            f'"{field.text}" cannot be set: only a field can',
            'name a field, such as message.trace_id or message.headers["traceparent"]',
        )
        return None

    def target(self, text: Text, phases: Phases) -> Expression | None:
        """Parse an expression that a rule sets: a field or, before the call, one of its parameters."""
        expression = self.expression(text, phases)
        if expression is not None and expression.is_name and set(phases) == {"enter"}:
            return expression
        return self.field(text, phases)

    def check_names(self, names: Iterable[Text]) -> None:
        """Check names that a spec defines together."""
        seen: set[str] = set()
        for name in names:
            why = None
            if name.value in OUTCOME_NAMES:
                why = f"it is {_OUTCOMES[name.value][0]}"
            elif keyword.iskeyword(name.value) or not name.value.isidentifier() or name.value.startswith("__"):
                why = "it is reserved by Python"
            elif unicodedata.normalize("NFKC", name.value) != name.value:
                why = "Python normalizes it to another name"  # which could be that of a parameter
            elif name.value in seen:
                why = "it is used twice"
            elif name.value in self.shared:
                why = "it is one of the `names` of the spec"
            seen.add(name.value)
            if why:
                self.problem(
                    name.mark, "bad-name", f'"{name.value}" cannot be used as a name: {why}', "choose another name"
                )

    def unknown(self, text: Text, kind: str, known: Iterable[str], help: str | None = None) -> str | None:
        """Report a reference to something that does not exist, and return the name that was probably intended.

        ``help`` applies if no name that exists is similar.
        """
        if len(self._problems) > MAX_PROBLEMS:
            return None  # looking for suggestions takes long
        known = [*known]
        suggestion = closest(text.value, known)
        help = did_you_mean(suggestion) or help or f"there are: {', '.join(known) or 'none'}"
        message = f"there is no {kind} {quoted(text.value)}"
        self.problem(text.mark, f"unknown-{kind}", message, help, subject=text.value, suggestion=suggestion)
        return suggestion

    def problem(
        self,
        mark: Mark,
        code: str,
        message: str,
        help: str,
        *,
        subject: str | None = None,
        suggestion: str | None = None,
        presumed: bool = False,
        is_local: bool = False,
    ) -> None:
        """Note a problem; ``subject`` is the name that it is about."""
        problem = Problem(
            mark, code, message, help, subject=subject, suggestion=suggestion, presumed=presumed, is_local=is_local
        )
        self._problems.setdefault(problem)

    def _define(self, names: Entries[Text]) -> None:
        self.check_names(Text(name, names.key_marks[name]) for name in names)
        for name, text in names.items():
            value = self._parsed(self._parse_expression, text)
            self.shared.define(name, value or parse("None", text.mark))

    def _parse_expression(self, text: str, mark: Mark, functions: Collection[str]) -> Expression:
        return self._resolved(parse(text, mark, functions))

    def _parse_template(self, text: str, mark: Mark, functions: Collection[str]) -> Template:
        template = parse_template(text, mark, functions)
        parts = (self._resolved(part) if isinstance(part, Expression) else part for part in template.parts)
        return replace(template, parts=tuple(parts))

    def _resolved(self, parsed: Expression) -> Expression:
        """The expression with those of shared names, and with the values of its constant calls."""
        expanded = self.shared.expanded(parsed.undecided() if self._is_undecided(parsed.mark) else parsed)
        return replace(expanded, tree=folded(expanded.tree, self.functions)) if expanded.functions else expanded

    def _is_undecided(self, mark: Mark) -> bool:
        return self.for_check and bool(mark.references)

    def _parsed(self, parse_text: Callable[..., _T], text: Text) -> _T | None:
        try:
            return parse_text(text.value, text.mark, self.functions)
        except ExpressionError as error:
            self._problems.update(dict.fromkeys(error.problems))
            return None

    def check_phases(self, expression: Expression, phases: Phases, help: str | None = None) -> None:
        """Report a name that an expression reads and that exists at none of the phases."""
        available = frozenset[str]().union(*map(names_at, phases))
        wanted = OUTCOME_NAMES & expression.names
        if not wanted or wanted & available or any(can_be_read_without(expression, stage, wanted) for stage in phases):
            return
        name = min(wanted)
        _, exists, moment = _OUTCOMES[name]
        self.problem(
            expression.name_marks[name],
            "too-early",
            f'"{name}" is not available at {" or ".join(dict.fromkeys(phases))}: it exists only once {exists}',
            help or f"read it at {moment} or exit",
            subject=name,
            presumed="enter" in phases,
        )
