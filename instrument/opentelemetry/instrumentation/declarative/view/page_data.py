"""The data of a page: recorded spans and what is derived from them, as compact JSON.

Strings and values of attributes are written once and referred to by number, spans by their position in order of start.
Times are nanoseconds since the start of the recording, so that JavaScript's numbers hold them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.view.conventions import MEMBERSHIPS, link_kind, number_of, text_of
from opentelemetry.instrumentation.declarative.view.failures import Failures
from opentelemetry.instrumentation.declarative.view.network import Actor, Channel, Network
from opentelemetry.instrumentation.declarative.view.spans import Attributes, Link, Resource, Span
from opentelemetry.instrumentation.declarative.view.story import Entry, Story

#: The longest text of a page. The rest of a longer one is left out, which is marked.
MAX_TEXT = 100_000
#: Integers beyond this lose digits in JavaScript.
_MAX_INTEGER = 2**53
_KINDS = ("internal", "server", "client", "producer", "consumer")
_STATUSES = ("unset", "ok", "error")


class _Table:
    """Items in order, each once, and their numbers."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.items: list[Any] = []

    def number(self, key: Any) -> int:
        """The number of an item that is its own key."""
        return self.number_of(key, key)

    def number_of(self, key: Any, item: Any) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.items)
            self.items.append(item)
        return found


class PageData:
    """Collects the data of some spans. ``progress`` is called with the number of each of them."""

    def __init__(self, network: Network, spans: list[Span], progress: Callable[[int], None] = lambda _: None) -> None:
        self._network = network
        self._spans = spans
        self._numbers = {span.key: number for number, span in enumerate(spans)}
        self._start = spans[0].start if spans else 0
        self._progress = progress
        self._texts = _Table()
        self._texts.number("")
        self._values = _Table()
        self._actors = _Table()
        self._channels = _Table()
        self._resources = _Table()
        self._traces = _Table()
        self._roles = _Table()

    def json(self, notes: Iterable[str] = ()) -> str:
        """The data as JSON that JavaScript's ``JSON.parse`` accepts."""
        matching = self._numbers.keys()
        entries = Story(self._network).entries(lambda span: span.key in matching)
        data = {
            "start": self._start // 1_000_000,
            "notes": list(notes),
            "spans": [self._span(span) for span in self._spans],
            "messages": self._messages(),
            "story": [self._entry(entry) for entry in entries],
            "failures": self._failures(),
            "traces": self._traces.items,
            "roles": self._roles.items,
            "channels": [self._channel(channel) for channel in self._channels.items],
            "resources": [self._resource(resource) for resource in self._resources.items],
        }
        data["actors"] = [[actor.name, int(actor.is_agent)] for actor in self._actors.items]
        data["texts"], data["values"] = self._texts.items, self._values.items
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    # ── Spans ──

    def _span(self, span: Span) -> list[Any]:
        self._progress(self._numbers[span.key])
        network = self._network
        parent = self._numbers.get(span.parent_key, -1) if span.parent_key is not None else -1
        return [
            span.start - self._start,
            -1 if span.duration is None else span.duration,
            self._text(span.name),
            _KINDS.index(span.kind),
            _STATUSES.index(span.status),
            self._text(span.error_text if span.is_error else span.message),
            parent,
            "" if parent >= 0 or span.parent_id is None else span.parent_id,
            self._traces.number(span.trace_id),
            span.span_id,
            self._attributes(span.attributes),
            [
                [event.time - self._start, self._text(event.name), self._attributes(event.attributes)]
                for event in span.events
            ],
            [self._link(link) for link in span.links],
            self._resources.number_of(id(span.resource), span.resource),
            self._text(span.scope),
            self._roles.number(network.role(span)),
            self._actor(network.actor(span)),
            self._channel_number(network.channel(span)),
            self._text(text_of(span.attributes, "task_name") or text_of(span.attributes, "task")),
            number_of(span.attributes, "input_tokens") + number_of(span.attributes, "output_tokens"),
            max(span.latest - span.start, 0),
            self._text(text_of(span.attributes, "ended_by")),
        ]

    def _link(self, link: Link) -> list[Any]:
        kind = link_kind(link.attributes)
        target = self._numbers.get(link.key, -1)
        ids = [] if target >= 0 else [link.trace_id, link.span_id]
        return [target, self._text(kind), int(kind not in MEMBERSHIPS), self._attributes(link.attributes), *ids]

    def _attributes(self, attributes: Attributes) -> list[int]:
        """Keys and values by turns, as numbers."""
        result = []
        for key, value in attributes.items():
            result += [self._text(key), self._value(value)]
        return result

    def _resource(self, resource: Resource) -> list[Any]:
        return [self._text(resource.service), self._attributes(resource.attributes)]

    # ── What is derived from spans ──

    def _messages(self) -> list[list[Any]]:
        return [
            [
                message.kind,
                self._numbers[message.span.key],
                message.time - self._start,
                self._actor(message.sender),
                [self._actor(actor) for actor in message.recipients],
                self._channel_number(message.channel),
                self._text(message.text),
                self._text(message.type),
            ]
            for message in self._network.messages
            if message.span.key in self._numbers
        ]

    def _entry(self, entry: Entry) -> list[Any]:
        return [
            entry.time - self._start,
            entry.depth,
            self._numbers[entry.span.key],
            self._text(entry.actor),
            self._text(entry.action),
            self._text(entry.quote),
            [self._text(note) for note in entry.notes],
            -1 if entry.duration is None else entry.duration,
            -1 if entry.error is None else self._text(entry.error),
            int(entry.is_open),
            entry.count,
        ]

    def _failures(self) -> list[list[Any]]:
        return [
            [
                self._numbers[failure.span.key],
                failure.time - self._start,
                self._actor(failure.actor),
                self._text(failure.name),
                self._text(failure.error),
            ]
            for failure in Failures(self._network).among(self._spans)
        ]

    def _channel(self, channel: Channel) -> list[Any]:
        members = [self._actor(each) for each in channel.members]
        return [self._text(channel.label), self._text(channel.id), members, int(channel.span is not None)]

    # ── Numbers ──

    def _text(self, text: str) -> int:
        return self._texts.number(_shortened(text))

    def _value(self, value: Any) -> int:
        plain = _plain(value)
        return self._values.number_of((type(plain), plain), plain)

    def _actor(self, actor: Actor) -> int:
        return self._actors.number(actor)

    def _channel_number(self, channel: Channel | None) -> int:
        return -1 if channel is None else self._channels.number_of(channel.id, channel)


def _plain(value: Any) -> Any:
    """A value that is the same in JavaScript; others become text."""
    if isinstance(value, str):
        return _shortened(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < _MAX_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return _shortened(text)


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}… ({len(text):,} characters, of which the first {MAX_TEXT:,} are shown)"
