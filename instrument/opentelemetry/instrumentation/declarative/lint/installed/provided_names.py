"""Warns about expressions that read a parameter which a decorator provides: the caller does not pass it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.lint.plan_parts import expressions_in, lint_warning
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature, read_signature


def provided_name_warnings(call: CallPlan, raw: Any) -> Iterator[Problem]:
    """Yield a warning for each place of a hook where such a parameter is read."""
    signature = read_signature(raw)
    provided = _provided(signature) if signature.mode == "bound" else set()
    for hook in call.hooks if provided else ():
        for expression in expressions_in(hook):
            for name in provided.intersection(expression.names) - {*hook.names}:
                yield lint_warning(
                    expression.name_marks[name],
                    "provided-name",
                    f'"{name}" never has a value: a decorator provides it for {call.target}{signature}, and a caller '
                    "does not pass it",
                    "read it at a hook on a function that is called with it",
                )


def _provided(signature: Signature) -> set[str]:
    """The parameters that no argument of a call is bound to."""
    bind = signature.binder("the callable")
    names, marker = signature.parameters, object()
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((marker,) * count, {}) for count in range(len(names) + 1)]
    calls += [((), {name: marker}) for name in names]
    results = []
    for args, kwargs in calls:
        with suppress(TypeError):  # a call that the signature does not allow
            results.append(bind(*args, **kwargs))
    bound = {name for values in results for name, value in zip(names, values, strict=True) if _has(value, marker)}
    return set(names) - bound if results else set()


def _has(value: Any, marker: object) -> bool:
    if type(value) is dict:
        return marker in value.values()
    return value is marker or (type(value) is tuple and marker in value)
