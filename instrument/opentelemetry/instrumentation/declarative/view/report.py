"""The output of ``instrument view``: failures and open spans first, then the story and the traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted, printable
from opentelemetry.instrumentation.declarative.exporters.tree_text import TreeText, Word, shortened, words
from opentelemetry.instrumentation.declarative.view.conventions import LASTING, text_of
from opentelemetry.instrumentation.declarative.view.failures import Failure, Failures
from opentelemetry.instrumentation.declarative.view.network import Network
from opentelemetry.instrumentation.declarative.view.operations import operations
from opentelemetry.instrumentation.declarative.view.relations import Relations
from opentelemetry.instrumentation.declarative.view.sections import SECTIONS
from opentelemetry.instrumentation.declarative.view.selection import Selection
from opentelemetry.instrumentation.declarative.view.spans import Span, SpanStore
from opentelemetry.instrumentation.declarative.view.story import Entry, Story
from opentelemetry.instrumentation.declarative.view.times import date_text, duration_text, offset_text
from opentelemetry.instrumentation.declarative.view.trees import TraceTrees

_MAX_QUOTE = 160
_MAX_ERROR = 300
_MAX_INDENT = 6
_MAX_OPERATIONS = 10


class Report:
    """The sections of text about recorded spans."""

    def __init__(
        self,
        store: SpanStore,
        selection: Selection,
        text: TreeText,
        *,
        max_lines: int | None = None,
        attributes: bool = False,
        fold: bool = True,
    ) -> None:
        self.relations = Relations(store)
        self.network = Network(self.relations)
        self._text = text
        self._max_lines = max_lines
        self._matches = selection.matcher(self.network)
        self.selected = [span for span in self.relations.spans if self._matches(span)]
        self._trees = TraceTrees(self.relations, text, attributes=attributes, fold=fold)
        self._start = self.relations.spans[0].start if self.relations.spans else 0

    def lines(self, sections: Iterable[str]) -> Iterator[str]:
        """The lines of sections in the order of SECTIONS, with an empty line between them."""
        wanted, is_first = set(sections), True
        for name in SECTIONS:
            lines = self._section(name) if name in wanted else iter(())
            first = next(lines, None)
            if first is None:
                continue
            if not is_first:
                yield ""
            is_first = False
            yield first
            yield from self._limited(lines)

    def spans_of_selected_traces(self) -> list[Span]:
        """All spans of the traces of which a span is selected, in order of start."""
        trace_ids = {span.trace_id for span in self.selected}
        return [span for span in self.relations.spans if span.trace_id in trace_ids]

    def _section(self, name: str) -> Iterator[str]:
        return {
            "summary": self._summary,
            "failures": self._failures,
            "open": self._open,
            "times": self._times,
            "story": self._story,
            "traces": self._traces,
        }[name]()

    def _limited(self, lines: Iterator[str]) -> Iterator[str]:
        if self._max_lines is None:
            yield from lines
            return
        yield from islice(lines, self._max_lines)
        rest = sum(1 for _ in lines)
        if rest:
            yield f"… {counted(rest, 'more line')}: select with --agent, --channel, --trace or --errors, or see --lines"

    def _heading(self, text: str) -> Iterator[str]:
        return self._text.lines(words(text, "heading"))

    # ── Sections ──

    def _summary(self) -> Iterator[str]:
        spans = self.selected
        end = max((span.latest for span in spans), default=0)
        start = spans[0].start if spans else 0
        counts = {
            "span": len(spans),
            "trace": len({span.trace_id for span in spans}),
            "agent": len({self.network.actor(span) for span in spans if self.network.actor(span).is_agent}),
            "message": sum(self.network.role(span) == "message" for span in spans),
            "model call": sum(self.network.role(span) == "model" for span in spans),
            "tool call": sum(self.network.role(span) == "tool" for span in spans),
        }
        facts = [date_text(start), duration_text(end - start)] if spans else []
        facts += [counted(number, noun) for noun, number in counts.items() if number or noun == "span"]
        first, *others = filter(None, facts)
        yield from self._text.lines([Word(first, "name"), *(Word(f"· {fact}", "name") for fact in others)])

    def _failures(self) -> Iterator[str]:
        """The errors that no child explains; equal ones are counted."""
        groups: dict[tuple[str, str, str], list[Failure]] = {}
        for failure in Failures(self.network).among(self.selected):
            groups.setdefault((failure.actor.name, failure.name, failure.error), []).append(failure)
        if groups:
            yield from self._heading(counted(sum(map(len, groups.values())), "failure"))
        for (actor, name, error), failures in groups.items():
            line = [*words(f"{actor}:", "name"), *words(name), *words(shortened(error, _MAX_ERROR), "error")]
            if len(failures) > 1:
                line.append(Word(f"× {len(failures):,}", "event"))
            line.append(Word(f"[{self._trees.short_id(failures[0].span.trace_id)}]", "link"))
            yield from self._text.lines([self._offset(failures[0].time), *line])

    def _open(self) -> Iterator[str]:
        """Spans without an end of their own: they are running, or something else ended them."""
        found = [span for span in self.selected if span.end is None or text_of(span.attributes, "ended_by")]
        latest = max((span.latest for span in self.relations.spans), default=0)
        if found:
            yield from self._heading(counted(len(found), "span") + " without an end")
        waited_for = {span.parent_key for span in found}  # what has an open child waits for it, and is not the cause
        found.sort(key=lambda span: (self.network.role(span) in LASTING, span.key in waited_for))
        for span in found:
            if span.duration is None:
                age = f"· open for at least {duration_text(latest - span.start)}"
            else:
                age = f"· ended by {text_of(span.attributes, 'ended_by')} after {duration_text(span.duration)}"
            actor = words(f"{self.network.actor(span).name}:", "name")
            label = Word(f"[{self._trees.short_id(span.trace_id)}]", "link")
            yield from self._text.lines(
                [self._offset(span.start), *actor, *words(self._name(span)), *words(age, "event"), label]
            )

    def _times(self) -> Iterator[str]:
        """Which operations take the time, without that of their children."""
        found = operations(self.network, self.selected)
        whole = sum(operation.own for operation in found) or 1
        if found:
            yield from self._heading("time by operation, without that of its children")
        for operation in found[:_MAX_OPERATIONS]:
            facts = []
            if operation.calls > 1:
                facts += [f"median {duration_text(operation.median)}", f"longest {duration_text(operation.longest)}"]
            first = f"{operation.own / whole:>4.0%} {duration_text(operation.own):>11}  "
            line = [*words(f"{operation.actor.name}:", "name"), *words(operation.name)]
            line += [Word(f"× {operation.calls:,}", "event")] * (operation.calls > 1)
            line += [Word(f"· {fact}", "dim") for fact in facts]
            line += [Word(f"· {operation.failed:,} failed", "error")] * bool(operation.failed)
            yield from self._text.lines(line, first, " " * len(first) + "  ")
        rest = found[_MAX_OPERATIONS:]
        if rest:
            own = sum(operation.own for operation in rest)
            yield f"{own / whole:>4.0%} {duration_text(own):>11}  {counted(len(rest), 'more operation')}"

    def _story(self) -> Iterator[str]:
        entries = Story(self.network).entries(self._matches)
        if entries:
            yield from self._heading("story")
        for entry in entries:
            offset = f"{offset_text(entry.time - self._start):<9}  "
            indent = "  " * min(entry.depth, _MAX_INDENT)
            yield from self._text.lines(_words_of(entry), offset + indent, " " * len(offset) + indent + "    ")

    def _traces(self) -> Iterator[str]:
        """The whole traces of which a span is selected."""
        trace_ids = {span.trace_id for span in self.selected}
        is_first = True
        for trace_id, spans in self.relations.traces.items():
            if trace_id in trace_ids:
                if not is_first:
                    yield ""
                is_first = False
                yield from self._trees.trace(spans)

    def _name(self, span: Span) -> str:
        """The name of a span, or the label of the channel that it is."""
        channel = self.network.channel(span) if self.network.role(span) == "channel" else None
        return span.name if channel is None else channel.label

    def _offset(self, time: int) -> Word:
        return Word(offset_text(time - self._start), "dim")


def _words_of(entry: Entry) -> Sequence[Word]:
    line = [*words(entry.actor, "name"), *words(entry.action)]
    if entry.quote:
        line += words(f"“{shortened(entry.quote, _MAX_QUOTE)}”", "event")
    if entry.count > 1:
        line.append(Word(f"× {entry.count:,}", "event"))
    notes = [printable(note) for note in entry.notes]
    if entry.duration is not None:
        notes.append(duration_text(entry.duration))
    line += [Word(f"· {note}", "dim") for note in notes]
    if entry.is_open:
        line.append(Word("· no end", "event"))
    if entry.error is not None:
        line += [Word("·", "error"), Word("ERROR", "error"), *words(shortened(entry.error, _MAX_ERROR), "error")]
    return line
