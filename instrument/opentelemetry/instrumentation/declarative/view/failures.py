"""Failures: each of them once, although its parents, the channel and the hub may report it as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.view.conventions import LASTING, text_of
from opentelemetry.instrumentation.declarative.view.network import Actor, Channel, Network
from opentelemetry.instrumentation.declarative.view.spans import Event, Span, SpanKey

_Turns = set[tuple[Actor, "Channel | None"]]


class Failure(NamedTuple):
    """An error that no other error explains."""

    span: Span
    time: int
    actor: Actor
    #: The name of the span, or of the event that reports the error.
    name: str
    error: str


class Failures:
    """The failures in a network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        #: The turns that fail, and those whose failure is only reported: their own spans are not recorded.
        self._failed, self._reported = _Turns(), _Turns()
        #: Spans whose error is that of a descendant, and those that say less about it than an ancestor.
        self._explained: set[SpanKey] = set()
        self._silent: set[SpanKey] = set()
        #: Whether a span or an ancestor of it gives the reason of an error.
        self._reasons: dict[SpanKey, bool] = {}
        for span in network.relations.spans:
            role = network.role(span)
            if span.is_error and role != "report":
                if self._says_less(span):
                    self._silent.add(span.key)
                else:
                    self._explain_ancestors(span)
            if span.is_error and role == "turn":
                self._failed.add(self._turn(span))
            elif role == "report":
                self._reported.add(self._turn(span))

    def is_own(self, span: Span) -> bool:
        """Whether a span has an error that no other span explains."""
        return span.is_error and span.key not in self._explained and span.key not in self._silent

    def repeats(self, span: Span) -> bool:
        """Whether a span reports the failure of a turn that is recorded itself."""
        return self._network.role(span) == "report" and self._turn(span) in self._failed

    def error_of_event(self, span: Span, event: Event) -> tuple[Actor, str] | None:
        """The error that an event reports, and whose it is. None if it reports none, or one that a span has."""
        network, error = self._network, text_of(event.attributes, "error_type")
        if not error:
            return None
        actor = network.actor_in(event.attributes) or network.actor(span)
        channel = network.channels.get(text_of(event.attributes, "channel")) or network.channel(span)
        if (actor, channel) in self._failed or (actor, channel) in self._reported:
            return None
        message = network.readable(text_of(event.attributes, "error_message"))
        return actor, ": ".join(filter(None, (error, message)))

    def among(self, spans: Iterable[Span]) -> list[Failure]:
        """The failures of these spans; those that are only reported come last."""
        spans = list(spans)
        found = [*self._of_spans(spans), *self._of_events(spans)]
        explained = {self._network.channel(failure.span) for failure in found}
        actors = {failure.actor for failure in found}
        for span in spans:
            if span.is_error and self._network.role(span) in LASTING:
                channel, actor = self._network.channel(span), self._network.actor(span)
                if channel not in explained if channel is not None else actor not in actors:
                    found.append(Failure(span, span.latest, actor, span.name, self._network.readable(span.error_text)))
        return found

    def _of_spans(self, spans: Iterable[Span]) -> Iterator[Failure]:
        network = self._network
        for span in spans:
            if self.is_own(span) and network.role(span) not in LASTING and not self.repeats(span):
                yield Failure(span, span.start, network.actor(span), span.name, network.readable(span.error_text))

    def _explain_ancestors(self, span: Span) -> None:
        for ancestor in self._network.relations.ancestors(span):
            if ancestor.key in self._explained:
                return
            self._explained.add(ancestor.key)

    def _says_less(self, span: Span) -> bool:
        """Whether an error has no reason, and an ancestor gives one, or is the request of which the span is a part.

        Servers of HTTP, for example, may have a span of their own for the response to a request that failed.
        """
        if span.reason:
            return False
        parent = self._network.relations.parent(span)
        is_part = span.kind == "internal" and parent is not None and parent.is_error and parent.kind == "server"
        return is_part or self._has_reason_above(span)

    def _has_reason_above(self, span: Span) -> bool:
        path, found = [span.key], False
        for ancestor in self._network.relations.ancestors(span):
            if ancestor.key in self._reasons:
                found = self._reasons[ancestor.key]
                break
            if ancestor.is_error and ancestor.reason and self._network.role(ancestor) not in LASTING:
                found = self._reasons[ancestor.key] = True
                break
            path.append(ancestor.key)
        self._reasons.update(dict.fromkeys(path, found))
        return found

    def _of_events(self, spans: Iterable[Span]) -> Iterator[Failure]:
        for span in spans:
            for event in () if span.is_error and self._network.role(span) not in LASTING else span.events:
                found = self.error_of_event(span, event)
                if found is not None:
                    yield Failure(span, event.time, found[0], event.name, found[1])

    def _turn(self, span: Span) -> tuple[Actor, Channel | None]:
        return self._network.actor(span), self._network.channel(span)
