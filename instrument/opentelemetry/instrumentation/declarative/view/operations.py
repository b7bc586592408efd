"""Where the time goes: the spans that one actor records with one name, taken together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.view.conventions import LASTING
from opentelemetry.instrumentation.declarative.view.network import Actor, Network
from opentelemetry.instrumentation.declarative.view.spans import Span

#: The roles of spans whose time says nothing about what takes long.
_LEFT_OUT = LASTING | {"detail", "report"}


class Operation(NamedTuple):
    """Spans with one name. Times are in nanoseconds; those of a span without its children are its own."""

    actor: Actor
    name: str
    calls: int
    failed: int
    own: int
    total: int
    median: int
    longest: int


def operations(network: Network, spans: Iterable[Span]) -> list[Operation]:
    """The operations of spans that have ended, those with the most time of their own first."""
    groups: dict[tuple[Actor, str], list[Span]] = {}
    for span in spans:
        if span.duration is not None and network.role(span) not in _LEFT_OUT:
            groups.setdefault((network.actor(span), span.name), []).append(span)
    found = []
    for (actor, name), group in groups.items():
        durations = sorted(span.duration or 0 for span in group)
        failed = sum(span.is_error for span in group)
        own = sum(_own_time(network, span) for span in group)
        median = durations[(len(durations) - 1) // 2]
        found.append(Operation(actor, name, len(group), failed, own, sum(durations), median, durations[-1]))
    return sorted(found, key=lambda operation: operation.own, reverse=True)


def _own_time(network: Network, span: Span) -> int:
    """The time of a span in which none of its children lasts."""
    end, covered_to, own = span.start + (span.duration or 0), span.start, 0
    for child in network.relations.children(span):  # in order of start
        if child.end is not None:
            own += max(min(child.start, end) - covered_to, 0)
            covered_to = max(covered_to, child.end)
    return own + max(end - covered_to, 0)
