"""The names that expressions can use at one point of a generated function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import HELPERS, Expression, Template
from opentelemetry.instrumentation.declarative.expressions.constants import constant, without
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.plan.stages import (
    ENDS,
    OUTCOME_NAMES,
    OUTCOME_NAMES_AT,
    Stage,
    can_be_read_without,
)
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator

#: The name by which an expression reads which callable is hooked.
HOOKED = "hooked"


class HookedCallable(NamedTuple):
    """The callable of a wrapper: ``checkout``, ``Cart.checkout`` and ``shop.cart``."""

    name: str
    path: str
    module: str


class ExpressionScope:
    """What the expressions of one hook can use at one stage, and how each name is written in the source.

    ``locals_`` maps the names of the spec to local names. ``one_of_many`` says that the hook is on several callables:
    a name need not exist on each of them. Before the call, ``result`` and ``error`` are parameters, if the callable has
    them; afterwards they are its outcome.
    """

    def __init__(
        self,
        names: NameAllocator,
        functions: Mapping[str, Any],
        context_values: Mapping[str, ContextVar[Any]],
        locals_: Mapping[str, str],
        hooked: HookedCallable,
        *,
        one_of_many: bool = False,
        read: set[str] | None = None,
        stage: Stage = "enter",
        outcome_parameters: frozenset[str] | None = None,
        counts: frozenset[str] = frozenset(),
    ) -> None:
        self.names = names
        self.functions = functions
        self.context_values = context_values
        self.locals = dict(locals_)
        self.hooked = hooked
        self.one_of_many = one_of_many
        #: The locals that expressions read, of this scope and all that are made from it.
        self.read: set[str] = set() if read is None else read
        #: Which of ``result`` and ``error`` are parameters of the callable.
        self.outcome_parameters = (
            OUTCOME_NAMES.intersection(locals_) if outcome_parameters is None else outcome_parameters
        )
        self.stage: Stage = stage
        self._counts = counts
        #: Those of ``result`` and ``error`` that do not exist at this stage.
        self.absent = OUTCOME_NAMES - (self.parameters_read or OUTCOME_NAMES_AT[stage])

    def with_locals(self, **more: str) -> ExpressionScope:
        return self._changed({**self.locals, **more}, self.stage)

    def with_counts(self, **counts: str) -> ExpressionScope:
        """The scope with the locals of the counts of a span."""
        return self._changed({**self.locals, **counts}, self.stage, frozenset(counts))

    def at(self, stage: Stage, outcome: Mapping[str, str]) -> ExpressionScope:
        """The scope at a stage of the call, with the locals of its outcome."""
        if stage == "enter":
            return self._changed({**outcome, **self.locals}, stage)
        return self._changed({**self.locals, **outcome}, stage)

    @property
    def parameters_read(self) -> frozenset[str]:
        """Which of ``result`` and ``error`` stand for parameters at this stage."""
        return self.outcome_parameters if self.stage == "enter" else frozenset()

    @property
    def exception(self) -> str:
        """The source of the exception that the call has raised."""
        return self.locals["error"] if self.stage == "raise" else "None"

    def _changed(
        self, locals_: Mapping[str, str], stage: Stage, counts: frozenset[str] = frozenset()
    ) -> ExpressionScope:
        return ExpressionScope(
            self.names,
            self.functions,
            self.context_values,
            locals_,
            self.hooked,
            one_of_many=self.one_of_many,
            read=self.read,
            stage=stage,
            outcome_parameters=self.outcome_parameters,
            counts=counts,
        )

    def has(self, name: str) -> bool:
        """Whether a name can be read. Context values and the hooked callable always can."""
        return name in self.locals or name in self.context_values or name == HOOKED

    def is_hooked_callable(self, name: str) -> bool:
        """Whether a name is that of the hooked callable, and not of a parameter or a context value."""
        return name == HOOKED and name not in self.locals and name not in self.context_values

    def lacks(self, name: str) -> bool:
        """Whether a name does not exist, or is None because the call has ended in another way."""
        return not self.has(name) or (self.stage in ENDS and name in self.absent)

    def has_value(self, name: str) -> bool:
        """Whether a name exists at this stage, and not only at another one. At the end of a call, all of them do."""
        return self.has(name) and (self.stage in ENDS or name not in self.absent)

    def is_readable(self, expression: Expression) -> bool:
        """Whether an expression is evaluated at this stage.

        If it reads names for the outcome, at least one of those it reads has to exist, or it can be read without them.
        """
        outcome = OUTCOME_NAMES.intersection(expression.names)
        return not outcome or not outcome <= self.absent or can_be_read_without(expression, self.stage, outcome)

    def is_false(self, condition: Expression) -> bool:
        """Whether a condition is certainly not true at this stage, because of the outcome that does not exist."""
        known, value = constant(without(condition.tree, self.absent)) if self.stage in ENDS else (False, None)
        return known and not value

    def is_never_true(self, condition: Expression | None) -> bool:
        """Whether a condition consists of fixed values, such as environment variables, and is not true."""
        known, value = (False, None) if condition is None else constant(condition.tree, self.added_functions)
        return known and not value

    def missing(self, *expressions: Expression | Template | None) -> list[tuple[str, Mark]]:
        """The names in these expressions that cannot be read, with their locations."""
        return list({name: mark for name, mark in self.marks(*expressions) if not self.has(name)}.items())

    def marks(self, *expressions: Expression | Template | None) -> Iterator[tuple[str, Mark]]:
        """The names in these expressions with their locations."""
        for expression in expressions:
            for part in expression.parts if isinstance(expression, Template) else (expression,):
                if isinstance(part, Expression):
                    yield from ((name, part.name_marks[name]) for name in sorted(part.names))

    # ── The names in the source of an expression ──

    def variable(self, name: str) -> str:
        if name in self.locals:
            self.read.add(self.locals[name])
            return self.locals[name]
        if self.is_hooked_callable(name):
            return self.names.constant(HOOKED, self.hooked)
        if name not in self.context_values:  # this callable or moment lacks it, and others have it
            return "None"
        return f"{self.names.constant(name, self.context_values[name])}.get()"

    def item(self, name: str) -> str:
        return self.names.local(name)

    def is_local(self, name: str) -> bool:
        return name in self.locals and self.locals[name] != "None"

    @property
    def added_functions(self) -> frozenset[str]:
        """The functions that the spec adds."""
        return frozenset(
            name for name, call in self.functions.items() if name not in FUNCTIONS or FUNCTIONS[name].call is not call
        )

    def function(self, name: str) -> str:
        return self.names.constant(name, self.functions[name])

    def is_boolean(self, function: str) -> bool:
        return function not in self.added_functions and FUNCTIONS[function].result == "boolean"

    def is_count(self, name: str) -> bool:
        return name in self._counts

    def helper(self, name: str) -> str:
        return self.names.constant(name, HELPERS[name])
