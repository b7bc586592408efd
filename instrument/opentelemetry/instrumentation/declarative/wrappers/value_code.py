"""Generates the code that hooks a value of a call: what the program gets, or passes on, then stands for the value."""

from __future__ import annotations

import inspect
from functools import partial

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest, did_you_mean
from opentelemetry.instrumentation.declarative.plan.call_actions import HookValue
from opentelemetry.instrumentation.declarative.plan.model import HookPlan, ValueOfCall
from opentelemetry.instrumentation.declarative.plan.stages import Stage
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def value_lines(hook: HookPlan, stage: Stage, emitter: Emitter, signature: Signature, result: str) -> Lines:
    """The lines that hook the values of a hook at a stage, after everything else has read them."""
    lines: Lines = []
    for action in hook.actions[stage]:
        if isinstance(action, HookValue):
            lines += emitter.guarded(action.rule, partial(_lines, action, hook, emitter, signature, result))
    return lines


def _lines(
    action: HookValue, hook: HookPlan, emitter: Emitter, signature: Signature, result: str, _rule: Rule
) -> Lines:
    value = ValueOfCall(hook.hook.name, action.value)
    hooked = emitter.names.constant("hooked_value", emitter.runtime.value_hook(value))
    if action.value == "result":
        if emitter.is_generator:
            return _refused(action, emitter, f"{emitter.callable_title} is a generator, which has no result to hook")
        return [f"{result} = {hooked}({result})", *emitter.count_emitted()]
    named = signature.named.parameters if signature.named else {}
    parameter = named.get(action.value)
    if parameter is None or parameter.kind in _VARIABLE:
        why = f'"{action.value}" is not a parameter of {emitter.callable_title} with a value of its own'
        suggestion = closest(action.value, [*named, "result"])
        return _refused(action, emitter, why, suggestion, is_missing=hook.is_on_several)
    if signature.mode == "direct":
        return [f"{action.value} = {hooked}({action.value})", *emitter.count_emitted()]
    args = kwargs = None
    if signature.mode == "foreign":
        args, kwargs = "args", "kwargs"
    elif signature.passed_on == f"*{signature.own[0]}, **{signature.own[-1]}":
        args, kwargs = signature.own
    if args is None or kwargs is None:
        why = f"{emitter.callable_title} passes its arguments on in a way that does not allow to replace one"
        return _refused(action, emitter, why)
    positional = [name for name, each in named.items() if each.kind < inspect.Parameter.VAR_POSITIONAL]
    position = positional.index(action.value) if action.value in positional else None
    instance = "instance" if signature.mode == "foreign" else "None"
    replace = emitter.names.constant("with_argument", _with_argument)
    call = f"{replace}({args}, {kwargs}, {instance}, {position}, {action.value!r}, {hooked})"
    return [f"{args}, {kwargs} = {call}", *emitter.count_emitted()]


def _refused(
    action: HookValue, emitter: Emitter, why: str, suggestion: str | None = None, *, is_missing: bool = False
) -> Lines:
    """Report why a value is not hooked. ``is_missing``: this callable lacks it, and another one may have it."""
    message = f'{why}: the hook "{action.name}" is left out'
    help = did_you_mean(suggestion) or "name `result`, or a parameter that is neither `*args` nor `**kwargs`"
    subject = action.value if is_missing else action.name
    problem = Problem(action.mark, "value-not-hooked", message, help, subject=subject, suggestion=suggestion)
    (emitter.left_out if is_missing else emitter.problems).append(problem)
    return []


def _with_argument(
    args: tuple[object, ...],
    kwargs: dict[str, object],
    instance: object,
    position: int | None,
    name: str,
    hooked: object,
) -> tuple[tuple[object, ...], dict[str, object]]:
    """Return the arguments of a call with one of them replaced, if it is given. ``instance`` is not among them."""
    assert callable(hooked)
    if name in kwargs:
        return args, {**kwargs, name: hooked(kwargs[name])}
    if position is not None:
        index = position - (instance is not None)
        if 0 <= index < len(args):
            return (*args[:index], hooked(args[index]), *args[index + 1 :]), kwargs
    return args, kwargs
