"""Answers which specs are active, with their layers, what they hook, and their problems."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, counted
from opentelemetry.instrumentation.declarative.inspection.explain.output import (
    OutputLine,
    file_name,
    line_data,
    problem_data,
    text_lines,
)
from opentelemetry.instrumentation.declarative.inspection.explain.spec_states import Overlay, SpecState
from opentelemetry.instrumentation.declarative.inspection.installed_callables import WrapperPreview
from opentelemetry.instrumentation.declarative.language.nodes.attribute import Attribute
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.plan.model import Plan

_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


class OverviewAnswer:
    """All specs: their layers, what they hook, what is inactive, and their problems. By file: wrappers and problems."""

    def __init__(
        self, specs: Sequence[SpecState], wrappers: dict[str, list[WrapperPreview]], problems: dict[str, list[Problem]]
    ) -> None:
        self.specs = specs
        self.wrappers = wrappers
        self.problems = problems

    @property
    def has_problems(self) -> bool:
        return any(spec.errors for spec in self.specs) or any(self.problems.values())

    def text(self) -> str:
        lines = [*self._disabled(), *(self._line(spec) for spec in self.specs)]
        parts = ["\n".join(text_lines([line])) for line in lines]
        problems = [problem.render() for spec in self.specs for problem in self.problems.get(spec.file, ())]
        problems += [str(error) for spec in self.specs for error in spec.errors]
        return "\n\n".join([*parts, *problems])

    def data(self) -> dict[str, Any]:
        return {
            "disabled": bool([*self._disabled()]),
            "specs": [
                {
                    "name": spec.name,
                    "file": spec.file,
                    "shipped": spec.shipped,
                    "for": spec.supports,
                    "installed": spec.installed,
                    "active": spec.plan is not None,
                    "off": spec.inactive_because,
                    "releases": [
                        {"name": release.name, "version": release.version, "applies": release.applies}
                        for release in spec.releases
                    ],
                    "layers": [_overlay_data(overlay) for overlay in spec.overlays],
                    "callables": [
                        {"name": str(one.call.target), "hooked": one.is_hooked, "waits": one.unavailable}
                        for one in self.wrappers.get(spec.file, ())
                    ],
                    "spans": [*spec.plan.spans] if spec.plan else [],
                    "problems": [problem_data(problem) for problem in self._all_problems(spec)],
                    "lines": line_data(self._line(spec).below),
                }
                for spec in self.specs
            ],
        }

    def _all_problems(self, spec: SpecState) -> list[Problem]:
        return [*self.problems.get(spec.file, ()), *(each for error in spec.errors for each in error.problems)]

    def _disabled(self) -> Iterator[OutputLine]:
        value = os.environ.get(_DISABLED, "")
        if {"declarative", "*"} & {name.strip() for name in value.split(",")}:
            yield OutputLine(f"all specs are inactive: {_DISABLED}={value}")

    def _line(self, spec: SpecState) -> OutputLine:
        state = "active" if spec.plan is not None else f"inactive: {spec.inactive_because}"
        distribution = (spec.supports or "").partition(" ")[0]
        installed = f", {distribution} {spec.installed} is installed" if spec.supports and spec.plan else ""
        origin = " (shipped)" if spec.shipped else f" ({spec.file})" if spec.file != spec.name else ""
        supports = f", for {spec.supports}" if spec.supports else ""
        return OutputLine(f"{spec.name}{origin}{supports}: {state}{installed}", None, tuple(self._details(spec)))

    def _details(self, spec: SpecState) -> Iterator[OutputLine]:
        wrappers = self.wrappers.get(spec.file, [])
        if spec.plan is not None:
            hooked = sum(one.is_hooked for one in wrappers)
            failed = sum(not one.is_hooked and one.unavailable is None for one in wrappers)
            cannot = f", {failed} cannot be hooked" if failed else ""
            yield OutputLine(f"{counted(hooked, 'callable')} {'is' if hooked == 1 else 'are'} hooked{cannot}")
            # Shipped specs hook optional parts of their library, which not every program has installed.
            checked = (one for one in wrappers if not (spec.shipped and one.lacks_dependency))
            for reason, count in Counter(one.unavailable for one in checked if one.unavailable).items():
                yield OutputLine(f"{counted(count, 'callable')} cannot be checked: {reason}")
            if spec.plan.spans:
                yield OutputLine(f"spans: {', '.join(spec.plan.spans)}")
        for release in spec.releases:
            applies = "applies" if release.applies else "does not apply"
            yield OutputLine(f"release {release.name} ({release.version}) {applies}", release.mark)
        for overlay in spec.overlays:
            yield _overlay_line(overlay, spec)
        if spec.plan is not None:
            yield from _not_recorded(spec.plan)


def _overlay_line(overlay: Overlay, spec: SpecState) -> OutputLine:
    file = file_name(overlay.file)
    if overlay.error is not None:
        return OutputLine(f"{file} extends it, but has problems and is ignored")
    if spec.plan is None:
        return OutputLine(f"{file} extends it, without effect")
    changes = tuple(OutputLine(change.text, change.mark) for change in overlay.changes)
    return OutputLine(f"{file} extends it" + ("" if changes else " and changes nothing"), None, changes)


def _overlay_data(overlay: Overlay) -> dict[str, Any]:
    return {
        "file": overlay.file,
        "left_out": overlay.error is not None,
        "changes": [
            {
                "what": change.kind,
                "path": [*change.path],
                "before": change.before,
                "after": change.after,
                "file": change.mark.file,
                "line": change.mark.line,
            }
            for change in overlay.changes
        ],
    }


def _not_recorded(plan: Plan) -> Iterator[OutputLine]:
    """The content of a spec that this environment does not record."""
    content = [each for span in plan.spec.spans.values() for each in unrecorded_content(span, plan)]
    if content:
        are = "is" if len(content) == 1 else "are"
        yield OutputLine(f"{counted(len(content), 'content attribute')} {are} not recorded: {CONTENT_DISABLED}")


#: Why content is not recorded.
CONTENT_DISABLED = f"{environment.CAPTURE_CONTENT} does not enable it"


def unrecorded_content(span: SpanType, plan: Plan) -> list[Attribute]:
    """Return the content attributes of a span that are not recorded in this environment."""
    recorded = {reading.key for reading in plan.spans[span.name].attributes}
    attributes: list[Attribute] = [each for each in span.attributes if not each.at]
    attributes += [each for group in span.attribute_groups if not group.at for each in group.attributes]
    return [each for each in attributes if each.content and each.name not in recorded]
