"""The story of a network in order of time: who joins, opens a channel, says something, answers, and what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from opentelemetry.instrumentation.declarative.view.content import arguments_text, output_text
from opentelemetry.instrumentation.declarative.view.conventions import (
    MESSAGE_IDS,
    PLAIN_EVENTS,
    PLAIN_MESSAGE_TYPES,
    number_of,
    text_of,
    value_of,
)
from opentelemetry.instrumentation.declarative.view.failures import Failures
from opentelemetry.instrumentation.declarative.view.network import Actor, Message, Network
from opentelemetry.instrumentation.declarative.view.spans import Event, Span, SpanKey

#: Equal entries in a row from which on they are folded.
_FOLDED = 3
_WITH_EVENTS = frozenset({"agent", "channel", "task"})


@dataclass(slots=True, eq=False)
class Entry:
    """A line of the story."""

    time: int
    depth: int
    span: Span
    #: Who does it, and what: ``coordinator``, ``calls demo-small``.
    actor: str
    action: str
    #: What is said; empty if it is not recorded.
    quote: str = ""
    #: Facts such as tokens and outcomes.
    notes: tuple[str, ...] = ()
    duration: int | None = None
    error: str | None = None
    is_open: bool = False
    count: int = 1
    #: Entries in a row with the same key may be folded. None: never.
    fold_key: tuple[object, ...] | None = None


class Story:
    """Writes the story of a network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._relations = network.relations
        self._failures = Failures(network)
        self._depths: dict[SpanKey, int] = {}
        self._messages: dict[SpanKey, list[Message]] = {}
        #: What is said in messages. A model that returns the same text is not quoted.
        self._said = {message.text for message in network.messages}
        for message in network.messages:
            self._messages.setdefault(message.span.key, []).append(message)
        self._writers: Mapping[str, Callable[[Span], Iterator[Entry]]] = {
            "agent": self._agent,
            "channel": self._channel,
            "message": self._message,
            "turn": self._turn,
            "model": self._model,
            "tool": self._tool,
            "task": self._task,
            "human": self._human,
            "report": self._report,
            "": self._other,
        }

    def entries(self, matches: Callable[[Span], bool]) -> list[Entry]:
        """The entries of matching spans, in order of time; equal ones in a row are folded."""
        found = [entry for span in self._relations.spans if matches(span) for entry in self._of(span)]
        return list(_folded(sorted(found, key=lambda entry: (entry.time, entry.depth))))

    def _of(self, span: Span) -> Iterator[Entry]:
        role = self._network.role(span)
        writer = self._writers.get(role)
        if writer is not None:
            yield from writer(span)
        if role in _WITH_EVENTS:
            yield from (entry for event in span.events for entry in self._event(span, event))

    def _entry(self, span: Span, actor: Actor, action: str, **facts: object) -> Entry:
        entry = Entry(span.start, self.depth(span), span, actor.name, action, duration=span.duration)
        entry.is_open = span.end is None
        ended_by = text_of(span.attributes, "ended_by")
        if ended_by:
            entry.notes = (f"ended by {ended_by}",)
        if span.is_error:
            entry.error = self._network.readable(span.error_text)
        for name, value in facts.items():
            setattr(entry, name, value)
        return entry

    def depth(self, span: Span) -> int:
        """How many spans of the story contain or cause a span."""
        path: list[Span] = []
        each: Span | None = span
        while each is not None and each.key not in self._depths:
            self._depths[each.key] = -1  # ends cycles of links
            path.append(each)
            each = self._parent(each)
        depth = self._depths[each.key] if each is not None else -1
        for each in reversed(path):
            depth += 1
            self._depths[each.key] = depth
        return depth

    def _parent(self, span: Span) -> Span | None:
        """The nearest span of the story that contains a span, or else the one that caused it."""
        top = span
        for ancestor in self._relations.ancestors(span):
            if self._has_entry(ancestor):
                return ancestor
            top = ancestor
        for cause in self._relations.causes(top):
            for each in self._relations.lineage(cause):
                if each is not span and self._has_entry(each):
                    return each
        return None

    def _has_entry(self, span: Span) -> bool:
        """Whether the story has a span. Without a role, it must be a call, a failure, or the root of a trace."""
        role = self._network.role(span)
        is_other = span.key in self._messages or self._failures.is_own(span) or self._relations.parent(span) is None
        return role in self._writers if role else is_other

    # ── A span of each role ──

    def _agent(self, span: Span) -> Iterator[Entry]:
        yield self._entry(span, self._network.actor(span), "joins", duration=None, error=None)

    def _channel(self, span: Span) -> Iterator[Entry]:
        creator, channel = self._network.actor(span), self._network.channel(span)
        if channel is None:
            return
        others = ", ".join(member.name for member in channel.members if member != creator)
        action = f"opens {channel.label}" + (f" with {others}" if others else "")
        yield self._entry(span, creator, action, duration=None, error=None)

    def _message(self, span: Span) -> Iterator[Entry]:
        for message in self._messages.get(span.key, ()):
            recipients = ", ".join(actor.name for actor in message.recipients) or "nobody"
            place = f" in {message.channel.label}" if message.channel is not None else ""
            note = (message.type,) if message.type else ()
            yield self._entry(
                span, message.sender, f"→ {recipients}{place}", quote=message.text, notes=note, duration=None
            )

    def _turn(self, span: Span) -> Iterator[Entry]:
        messages = {message.kind: message for message in self._messages.get(span.key, ())}
        actor, ask, answer = self._network.actor(span), messages.get("ask"), messages.get("answer")
        answers = "answers" if span.end is not None and not text_of(span.attributes, "ended_by") else "has not answered"
        answers = "does not answer" if span.is_error else answers
        if ask is None:
            yield self._entry(span, actor, answers)
            return
        yield self._entry(span, ask.sender, f"asks {actor.name}", quote=ask.text)
        if answer is not None:
            action = f"{answers} {ask.sender.name}"
            yield self._entry(span, actor, action, quote=answer.text, time=answer.time, duration=None)

    def _model(self, span: Span) -> Iterator[Entry]:
        model = text_of(span.attributes, "model") or "a model"
        read, written = number_of(span.attributes, "input_tokens"), number_of(span.attributes, "output_tokens")
        tokens = (f"{read:,} → {written:,} tokens",) if read or written else ()
        output = output_text(span.attributes)
        yield self._step(span, f"calls {model}", quote="" if output in self._said else output, notes=tokens)

    def _tool(self, span: Span) -> Iterator[Entry]:
        tool = text_of(span.attributes, "tool") or span.name
        yield self._step(span, f"uses {tool}", quote=arguments_text(span.attributes))

    def _step(self, span: Span, action: str, actor: Actor | None = None, **facts: object) -> Entry:
        """A step of a turn or a program, of which there may be many in a row."""
        actor = actor or self._network.actor(span)
        entry = self._entry(span, actor, action, **facts)
        if entry.error is None and not entry.is_open:
            entry.fold_key = (span.parent_key, actor, action)
        return entry

    def _task(self, span: Span) -> Iterator[Entry]:
        outcome = text_of(span.attributes, "outcome")
        name = text_of(span.attributes, "task_name") or "a task"
        yield self._entry(span, self._network.actor(span), f"works on {name}", notes=(outcome,) if outcome else ())

    def _human(self, span: Span) -> Iterator[Entry]:
        yield self._entry(span, self._network.actor(span), "asks a person")

    def _other(self, span: Span) -> Iterator[Entry]:
        """A span without a role: the calls that it is, or the span itself."""
        calls = self._messages.get(span.key, ())
        for call in calls:
            names = ", ".join(actor.name for actor in call.recipients)
            yield self._step(span, f"→ {names} · {span.name}", call.sender)
        if not calls and self._has_entry(span):
            url = text_of(span.attributes, "url")
            yield self._entry(span, self._network.actor(span), f"· {span.name}", notes=(url,) if url else ())

    def _report(self, span: Span) -> Iterator[Entry]:
        """The failure of a turn whose own span is not recorded."""
        if not self._failures.repeats(span):
            yield self._entry(span, self._network.actor(span), "does not answer", duration=None)

    def _event(self, span: Span, event: Event) -> Iterator[Entry]:
        """An event of a channel, an agent or a task, unless something else says the same."""
        network, error = self._network, self._failures.error_of_event(span, event)
        if event.name in PLAIN_EVENTS or (error is None and value_of(event.attributes, "error_type") is not None):
            return
        channel = network.channel(span) if network.role(span) == "channel" else None
        subject = channel.label if channel is not None else network.actor(span).name
        notes = [self._note(key, value) for key, value in event.attributes.items() if key not in MESSAGE_IDS]
        notes = [note for note in notes if note and note != subject and note not in PLAIN_MESSAGE_TYPES]
        action = event.name.replace("_", " ")
        yield Entry(
            event.time, self.depth(span), span, subject, action, notes=tuple(notes), error=None if error is None else ""
        )

    def _note(self, key: str, value: object) -> str:
        """The value of an attribute. That of a number has its name, because it says nothing without."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return f"{key.rpartition('.')[2]} {value}" if is_number else str(self._network.readable(value) or "")


def _folded(entries: list[Entry]) -> Iterator[Entry]:
    for key, group in groupby(entries, lambda entry: entry.fold_key):
        equal = list(group)
        if key is None or len(equal) < _FOLDED:
            yield from equal
            continue
        first = equal[0]
        first.count = len(equal)
        first.duration = sum(entry.duration or 0 for entry in equal)
        first.notes, first.quote = (), ""
        yield first
