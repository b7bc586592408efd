"""Each action of a plan as lines of source, for one hook at one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from os.path import basename
from typing import Any

from instrument.expressions import Expression, Template
from instrument.plan import (
    DYNAMIC,
    Action,
    Around,
    Begin,
    Finish,
    Pin,
    Plug,
    Reading,
    Shot,
    Source,
    SpanPlan,
    Stage,
    readable,
)
from instrument.problems import Mark, Problem, closest
from instrument.runtime import context
from instrument.runtime.guard import Rule
from instrument.runtime.spans import pin
from instrument.wrappers.code import Group, Lines, Names, Scope, indented
from instrument.wrappers.runtime_for import Runtime


@dataclass(slots=True)
class Site:
    """Where lines are written for: a callable, its names, and what is found wrong on the way."""

    title: str
    names: Names
    #: A parameter of the callable -> the local that holds it.
    parameters: dict[str, str]
    runtime: Runtime
    stepwise: bool
    problems: list[Problem] = field(default_factory=list)
    #: A span around this call -> the local that holds it.
    entered: dict[str, str] = field(default_factory=dict)

    def guarded(self, what: str, mark: Mark, write: Callable[[Rule], Lines]) -> Lines:
        """Lines that can fail without the host's noticing, under a comment that says which rule of the spec they are."""
        rule = Rule(what, mark)
        with self.names.block():
            lines = write(rule)
            mistake = self.names.temporary("mistake")
        if not lines:
            return []
        name = self.names.cell("rule", rule)
        return [
            f"try:  # {basename(mark.file)}:{mark.line}  {what}",
            *indented(lines),
            f"except {self.names.builtin('Exception')} as {mistake}:",
            f"    {name}.failed({mistake})",
        ]

    def can_read(self, scope: Scope, what: str, expressions: Iterable[Expression | Template | None]) -> bool:
        """Whether every name is there; if not, that is a problem and what needs the name is left out."""
        missing = scope.missing(*expressions)
        for name, mark in missing:
            near = closest(name, [known for known in scope.locals if known not in DYNAMIC])
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(scope.locals) or 'none'}"
            problem = Problem(mark, "unknown-name", f'"{name}" is not a parameter of {self.title}: {what} is left out', mend)
            if problem not in self.problems:
                self.problems.append(problem)
        return not missing

    def spans(self, name: str) -> str:
        return self.names.cell(f"{name}_spans", self.runtime.spans[name])


def write_action(action: Action, site: Site, scope: Scope, stage: Stage) -> Lines:
    """The lines of one action at the stage at which it happens (for Around: at enter)."""
    if isinstance(action, Pin):
        what = f"event {action.name}"
    elif isinstance(action, Plug):
        what = f"tap {action.tap} is plugged in"
    else:
        verb = {Around: "starts", Begin: "starts", Finish: "ends", Shot: ""}[type(action)]
        what = f"span {action.span.name} {verb}".rstrip()
    write: Any = _WRITERS[type(action)]
    return site.guarded(what, action.mark, lambda rule: _conditional(action, site, scope, rule, what, stage, write))


def _conditional(action: Action, site: Site, scope: Scope, rule: Rule, what: str, stage: Stage, write: Any) -> Lines:
    if not site.can_read(scope, what, [action.when]):
        return []
    lines: Lines = write(action, site, scope, rule, stage)
    if not lines or action.when is None:
        return lines
    return when(action.when, scope, rule, lines)


def when(condition: Expression, scope: Scope, rule: Rule, lines: Lines) -> Lines:
    """Lines under a condition."""
    if condition.total:
        return [f"if {condition.fast(scope.rename)}:", *indented(lines)]
    group = Group(scope, rule)
    local = group.value("when", condition)
    return [*group.lines(), f"if {local}:", *indented(lines)]


# ── A span's beginning ──


@dataclass(slots=True)
class _Opening:
    """What every start of a span reads, and the words that hand it on."""

    group: Group
    arguments: list[str]
    after: Lines
    required: str | None


def _opening(span: SpanPlan, site: Site, scope: Scope, rule: Rule) -> _Opening | None:
    """Name, attributes, parent and links of a span that starts; None where one that it cannot do without is not there."""
    parts = [part for part in span.template.parts if isinstance(part, str) or span.early(part.names)]
    what = f"span {span.name}"
    needed = [part for part in parts if isinstance(part, Expression)]
    if not site.can_read(scope, what, [*needed, *_source_expressions(span.parent)]):
        return None
    group = Group(scope, rule)
    name = group.title("name", parts)
    readings = [reading for reading in span.readings if span.early(reading.expression.names)]
    attributes = group.attributes("attributes", _readable(readings, site, scope))
    opening = _Opening(group, [name, attributes], [], None)
    parent = _parent(span.parent, site, group, opening)
    if parent:
        opening.arguments.append(f"parent={parent}")
    links = [
        word
        for link in span.links
        if site.can_read(scope, f"the link {link.kind}", _source_expressions(link.source))
        and (word := _link(link.source, site, group, {site.runtime.link_kind: link.kind}))
    ]
    if links:
        opening.arguments.append(f"links=[{', '.join(links)}]")
    return opening


def _readable(readings: Iterable[Reading], site: Site, scope: Scope) -> list[Reading]:
    return [r for r in readings if site.can_read(scope, f"the attribute {r.key}", [r.expression])]


def _source_expressions(source: Source) -> list[Expression | None]:
    return [source.key, source.traceparent, source.tracestate]


def _parent(source: Source, site: Site, group: Group, opening: _Opening) -> str | None:
    if source.where == "current":
        return None
    if source.where == "none":
        return site.names.cell("root", context.ROOT)
    parent = site.names.temporary("parent")
    opening.after.append(f"{parent} = {_looked_up(source, site, group)}")
    if source.required:
        opening.required = parent
    return parent


def _looked_up(source: Source, site: Site, group: Group) -> str:
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{site.spans(source.span)}.context({group.value('parent_key', source.key)})"
    return f"{site.names.cell('remote', context.remote)}({_carried(source, group)})"


def _carried(source: Source, group: Group) -> str:
    assert source.traceparent is not None
    words = [group.value("traceparent", source.traceparent)]
    words.append(group.value("tracestate", source.tracestate) if source.tracestate else "None")
    return ", ".join(words)


def _link(source: Source, site: Site, group: Group, kind: dict[str, str]) -> str:
    attributes = site.names.cell(next(iter(kind.values())), kind)
    if source.where == "current":
        return f"{site.names.cell('current_link', context.current_link)}({attributes})"
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{site.spans(source.span)}.link({group.value('link_key', source.key)}, {attributes})"
    return f"{site.names.cell('remote_link', context.remote_link)}({_carried(source, group)}, {attributes})"


def _opened(opening: _Opening, lines: Lines) -> Lines:
    if opening.required:
        lines = [f"if {opening.required} is not None:", *indented(lines)]
    return [*opening.group.lines(), *opening.after, *lines]


def _injected(span: SpanPlan, site: Site, scope: Scope, local: str, reach: str) -> Lines:
    """Write the span's context into the fields that carry it, before the host's call goes on."""
    lines: Lines = []
    for word, path in span.inject.items():
        what = f"the injection of {word}"
        if not site.can_read(scope, what, [path]):
            continue
        value = site.names.temporary(word)
        write = site.names.cell(word, getattr(context, word))
        lines += site.guarded(
            f"span {span.name} injects {word}",
            path.mark,
            lambda _rule, value=value, write=write, path=path: [  # type: ignore[misc]
                f"{value} = {write}({reach})",
                f"if {value} is not None:",
                f"    {path.field(scope.rename)} = {value}",
            ],
        )
    return [f"if {local} is not None:", *indented(lines)] if lines else []


def _around(action: Around, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = _opening(span, site, scope, rule)
    if opening is None or not site.can_read(scope, f"the key of span {span.name}", [span.key]):
        return []
    arguments = list(opening.arguments)
    if span.key is not None:
        arguments.append(f"key={opening.group.value('key', span.key)}")
    if site.stepwise:
        arguments.append("current=False")
    local = site.entered[span.name] = site.names.local(f"{span.name}_span")
    lines = [f"{local} = {site.spans(span.name)}.enter({', '.join(arguments)})"]
    return _opened(opening, lines + _injected(span, site, scope, local, f"{local}.span"))


def _begin(action: Begin, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = _opening(span, site, scope, rule)
    if opening is None or span.key is None or not site.can_read(scope, f"span {span.name}", [span.key]):
        return []
    key = opening.group.value("key", span.key)
    call = f"{site.spans(span.name)}.begin({', '.join([key, *opening.arguments])})"
    if not span.inject:
        return _opened(opening, [call])
    local = site.names.temporary("span")
    return _opened(opening, [f"{local} = {call}", *_injected(span, site, scope, local, local)])


# ── A span's end ──


def _outcome(span: SpanPlan, site: Site, scope: Scope, stage: Stage, group: Group, more: Iterable[Reading] = ()) -> list[str]:
    """What is read when a span ends, as the keyword arguments of ``Spans.end``."""
    arguments: list[str] = []
    late = [part for part in span.template.parts if isinstance(part, Expression) and not span.early(part.names)]
    readable_parts = all(readable(part.names, stage) for part in late)
    if late and readable_parts and site.can_read(scope, f"the name of span {span.name}", [span.template]):
        arguments.append(f"name={group.title('name', span.template.parts)}")
    readings = [reading for reading in span.readings if not span.early(reading.expression.names)]
    there = _readable([r for r in (*readings, *more) if readable(r.expression.names, stage)], site, scope)
    if there:
        arguments.append(f"attributes={group.attributes('attributes', there)}")
    values = {"status": span.status_error, "ok": span.status_ok, "exception": span.exception, "end_time": span.end_time}
    for word, expression in values.items():
        if expression is None or not readable(expression.names, stage):
            continue
        if site.can_read(scope, f"the {word} of span {span.name}", [expression]):
            arguments.append(f"{word}={group.value(word, expression)}")
    return arguments


def write_leaving(span: SpanPlan, mark: Mark, site: Site, scope: Scope, stage: Stage) -> Lines:
    """The lines that end a span around the call."""
    local = site.entered.get(span.name)
    if local is None:
        return []

    def write(rule: Rule) -> Lines:
        group = Group(scope, rule)
        outcome = _outcome(span, site, scope, stage, group)
        error = [scope.locals["error"]] if stage == "raise" else []
        call = f"{site.spans(span.name)}.leave({', '.join([local, *error, *outcome])})"
        return [*group.lines(), call] if group else [call]

    lines = site.guarded(f"span {span.name} ends", mark, write)
    return [f"if {local} is not None:", *indented(lines)]


def _finish(action: Finish, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"the end of span {action.span.name}", [action.key]):
        return []
    find, outcome = Group(scope, rule), Group(scope, rule)
    key = find.value("key", action.key)
    arguments = _outcome(action.span, site, scope, stage, outcome, action.readings)
    spans, local = site.spans(action.span.name), site.names.temporary("span")
    error = [scope.locals["error"]] if stage == "raise" else []
    body = [*(outcome.lines() if outcome else []), f"{spans}.end({', '.join([local, *error, *arguments])})"]
    return [*find.lines(), f"{local} = {spans}.take({key})", f"if {local} is not None:", *indented(body)]


def _shot(action: Shot, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = _opening(span, site, scope, rule)
    if opening is None:
        return []
    arguments = list(opening.arguments)
    if span.start_time is not None and site.can_read(scope, f"the start of span {span.name}", [span.start_time]):
        arguments.append(f"start_time={opening.group.value('start_time', span.start_time)}")
    arguments += _outcome(span, site, scope, stage, opening.group)
    return _opened(opening, [f"{site.spans(span.name)}.shot({', '.join(arguments)})"])


# ── Events and taps ──


def _pin(action: Pin, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    parts = [part for part in action.template.parts if isinstance(part, Expression)]
    if not site.can_read(scope, f"event {action.name}", [action.key, *parts]):
        return []
    pin_it = site.names.cell("pin", pin)
    group = Group(scope, rule)
    name = group.title("name", action.template.parts)
    attributes = group.attributes("attributes", _readable(action.readings, site, scope))
    if action.span is None or action.key is None:
        current = site.names.cell("current_span", context.current_span)
        return [*group.lines(), f"{pin_it}({current}(), {name}, {attributes})"]
    find = Group(scope, rule)
    key = find.value("key", action.key)
    local = site.names.temporary("span")
    body = [*group.lines(), f"{pin_it}({local}, {name}, {attributes})"]
    return [*find.lines(), f"{local} = {site.spans(action.span)}.find({key})", f"if {local} is not None:", *indented(body)]


def _plug(action: Plug, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"tap {action.tap}", [action.call]):
        return []
    return [f"{action.call.fast(scope.rename)}({scope.locals['tap']})"]


_WRITERS: dict[type, Callable[..., Lines]] = {
    Around: _around,
    Begin: _begin,
    Finish: _finish,
    Shot: _shot,
    Pin: _pin,
    Plug: _plug,
}
