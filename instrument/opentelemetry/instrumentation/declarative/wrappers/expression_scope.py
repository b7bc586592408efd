"""The names that expressions can use at one point of a generated function."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import HELPERS, Expression, Template
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
    a name need not exist on each of them.
    """

    def __init__(
        self,
        names: NameAllocator,
        functions: Mapping[str, Any],
        carried: Mapping[str, ContextVar[Any]],
        locals_: Mapping[str, str],
        hooked: HookedCallable,
        *,
        one_of_many: bool = False,
        read: set[str] | None = None,
    ) -> None:
        self.names = names
        self.functions = functions
        self.carried = carried
        self.locals = dict(locals_)
        self.hooked = hooked
        self.one_of_many = one_of_many
        #: The locals that expressions read, of this scope and all that are made from it.
        self.read: set[str] = set() if read is None else read

    def with_locals(self, **more: str) -> ExpressionScope:
        locals_ = {**self.locals, **more}
        return ExpressionScope(
            self.names,
            self.functions,
            self.carried,
            locals_,
            self.hooked,
            one_of_many=self.one_of_many,
            read=self.read,
        )

    def has(self, name: str) -> bool:
        """Whether a name can be read. Carried values and the hooked callable always can."""
        return name in self.locals or name in self.carried or name == HOOKED

    def missing(self, *expressions: Expression | Template | None) -> list[tuple[str, Mark]]:
        """The names in these expressions that cannot be read, with their locations."""
        found: dict[str, Mark] = {}
        for expression in expressions:
            for part in expression.parts if isinstance(expression, Template) else (expression,):
                if isinstance(part, Expression):
                    found.update((name, part.name_marks[name]) for name in part.names if not self.has(name))
        return list(found.items())

    # ── The names in the source of an expression ──

    def variable(self, name: str) -> str:
        if name in self.locals:
            self.read.add(self.locals[name])
            return self.locals[name]
        if name == HOOKED and name not in self.carried:
            return self.names.cell(HOOKED, self.hooked)
        return f"{self.names.cell(name, self.carried[name])}.get()"

    def function(self, name: str) -> str:
        return self.names.cell(name, self.functions[name])

    def helper(self, name: str) -> str:
        return self.names.cell(name, HELPERS[name])
