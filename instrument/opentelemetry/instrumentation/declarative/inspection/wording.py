"""Moments, sources and conditions in short words. What is code stands in backquotes."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.spec_model import ContextSource, Hook, Moment, Spec, Text

_HAPPENS = {"enter": "begins", "return": "returns", "raise": "raises", "exit": "ends"}


def code(text: str) -> str:
    """Text as code in Markdown, whatever is in it."""
    text = " ".join(text.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def callable_of(spec: Spec, hook: Hook) -> str:
    """The callable of a hook as a person would look for it."""
    if hook.tap is not None and hook.method is not None:
        tap = spec.taps.get(hook.tap.value)
        return f"{tap.base.path.rpartition('.')[2] if tap else hook.tap.value}.{hook.method.value}"
    if hook.target is not None:
        return hook.target.path
    patterns = getattr(getattr(hook, "calls", None), "include", ())
    return ", ".join(str(target) for target in patterns)


def place_of(spec: Spec, hook: Hook) -> str:
    """Where the callable is, with its module."""
    if hook.tap is not None and hook.method is not None:
        tap = spec.taps.get(hook.tap.value)
        return f"{tap.base if tap else hook.tap.value}.{hook.method.value}"
    return str(hook.target) if hook.target else callable_of(spec, hook)


def called(spec: Spec, name: str) -> str:
    """The callable of a hook by the hook's name, and that name, where it has one of its own."""
    hook = spec.hooks.get(name)
    if hook is None:
        return code(name)
    return code(callable_of(spec, hook)) + ("" if hook.direct else f" ({code(name)})")


def moment(spec: Spec, at: Moment, when: Text | None = None) -> str:
    """A moment: what happens to which callable, and on what condition."""
    return f"{called(spec, at.hook)} {_HAPPENS[at.phase]}{condition(when)}"


def condition(when: Text | None) -> str:
    return f", if {code(when.value)}" if when else ""


def source(one: ContextSource) -> str:
    """Where a parent or a link leads to."""
    if one.where == "span" and one.span is not None:
        key = f" with the key {code(one.key.value)}" if one.key else ""
        return f"the {code(one.span.value)} span{key}" + (", without which there is nothing" if one.required else "")
    if one.where == "traceparent" and one.traceparent is not None:
        return f"the trace context in {code(one.traceparent.value)}"
    return "none: it is the root of its own trace" if one.where == "none" else "the current span"
