"""What the rules of a spec really did, counted. Imported only where a report is asked for.

A count is exact, also where threads, signal handlers and finalisers come in between: it is one step of an iterator
written in C, and no lock is taken that what was interrupted may hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.runtime.context import enabled
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.spans import Entered, Spans
from opentelemetry.trace import Span

SUPPRESSED = "instrumentation was suppressed"
UNSAMPLED = "its span is not sampled"
NO_PROVIDER = "there is no SDK: no tracer provider is set"
NOT_CURRENT = "no span is current"
NOT_OPEN = "no span is open under its key"
OPEN_ALREADY = "one is open under its key already"
OVER = "its span had ended already"
NOTHING = "nothing was to be done"
NOT_RUNNING = "its span is not this process's"


class Counter:
    """How often something came about; ``add`` says that it did once more."""

    __slots__ = ("_before", "_steps", "add")

    def __init__(self) -> None:
        self._steps = itertools.count()
        self._before = 0
        self.add: Callable[[], int] = self._steps.__next__

    @property
    def value(self) -> int:
        # Read from its text, `count(3)`: to ask for the next number would be to count.
        return int(repr(self._steps)[len("count(") : -1]) - self._before

    def reset_after_fork(self) -> None:
        """From now on count from nought, in a child process; who calls ``add`` notices nothing."""
        self._before += self.value


class Seen:
    """One thing that a rule reads, and in how many of its readings it was there."""

    __slots__ = ("kind", "mark", "missing", "name", "there")

    def __init__(self, kind: str, name: str, mark: Mark) -> None:
        self.kind = kind
        self.name = name
        self.mark = mark
        self.there = Counter()
        self.missing = Counter()

    def note(self, value: Any) -> Any:
        """Count whether it is there, and hand it on."""
        (self.missing if value is None else self.there).add()
        return value


class RuleTally:
    """What came of one rule, wherever its lines stand.

    ``came``: its moment was there; ``matched``: and its condition was true, where it has one; ``emitted``: and what it
    is for has happened. Whatever else happened is in ``missed``, by its reason.
    """

    def __init__(self, what: str, mark: Mark) -> None:
        self.what = what
        self.mark = mark
        self.came, self._true, self.emitted, self.failures = Counter(), Counter(), Counter(), Counter()
        #: Whether its lines count what is emitted themselves; if not, to have come to their end is that.
        self.acts = False
        self.conditional = False
        #: Whether lines for it were written anywhere, and what was wrong where not.
        self.written = False
        self.problems: list[Problem] = []
        self.first_failure: tuple[Mark, str] | None = None
        #: Where what was switched off stands: the rule, or single expressions of it.
        self.switched_off: list[Mark] = []
        self.missed: dict[str, Counter] = {}
        self.seen: dict[tuple[str, str, Mark], Seen] = {}
        self._actors: dict[Any, Any] = {}

    @property
    def matched(self) -> Counter:
        return self._true if self.conditional else self.came

    def true(self) -> Counter:
        """The counter for a condition that is true; from now on the rule has one."""
        self.conditional = True
        return self._true

    def miss(self, why: str) -> None:
        self.missing(why).add()

    def missing(self, why: str) -> Counter:
        return self.missed.setdefault(why, Counter())

    def failed(self, mark: Mark, error: str) -> None:
        self.failures.add()
        if self.first_failure is None:
            self.first_failure = mark, error

    # ── What is read ──

    def reads(self, kind: str, name: str, mark: Mark) -> Seen:
        return self.seen.setdefault((kind, name, mark), Seen(kind, name, mark))

    def attributes(self, marks: Mapping[str, Mark]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
        """A function that hands attributes on and counts which of them are there."""
        notes = {key: self.reads("attribute", key, mark).note for key, mark in marks.items()}

        def noted(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
            for key, value in attributes.items():
                notes[key](value)
            return attributes

        return noted

    # ── What is done ──

    def acting(self, spans: Spans) -> Acting:
        """The spans of one type, for what this rule does to them."""
        self.acts = True
        if spans not in self._actors:
            self._actors[spans] = Acting(spans, self)
        acting: Acting = self._actors[spans]
        return acting

    def act(self, act: Callable[..., Any], why: str | None = None) -> Callable[..., Any]:
        """A function by which the rule does what it is for: it gives False where it did nothing.

        Unless ``why`` says so, the first that it is given does, if it is a span, or None in place of one.
        """
        self.acts = True
        if act not in self._actors:

            def acted(*given: Any) -> Any:
                done = act(*given)
                if done is False:
                    self.miss(SUPPRESSED if not enabled() else why or _why_not(*given[:1]))
                else:
                    self.emitted.add()
                return done

            self._actors[act] = acted
        return self._actors[act]  # type: ignore[no-any-return]

    def watched(self, act: Callable[..., Any]) -> Callable[..., None]:
        """A function that is all that the rule does, whatever calls it: it gives False where it did nothing."""

        def watched(*given: Any) -> None:
            self.came.add()
            self.outcome(NOTHING if act(*given) is False else None)

        return watched

    def outcome(self, why: str | None) -> None:
        if why is None:
            self.emitted.add()
        else:
            self.miss(why)

    def reset_after_fork(self) -> None:
        """Begin anew, in a child process."""
        counters = [self.came, self._true, self.emitted, self.failures, *list(self.missed.values())]
        for seen in list(self.seen.values()):
            counters += [seen.there, seen.missing]
        for counter in counters:
            counter.reset_after_fork()
        self.first_failure = None


class Acting:
    """The spans of one type as one rule acts on them: what comes of each act is counted."""

    def __init__(self, spans: Spans, tally: RuleTally) -> None:
        self._spans = spans
        self._tally = tally

    def begin(self, *opening: Any, **more: Any) -> Span | None:
        span = self._spans.begin(*opening, **more)
        self._tally.outcome(OPEN_ALREADY if span is None and enabled() else _unrecorded(span))
        return span

    def enter(self, *opening: Any, **more: Any) -> Entered | None:
        entered = self._spans.enter(*opening, **more)
        self._tally.outcome(_unrecorded(None if entered is None else entered.span))
        return entered

    def leave(self, entered: Entered, *error: BaseException, **outcome: Any) -> None:
        why = _unrecorded(entered.span) or (None if self._spans.runs(entered.span) else NOT_RUNNING)
        self._spans.leave(entered, *error, **outcome)
        self._tally.outcome(why)

    def end(self, span: Span, *error: BaseException, **outcome: Any) -> None:
        why = _unrecorded(span)
        self._spans.end(span, *error, **outcome)
        self._tally.outcome(why)

    def shot(self, *opening: Any, **more: Any) -> Span | None:
        span = self._spans.shot(*opening, **more)
        why = _unrecorded(span)
        self._tally.outcome(None if why == OVER else why)
        return span

    def take(self, key: Any) -> Span | None:
        return self._known(self._spans.take(key))

    def find(self, key: Any) -> Span | None:
        return self._known(self._spans.find(key))

    def count(self, key: Any, name: str) -> bool:
        counted = self._spans.count(key, name)
        self._tally.outcome(None if counted else NOT_OPEN if enabled() else SUPPRESSED)
        return counted

    def _known(self, span: Span | None) -> Span | None:
        if span is None:
            self._tally.miss(NOT_OPEN)
        return span


class CountingSpans(Spans):
    """Spans that count which of them did not end where their spec says, and why not."""

    cut: dict[str, Counter]

    def _cut(self, span: Span, why: str) -> None:
        self.cut.setdefault(why, Counter()).add()
        super()._cut(span, why)


class Tallies:
    """What came of all the rules of one spec, in this process."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, Mark], RuleTally] = {}
        #: By the name of a span and by what `instrument.end` says: how many ended so.
        self.cut: dict[str, dict[str, Counter]] = {}
        reset_in_children(self)

    def of(self, what: str, mark: Mark) -> RuleTally:
        """The tally of a rule, the same one every time."""
        return self._rules.setdefault((what, mark), RuleTally(what, mark))

    def spans(self, name: str, *given: Any, **more: Any) -> Spans:
        """The spans of one type, whose ends without an end are counted."""
        spans = CountingSpans(*given, **more)
        spans.cut = self.cut.setdefault(name, {})
        return spans

    def reset_after_fork(self) -> None:
        for tally in self.all():
            tally.reset_after_fork()
        for counters in list(self.cut.values()):
            for counter in list(counters.values()):
                counter.reset_after_fork()

    def all(self) -> Iterable[RuleTally]:
        return list(self._rules.values())


def _unrecorded(span: Span | None) -> str | None:
    """Why nothing of a span is recorded; None where it is. None in place of a span: it was not to begin."""
    if span is None:
        return SUPPRESSED
    if span.is_recording():
        return None
    if not span.get_span_context().is_valid:
        return NO_PROVIDER
    return UNSAMPLED if getattr(span, "end_time", None) is None else OVER


def _why_not(span: Any = None) -> str:
    if not enabled():
        return SUPPRESSED
    if not isinstance(span, Span) or not span.get_span_context().is_valid:
        return NOT_CURRENT
    return _unrecorded(span) or NOTHING
