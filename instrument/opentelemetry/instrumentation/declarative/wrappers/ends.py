"""How a span ends, in source: what only its end can know is read, and the outcome told."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.model import Finish, Reading, Shot, SpanPlan, Stage
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.outcome import first_status
from opentelemetry.instrumentation.declarative.runtime.spans import several
from opentelemetry.instrumentation.declarative.wrappers.code import Group, Lines, Scope, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Site
from opentelemetry.instrumentation.declarative.wrappers.starts import opened, opening_of


def _outcome(
    span: SpanPlan, site: Site, scope: Scope, stage: Stage, group: Group, more: Iterable[Reading] = ()
) -> list[str]:
    """What is read when a span ends, as the keyword arguments of ``Spans.end``."""
    arguments: list[str] = []
    late = [part for part in span.template.parts if isinstance(part, Expression) and not span.early(part.names)]
    readable_parts = all(span.readable(part.names, stage) for part in late)
    if late and readable_parts and site.can_read(scope, f"the name of span {span.name}", [span.template]):
        arguments.append(f"name={group.title('name', span.template.parts)}")
    readings = [reading for reading in span.readings if not span.early(reading.expression.names)]
    there = site.readable(scope, [r for r in (*readings, *more) if span.readable(r.expression.names, stage)])
    if there:
        arguments.append(f"attributes={group.attributes('attributes', there)}")
    simple = span.statuses[0] if len(span.statuses) == 1 else None
    if simple is not None and simple.when is None and not simple.unset:
        values = {"status": simple.error, "ok": simple.ok}
    else:
        values = {}
        arguments += _statuses(span, site, scope, stage, group)
    values.update({"exception": span.exception, "end_time": span.end_time})
    for word, expression in values.items():
        if expression is None or not span.readable(expression.names, stage):
            continue
        if site.can_read(scope, f"the {word} of span {span.name}", [expression]):
            arguments.append(f"{word}={group.value(word, expression)}")
    return arguments


def _statuses(span: SpanPlan, site: Site, scope: Scope, stage: Stage, group: Group) -> list[str]:
    """The first of several statuses, as a keyword argument. What cannot be read at this stage does not apply."""

    def there(expression: Expression | None) -> bool:
        what = f"a status of span {span.name}"
        return expression is not None and (
            span.readable(expression.names, stage) and site.can_read(scope, what, [expression])
        )

    def read(word: str, expression: Expression | None, otherwise: str = "None") -> str:
        return group.value(word, expression) if expression is not None and there(expression) else otherwise

    tried = [
        f"({read('applies', each.when, 'True')}, {read('status', each.error)}, {read('ok', each.ok)}, {each.unset})"
        for each in span.statuses
        if (each.when is None or there(each.when)) and (each.unset or there(each.error) or there(each.ok))
    ]
    if not tried:
        return []
    return [f"status={site.names.cell('first_status', first_status)}({', '.join([scope.locals['error'], *tried])})"]


def _counted(span: SpanPlan, reach: str, site: Site, scope: Scope) -> tuple[Lines, Scope]:
    """What has been counted on a span that ends, under the names of its counts."""
    given = {name: site.names.temporary(name) for name in span.counts}
    if not given:
        return [], scope
    names = site.names.cell("counts", span.counts)
    left = ", ".join(given.values())
    line = f"{left}{',' if len(given) == 1 else ''} = {site.spans(span.name)}.counted({reach}, {names})"
    return [line], scope.with_locals(**given)


def write_leaving(span: SpanPlan, mark: Mark, site: Site, scope: Scope, stage: Stage) -> Lines:
    """The lines that end a span around the call."""
    local = site.entered.get(span.name)
    if local is None:
        return []

    def write(rule: Rule) -> Lines:
        counted, there = _counted(span, f"{local}.span", site, scope)
        group = Group(there, rule)
        outcome = _outcome(span, site, there, stage, group)
        error = [scope.locals["error"]] if stage == "raise" else []
        call = f"{site.acting(span.name)}.leave({', '.join([local, *error, *outcome])})"
        return [*counted, *group.lines(), call] if group else [call]

    lines = site.guarded(f"span {span.name} ends", mark, write, always=True)
    return [f"if {local} is not None:", *indented(lines)]


def write_finish(action: Finish, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    if not site.can_read(scope, f"the end of span {action.span.name}", [action.key]):
        return []
    find = Group(scope, rule)
    key = find.value("key", action.key)
    spans, local = site.acting(action.span.name), site.names.temporary("span")
    counted, there = _counted(action.span, local, site, scope)
    outcome = Group(there, rule)
    arguments = _outcome(action.span, site, there, stage, outcome, action.readings)
    error = [scope.locals["error"]] if stage == "raise" else []
    body = [*counted, *(outcome.lines() if outcome else []), f"{spans}.end({', '.join([local, *error, *arguments])})"]
    if not action.several:
        return [*find.lines(), f"{local} = {spans}.take({key})", f"if {local} is not None:", *indented(body)]
    one = site.names.temporary("one")
    take = [f"{local} = {spans}.take({one})", f"if {local} is not None:", *indented(body)]
    # Each on its own: a key that cannot be one does not keep the spans after it open.
    each = site.guarded(f"span {action.span.name} ends", action.mark, lambda _: take, part=True)
    return [*find.lines(), f"for {one} in {site.names.cell('several', several)}({key}):", *indented(each)]


def write_shot(action: Shot, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = opening_of(span, site, scope, rule)
    if opening is None:
        return []
    arguments = list(opening.arguments)
    if span.start_time is not None and site.can_read(scope, f"the start of span {span.name}", [span.start_time]):
        arguments.append(f"start_time={opening.group.value('start_time', span.start_time)}")
    arguments += _outcome(span, site, scope, stage, opening.group)
    return opened(opening, [f"{site.acting(span.name)}.shot({', '.join(arguments)})"], site)
