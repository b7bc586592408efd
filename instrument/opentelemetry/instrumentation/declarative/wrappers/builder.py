"""Builds the wrapper of a callable: generated code with the code of the hooks around the call of the original."""

from __future__ import annotations

import builtins
import functools
import keyword
import types
from collections.abc import Hashable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, Receiver
from opentelemetry.instrumentation.declarative.plan.stages import STAGES, Stage
from opentelemetry.instrumentation.declarative.runtime.function_code.recorded_calls import RecordedCalls
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import SpecRuntime
from opentelemetry.instrumentation.declarative.wrappers.call_kinds import (
    Items,
    call_lines,
    items_head,
    original_call,
    return_lines,
)
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import HookedCallable
from opentelemetry.instrumentation.declarative.wrappers.following_code import (
    AfterCall,
    Outcome,
    abandoning,
    after_call_lines,
    captured,
    policy_of,
)
from opentelemetry.instrumentation.declarative.wrappers.hook_code import HookCode, unpacked
from opentelemetry.instrumentation.declarative.wrappers.names import NameAllocator
from opentelemetry.instrumentation.declarative.wrappers.own_reading_code import (
    in_turn,
    own_reading_lines,
    passing_lines,
)
from opentelemetry.instrumentation.declarative.wrappers.provider_code import without_provider_lines
from opentelemetry.instrumentation.declarative.wrappers.rejection_code import rejection_lines
from opentelemetry.instrumentation.declarative.wrappers.signatures import CallKind, Signature, read_signature
from opentelemetry.instrumentation.declarative.wrappers.wrapper import Wrapper

#: Stands for the original, a copy of which each function that gets the code has. The wrapper itself does not hold it.
_ORIGINAL = object()
#: Keeps the frame of a wrapper out of the tracebacks that pytest and others print.
_HIDDEN = "__tracebackhide__ = True"


def make_wrapper(
    call: CallPlan,
    original: Any,
    runtime: SpecRuntime,
    receiver: Receiver | None = None,
    made: dict[Hashable, Wrapper] | None = None,
    recorded: RecordedCalls | None = None,
    *,
    for_code: bool = False,
    reports_all: bool = False,
) -> Wrapper:
    """Generate the wrapper of a callable. ``original`` is the raw callable, and not a bound, static or class method.

    With ``receiver``, the hooks only apply to calls on instances of its class: the callable is inherited. They do not
    apply to calls that come from those that ``recorded`` includes. A wrapper
    that is among those ``made`` for another callable with the same signature and hooks is not generated again; its
    ``left_out`` then names that callable. With ``for_code``, the wrapper is for all functions that have the code of the
    callable. With ``reports_all``, every problem is found, and the wrapper is not usable.
    """
    signature = read_signature(original)
    name = _function_name(original)
    hooked = HookedCallable(call.target.path.rpartition(".")[2], call.target.path, call.target.module)
    is_foreign = signature.mode == "foreign"
    free_variables = 0 if is_foreign else len(original.__code__.co_freevars)
    key = (*map(id, call.hooks), signature.kind, signature.header, free_variables, for_code)
    made = {} if made is None else made
    is_shared = signature.mode == "direct" and receiver is None and recorded is None
    if is_shared and key in made:
        return made[key].for_callable(call.target, name, hooked)
    names = NameAllocator(signature.own)
    emitter = _emitter(call, signature, names, runtime)
    emitter.reports_all = reports_all
    hooks = [HookCode(plan, emitter, signature, hooked) for plan in call.hooks]
    original_name = names.local("original") if for_code else names.constant("original", _ORIGINAL)
    body = _body(hooks, emitter, signature, original_name)
    problems, left_out = tuple(emitter.problems), tuple(emitter.left_out)
    if body is None:
        return Wrapper(call.target, is_foreign, name, problems=problems, left_out=left_out)
    body = [*without_provider_lines(call.hooks, signature, names, runtime, original_name), *body]
    if receiver is not None:
        body = [*_other_receivers(receiver, signature, names, original_name), *body]
    if recorded is not None:
        is_recorded = names.constant("is_recorded", recorded.includes)
        body = [f"if {is_recorded}():", *passing_lines(signature, names, original_name), *body]
    body = [*own_reading_lines(signature, names, original_name), *body]
    if not runtime.counts_rules:
        body = [*rejection_lines(call.hooks, signature, names, original_name), *body]
    if for_code:
        body = [f"def {original_name}({signature.header}): ...  # with the original code and closure", *body]
    definition, text = _definition(signature), "\n".join(indented([_HIDDEN, *body])) + "\n"
    wrapper = Wrapper(
        call.target,
        is_foreign,
        name,
        definition,
        text,
        compile_template(definition, text, names.constants, free_variables, original_name if for_code else None),
        names.constants,
        original_name,
        problems,
        left_out,
        tuple(emitter.all_rules),
    )
    if is_shared and not problems:
        made[key] = wrapper
    return wrapper


def _emitter(call: CallPlan, signature: Signature, names: NameAllocator, runtime: SpecRuntime) -> Emitter:
    is_direct = signature.mode == "direct"
    return Emitter(
        callable_title=f"{call.target.path}{signature}",
        names=names,
        parameters={name: name if is_direct else names.local(name) for name in signature.parameters},
        runtime=runtime,
        can_set_parameters=is_direct,
        is_generator=signature.kind in ("generator", "asynchronous generator"),
        can_await=signature.kind == "coroutine",
        follows_results=any(policy_of(hook, signature.kind) is not None for hook in call.hooks),
    )


def make_caller(original: Any, target: Target) -> types.FunctionType:
    """Return the function that the proxy of a foreign callable calls: it calls the callable, and wrappers go into it.

    It is a coroutine function if the callable is one, and so on for the other kinds.
    """
    signature = read_signature(original)
    names = NameAllocator(signature.own)
    definition = _definition(signature)
    text = "\n".join(indented(return_lines(signature.kind, names, original_call(signature, ""))))
    template = compile_template(definition, f"{text}\n", names.constants, 0)
    name = _function_name(original)
    labels = CodeLabels(f"<instrument {target}>", 1, name, name)
    # What the original calls finds these in the frame: functions in C that import need the builtins.
    own_globals = {"__builtins__": builtins, "__name__": target.module}
    caller = types.FunctionType(template.bind(names.constants, labels, make_caller.__code__), own_globals, name)
    caller.__module__ = __name__  # it must not be taken for a function that the target's module defines
    return caller


def _function_name(original: Any) -> str:
    name = getattr(original, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) else "call"


def _definition(signature: Signature) -> str:
    """The first line, with ``{}`` for the name."""
    is_async = signature.kind in ("coroutine", "asynchronous generator")
    return f"{'async def' if is_async else 'def'} {{}}({signature.header}):"


def _other_receivers(receiver: Receiver, signature: Signature, names: NameAllocator, original: str) -> Lines:
    """Lines that only call the original if the receiver of the call is of another class."""
    first = signature.own[0] if signature.own else "None"
    if signature.header.startswith("*"):
        first = f"{first}[0] if {first} else None"
    class_ = f"({first})" if receiver.is_class else f"{names.builtin('type')}({first})"
    includes = receiver.includes or functools.partial(type.__subclasscheck__, receiver.owner)
    is_subclass = names.constant("is_subclass", includes)
    return [f"if not {is_subclass}({class_}):", *passing_lines(signature, names, original)]


def _body(hooks: list[HookCode], emitter: Emitter, signature: Signature, original: str) -> Lines | None:
    """The body of the wrapper; None if no hook does anything."""
    names = emitter.names
    result, error = names.local("result"), names.local("error")
    given = {name: names.local(name) for name in ("last_item", "item_count", "previous_item_time")}
    outcome: dict[Stage, dict[str, str]] = {
        "enter": {"result": "None", "error": "None", **dict.fromkeys(given, "None")},
        "item": {"result": "None", "error": "None", **given},
        "return": {"result": result, "error": "None", **given},
        "raise": {"result": "None", "error": error, **given},
    }
    context_values = [hook.context_values(outcome["enter"]) for hook in hooks]
    extracted = [hook.extracted_contexts(outcome["enter"]) for hook in hooks]
    at = {stage: [hook.at(stage, outcome[stage]) for hook in hooks] for stage in STAGES}
    values = [hook.values("enter", result) for hook in hooks]
    entered = (*(lines for lines, _ in extracted), *at["enter"], *values, *(lines for lines, _ in context_values))
    enter = [line for lines in entered for line in lines]
    parts = _parts(hooks, at, signature.kind)
    call = original_call(signature, original)
    read = {name: local if local in emitter.read else None for name, local in given.items()}
    items = Items(**read, lines=[line for lines in at["item"] for line in lines])
    current = [
        emitter.call_spans[name] for hook in hooks for name in hook.plan.current_spans if name in emitter.call_spans
    ]
    lines = call_lines(signature.kind, names, result, call, current, items)
    stop = names.local("stop")
    named = Outcome(result, error, stop, **given)
    reset = [line for _, reset_lines in reversed(context_values) for line in reset_lines]
    restored = [line for _, lines in reversed(extracted) for line in lines]
    returned = [*reset, *after_call_lines(parts, emitter, named), *restored]
    returned += [line for hook in reversed(hooks) for line in hook.values("return", result)]
    raised = [*reset, *(line for part in parts for line in part.raised), *restored]
    if not (enter or returned or raised or items.lines):
        return None
    head, unbound = _bound_arguments(hooks, emitter, signature)
    returned = [*unbound, *returned]
    head += [line for hook in hooks for line in hook.first]
    head += in_turn(names, [hook.head for hook in hooks])
    head += _unless_one_applies(hooks, emitter, signature, original)
    head += emitter.before_call()
    followed = [part for part in parts if part.policy is not None]
    contexts = [local for part in followed for _, local in (*part.contexts, *part.values)]
    cleared = [*emitter.call_spans.values(), *emitter.context_tokens.values(), *contexts]
    known = {*signature.own, *cleared, *emitter.parameters.values(), *(hook.flag for hook in hooks), emitter.outer_span}
    names_read = dict.fromkeys(name for part in followed for name in captured(part, emitter, named))
    known |= emitter.names.constants.keys()  # such as the hooked callable
    head[:0] = [f"{name} = None" for name in names_read if name not in known]
    head += [f"{local} = None" for local in cleared]
    head += items_head(signature.kind, items)
    if signature.kind in ("function", "coroutine") and not returned and not raised:
        lines = [*enter, *return_lines(signature.kind, names, call)]
        return [*head, *abandoning(emitter, lines, emitter.call_spans, stop)]
    if raised:
        lines = [
            "try:",
            *indented(lines),
            f"except {names.builtin('BaseException')} as {error}:",
            *indented(raised),
            "    raise",
        ]
    lines = [*enter, *lines, *returned]
    last = [] if signature.kind == "asynchronous generator" else [f"return {result}"]
    return [*head, *abandoning(emitter, lines, emitter.call_spans, stop), *last]


def _unless_one_applies(hooks: list[HookCode], emitter: Emitter, signature: Signature, original: str) -> Lines:
    """Lines that only call the original if no hook applies to the call, which its condition decides."""
    flags = [hook.flag for hook in hooks if hook.is_usable]
    if None in flags or signature.kind not in ("function", "coroutine"):
        return []
    condition = " or ".join(flag for flag in flags if flag is not None)
    return [
        f"if not ({condition}):" if len(flags) > 1 else f"if not {condition}:",
        *passing_lines(signature, emitter.names, original),
    ]


def _parts(hooks: list[HookCode], at: Mapping[Stage, list[Lines]], kind: CallKind) -> list[AfterCall]:
    """What happens after the call, for each run of hooks with the same policy. Hooks end in the reverse order."""
    parts: list[AfterCall] = []
    stages = zip(hooks, at["return"], at["raise"], at["item"], strict=True)
    for hook, returned, raised, item_lines in reversed([*stages]):
        policy = policy_of(hook.plan, kind)
        if not parts or parts[-1].policy is not policy:
            parts.append(AfterCall(policy))
        parts[-1].hooks.append(hook.plan)
        parts[-1].returned += returned
        parts[-1].raised += raised
        parts[-1].items += item_lines
        parts[-1].contexts += hook.contexts
        parts[-1].values += hook.carried
    return parts


def _bound_arguments(hooks: list[HookCode], emitter: Emitter, signature: Signature) -> tuple[Lines, Lines]:
    """The lines that bind the arguments of the call to the parameters, if the wrapper itself does not have these.

    Then those that report, when the call has returned, that the arguments do not fit. A wrong call raises TypeError.
    """
    if signature.mode == "direct" or emitter.read.isdisjoint(emitter.parameters.values()):
        return [], []
    names = emitter.names
    bind = names.constant("bind", signature.binder(emitter.callable_title))
    locals_, unbound, mismatch = list(emitter.parameters.values()), names.local("unbound"), names.local("mismatch")
    lines = [
        "try:",
        f"    {unpacked(locals_)} = {bind}({signature.bound_with})",
        f"except {names.builtin('TypeError')} as {mismatch}:",
        f"    {unbound} = {mismatch}.with_traceback(None)",  # which would keep the arguments alive
    ]
    head = [f"{' = '.join([*locals_, unbound])} = None"]
    head += emitter.guarded(hooks[0].plan.rule_for("arguments"), lambda _: lines)
    rule = names.constant("rule", emitter.all_rules[-1])
    return head, [f"if {unbound} is not None:", f"    {rule}.failed({unbound})"]
