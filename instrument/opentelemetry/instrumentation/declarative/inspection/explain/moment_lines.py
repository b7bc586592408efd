"""The lines about each moment of a callable, in the order of the generated wrapper."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from opentelemetry.instrumentation.declarative.inspection.explain.output import OutputLine
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import (
    context_reset_line,
    describe_action,
    span_end_line,
)
from opentelemetry.instrumentation.declarative.plan.call_actions import SetContextValue
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import RecordSpan, SpanStart, TraceCall
from opentelemetry.instrumentation.declarative.plan.stages import ENDS, OUTCOME_NAMES, STAGES, Stage


def lines_by_stage(call: CallPlan, parameters: Collection[str]) -> dict[Stage, tuple[OutputLine, ...]]:
    """Return, for each stage of a callable, its hooks with what each does there. At the end, hooks run in reverse.

    ``parameters``: the parameters of the callable, which may be named as its outcome.
    """
    hooks = [_with_parameters(hook, OUTCOME_NAMES.intersection(parameters)) for hook in call.hooks]
    return {stage: tuple(_hook_lines(hooks, stage)) for stage in STAGES}


def _with_parameters(hook: HookPlan, parameters: frozenset[str]) -> HookPlan:
    """The hook, on a callable with these parameters: its spans read them when they start."""
    if not parameters:
        return hook
    at_start = [
        replace(action, span=replace(action.span, names_at_start=action.span.names_at_start | parameters))
        if isinstance(action, (SpanStart, RecordSpan))
        else action
        for action in hook.actions["enter"]
    ]
    return replace(hook, actions={**hook.actions, "enter": at_start})


def _hook_lines(hooks: Sequence[HookPlan], stage: Stage) -> list[OutputLine]:
    actions = [(hook, _action_lines(hook, stage)) for hook in hooks]
    context = [(hook, _context_lines(hook, stage)) for hook in hooks]
    # Context values are set last and reset first: the hooks on the call itself do not see them.
    ordered = [*actions, *context] if stage == "enter" else [*reversed(context), *reversed(actions)]
    return [OutputLine(_title(hook), hook.hook.mark, tuple(lines)) for hook, lines in ordered if lines]


def _action_lines(hook: HookPlan, stage: Stage) -> list[OutputLine]:
    lines = [
        describe_action(action, stage) for action in hook.actions[stage] if not isinstance(action, SetContextValue)
    ]
    if stage == "item":
        collected = [f"{each.name} collects: {each.kind} of {each.value.text}" for each in hook.collections]
        marks = [each.mark for each in hook.collections]
        lines[:0] = [OutputLine(text, mark) for text, mark in zip(collected, marks, strict=True)]
    if stage in ENDS:
        traced = [action for action in hook.actions["enter"] if isinstance(action, TraceCall)]
        lines += [span_end_line(action, stage) for action in reversed(traced)]
    return lines


def _context_lines(hook: HookPlan, stage: Stage) -> list[OutputLine]:
    actions = [action for action in hook.actions["enter"] if isinstance(action, SetContextValue)]
    if stage == "enter":
        return [describe_action(action, stage) for action in actions]
    return [context_reset_line(action) for action in reversed(actions)]


def _title(hook: HookPlan) -> str:
    name = "every call" if hook.hook.direct else f"hook {hook.hook.name}"
    if hook.when is not None:
        name += f", if {hook.when.text}"
    return name + "".join(f", for each {item} in {each.text}" for item, each in hook.each.items())
