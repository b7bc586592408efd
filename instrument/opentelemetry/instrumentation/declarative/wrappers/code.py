"""Lines of source and the names in them."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import HELPERS, Expression, Template
from opentelemetry.instrumentation.declarative.plan.model import Reading
from opentelemetry.instrumentation.declarative.runtime.attribute_values import title
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.null_safe import Attributes, Careful, Slot, Source, Title, Value

Lines = list[str]


def indented(lines: Iterable[str]) -> Lines:
    return [f"    {line}" for line in lines]


class Names:
    """Names for one generated function: none is given twice, none hides a parameter of the host."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken, *keyword.kwlist}
        self._free: set[str] = set()
        self._blocks: list[list[str]] = []
        self._cells: dict[str, Any] = {}
        self._by_identity: dict[tuple[str, int], str] = {}

    @property
    def cells(self) -> Mapping[str, Any]:
        """The objects that the generated function reaches by name, and nothing else."""
        return self._cells

    def local(self, wanted: str) -> str:
        """A local name, ``wanted`` where it is free."""
        name = wanted = "".join(char if char.isalnum() else "_" for char in wanted)
        count = 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def temporary(self, wanted: str) -> str:
        """A local name that is free again after the block in which it is asked for."""
        count = 1
        name = wanted
        while name in self._taken and name not in self._free:
            count += 1
            name = f"{wanted}_{count}"
        self._free.discard(name)
        self._taken.add(name)
        self._blocks[-1].append(name)
        return name

    @contextmanager
    def block(self) -> Iterator[None]:
        """A block of code with temporaries of its own. They are free for the next block, never for anything else."""
        self._blocks.append([])
        yield
        self._free.update(self._blocks.pop())

    def cell(self, wanted: str, value: Any) -> str:
        """The name under which the function reaches an object."""
        known = self._by_identity.get((wanted, id(value)))
        if known is None:
            known = self._by_identity[wanted, id(value)] = self.local(wanted)
            self._cells[known] = value
        return known

    def builtin(self, name: str) -> str:
        """A builtin; as a cell, because the host's module may have one of its own by that name."""
        return self.cell(name, getattr(builtins, name))


#: The name by which an expression reads which callable is hooked.
HOOKED = "hooked"


class Hooked(NamedTuple):
    """The callable that a wrapper stands for: ``checkout``, ``Cart.checkout`` and ``shop.cart``."""

    name: str
    path: str
    module: str


class Scope:
    """What the expressions of one hook at one stage may use, and how each name is written in the generated code."""

    def __init__(
        self,
        names: Names,
        functions: Mapping[str, Any],
        carried: Mapping[str, ContextVar[Any]],
        locals_: Mapping[str, str],
        hooked: Hooked | None = None,
        *,
        one_of_many: bool = False,
    ) -> None:
        self.names = names
        self.functions = functions
        self.carried = carried
        self.locals = dict(locals_)
        self.hooked = hooked
        #: Whether the hook is on other callables as well: then no name has to be there on each of them.
        self.one_of_many = one_of_many

    def with_locals(self, **more: str) -> Scope:
        here = {**self.locals, **more}
        return Scope(self.names, self.functions, self.carried, here, self.hooked, one_of_many=self.one_of_many)

    def has(self, name: str) -> bool:
        """Whether a name can be read: a carried value can be everywhere, and so can what is hooked."""
        return name in self.locals or name in self.carried or (name == HOOKED and self.hooked is not None)

    def missing(self, *expressions: Expression | Template | None) -> list[tuple[str, Mark]]:
        """The names that these read and that are not there, with where they stand."""
        found: dict[str, Mark] = {}
        for expression in expressions:
            for part in expression.parts if isinstance(expression, Template) else (expression,):
                if isinstance(part, Expression):
                    found.update((name, part.name_marks[name]) for name in part.names if not self.has(name))
        return list(found.items())

    def rename(self, name: str) -> str:
        """How a name, a function (``name()``) or a helper (``.name()``) is written."""
        if name.startswith("."):
            return self.names.cell(name[1:-2], HELPERS[name])
        if name.endswith("()"):
            return self.names.cell(name[:-2], self.functions[name[:-2]])
        if name in self.locals:
            return self.locals[name]
        if name == HOOKED and name not in self.carried:
            return self.names.cell(HOOKED, self.hooked)
        return f"{self.names.cell(name, self.carried[name])}.get()"


class Group:
    """Expressions that are read together: plainly in one go or, where that fails, each carefully on its own."""

    def __init__(self, scope: Scope, rule: Rule) -> None:
        self._scope = scope
        self._rule = rule
        self._reads: list[tuple[str, str, Slot]] = []
        self._expressions: list[Expression] = []

    def __bool__(self) -> bool:
        return bool(self._reads)

    def value(self, wanted: str, expression: Expression, *, keep: bool = False) -> str:
        """Read one expression into a local; gives the local's name. ``keep``: it is still needed after the block."""
        local = self._scope.names.local(wanted) if keep else None
        return self._add(wanted, self._fast(expression), Value(self._source(expression)), local)

    def title(self, wanted: str, parts: Sequence[str | Expression]) -> str:
        """Put a name together."""
        shown = [repr(part) if isinstance(part, str) else self._fast(part) for part in parts]
        slots = [part if isinstance(part, str) else self._source(part) for part in parts]
        if all(isinstance(part, str) for part in parts):
            return self._add(wanted, repr(title(*parts)), Title(slots))
        put_together = self._scope.names.cell("title", title)
        return self._add(wanted, f"{put_together}({', '.join(shown)})", Title(slots))

    def attributes(self, wanted: str, readings: Sequence[Reading]) -> str:
        """Read attributes into a dict; gives the words for it."""
        shown = [f"{reading.key!r}: {self._fast(reading.expression)}" for reading in readings]
        slots = [(reading.key, self._source(reading.expression)) for reading in readings]
        one_line = f"{{{', '.join(shown)}}}"
        text = one_line if len(one_line) <= 90 else "\n".join(["{", *(f"    {line}," for line in shown), "}"])
        local = self._add(wanted, text, Attributes(slots))
        if self._rule.tally is None:
            return local
        noted = self._rule.tally.attributes({reading.key: reading.expression.mark for reading in readings})
        return f"{self._scope.names.cell('noted', noted)}({local})"

    def lines(self) -> Lines:
        """The code that fills the locals."""
        plain = [line for local, text, _ in self._reads for line in f"{local} = {text}".split("\n")]
        if all(isinstance(each.tree, (ast.Name, ast.Constant)) for each in self._expressions):
            return plain
        scope = self._scope
        read = {name for expression in self._expressions for name in expression.names}
        parameters = sorted({scope.locals[name] for name in read if name in scope.locals} - {"None"})
        careful = Careful(self._rule, parameters, [slot for _, _, slot in self._reads], scope.names.cells)
        call = f"{scope.names.cell('careful', careful)}({', '.join(parameters)})"
        return [
            "try:",
            *indented(plain),
            f"except {scope.names.builtin('Exception')}:",
            f"    {', '.join(local for local, _, _ in self._reads)} = {call}",
        ]

    def _add(self, wanted: str, text: str, slot: Slot, local: str | None = None) -> str:
        local = local or self._scope.names.temporary(wanted)
        self._reads.append((local, text, slot))
        return local

    def _fast(self, expression: Expression) -> str:
        self._expressions.append(expression)
        return expression.fast(self._scope.rename)

    def _source(self, expression: Expression) -> Source:
        return expression.careful(self._scope.rename), expression.mark
