"""Sinks: the classes that a spec names under its owners to receive their ended spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.instrumentation.declarative.runtime.guard import Rule

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.values import Target
    from opentelemetry.instrumentation.declarative.plan.model import SinkPlan
    from opentelemetry.instrumentation.declarative.runtime.span_ending import Receiver


class Sink(Protocol):
    """Receives the ended spans of owners, which are objects of the program.

    Created as ``Sink(rule, **options)``, which checks the options and has no other effect: `instrument check` does it
    too. Exceptions that are raised later in a task or a thread go to ``rule.failed``.
    """

    def add(self, owner: Any, span: Any) -> bool:
        """Take an ended span of an owner; return False if nothing is written."""

    async def flush(self, owner: Any) -> None:
        """Wait, for a limited time, until every span that was taken for an owner is written."""


#: Creates a sink, as its class does.
SinkFactory = Callable[..., Sink]


class Sinks:
    """The sinks of one spec, by the names of the owners. A sink is kept when the spec changes and the sink does not."""

    def __init__(
        self,
        plans: Iterable[SinkPlan],
        load: Callable[[Target], SinkFactory | None],
        rule: Callable[..., Rule],
        previous: Sinks | None,
    ) -> None:
        self._load = load
        self._sinks: dict[str, tuple[SinkPlan, Sink, Rule]] = {}
        for plan in plans:
            # No limit of failures: a store that fails for hours may recover.
            self._add(plan, rule(plan.rule, most=None), previous)

    def _add(self, plan: SinkPlan, rule: Rule, previous: Sinks | None) -> None:
        name = plan.owner
        existing = previous._sinks.get(name) if previous is not None else None
        if existing is not None and _is_same(existing[0], plan):
            self._sinks[name] = plan, existing[1], rule
            return
        make = self._load(plan.target)
        if make is None:
            return
        try:
            self._sinks[name] = plan, make(rule, **plan.options), rule
        except Exception as error:
            rule.failed(error, "its spans are only exported")

    def receiver(self, name: str) -> Receiver | None:
        """What receives the ended spans of an owner; None if the owner has no sink."""
        if name not in self._sinks:
            return None
        _, sink, rule = self._sinks[name]
        return (sink.add if rule.stats is None else rule.stats.counting_all(sink.add)), rule.failed

    async def flush(self, name: str, owner: Any) -> None:
        """Wait, for a limited time, until the sink has written every span of an owner."""
        if name in self._sinks:
            _, sink, rule = self._sinks[name]
            try:
                await sink.flush(owner)
            except Exception as error:
                rule.failed(error)


def _is_same(plan: SinkPlan, other: SinkPlan) -> bool:
    return str(plan.target) == str(other.target) and plan.options == other.options
