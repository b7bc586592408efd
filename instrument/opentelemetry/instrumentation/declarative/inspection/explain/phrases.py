"""Rules in words: for each action of a plan a sentence, and what belongs to it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import CUT_CONTENT, HASHED_CONTENT, Expression
from opentelemetry.instrumentation.declarative.inspection.explain.output import Line
from opentelemetry.instrumentation.declarative.plan.model import (
    Action,
    Around,
    Begin,
    Carry,
    Close,
    Finish,
    Measure,
    Pin,
    Plug,
    Reading,
    Shot,
    Source,
    SpanPlan,
    Stage,
    StatusPlan,
    Tally,
    Write,
    readable,
)

#: Each moment of a callable, in words.
MOMENTS: dict[Stage, str] = {
    "enter": "when it is called",
    "return": "when it has returned",
    "raise": "when it has raised",
}


def sentence(action: Action, stage: Stage) -> Line:
    """What an action does at a stage (for Around: at enter)."""
    write = WORDS.get(type(action))
    if write is None:
        return Line(f"{type(action).__name__.lower()} {getattr(action, 'name', '')}", action.mark)
    line: Line = write(action, stage)
    when = getattr(action, "when", None)
    return line if when is None else Line(f"if {when.text}: {line.text}", line.mark, line.below)


def leaving(action: Around, stage: Stage) -> Line:
    """What happens to a span around a call when that is over."""
    span = action.span
    return Line(f"the span {span.name} ends{_failed(stage)}", action.mark, outcome(span, stage))


def putting_down(action: Carry) -> Line:
    return Line(f"{action.name} is no longer carried", action.mark)


def _around(action: Around, _stage: Stage) -> Line:
    span = action.span
    return Line(f"the span {span.name} starts, and is the current one until the call is over", action.mark, start(span))


def _begin(action: Begin, _stage: Stage) -> Line:
    given = tuple(Line(f"{name} is {value.text}", value.mark) for name, value in action.names.items())
    resumes = ", unless one is open under its key" if action.resumes else ""
    text = f"the span {action.span.name} starts and stays open{resumes}"
    return Line(text, action.mark, (*given, *start(action.span)))


def _finish(action: Finish, stage: Stage) -> Line:
    span = action.span
    which = "each open span" if action.several else "the open span"
    key = "a key among" if action.several else "the key"
    text = f"{which} {span.name} with {key} {action.key.text} ends"
    return Line(text + _failed(stage), action.mark, outcome(span, stage, action.readings))


def _shot(action: Shot, stage: Stage) -> Line:
    span = action.span
    times = [
        f"{word} {time.text}" for word, time in (("from", span.start_time), ("to", span.end_time)) if time is not None
    ]
    text = " ".join([f"a span {span.name} is recorded, which starts and ends", ", ".join(times) or "at this moment"])
    return Line(text, action.mark, (*start(span), *outcome(span, stage)))


def _pin(action: Pin, _stage: Stage) -> Line:
    where = _open(action.span, action.key) if action.span and action.key else "the current span"
    if action.template is None:
        return Line(f"{where} takes attributes up", action.mark, attributes(action.readings))
    return Line(f"the event {action.template.text} is added to {where}", action.mark, attributes(action.readings))


def _tally(action: Tally, _stage: Stage) -> Line:
    return Line(f"one more of {action.name} is counted on {_open(action.span, action.key)}", action.mark)


def _measure(action: Measure, _stage: Stage) -> Line:
    value = "1" if action.value is None else action.value.text
    only = "" if action.only is None else f", if {action.only.text}"
    return Line(f"the metric {action.name} takes up {value}{only}", action.mark, attributes(action.readings))


def _carry(action: Carry, _stage: Stage) -> Line:
    return Line(f"{action.name} is {action.value.text} in all that the call calls, until it is over", action.mark)


def _write(action: Write, stage: Stage) -> Line:
    if action.field is not None and action.value is not None:
        return Line(f"{action.field.text} of the program is set to {action.value.text}", action.mark)
    fields = [f"{word} to {field.text}" for word, field in action.words.items() if readable(field.names, stage)]
    text = f"of {sources(action.of)}, the program is given {', '.join(fields)}"
    return Line(text, action.mark)


def _plug(action: Plug, _stage: Stage) -> Line:
    return Line(f"the tap {action.tap} is plugged in by {action.call.text}({action.tap})", action.mark)


def _close(action: Close, _stage: Stage) -> Line:
    text = f"every open span that belongs to {action.owner.text} ends, marked instrument.end={action.name}"
    return Line(text, action.mark)


#: A sentence for each action that a plan can have. ``Any``: each takes the actions of its own type.
WORDS: dict[type, Callable[[Any, Stage], Line]] = {
    Around: _around,
    Begin: _begin,
    Finish: _finish,
    Shot: _shot,
    Pin: _pin,
    Tally: _tally,
    Measure: _measure,
    Carry: _carry,
    Write: _write,
    Plug: _plug,
    Close: _close,
}


def start(span: SpanPlan) -> tuple[Line, ...]:
    """What a span is given when it starts."""
    lines = []
    if span.early(span.template.names):
        lines.append(Line(f"named {span.template.text}", span.template.mark))
    if span.key is not None:
        lines.append(Line(f"found again by its key {span.key.text}", span.key.mark))
    lines += [Line(f"after its end found by {alias.text} as well", alias.mark) for alias in span.aliases]
    lines.append(Line(f"its parent is {sources(span.parents)}", span.parents[0].mark))
    for link in span.links:
        lines.append(Line(f"linked as {link.kind} to {sources(link.sources)}", link.sources[0].mark))
    if span.owner is not None:
        lines.append(Line(f"it belongs to {span.owner.text}", span.owner.mark))
    lines += attributes(reading for reading in span.readings if span.early(reading.expression.names))
    lines += [Line(f"its {word} is written into {field.text}", field.mark) for word, field in span.inject.items()]
    return tuple(lines)


def outcome(span: SpanPlan, stage: Stage, more: Iterable[Reading] = ()) -> tuple[Line, ...]:
    """What a span is given when it ends at a stage."""
    lines = []
    if not span.early(span.template.names) and span.readable(span.template.names, stage):
        lines.append(Line(f"named {span.template.text}", span.template.mark))
    late = [reading for reading in span.readings if not span.early(reading.expression.names)]
    lines += attributes(each for each in (*late, *more) if span.readable(each.expression.names, stage))
    for status in span.statuses:
        lines += statuses(status, lambda expression: span.readable(expression.names, stage))
    if span.exception is not None and span.readable(span.exception.names, stage):
        lines.append(Line(f"the exception recorded is {span.exception.text}", span.exception.mark))
    return tuple(lines)


def statuses(status: StatusPlan, there: Callable[[Expression], bool] = lambda _: True) -> Iterable[Line]:
    """What a status says, as far as it can be read; of several the first that applies and gives something counts."""
    if status.when is not None and not there(status.when):
        return
    when = "" if status.when is None else f"if {status.when.text}: "
    if status.unset and status.when is not None:
        yield Line(f"{when}its status stays unset", status.when.mark)
    for word, expression in (
        ("its status is ERROR if this gives a description:", status.error),
        ("its status is OK if", status.ok),
    ):
        if expression is not None and there(expression):
            yield Line(f"{when}{word} {expression.text}", expression.mark)


def attributes(readings: Iterable[Reading]) -> tuple[Line, ...]:
    return tuple(Line(f"{each.key} = {read_from(each.expression)}", each.expression.mark) for each in readings)


def read_from(expression: Expression) -> str:
    """What is read, and what becomes of it where it is content."""
    tree = expression.tree
    helper = tree.func.id if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) else None
    return expression.text + {CUT_CONTENT: ", cut", HASHED_CONTENT: ", as a hash"}.get(helper or "", "")


def sources(tried: Sequence[Source]) -> str:
    """Where a parent or link leads: to the first of these that is there."""
    return ", or else ".join(map(_source, tried))


def _source(source: Source) -> str:
    if source.where == "none":
        return "none, it is the root of a trace of its own"
    if source.where == "current" or (source.span is None and source.traceparent is None):
        return "the current span"
    if source.span is not None:
        key = f" with the key {source.key.text}" if source.key else ""
        return f"the span {source.span}{key}" + (" (without it there is no span)" if source.required else "")
    assert source.traceparent is not None
    return f"the one whose traceparent is in {source.traceparent.text}"


def _open(span: str, key: Expression) -> str:
    return f"the open span {span} with the key {key.text}"


def _failed(stage: Stage) -> str:
    return ", with the exception recorded" if stage == "raise" else ""
