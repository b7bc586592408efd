"""Which spans are viewed: filters by agent, channel, task, error, trace and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.view.conventions import text_of
from opentelemetry.instrumentation.declarative.view.network import Network
from opentelemetry.instrumentation.declarative.view.spans import Span, SpanKey
from opentelemetry.instrumentation.declarative.view.times import parse_time


@dataclass(frozen=True, slots=True)
class Selection:
    """Spans match that fulfil all criteria which are given."""

    agent: str | None = None
    channel: str | None = None
    task: str | None = None
    trace: str | None = None
    errors: bool = False
    since: str | None = None
    until: str | None = None

    def matcher(self, network: Network) -> Callable[[Span], bool]:
        """A function that says whether a span matches. Raises ValueError if a time is not one."""
        spans = network.relations.spans
        start = spans[0].start if spans else 0
        since = None if self.since is None else parse_time(self.since, start)
        until = None if self.until is None else parse_time(self.until, start)
        involved = _involved(network, self.agent) if self.agent is not None else None
        tests: list[Callable[[Span], bool]] = []
        if involved is not None:
            tests.append(lambda span: span.key in involved)
        if self.channel is not None:
            tests.append(lambda span: self._is_in_channel(span, network))
        if self.task is not None:
            tests.append(lambda span: self._is_of_task(span, network))
        if self.trace is not None:
            tests.append(lambda span: span.trace_id.startswith(str(self.trace).lower()))
        if self.errors:
            tests.append(lambda span: span.is_error)
        if since is not None:
            tests.append(lambda span: (span.end or span.start) >= since)
        if until is not None:
            tests.append(lambda span: span.start <= until)
        return lambda span: all(test(span) for test in tests)

    def _is_in_channel(self, span: Span, network: Network) -> bool:
        channel = network.channel(span)
        return channel is not None and self.channel in (channel.label, channel.id, channel.label.split(" ")[0])

    def _is_of_task(self, span: Span, network: Network) -> bool:
        return any(
            self.task in (text_of(each.attributes, "task"), text_of(each.attributes, "task_name"))
            for each in network.relations.lineage(span)
        )


def _involved(network: Network, agent: str) -> set[SpanKey]:
    """The spans of an agent, and the messages that it sends or receives."""
    name = network.agent_named(agent).name
    keys = {span.key for span in network.relations.spans if network.actor(span).name == name}
    for message in network.messages:
        if any(actor.name == name for actor in (message.sender, *message.recipients)):
            keys.add(message.span.key)
    return keys
