"""Checks the sinks of a plan: that their classes exist, and accept the options of the spec."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest, did_you_mean
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError, load_function
from opentelemetry.instrumentation.declarative.plan.model import Plan, SinkPlan
from opentelemetry.instrumentation.declarative.runtime.guard import Rule


def sink_problems(plan: Plan) -> Iterator[Problem]:
    for sink in plan.sinks:
        try:
            make = load_function(sink.target)
        except PatchError as error:
            yield error.problem
            continue
        names = _option_names(make)
        unknown = [name for name in sink.options if names is not None and name not in names]
        for name in unknown:
            suggestion = closest(name, names or ())
            help = did_you_mean(suggestion) or f"its options are: {', '.join(names or ()) or 'none'}"
            message = f'{sink.target.path} has no option "{name}"'
            yield _problem(sink, message, help, name, suggestion)
        if not unknown:
            try:
                make(Rule(sink.rule), **sink.options)
            except Exception as error:
                message = f"{sink.target.path} cannot be created with these options: {error}"
                yield _problem(sink, message, "use options that it accepts")


def _option_names(make: Any) -> list[str] | None:
    """The names of the options; None if they are not known."""
    try:
        _, *parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]


def _problem(
    sink: SinkPlan, message: str, help: str, subject: str | None = None, suggestion: str | None = None
) -> Problem:
    mark = sink.options.key_marks.get(subject or "", sink.mark)
    return Problem(mark, "wrong-options", message, help, subject=subject, suggestion=suggestion)
