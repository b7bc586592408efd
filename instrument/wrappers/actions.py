"""Each action of a plan as lines of source, for one hook at one stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instrument.expressions import Expression
from instrument.plan.model import Action, Around, Begin, Close, Finish, Pin, Plug, Shot, Stage
from instrument.runtime import context
from instrument.runtime.guard import Rule
from instrument.runtime.spans import pin
from instrument.wrappers.code import Group, Lines, Scope, indented
from instrument.wrappers.ends import write_finish, write_shot
from instrument.wrappers.site import Site, when
from instrument.wrappers.starts import write_around, write_begin


def write_action(action: Action, site: Site, scope: Scope, stage: Stage) -> Lines:
    """The lines of one action at the stage at which it happens (for Around: at enter)."""
    if isinstance(action, Pin):
        what = f"event {action.name}"
    elif isinstance(action, Plug):
        what = f"tap {action.tap} is plugged in"
    elif isinstance(action, Close):
        what = f"closing {action.name}"
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


def _pin(action: Pin, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    parts = [part for part in action.template.parts if isinstance(part, Expression)]
    if not site.can_read(scope, f"event {action.name}", [action.key, *parts]):
        return []
    pin_it = site.names.cell("pin", pin)
    group = Group(scope, rule)
    name = group.title("name", action.template.parts)
    attributes = group.attributes("attributes", site.readable(scope, action.readings))
    if action.span is None or action.key is None:
        current = site.names.cell("current_span", context.current_span)
        return [*group.lines(), f"{pin_it}({current}(), {name}, {attributes})"]
    find = Group(scope, rule)
    key = find.value("key", action.key)
    local = site.names.temporary("span")
    body = [*group.lines(), f"{pin_it}({local}, {name}, {attributes})"]
    return [
        *find.lines(),
        f"{local} = {site.spans(action.span)}.find({key})",
        f"if {local} is not None:",
        *indented(body),
    ]


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


_WRITERS: dict[type, Callable[..., Lines]] = {
    Around: write_around,
    Begin: write_begin,
    Finish: write_finish,
    Shot: write_shot,
    Pin: _pin,
    Plug: _plug,
    Close: _close,
}
