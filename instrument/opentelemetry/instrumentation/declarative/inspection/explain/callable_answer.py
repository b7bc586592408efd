"""Answers what happens at each moment of a callable, and which names expressions can read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.inspection.explain.moment_lines import lines_by_stage
from opentelemetry.instrumentation.declarative.inspection.explain.output import (
    OutputLine,
    line_data,
    location,
    problem_data,
    text_lines,
)
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import STAGE_TITLES
from opentelemetry.instrumentation.declarative.inspection.explain.spec_states import SpecState
from opentelemetry.instrumentation.declarative.inspection.installed_callables import InstalledCallable, WrapperPreview
from opentelemetry.instrumentation.declarative.inspection.readable import (
    UNKNOWN,
    ReadablePath,
    Type,
    callable_types,
    of_class,
    readable_paths,
)
from opentelemetry.instrumentation.declarative.inspection.readable.expression_types import expression_type
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import InstallExtension
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, Plan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.stages import OUTCOME_NAMES, STAGES

#: The types are in one column, beyond the longest path up to this width.
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class ReadableName:
    """A name that expressions can read: when it exists, the paths below it, and where it comes from."""

    name: str
    when: str
    paths: tuple[ReadablePath, ...]
    note: str = ""
    mark: Mark | None = None


class CallableAnswer:
    """One callable. ``wrappers`` are those of the specs that hook it, the outermost first."""

    def __init__(
        self,
        target: str,
        installed: InstalledCallable,
        wrappers: Sequence[tuple[SpecState, WrapperPreview]],
        depth: int,
        private: bool,
    ) -> None:
        self.target = target
        self.wrappers = wrappers
        self.depth = depth
        self.private = private
        self.types = callable_types(installed.raw, installed.owner, installed.point.value)
        # A name that several rules define at the same moment is listed once.
        self.names = [*{(name.name, name.when): name for name in self._names()}.values()]
        self.definition = _definition(installed)

    @property
    def has_problems(self) -> bool:
        return any(wrapper.problems for _, wrapper in self.wrappers)

    def text(self) -> str:
        types = self.types
        keyword = "async def" if types.shape in ("coroutine", "asynchronous generator") else "def"
        head = [self.target, f"  {keyword} {self.target.rpartition(':')[2].rpartition('.')[2]}{types.signature}"]
        head += [f"  {types.summary}"] if types.summary else []
        if not self.wrappers:
            head[:0] = [f"No active spec hooks this callable. For a span around each call, write around: {self.target}"]
            head += [f"  defined as {self.definition}"] if self.definition not in (None, self.target) else []
        if len(self.wrappers) > 1:
            head.append("  several specs hook it: the first one below is the outermost")
        rules = (self._rules(spec, wrapper) for spec, wrapper in self.wrappers)
        return "\n\n".join(["\n".join(head), *rules, self._readable_names()])

    def data(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "signature": self.types.signature,
            "shape": self.types.shape,
            "summary": self.types.summary,
            "hooked": bool(self.wrappers),
            "rules": [
                {
                    "spec": spec.name,
                    "file": spec.file,
                    "moments": {
                        stage: line_data(lines)
                        for stage, lines in lines_by_stage(wrapper.call, self.types.parameters).items()
                    },
                    "problems": [problem_data(problem) for problem in wrapper.problems],
                }
                for spec, wrapper in self.wrappers
            ],
            "readable": [
                {
                    "name": name.name,
                    "when": name.when,
                    "note": name.note or None,
                    "paths": [
                        {
                            "path": path.path,
                            "type": path.type.text or None,
                            "private_names": path.hidden,
                            "again": path.again,
                        }
                        for path in name.paths
                    ],
                }
                for name in self.names
            ],
        }

    def _rules(self, spec: SpecState, wrapper: WrapperPreview) -> str:
        extension = f", in the subclass of the extension {wrapper.call.extension}" if wrapper.call.extension else ""
        lines = [f"rules of {spec.name}{extension}"]
        for stage, below in lines_by_stage(wrapper.call, self.types.parameters).items():
            if below:
                lines += text_lines([OutputLine(STAGE_TITLES[stage], None, below)], 1)
        lines += [problem.render() for problem in wrapper.problems]
        return "\n".join(lines)

    def _readable_names(self) -> str:
        rows: list[tuple[str, str]] = []
        if not self.types.known:
            rows.append(("  the signature of this callable is not available: its parameters cannot be read", ""))
        when = ""
        for name in self.names:
            if name.when != when:
                when = name.when
                rows.append((f"  {when}", ""))
            rows += self._rows(name)
        width = min(max((len(left) for left, right in rows if right), default=0), _WIDEST)
        return "\n".join(["names that can be read", *(f"{left:<{width}}  {right}".rstrip() for left, right in rows)])

    def _rows(self, name: ReadableName) -> Iterator[tuple[str, str]]:
        """Each path of a name, and what is known about it."""
        for path in name.paths:
            facts = [path.type.text, name.note] if path.level == 0 else [path.type.text or "not annotated"]
            if path.again:
                facts.append("(as above)")
            if path.hidden:
                facts.append(f"({path.hidden} private: --private)")
            if name.mark is not None and path.level == 0:
                facts.append(location(name.mark))
            yield f"{'  ' * (path.level + 2)}{path.path}", "  ".join(filter(None, facts))

    def _names(self) -> Iterator[ReadableName]:
        types = self.types
        hooks = [hook for _, wrapper in self.wrappers for hook in wrapper.call.hooks]
        defined = {name for hook in hooks for name in hook.defined_names}
        for name, type_ in types.parameters.items():
            default = types.defaults.get(name)
            note = "" if type_.text else "not annotated" + (f", default {default}" if default else "")
            if name in defined:
                note = f"{note}, except where a hook defines the name".lstrip(", ")
            yield self._name(name, type_, "before the call" if name in OUTCOME_NAMES else "at every moment", note)
        for spec, wrapper in self.wrappers:
            yield from self._defined_names(wrapper.call)
            yield from self._context_names(spec.plan)
            yield from self._shared_names(spec.plan)
        note = "" if types.result.text else "not annotated"
        yield self._name("result", types.result, "after it returns", note)
        yield self._name("error", Type("BaseException", BaseException), "after it raises", "")
        is_generator = types.shape in ("generator", "asynchronous generator")
        follows = [is_generator if hook.follow_result is None else hook.follow_result for hook in hooks]
        if any(follows) or (is_generator and not hooks):
            when = "at each item, and after the last one"
            yield self._name("last_item", types.item, when, "the last item")
            yield self._name("item_count", Type("int", int), when, "the number of items")
            yield self._name("previous_item_time", Type("float", float), when, "in seconds, as clock()")

    def _defined_names(self, call: CallPlan) -> Iterator[ReadableName]:
        """The names that hooks and their actions define."""
        for hook in call.hooks:
            yield from self._names_of_hook(hook)
            for stage in STAGES:
                for action in hook.actions[stage]:
                    yield from self._names_of_action(action)

    def _names_of_hook(self, hook: HookPlan) -> Iterator[ReadableName]:
        when = f"defined by the hook {hook.hook.name}"
        star = next((type_ for type_ in self.types.parameters.values() if _is_star(type_)), UNKNOWN)
        for index, name in enumerate(hook.unpack):
            type_ = star.args[0] if star.args else UNKNOWN
            yield self._name(name, type_, when, f"item {index} of *args", hook.hook.unpack[index].mark)
        yield from self._expressions(hook.names, when)
        for item, value in hook.each.items():
            yield self._name(item, UNKNOWN, when, f"one item of {value.text}", value.mark)
        for each in hook.collections:
            kind = f"{each.kind} of {each.value.text}"
            yield self._name(each.name, UNKNOWN, "collected, when the call ends", kind, each.mark)

    def _names_of_action(self, action: Action) -> Iterator[ReadableName]:
        if isinstance(action, (TraceCall, EndSpan)):
            for name in action.span.counts:
                yield self._name(name, of_class(int), f"counted, when the span {action.span.name} ends", "")
        if isinstance(action, InstallExtension):
            yield self._name("extension", Type("type"), f"when the extension {action.name} is installed", "")
        if isinstance(action, StartSpan):
            yield from self._expressions(action.names, f"defined when the span {action.span.name} starts")

    def _expressions(self, names: Mapping[str, Expression], when: str) -> Iterator[ReadableName]:
        for name, value in names.items():
            yield self._name(name, expression_type(value.tree, self.types), when, f"= {value.text}", value.mark)

    def _shared_names(self, plan: Plan | None) -> Iterator[ReadableName]:
        """The names that all expressions of a spec share."""
        if plan is None:
            return
        for name, text in plan.spec.names.items():
            yield self._name(name, UNKNOWN, f"shared by the spec {plan.spec.name}", f"= {text.value}", text.mark)

    def _context_names(self, plan: Plan | None) -> Iterator[ReadableName]:
        for one in plan.spec.context if plan is not None else ():
            if one.value is not None:
                note = f"= {one.value.value}"
                when = f"context value, during calls of {one.during.value}"
                yield self._name(one.name, UNKNOWN, when, note, one.mark)

    def _name(self, name: str, type_: Type, when: str, note: str, mark: Mark | None = None) -> ReadableName:
        depth = 0 if name == "error" else self.depth
        return ReadableName(name, when, tuple(readable_paths(name, type_, depth, private=self.private)), note, mark)


def _is_star(type_: Type) -> bool:
    return type_.cls is tuple and type_.text.endswith(", ...]")


def _definition(installed: InstalledCallable) -> str | None:
    """Return the target under which a callable is defined; None if it has no name that can be looked up."""
    module, name = getattr(installed.raw, "__module__", None), getattr(installed.raw, "__qualname__", None)
    return f"{module}:{name}" if module and name and "<" not in name else None
