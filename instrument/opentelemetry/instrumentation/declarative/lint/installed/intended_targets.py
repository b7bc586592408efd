"""The callable that was probably intended by a misspelt target, so that the rules for it are checked as well."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, patch_point_of
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import SpecRuntime


def intended_call(call: CallPlan, problem: Problem, runtime: SpecRuntime) -> tuple[CallPlan, PatchPoint] | None:
    """The plan for the callable that a problem suggests, and where it is bound; None if there is none."""
    for target in _intended_targets(call.target, problem):
        intended = replace(call, target=target)
        with contextlib.suppress(Exception):
            return intended, patch_point_of(intended, runtime.extension)
    return None


def _intended_targets(target: Target, problem: Problem) -> Iterator[Target]:
    if problem.suggestion is None:
        return
    module, colon, path = problem.suggestion.partition(":")
    if colon:
        # Others are not imported: the spec does not name them.
        if module in sys.modules:
            yield replace(target, module=module, path=path)
        return
    steps = target.path.split(".")
    for index, step in enumerate(steps):
        if step == problem.subject:
            yield replace(target, path=".".join([*steps[:index], problem.suggestion, *steps[index + 1 :]]))
    yield replace(target, path=problem.suggestion)
