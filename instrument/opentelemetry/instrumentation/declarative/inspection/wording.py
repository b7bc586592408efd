"""Phrases for moments, hooks, conditions and context sources, shared by `explain` and `reference`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.language.nodes.context_source import ContextSource
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import ContextPart, Moment, Phase, Text
from opentelemetry.instrumentation.declarative.plan.span_plan import ContextSourcePlan

#: What a callable does at each phase.
MOMENT_VERBS: Mapping[Phase, str] = {
    "enter": "is called",
    "return": "returns",
    "item": "gives an item",
    "raise": "raises",
    "exit": "returns or raises",
}


def code(text: str) -> str:
    """Return text as inline code in Markdown."""
    text = " ".join(text.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def plain(text: str) -> str:
    """Return text as it is, for a terminal."""
    return text


def hooked_path(spec: Spec, hook: Hook) -> str:
    """Return the callable of a hook without its module."""
    if hook.extension is not None:
        extension = spec.extensions.get(hook.extension.value)
        base = extension.base.path.rpartition(".")[2] if extension else hook.extension.value
        return _methods_of(base, hook)
    if hook.values:
        return " or ".join(_value_path(spec, hook, text.value) for text in hook.values)
    if hook.target is not None:
        return hook.target.path
    return ", ".join(str(target) for target in (hook.calls.named if hook.calls else ()))


def _value_path(spec: Spec, hook: Hook, value: str, depth: int = 0) -> str:
    """The callable of a hook on a value: ``connect().cursor().execute``."""
    source, _, name = value.partition(".")
    found = spec.hooks.get(source)
    if found is None or depth > len(spec.hooks):
        path = source
    elif found.values:
        path = _value_path(spec, found, found.values[0].value, depth + 1)
    else:
        path = hooked_path(spec, found)
    path += "()" if name == "result" else f"({name})"
    return _methods_of(path, hook)


def _methods_of(path: str, hook: Hook) -> str:
    """The methods of a hook on an object, or the path of the object itself: ``cursor().execute or executemany``."""
    methods = " or ".join(method.value for method in hook.methods)
    return f"{path}.{methods}" if methods else path


def hooked_target(spec: Spec, hook: Hook) -> str:
    """Return the callable of a hook with its module."""
    if hook.extension is not None:
        extension = spec.extensions.get(hook.extension.value)
        return _methods_of(str(extension.base if extension else hook.extension.value), hook)
    return str(hook.target) if hook.target else hooked_path(spec, hook)


def hooked_callable(spec: Spec, name: str) -> str:
    """Return the callable of a hook in Markdown, followed by the name of the hook if the spec defines one."""
    hook = spec.hooks.get(name)
    if hook is None:
        return code(name)
    return code(hooked_path(spec, hook)) + ("" if hook.direct else f" ({code(name)})")


def moment_phrase(spec: Spec, moment: Moment, when: Text | None = None) -> str:
    """Return what a callable does at a moment, and on what condition, in Markdown."""
    return f"{hooked_callable(spec, moment.hook)} {MOMENT_VERBS[moment.phase]}{condition_phrase(when)}"


#: Conditions that have words of their own.
_CONDITIONS = {
    "is_cancelled(error)": "the call is cancelled",
    "not is_cancelled(error)": "the call is not cancelled",
}


def condition_words(condition: Expression) -> str:
    """Return a condition in words if there are some for it, and otherwise as it is written."""
    return _CONDITIONS.get(" ".join(condition.text.split()), condition.text)


def condition_phrase(when: Text | None) -> str:
    """Return a condition in Markdown, as the end of a sentence."""
    return f", if {code(when.value)}" if when else ""


def sources_phrase(sources: Iterable[ContextSource | ContextSourcePlan], quote: Callable[[str], str] = plain) -> str:
    """Return what a parent or a link points to: the first of its sources that exists."""
    return ", otherwise ".join(_source(source, quote) for source in sources)


def _source(source: ContextSource | ContextSourcePlan, quote: Callable[[str], str]) -> str:
    if source.where == "none":
        return "none, the span is the root of a new trace"
    if source.where == "span" and source.span is not None:
        of_key = "for each key in" if source.each else "with the key"
        key = f" {of_key} {quote(_text(source.key))}" if source.key else ""
        return f"the span {quote(_text(source.span))}{key}" + (", which is required" if source.required else "")
    each = "each of " if source.each else ""
    if source.where == "traceparent" and source.traceparent is not None:
        return f"the trace context in {each}{quote(_text(source.traceparent))}"
    if source.carrier is not None:
        return f"the trace context that the configured propagators read from {each}{quote(_text(source.carrier))}"
    return "the current span" + (", also if it has ended" if source.where == "current_or_ended" else "")


def _text(value: Text | Each | Expression | str | None) -> str:
    if isinstance(value, Each):
        return _text(value.each)
    if isinstance(value, Text):
        return value.value
    return value.text if isinstance(value, Expression) else value or ""


def injected_part(part: ContextPart, of: str = "the") -> str:
    """Return a part of a trace context that is written, as the subject of a sentence."""
    words = {"carrier": f"{of} context", "span_context": f"{of} span context"}
    return words.get(part, f"{of} {part}")
