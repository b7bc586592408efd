"""How spans are related: parents, children, links and the spans that link to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from opentelemetry.instrumentation.declarative.view.conventions import MEMBERSHIPS, link_kind
from opentelemetry.instrumentation.declarative.view.spans import Link, Span, SpanKey, SpanStore


class Relations:
    """The relations among recorded spans, which do not change."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store
        #: In order of start.
        self.spans = list(store)

    @cached_property
    def _children(self) -> dict[SpanKey, list[Span]]:
        result: dict[SpanKey, list[Span]] = {}
        for span in self.spans:
            if span.parent_key is not None:
                result.setdefault(span.parent_key, []).append(span)
        return result

    @cached_property
    def _linked_from(self) -> dict[SpanKey, list[tuple[Span, Link]]]:
        result: dict[SpanKey, list[tuple[Span, Link]]] = {}
        for span in self.spans:
            for link in span.links:
                result.setdefault(link.key, []).append((span, link))
        return result

    @cached_property
    def traces(self) -> dict[str, list[Span]]:
        """The spans of each trace in order of start, the oldest trace first."""
        result: dict[str, list[Span]] = {}
        for span in self.spans:
            result.setdefault(span.trace_id, []).append(span)
        return result

    def span(self, key: SpanKey | None) -> Span | None:
        return self._store.get(key)

    def parent(self, span: Span) -> Span | None:
        return self._store.get(span.parent_key)

    def children(self, span: Span) -> list[Span]:
        return self._children.get(span.key, [])

    def linked_from(self, span: Span) -> list[tuple[Span, Link]]:
        """The spans that link to a span, with their links."""
        return self._linked_from.get(span.key, [])

    def ancestors(self, span: Span) -> Iterator[Span]:
        """The parents of a span, the nearest first. Ends where parents form a cycle."""
        seen = {span.key}
        parent = self.parent(span)
        while parent is not None and parent.key not in seen:
            yield parent
            seen.add(parent.key)
            parent = self.parent(parent)

    def lineage(self, span: Span) -> Iterator[Span]:
        """A span and its ancestors."""
        yield span
        yield from self.ancestors(span)

    def causes(self, span: Span) -> Iterator[Span]:
        """The spans that a span links to as its causes."""
        for link in causal_links(span.links):
            cause = self.span(link.key)
            if cause is not None and cause is not span:
                yield cause


def causal_links(links: Iterable[Link]) -> Iterator[Link]:
    """The links that name a cause, not a channel to which the span belongs."""
    return (link for link in links if link_kind(link.attributes) not in MEMBERSHIPS)
