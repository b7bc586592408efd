"""Spans in a normal form that is the same in two runs of an application: without ids, times, stack traces or paths.

It contains names, kinds, scopes, attributes with their Python types, events in order, links in order with their
targets, statuses, parents, trace flags, and whether a span has ended.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.instrumentation.declarative.version import __version__
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

Attributes = dict[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_TRACEPARENT = re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b")
_FRAMES = re.compile(r"(?<=Traceback \(most recent call last\):)(\\n|\n)(?: +.*?\1)+")
"""The frames of a traceback in a model's input, as text or JSON: they contain files and lines of AG2."""
_PYDANTIC = re.compile(r"(?<=errors\.pydantic\.dev/)\d+\.\d+")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_ID = re.compile(
    r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|(?<=subtask-)[0-9a-f]{8})\b"
)

_SPAN_TYPE = "ag2.span.type"
_AGENT_ID, _AGENT_NAME = "ag2.agent.id", "gen_ai.agent.name"
_CHANNEL_ID, _ENVELOPE_ID, _TASK_ID = "ag2.network.channel_id", "ag2.network.envelope_id", "ag2.network.task_id"
_CONVERSATION_ID = "gen_ai.conversation.id"
IDENTIFYING = (_AGENT_ID, _CHANNEL_ID, _ENVELOPE_ID, "gen_ai.tool.call.id")
"""The attributes that identify the target of a link among spans of one name."""


# ── Collecting ──


class _Started(SpanProcessor):
    """Collects every span that was started, including those that never end."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        self.spans.append(span)


class Recorder:
    """A tracer provider and the spans recorded with it."""

    def __init__(self) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        self._exporter = InMemorySpanExporter()
        self._started = _Started()
        self.provider.add_span_processor(self._started)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def finished(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order of their ends."""
        return list(self._exporter.get_finished_spans())

    @property
    def unfinished(self) -> list[ReadableSpan]:
        """The spans that were started and have not ended."""
        ended = {_key(span) for span in self.finished}
        return [span for span in self._started.spans if _key(span) not in ended]

    def trees(self) -> list[NormalSpan]:
        """The normal form of everything recorded so far."""
        return normal_form(self.finished, self.unfinished)


# ── The normal form ──


@dataclass
class NormalSpan:
    """A span and its children, without anything that differs from run to run."""

    name: str
    kind: str
    scope: tuple[Any, ...]
    flags: int
    parent: str
    """``none``, ``local``, ``remote``, or what could not be found in the run."""
    ended: bool
    attributes: Attributes
    events: list[tuple[str, Attributes]]
    links: list[tuple[str, Attributes]]
    """What each link points to, and its attributes."""
    status: tuple[str, str | None]
    children: list[NormalSpan] = field(default_factory=list)

    @property
    def type(self) -> Any:
        """The value of the span's attribute for its type."""
        return self.attributes.get(_SPAN_TYPE)

    def walk(self) -> Iterator[NormalSpan]:
        """This span and all its descendants."""
        yield self
        for child in self.children:
            yield from child.walk()

    def lines(self, indent: str = "") -> Iterator[str]:
        """The span as text, with its children indented."""
        yield f"{indent}{self.name}"
        inner = f"{indent}    "
        yield f"{inner}kind {self.kind}, parent {self.parent}, flags {self.flags:02x}, scope {self.scope}"
        for key in sorted(self.attributes):
            yield f"{inner}{key} = {self.attributes[key]!r}"
        for name, attributes in self.events:
            yield f"{inner}event {name}"
            for key in sorted(attributes):
                yield f"{inner}    {key} = {attributes[key]!r}"
        for target, attributes in self.links:
            yield f"{inner}link to {target}"
            for key in sorted(attributes):
                yield f"{inner}    {key} = {attributes[key]!r}"
        yield f"{inner}status {self.status[0]} {self.status[1]!r}"
        if not self.ended:
            yield f"{inner}never ended"
        for child in self.children:
            yield from child.lines(f"{indent}  | ")

    @property
    def text(self) -> str:
        """All lines in one string."""
        return "\n".join(self.lines())


def normal_form(finished: Iterable[ReadableSpan], unfinished: Iterable[ReadableSpan] = ()) -> list[NormalSpan]:
    """The traces of a run as trees, in an order that does not depend on the timing of concurrent operations."""
    closed, left_open = list(finished), list(unfinished)
    twice = [key for key, count in Counter(map(_key, closed)).items() if count > 1]
    assert not twice, f"exported twice: {sorted({span.name for span in closed if _key(span) in twice})}"
    spans = {_key(span): span for span in [*closed, *left_open]}
    names = _Names(spans.values())
    nodes = {key: _node(span, spans, names) for key, span in spans.items()}
    for span in left_open:
        nodes[_key(span)].ended = False
    roots: list[NormalSpan] = []
    for key, span in spans.items():
        parent = nodes.get((span.parent.trace_id, span.parent.span_id)) if span.parent else None
        (parent.children if parent else roots).append(nodes[key])
    # Ids without a symbolic name are numbered in an order that does not depend on the ids themselves.
    ordered = _ordered(roots, _without_raw_ids)
    rest = _Numbering()
    for root in ordered:
        for node in root.walk():
            _rename(node, rest)
    return _ordered(ordered, str)


def in_order(trees: list[NormalSpan]) -> list[NormalSpan]:
    """Modified trees in the order of the normal form."""
    return _ordered(trees, str)


def text_of(trees: list[NormalSpan]) -> str:
    """Trees as text, one after the other."""
    return "\n\n".join(tree.text for tree in trees) + "\n"


def difference(
    expected: list[NormalSpan], actual: list[NormalSpan], names: tuple[str, str] = ("expected", "actual")
) -> str:
    """A unified diff of the texts; empty if they are equal."""
    first, second = text_of(expected), text_of(actual)
    if first == second:
        return ""
    lines = (first.splitlines(keepends=True), second.splitlines(keepends=True))
    return "".join(difflib.unified_diff(*lines, *names, n=12))


def _key(span: ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def _node(span: ReadableSpan, spans: dict[tuple[int, int], ReadableSpan], names: _Names) -> NormalSpan:
    scope, parent = span.instrumentation_scope, "none"
    if span.parent is not None:
        parent = "remote" if span.parent.is_remote else "local"
        if (span.parent.trace_id, span.parent.span_id) not in spans:
            parent += ", not in this run"
    context = span.get_span_context()
    assert context is not None
    assert scope is not None
    links = []
    for link in span.links:
        target = spans.get((link.context.trace_id, link.context.span_id))
        where = _path(target, spans, names) if target else "something that is not in this run"
        remote = " (remote)" if link.context.is_remote else ""
        links.append((where + remote, names.attributes(link.attributes)))
    return NormalSpan(
        name=names.text(span.name),
        kind=span.kind.name,
        scope=(scope.name, _version(scope.version), scope.schema_url, dict(scope.attributes or {})),
        flags=int(context.trace_flags),
        parent=parent,
        ended=True,
        attributes=names.attributes(span.attributes),
        events=[(names.text(event.name), names.attributes(event.attributes)) for event in span.events],
        links=links,
        status=(span.status.status_code.name, _with_texts(span.status.description, names.text)),
    )


def _version(version: str | None) -> str | None:
    """The version of a scope. That of this package is a word, so that golden files do not change with it."""
    return "VERSION" if version == __version__ else version or None


def _path(span: ReadableSpan, spans: dict[tuple[int, int], ReadableSpan], names: _Names) -> str:
    """The path of a span: the names of its ancestors and its own."""
    parts: list[str] = []
    while True:
        ids = [str((span.attributes or {}).get(key, "")) for key in IDENTIFYING]
        tags = " ".join(names.text(one) for one in ids if one)
        parts.append(names.text(span.name) + (f" [{tags}]" if tags else ""))
        above = spans.get((span.parent.trace_id, span.parent.span_id)) if span.parent else None
        if above is None:
            return " / ".join(reversed(parts))
        span = above


class _Names:
    """Symbolic names of known ids: of an agent by its name, of a channel or an envelope by its order."""

    def __init__(self, spans: Iterable[ReadableSpan]) -> None:
        self._symbols: dict[str, str] = {}
        agents: dict[str, str] = {}
        envelopes: dict[str, set[str]] = defaultdict(set)
        tasks: dict[str, tuple[str, int]] = {}
        channels: set[str] = set()
        conversations: dict[str, int] = {}
        for span in spans:
            attributes = span.attributes or {}
            if attributes.get(_SPAN_TYPE) == "agent_lifetime":
                agents[str(attributes[_AGENT_ID])] = str(attributes[_AGENT_NAME])
            if _CHANNEL_ID in attributes:
                channels.add(str(attributes[_CHANNEL_ID]))
            if _ENVELOPE_ID in attributes:
                envelopes[str(attributes[_CHANNEL_ID])].add(str(attributes[_ENVELOPE_ID]))
            if _CONVERSATION_ID in attributes:
                conversation, start = str(attributes[_CONVERSATION_ID]), span.start_time or 0
                conversations[conversation] = min(start, conversations.get(conversation, start))
            if _TASK_ID in attributes:
                tasks[str(attributes[_TASK_ID])] = str(attributes["ag2.network.capability"]), span.start_time or 0
        # Ids of agents, channels and envelopes begin with the time of their creation.
        self._number("agent", ((one, agents[one]) for one in sorted(agents)))
        self._number("channel", ((one, "") for one in sorted(channels)))
        outside = sorted(conversations.keys() - channels, key=conversations.__getitem__)
        self._number("conversation", ((one, "") for one in outside))
        for channel in sorted(envelopes):
            place = self._symbols[channel][len("<channel:") : -1]
            for number, one in enumerate(sorted(envelopes[channel]), 1):
                self._symbols[one] = f"<envelope:{place}.{number}>"
        self._number("task", ((one, tasks[one][0]) for one in sorted(tasks, key=tasks.__getitem__)))

    def _number(self, kind: str, named: Iterable[tuple[str, str]]) -> None:
        seen: Counter[str] = Counter()
        for one, name in named:
            seen[name] += 1
            number = str(seen[name]) if seen[name] > 1 or not name else ""
            if _ID.fullmatch(one):
                self._symbols[one] = f"<{kind}:{f'{name} {number}'.strip()}>"

    def text(self, text: str) -> str:
        text = _PYDANTIC.sub("<release>", _FRAMES.sub(r"\1", text))
        text = _TRACEPARENT.sub("<traceparent>", _TIME.sub("<time>", _ADDRESS.sub("<address>", text)))
        return _ID.sub(lambda found: self._symbols.get(found[0], found[0]), text)

    def attributes(self, attributes: Any) -> Attributes:
        found = {key: _with_texts(value, self.text) for key, value in (attributes or {}).items()}
        found.pop("exception.stacktrace", None)
        return found


class _Numbering:
    """Symbolic names of all other ids, in their order of appearance."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def text(self, text: str) -> str:
        return _ID.sub(lambda found: self._symbols.setdefault(found[0], f"<id:{len(self._symbols) + 1}>"), text)

    def attributes(self, attributes: Attributes) -> Attributes:
        return {key: _with_texts(attributes[key], self.text) for key in sorted(attributes)}


def _with_texts(value: Any, text: Callable[[str], str]) -> Any:
    """A value with its texts changed, also those in lists."""
    if isinstance(value, (tuple, list)):
        return type(value)(_with_texts(one, text) for one in value)
    return text(value) if isinstance(value, str) else value


def _rename(node: NormalSpan, names: _Numbering) -> None:
    node.name = names.text(node.name)
    node.attributes = names.attributes(node.attributes)
    node.events = [(names.text(name), names.attributes(attributes)) for name, attributes in node.events]
    node.links = [(names.text(target), names.attributes(attributes)) for target, attributes in node.links]
    node.status = (node.status[0], _with_texts(node.status[1], names.text))


def _without_raw_ids(text: str) -> str:
    return _ID.sub("<id>", text)


def _ordered(nodes: list[NormalSpan], view: Callable[[str], str]) -> list[NormalSpan]:
    for node in nodes:
        node.children = _ordered(node.children, view)
    return sorted(nodes, key=lambda node: view(node.text))
