"""Each action of a plan as lines of source, for one hook at one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.model import (
    STAGES,
    Action,
    Around,
    Begin,
    Carry,
    Close,
    Finish,
    HookPlan,
    Measure,
    Pin,
    Plug,
    Shot,
    Stage,
    Tally,
    Write,
    readable,
)
from opentelemetry.instrumentation.declarative.runtime import context
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.outcome import pin, update
from opentelemetry.instrumentation.declarative.wrappers.code import Group, Lines, Scope, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Site, when
from opentelemetry.instrumentation.declarative.wrappers.ends import write_finish, write_shot
from opentelemetry.instrumentation.declarative.wrappers.starts import (
    looked_up,
    source_expressions,
    write_around,
    write_begin,
)


def write_action(action: Action, site: Site, scope: Scope, stage: Stage) -> Lines:
    """The lines of one action at the stage at which it happens (for Around: at enter)."""
    what = _title(action)
    write: Any = _WRITERS[type(action)]

    def conditional(rule: Rule) -> Lines:
        lines, here = site.named(action.names, scope, rule) if isinstance(action, Begin) else ([], scope)
        if not site.can_read(here, what, [action.when]):
            return []
        body: Lines = write(action, site, here, rule, stage)
        if not body:
            return []
        if site.tally is not None and not site.tally.acts:
            body = [*body, *site.emitted()]
        if action.when is not None:
            body = [*site.matched(), *body]
        return [*lines, *(body if action.when is None else when(action.when, here, rule, body))]

    return site.guarded(what, action.mark, conditional, always=isinstance(action, Finish | Close))


def _title(action: Action) -> str:
    """What an action does, in words for a comment and for a warning."""
    if isinstance(action, Around | Begin | Finish | Shot):
        verb = {Around: "starts", Begin: "starts", Finish: "ends", Shot: ""}[type(action)]
        return f"span {action.span.name} {verb}".rstrip()
    if isinstance(action, Plug):
        return f"tap {action.tap} is plugged in"
    if isinstance(action, Pin):
        return f"{'event' if action.template else 'update'} {action.name}"
    word = {Tally: "count", Measure: "metric", Carry: "carried value", Write: "write", Close: "closing"}[type(action)]
    return f"{word} {action.name}"


def _pin(action: Pin, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, _title(action), [action.key, action.template]):
        return []
    group = Group(scope, rule)
    words = [group.title("name", action.template.parts)] if action.template else []
    words.append(group.attributes("attributes", site.readable(scope, action.readings)))
    act = site.act("pin", pin) if action.template else site.act("update", update)
    if action.span is None or action.key is None:
        current = site.names.cell("current_span", context.current_span)
        return [*group.lines(), f"{act}({', '.join([f'{current}()', *words])})"]
    find = Group(scope, rule)
    key = find.value("key", action.key)
    local = site.names.temporary("span")
    body = [*group.lines(), f"{act}({', '.join([local, *words])})"]
    return [
        *find.lines(),
        f"{local} = {site.acting(action.span)}.find({key})",
        f"if {local} is not None:",
        *indented(body),
    ]


def _tally(action: Tally, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"count {action.name}", [action.key]):
        return []
    group = Group(scope, rule)
    key = group.value("key", action.key)
    return [*group.lines(), f"{site.acting(action.span)}.count({key}, {action.name!r})"]


def _measure(action: Measure, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, _title(action), [action.value, action.only]):
        return []
    group = Group(scope, rule)
    value = "1" if action.value is None else group.value("value", action.value)
    attributes = "{}"
    if readings := site.readable(scope, [each for each in action.readings if readable(each.expression.names, stage)]):
        attributes = group.attributes("attributes", readings)
    measure = site.act("measure", site.runtime.instruments[action.name].measure, "its value was missing")
    lines = [*(group.lines() if group else []), f"{measure}({value}, {attributes})"]
    return lines if action.only is None else when(action.only, scope, rule, lines)


def _carry(action: Carry, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    what = f"carried value {action.name}"
    if site.stepwise:
        message = f"{site.title} is a generator, and a value is only carried through a call: {what} is left out"
        site.problems.append(Problem(action.mark, "not-carried", message, "carry it during a call that uses it"))
        return []
    if not site.can_read(scope, what, [action.value]):
        return []
    group = Group(scope, rule)
    value = group.value("value", action.value)
    token = site.carrying[action.name] = site.names.local(f"{action.name}_token")
    return [*group.lines(), f"{token} = {site.names.cell(action.name, site.runtime.carried[action.name])}.set({value})"]


def write_putting_down(action: Carry, site: Site) -> Lines:
    """The lines after which a value is no longer carried."""
    token = site.carrying.get(action.name)
    if token is None:
        return []
    reset = [f"{site.names.cell('detach', context.detach)}({token})"]
    lines = site.guarded(_title(action), action.mark, lambda _: reset, always=True, part=True)
    return [f"if {token} is not None:", *indented(lines)]


def _write(action: Write, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if action.field is not None and action.value is not None:
        group = Group(scope, rule)
        if not readable(action.field.names, stage) or not site.can_read(scope, _title(action), [action.value]):
            return []
        value = group.value("value", action.value)
        return [*group.lines(), *_set(action.field, value, action, site, scope)]
    if not site.can_read(scope, _title(action), source_expressions(action.of)):
        return []
    group = Group(scope, rule)
    tried = [looked_up(source, site, group) for source in action.of]
    span = site.names.temporary("span")
    found = f"{span} = {site.names.cell('span_in', context.span_in)}({' or '.join(tried)})"
    lines = [*(group.lines() if group else []), found]
    for word, place in action.words.items():
        if not readable(place.names, stage):
            continue
        local = site.names.temporary(word)
        lines.append(f"{local} = {site.names.cell(word, getattr(context, word))}({span})")
        lines += _set(place, local, action, site, scope)
    return lines


def _set(place: Expression, value: str, action: Write, site: Site, scope: Scope) -> Lines:
    """Lines that set a field, or a parameter that the call is then given, to a value that is there."""
    if not site.can_read(scope, _title(action), [place]):
        return []
    if place.is_name and not (site.direct and place.text in site.parameters):
        message = f'"{place.text}" is not a parameter of {site.title} that can be set: {_title(action)} is left out'
        site.problems.append(Problem(place.mark, "not-a-field", message, "name a field, as in message.trace_id"))
        return []
    path = place.text if place.is_name else place.field(scope.rename)
    return [f"if {value} is not None:", f"    {path} = {value}", *indented(site.written())]


def _close(action: Close, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"closing {action.name}", [action.owner]):
        return []
    group = Group(scope, rule)
    owner = group.value("owner", action.owner)
    runtime = site.names.cell("runtime", site.runtime)
    lines = [*group.lines(), f"{runtime}.close_owned({owner}, {action.name!r})"]
    return [*lines, f"await {runtime}.flush({owner})"] if site.awaits else lines


def _plug(action: Plug, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"tap {action.tap}", [action.call]):
        return []
    return [f"{action.call.fast(scope.rename)}({scope.locals['tap']})"]


def rules_of(hook: HookPlan) -> Iterator[tuple[str, Mark, Stage]]:
    """Each rule that stands on a hook, by what it does and where it stands, with the stages at which it does it."""
    for stage, actions in hook.actions.items():
        for action in actions:
            yield _title(action), action.mark, stage
            if isinstance(action, Around | Begin):
                for word, path in action.span.inject.items():
                    yield f"span {action.span.name} injects {word}", path.mark, stage
            if isinstance(action, Around):
                for after in STAGES[1:]:
                    yield f"span {action.span.name} ends", action.mark, after


_WRITERS: dict[type, Callable[..., Lines]] = {
    Carry: _carry,
    Around: write_around,
    Begin: write_begin,
    Finish: write_finish,
    Shot: write_shot,
    Pin: _pin,
    Tally: _tally,
    Measure: _measure,
    Write: _write,
    Plug: _plug,
    Close: _close,
}
