"""The specs of this environment, layer by layer."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.inspection.explain.effective_specs import Here, Over
from opentelemetry.instrumentation.declarative.inspection.explain.output import (
    Line,
    as_data,
    as_text,
    file_shown,
    problem_data,
)
from opentelemetry.instrumentation.declarative.inspection.installed_callables import Hooked
from opentelemetry.instrumentation.declarative.language.spec_model import Attribute, SpanType
from opentelemetry.instrumentation.declarative.plan.model import Plan

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


class Overview:
    """What is told of all specs: of each its layers, what it hooks and what is off, and what is wrong."""

    def __init__(self, specs: Sequence[Here], hooked: dict[str, list[Hooked]], problems: dict[str, list[Problem]]):
        self.specs = specs
        self.hooked = hooked
        self.problems = problems

    @property
    def clean(self) -> bool:
        return not any(here.errors for here in self.specs) and not any(self.problems.values())

    def text(self) -> str:
        lines = [*self._disabled(), *(self._line(here) for here in self.specs)]
        parts = ["\n".join(as_text([line])) for line in lines]
        told = [problem.render() for here in self.specs for problem in self.problems.get(here.file, ())]
        told += [str(error) for here in self.specs for error in here.errors]
        return "\n\n".join([*parts, *told])

    def data(self) -> dict[str, Any]:
        return {
            "disabled": bool([*self._disabled()]),
            "specs": [
                {
                    "name": here.name,
                    "file": here.file,
                    "shipped": here.shipped,
                    "for": here.wants,
                    "installed": here.installed,
                    "active": here.plan is not None,
                    "off": here.off,
                    "releases": [
                        {"name": part.name, "version": part.version, "applies": part.applies} for part in here.parts
                    ],
                    "layers": [_layer_data(over) for over in here.over],
                    "callables": [
                        {"name": str(one.call.target), "hooked": one.works, "waits": one.waits}
                        for one in self.hooked.get(here.file, ())
                    ],
                    "spans": [*here.plan.spans] if here.plan else [],
                    "problems": [problem_data(problem) for problem in self._told(here)],
                    "lines": as_data(self._line(here).below),
                }
                for here in self.specs
            ],
        }

    def _told(self, here: Here) -> list[Problem]:
        return [*self.problems.get(here.file, ()), *(each for error in here.errors for each in error.problems)]

    def _disabled(self) -> Iterator[Line]:
        value = os.environ.get(_DISABLED, "")
        if {"declarative", "*"} & {name.strip() for name in value.split(",")}:
            yield Line(f"all of this is off: {_DISABLED}={value}")

    def _line(self, here: Here) -> Line:
        state = "active" if here.plan is not None else f"off: {here.off}"
        distribution = (here.wants or "").partition(" ")[0]
        installed = f", {distribution} {here.installed} is installed" if here.wants and here.plan else ""
        where = " (shipped)" if here.shipped else f" ({here.file})" if here.file != here.name else ""
        wants = f", for {here.wants}" if here.wants else ""
        return Line(f"{here.name}{where}{wants}: {state}{installed}", None, tuple(self._below(here)))

    def _below(self, here: Here) -> Iterator[Line]:
        hooked = self.hooked.get(here.file, [])
        if here.plan is not None:
            works = sum(one.works for one in hooked)
            failed = sum(not one.works and one.waits is None for one in hooked)
            cannot = f", and {failed} cannot be" if failed else ""
            yield Line(f"{_counted(works, 'callable')} {'is' if works == 1 else 'are'} hooked{cannot}")
            for why, count in Counter(one.waits for one in hooked if one.waits).items():
                yield Line(f"{_counted(count, 'callable')} cannot be looked at: {why}")
            if here.plan.spans:
                yield Line(f"spans: {', '.join(here.plan.spans)}")
        for part in here.parts:
            applies = "applies" if part.applies else "does not apply"
            yield Line(f"release {part.name} ({part.version}) {applies}", part.mark)
        for over in here.over:
            yield _over(over, here)
        if here.plan is not None:
            yield from _off(here.plan)


def _over(over: Over, here: Here) -> Line:
    if over.left_out is not None:
        return Line(f"{file_shown(over.file)} lies over it, has problems, and is left out")
    if here.plan is None:
        return Line(f"{file_shown(over.file)} lies over it, without effect")
    changes = tuple(Line(change.text, change.mark) for change in over.changes)
    return Line(f"{file_shown(over.file)} lies over it" + ("" if changes else " and changes nothing"), None, changes)


def _layer_data(over: Over) -> dict[str, Any]:
    return {
        "file": over.file,
        "left_out": over.left_out is not None,
        "changes": [
            {
                "what": change.what,
                "path": [*change.path],
                "before": change.before,
                "after": change.after,
                "file": change.mark.file,
                "line": change.mark.line,
            }
            for change in over.changes
        ],
    }


def _off(plan: Plan) -> Iterator[Line]:
    """What a spec has and this process does not do."""
    for mirror in plan.spec.mirrors:
        if not mirror.enabled:
            yield Line(f"the mirror {mirror.name} is off: enabled is false", mirror.mark)
    content = [each for span in plan.spec.spans.values() for each in content_left_out(span, plan)]
    if content:
        yield Line(f"{_counted(len(content), 'attribute')} of content not recorded: {CONTENT_OFF}")


#: Why content is not recorded.
CONTENT_OFF = f"{environment.CAPTURE_CONTENT} does not allow it on spans"


def content_left_out(span: SpanType, plan: Plan) -> list[Attribute]:
    """The attributes of a span that are content and are not recorded in this environment."""
    recorded = {reading.key for reading in plan.spans[span.name].readings}
    return [each for each in span.attributes if each.content and each.key not in recorded]


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
