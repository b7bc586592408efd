"""Who takes part: agents, services and channels, and the messages between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.instrumentation.declarative.view.content import output_text, plain_text
from opentelemetry.instrumentation.declarative.view.conventions import PLAIN_MESSAGE_TYPES, role_of, text_of, texts_of
from opentelemetry.instrumentation.declarative.view.relations import Relations
from opentelemetry.instrumentation.declarative.view.spans import Span, SpanKey

#: The name of a program that sets no service name.
_UNNAMED = "unknown_service"
_SERVING, _CALLING = ("server", "consumer"), ("client", "producer")
#: What may be an id in a text.
_WORD = re.compile(r"[\w-]{8,}")


@dataclass(frozen=True, slots=True)
class Actor:
    """An agent, or a service, which may be the application itself."""

    name: str
    is_agent: bool = True


@dataclass(slots=True, eq=False)
class Channel:
    """A channel or another conversation, with its members in the order in which they appear."""

    id: str
    label: str
    span: Span | None = None
    members: dict[Actor, None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Message:
    """Something that one actor says to others: a message, a request to an agent, its answer, or a call of a service."""

    kind: str  # message, ask, answer, call
    span: Span
    time: int
    sender: Actor
    recipients: list[Actor]
    channel: Channel | None
    text: str = ""
    #: The type of the message, if it says something.
    type: str = ""


class Network:
    """The actors, channels and messages of recorded spans."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        self.roles: dict[SpanKey, str] = {span.key: role_of(span) for span in relations.spans}
        self._names = _agent_names(relations.spans)
        self._actors: dict[SpanKey, Actor] = {}
        self.channels: dict[str, Channel] = {}
        self._channels_of: dict[SpanKey, Channel | None] = {}
        self._find_channels()
        self.messages = sorted(self._find_messages(), key=lambda message: message.time)

    def role(self, span: Span) -> str:
        return self.roles[span.key]

    def actor(self, span: Span) -> Actor:
        """Who does what a span records: its agent, or that of the nearest ancestor, or its service.

        A span that serves a request of another service belongs to its own service.
        """
        path: list[Span] = []
        actor = service_of(span)
        for each in self.relations.lineage(span):
            if path and path[-1].kind in _SERVING and service_of(each) != service_of(path[-1]):
                break
            known = self._actors.get(each.key) or self._own_actor(each)
            if known is not None:
                actor = known
                break
            path.append(each)
        self._actors.update((each.key, actor) for each in (span, *path))
        return actor

    def channel(self, span: Span) -> Channel | None:
        """The channel that a span belongs to, or its nearest ancestor."""
        path, channel = [], None
        for each in self.relations.lineage(span):
            if each.key in self._channels_of:
                channel = self._channels_of[each.key]
                break
            path.append(each)
            channel = self.channels.get(text_of(each.attributes, "channel"))
            if channel is not None:
                break
        self._channels_of.update((each.key, channel) for each in path)
        return channel

    def agent_named(self, id: str) -> Actor:
        return Actor(self._names.get(id) or _short(id))

    def readable(self, value: Any) -> Any:
        """A value in which ids of agents and channels are their names."""
        if isinstance(value, str):
            return self._name_of(value) or _WORD.sub(lambda word: self._name_of(word[0]) or word[0], value)
        return [self.readable(item) for item in value] if isinstance(value, list) else value

    def _name_of(self, id: str) -> str | None:
        channel = self.channels.get(id)
        return self._names.get(id) or (channel.label if channel is not None else None)

    def _own_actor(self, span: Span) -> Actor | None:
        return self.actor_in(span.attributes)

    def actor_in(self, attributes: Mapping[str, Any]) -> Actor | None:
        """The agent that attributes name."""
        id = text_of(attributes, "agent_id")
        name = self._names.get(id) or text_of(attributes, "agent_name") or _short(id)
        return Actor(name) if name else None

    # ── Channels ──

    def _find_channels(self) -> None:
        spans = [(text_of(span.attributes, "channel"), span) for span in self.relations.spans]
        own = [(id, span) for id, span in spans if self.role(span) == "channel"]
        types = {id: text_of(span.attributes, "channel_type") or "channel" for id, span in own}
        counts: dict[str, int] = {}
        for id, span in spans:
            if not id:
                continue
            role = self.role(span)
            channel = self.channels.get(id)
            if channel is None:
                type = types.get(id) or text_of(span.attributes, "channel_type") or "thread"
                counts[type] = counts.get(type, 0) + 1
                channel = self.channels[id] = Channel(id, f"{type} #{counts[type]}")
            if role == "channel":
                channel.span = span
            members = [self._own_actor(span), *(Actor(name) for name in texts_of(span.attributes, "members"))]
            members += self._named_recipients(span)
            members += [self.actor_in(event.attributes) for event in span.events]
            channel.members.update((member, None) for member in members if member is not None)

    # ── Messages ──

    def _find_messages(self) -> Iterator[Message]:
        for span in self.relations.spans:
            role = self.role(span)
            if role == "message":
                recipients = self._recipients(span)
                type = text_of(span.attributes, "message_type")
                yield Message(
                    "message",
                    span,
                    span.start,
                    self.actor(span),
                    recipients,
                    self.channel(span),
                    self._text(span),
                    "" if type in PLAIN_MESSAGE_TYPES else type,
                )
            elif role == "turn":
                yield from self._request(span)
            elif not role:
                yield from self._calls(span)

    def _recipients(self, span: Span) -> list[Actor]:
        """The recipients that a message names, or else the other members of its channel, or else who answered."""
        sender = self.actor(span)
        named = self._named_recipients(span)
        channel = self.channels.get(text_of(span.attributes, "channel"))
        answering = [self.actor(below) for below in self.relations.children(span) if self.role(below) == "turn"]
        found = named or [*(channel.members if channel is not None else ()), *answering]
        return list(dict.fromkeys(actor for actor in found if actor != sender))

    def _named_recipients(self, span: Span) -> list[Actor]:
        names = texts_of(span.attributes, "recipient_names")
        return [Actor(name) for name in names] or [
            self.agent_named(id) for id in texts_of(span.attributes, "recipient_ids")
        ]

    def _text(self, span: Span) -> str:
        """The text of a message, if it is recorded: in the span, or as the output of the turn that sends it."""
        own = plain_text(text_of(span.attributes, "text"))
        if own:
            return own
        for cause in self.relations.causes(span):
            if self.role(cause) == "turn":
                return self.output(cause)
        return ""

    def output(self, turn: Span) -> str:
        """The answer of a turn: its own output, or that of its last call of a model."""
        own = output_text(turn.attributes)
        calls = [below for below in self.relations.children(turn) if self.role(below) == "model"]
        return own or (output_text(calls[-1].attributes) if calls else "")

    def _request(self, turn: Span) -> Iterator[Message]:
        """The request that starts a turn, and its answer, unless a message starts it."""
        caller = self._caller(turn)
        actor = self.actor(turn)
        if caller is None or caller == actor:
            return
        channel = self.channel(turn)
        yield Message("ask", turn, turn.start, caller, [actor], channel, plain_text(text_of(turn.attributes, "text")))
        if turn.end is not None:
            yield Message("answer", turn, turn.end, actor, [caller], channel, self.output(turn))

    def _caller(self, turn: Span) -> Actor | None:
        """Who asks an agent, without a message: another agent or the application. None if it is not recorded."""
        last = turn
        for ancestor in self.relations.ancestors(turn):
            role = self.role(ancestor)
            if role == "message":
                return None
            if role in ("turn", "tool"):
                return self.actor(ancestor)
            last = ancestor
        if last.parent_id is not None or any(self.relations.causes(last)):
            return None
        return service_of(last)

    def _calls(self, span: Span) -> Iterator[Message]:
        """The call of a service by another one: as a child, or as a consumer of a message that it links to.

        What a client calls may record no spans, such as a database. Then it is known from the attributes of the client.
        """
        parent = self.relations.parent(span)
        callers = [parent] if parent is not None else []
        if span.kind == "consumer":
            callers += self.relations.causes(span)
        service = service_of(span)
        for caller in callers:
            if service_of(caller) != service:
                yield Message("call", span, span.start, self.actor(caller), [service], self.channel(span), span.name)
        system = text_of(span.attributes, "system") if span.kind in _CALLING else ""
        is_part = parent is not None and (self.role(parent) == "model" or parent.kind in _CALLING)
        if system and not is_part and not self._is_served(span):
            called = Actor(system, is_agent=False)
            yield Message("call", span, span.start, self.actor(span), [called], self.channel(span), span.name)

    def _is_served(self, span: Span) -> bool:
        """Whether the server or the receiver of what a client sends is recorded."""
        receivers = (source for source, _ in self.relations.linked_from(span))
        return any(each.kind in _SERVING for each in (*self.relations.children(span), *receivers))


def _short(id: str) -> str:
    """The end of a long id, which stands for the name of an agent. Ids of AG2 begin with the time."""
    return f"…{id[-8:]}" if len(id) > 20 else id


def service_of(span: Span) -> Actor:
    name = span.resource.service
    return Actor("application" if not name or name.startswith(_UNNAMED) else name, is_agent=False)


def _agent_names(spans: Iterable[Span]) -> dict[str, str]:
    """The names of agents by their ids, from spans that have both."""
    names: dict[str, str] = {}
    for span in spans:
        id, name = text_of(span.attributes, "agent_id"), text_of(span.attributes, "agent_name")
        if id and name:
            names.setdefault(id, name)
        ids, several = texts_of(span.attributes, "recipient_ids"), texts_of(span.attributes, "recipient_names")
        if len(ids) == len(several):
            names.update(zip(ids, several, strict=True))
    return names
