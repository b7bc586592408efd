"""What a plan asks for in vain: conditions that decide nothing, what nobody uses or reads, what stands there twice.

Only what is certain is told, as warnings: such a spec can be used. The plan has to be one without problems, made with
content recorded: what is left out would seem to be read by nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.spec_model import ContextSource, Hook, Moment, SpanType, Text
from opentelemetry.instrumentation.declarative.lint.conditions import Fact, missing, never
from opentelemetry.instrumentation.declarative.plan.model import (
    DYNAMIC,
    STAGES,
    THERE,
    Action,
    Begin,
    HookPlan,
    Plan,
    Reading,
    Source,
    Stage,
    Write,
)


def idle(plan: Plan) -> list[Problem]:
    """Warnings about what a plan asks for in vain."""
    found = [*_conditions(plan), *_unused(plan), *_unread(plan), *_never_recorded(plan)]
    named = {part.span for part in _parts((plan.spans, plan.joined)) if isinstance(part, Source)}
    for span in plan.spec.spans.values():
        found += [*_idle_words(span, named, bool(plan.spec.closings)), *_repeated(span)]
    for link in (link for span in plan.spec.spans.values() for link in span.links):
        found += _sources(link.sources)
    for write in plan.spec.writes:
        found += _sources(write.of)
    return list(dict.fromkeys(found))


def _warning(mark: Mark, code: str, message: str, mend: str) -> Problem:
    return Problem(mark, code, message, mend, "warning")


# ── Conditions ──


def _conditions(plan: Plan) -> Iterator[Problem]:
    for hooks in plan.joined:
        written = {
            field.text
            for hook in hooks
            for action in _actions(hook)
            if isinstance(action, Write)
            for field in (*action.words.values(), action.field)
            if field is not None and field.is_name
        }
        for hook in hooks:
            if hook.when is not None:
                yield from _decides(hook.when, f'the hook "{hook.hook.name}"')
            for stage in STAGES:
                for action in hook.actions[stage]:
                    yield from _condition(action, hook, stage, written)
    for span in plan.spans.values():
        for status in span.statuses:
            if status.when is not None:
                yield from _decides(status.when, f'this status of the span "{span.name}"')
            if status.ok is not None and never([Fact(status.ok.tree)]):
                message = f'"{status.ok.text}" is never true: the span "{span.name}" is never OK by it'
                yield _warning(status.ok.mark, "never-true", message, "take `ok` out, or mend the condition")


def _condition(action: Action, hook: HookPlan, stage: Stage, written: set[str]) -> Iterator[Problem]:
    when: Expression | None = getattr(action, "when", None)
    if when is None:
        return
    what = _what(action)
    told = list(_decides(when, what))
    yield from told
    if told or hook.when is None:
        return
    # What the hook and the moment itself give is another value under the same name.
    given = {*hook.args, *hook.names, *(action.names if isinstance(action, Begin) else ()), *written}
    before = Fact(hook.when.tree, known_as=_as_before(given, "" if stage == "enter" else "before the call: "))
    if never([before, Fact(when.tree)]):
        message = f'"{when.text}" is never true where the hook "{hook.hook.name}" is meant, which has '
        message += f'"{hook.when.text}": {what} is not reached there'
        yield _warning(when.mark, "never-true", message, "take it out, or mend one of the two conditions")


def _as_before(given: set[str], prefix: str) -> Callable[[ast.expr], str | None]:
    """How a path in a hook's condition is known to what happens later: a name keeps its value, a field need not."""

    def known_as(path: ast.expr) -> str | None:
        if any(isinstance(node, ast.Name) and node.id in given for node in ast.walk(path)):
            return None
        return ast.unparse(path) if isinstance(path, ast.Name) else prefix + ast.unparse(path)

    return known_as


def _decides(when: Expression, what: str) -> Iterator[Problem]:
    """Whether a condition decides anything."""
    if never([Fact(when.tree)]):
        message = f'"{when.text}" is never true: {what} is never reached'
        yield _warning(when.mark, "never-true", message, "take it out, or mend the condition")
    elif never([Fact(when.tree, true=False)]):
        message = f'"{when.text}" is always true: it decides nothing for {what}'
        yield _warning(when.mark, "always-true", message, "take `when` out, or mend it")


def _what(action: Action) -> str:
    kind, span = type(action).__name__, getattr(action, "span", None)
    name = getattr(action, "name", None) or getattr(action, "tap", None) or getattr(span, "name", None)
    words = {
        "Around": "the span",
        "Begin": "this start of the span",
        "Finish": "this end of the span",
        "Shot": "the span",
        "Pin": "the event" if getattr(action, "template", None) else "the update",
        "Tally": "the count",
        "Measure": "the metric",
        "Carry": "the carried value",
        "Write": "the write",
        "Plug": "the tap",
        "Close": "the closing",
    }
    return f'{words.get(kind, "the rule")} "{name}"'


def _actions(hook: HookPlan) -> Iterator[Action]:
    for stage in STAGES:
        yield from hook.actions[stage]


# ── What nobody uses ──


def _unused(plan: Plan) -> Iterator[Problem]:
    spec = plan.spec
    used = {hook.hook.name for hooks in plan.joined for hook in hooks}
    for hook in spec.hooks.values():
        if hook.name not in used:
            message = f'no rule uses the hook "{hook.name}": what it names is not patched'
            yield _warning(
                hook.mark, "idle-hook", message, "use it in a span, an event or another rule, or take it out"
            )
    tapped = {hook.tap.value for hook in spec.hooks.values() if hook.tap is not None}
    for tap in spec.taps.values():
        if tap.name not in tapped:
            message = f'no hook is on the tap "{tap.name}": it is plugged in and does nothing'
            yield _warning(tap.mark, "idle-tap", message, "give it a hook with tap and method, or take it out")
    mirrored = {span.mirror.value for span in spec.spans.values() if span.mirror is not None}
    for mirror in spec.mirrors:
        if mirror.enabled and mirror.name not in mirrored:
            message = f'no span is written to the mirror "{mirror.name}"'
            yield _warning(
                mirror.mark, "idle-mirror", message, f"write mirror: {mirror.name} under a span, or take it out"
            )
    for closing in spec.closings:
        if not any(span.owner is not None for span in spec.spans.values()):
            message = f'the closing "{closing.name}" ends nothing: no span has an `owner`'
            yield _warning(closing.at.mark, "idle-closing", message, "write owner: under the spans that it is to end")


# ── What nobody reads ──


def _unread(plan: Plan) -> Iterator[Problem]:
    spec, texts = plan.spec, [*expressions_in((plan.spans, plan.joined, plan.mirrors))]
    read = {name for text in texts for name in text.names}
    called = {name for text in texts for name in text.functions}
    # A mirror that is off is not in the plan.
    off = " ".join(mirror.store.value for mirror in spec.mirrors if not mirror.enabled)
    for name, function in spec.functions.items():
        if name not in called and f"{name}(" not in off:
            message = f'no expression calls the function "{name}"'
            yield _warning(function.mark, "idle-function", message, "take it out, or call it")
    named: list[tuple[str, str, Mark]] = [("carried value", one.name, one.mark) for one in spec.carried]
    used = {hook.hook.name for hooks in plan.joined for hook in hooks}
    for hook in (hook for hook in spec.hooks.values() if hook.name in used):
        named += [("name", name, hook.name_marks.get(name, hook.mark)) for name in hook.names]
    for span in spec.spans.values():
        named += [("count", count.name, count.mark) for count in span.counts]
        for start in span.starts:
            named += [("name", name, start.name_marks.get(name, span.mark)) for name in start.names]
    for kind, name, mark in named:
        if name not in read:
            yield _warning(mark, "idle-name", f'no expression reads the {kind} "{name}"', "take it out, or read it")


def expressions_in(value: Any) -> Iterator[Expression]:
    """Every expression in a part of a plan."""
    return (part for part in _parts(value) if isinstance(part, Expression))


def _parts(value: Any) -> Iterator[Any]:
    """Everything that a part of a plan is made of, each once: one rule may stand at many moments."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            waiting += part.values()
        elif isinstance(part, (tuple, list)):
            waiting += part
        elif is_dataclass(part) and id(part) not in seen:
            seen.add(id(part))
            yield part
            if not isinstance(part, (Expression, Hook, Mark)):
                waiting += [getattr(part, field.name) for field in fields(part)]


# ── What is never recorded ──


def _never_recorded(plan: Plan) -> Iterator[Problem]:
    for part in _parts((plan.spans, plan.joined)):
        if isinstance(part, Reading) and _is_missing(part.expression):
            message = f'"{part.expression.text}" is always missing: the attribute {part.key} is never recorded'
            mend = "take it out; in a spec that extends another, `null` removes an attribute"
            if part.expression.names >= DYNAMIC:
                mend = "of result and error one is always missing: read them in two attributes, or with `or`"
            yield _warning(part.expression.mark, "never-recorded", message, mend)


def _is_missing(expression: Expression) -> bool:
    """Whether an expression is missing however the call ends: of result and error there is never more than one."""
    dynamic = DYNAMIC & expression.names
    there = [stage for stage in STAGES if not dynamic or dynamic & THERE[stage]]
    return all(missing(expression.tree, DYNAMIC - THERE[stage] if dynamic else frozenset()) for stage in there)


# ── What decides nothing about a span ──


def _idle_words(span: SpanType, named: set[str | None], closes: bool) -> Iterator[Problem]:
    """``named``: the types of span that some source names; ``closes``: whether anything ends what an owner has."""
    if span.remember and span.name not in named:
        message = (
            f'the context of ended spans "{span.name}" is kept and never used: no parent, link or write names them'
        )
        yield _warning(span.mark, "idle-remember", message, "take `remember` out, or name the span with span: and key:")
    if span.owner is not None and span.mirror is None and not closes:
        message = f'the owner of the span "{span.name}" is not used: there is no closing, and the span has no mirror'
        yield _warning(span.owner.mark, "idle-owner", message, "write a closing, or take `owner` out")
    yield from _sources(span.parents)
    for source in span.parents:
        if source.required and any(other.where == "none" for other in span.parents):
            message = "`required` decides nothing here: `none` is always there"
            yield _warning(source.mark, "idle-required", message, "take `none` out of the list, or `required`")


def _sources(sources: tuple[ContextSource, ...]) -> Iterator[Problem]:
    seen = set()
    for source in sources:
        words = (source.where, *(_value(text) for text in (source.span, source.key, source.traceparent)))
        if words in seen:
            message = "this source stands twice in the list: the second is never looked for"
            yield _warning(source.mark, "repeated", message, "take one of them out")
        seen.add(words)


def _repeated(span: SpanType) -> Iterator[Problem]:
    """Moments that another one covers."""
    done: set[tuple[object, ...]] = set()
    for end in span.ends:
        words = (_value(end.key), _value(end.keys))
        covered = all((end.at.hook, stage, None, *words) in done for stage in _stages(end.at))
        if covered or all((end.at.hook, stage, _value(end.when), *words) in done for stage in _stages(end.at)):
            message = f'this end of the span "{span.name}" is never reached: the span has ended by one above it'
            yield _warning(end.at.mark, "repeated", message, "take it out, or say when which of them is meant")
        done |= {(end.at.hook, stage, _value(end.when), *words) for stage in _stages(end.at)}
    events = [(event.name, event.at) for event in span.events if event.template is not None]
    for rule, moments in (*events, *((count.name, count.at) for count in span.counts)):
        seen: set[tuple[str, Stage]] = set()
        for at in moments:
            stages = {(at.hook, stage) for stage in _stages(at)}
            if stages & seen:
                message = f'"{rule}" happens twice at this moment: another in the list covers it'
                yield _warning(at.mark, "repeated", message, "take one of them out")
            seen |= stages


def _stages(at: Moment) -> Iterable[Stage]:
    return ("return", "raise") if at.phase == "exit" else (at.phase,)


def _value(text: Text | None) -> str | None:
    return None if text is None else text.value
