"""Makes the plans of hooks, and puts actions on them."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, did_you_mean, is_misspelling, quoted
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import MarkedFlag, Moment, Target, Text
from opentelemetry.instrumentation.declarative.plan.action_order import AROUND_CALL, position
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.call_actions import HookValue
from opentelemetry.instrumentation.declarative.plan.expression_reader import ENTER, EXIT, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.field_reader import before_calls
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, CollectionPlan, HookPlan
from opentelemetry.instrumentation.declarative.plan.stages import STAGES, Stage
from opentelemetry.instrumentation.declarative.plan.value_hooks import ValueHooks


class HookPlanner:
    """The hooks of a spec, to which actions are added."""

    def __init__(self, spec: Spec, reader: ExpressionReader) -> None:
        self._spec = spec
        self._reader = reader
        self._hooks: dict[str, HookPlan] = {}
        self._calls: dict[tuple[str, str, str | None], CallPlan] = {}
        self._values = ValueHooks(spec, reader)
        for hook in spec.hooks.values():
            self._add(hook)

    def hook(self, name: str, mark: Mark) -> HookPlan | None:
        """The plan of a hook. An unknown name is a problem; what uses it is checked with the hook that is similar."""
        if name not in self._spec.hooks:
            named = [hook.name for hook in self._spec.hooks.values() if not hook.direct]
            of_span = self._help_for_span(name)
            intended = self._reader.unknown(Text(name, mark), "hook", () if of_span else named, of_span)
            # Others may be names that are only alike, such as that of a hook that an overlay has removed.
            name = intended if intended is not None and is_misspelling(name, intended) else name
        return self._hooks.get(name)

    def _help_for_span(self, name: str) -> str | None:
        """The help for the name of a span in place of that of the hook that it is around."""
        span = self._spec.spans.get(name)
        if span is None or span.around is None:
            return None
        around = span.around.value
        hook = self._spec.hooks.get(around)
        if hook is not None and not hook.direct:
            return did_you_mean(around)
        return f"it is a span: add hooks: {{{name}: {{call: {quoted(around)}}}}}, and write around: {name}"

    def add(self, action: Action, *moments: Moment) -> None:
        """Add an action at each of these moments."""
        for moment in moments:
            hook = self.hook(moment.hook, moment.mark)
            stages: tuple[Stage, ...] = ("return", "raise") if moment.phase == "exit" else (moment.phase,)
            if hook is not None:
                for stage in stages:
                    hook.actions[stage].append(action)

    def follow_result(self, hook: HookPlan, flag: MarkedFlag | None) -> None:
        """Decide whether calls of a hook last until their result has finished. The spans around it have to agree."""
        if flag is None:
            return
        if hook.follow_result is None:
            hook.follow_result = flag.value
        elif hook.follow_result != flag.value:
            self._reader.problem(
                flag.mark,
                "follow-conflict",
                f'whether the result of "{hook.hook.name}" is followed is decided twice, differently',
                "keep one follow_result: it applies to everything that happens at the hook",
                subject=hook.hook.name,
            )

    def used(self) -> tuple[list[CallPlan], tuple[HookPlan, ...], tuple[CallPlan, ...]]:
        """The calls whose hooks have actions, the hooks with patterns and the calls of values that have some.

        The actions are sorted.
        """
        values = self._values.used(self._hooks)
        for hook in self._hooks.values():
            for stage in STAGES:
                hook.actions[stage].sort(key=position)
            self._check_items(hook)
        for call in self._calls.values():
            call.hooks = [hook for hook in call.hooks if any(hook.actions.values())]
        patterns = (hook for hook in self._hooks.values() if hook.hook.calls and any(hook.actions.values()))
        return [call for call in self._calls.values() if call.hooks], tuple(patterns), values

    def _add(self, hook: Hook) -> None:
        reader = self._reader
        names = (Text(name, each.key_marks[name]) for each in (hook.names, hook.each) for name in each)
        collected = (Text(each.name, each.mark) for each in hook.collect.values())
        reader.check_names((*hook.unpack, *names, *collected))
        fields = before_calls(reader)
        when = fields.expression(hook, "when")
        values = reader.names(hook.names, fields.phases(Hook, "names"), fields.help(Hook, "names"))
        targets, extension = self._targets(hook)
        if not targets and hook.calls is None and not hook.values:
            return
        plan = self._hooks[hook.name] = HookPlan(
            hook=hook,
            when=when,
            unpack=tuple(name.value for name in hook.unpack),
            names=values,
            collections=self._collections(hook),
            each=reader.names(hook.each, EXIT),
            follow_result=hook.follow_result,
        )
        for target in targets:
            key = (target.module, target.path, extension)
            self._calls.setdefault(key, CallPlan(target, extension)).hooks.append(plan)
        self._values.add(hook, plan)

    def _check_items(self, hook: HookPlan) -> None:
        """Check that what happens once for each item of a list can do so, and that the list exists then."""
        for action in hook.actions["enter"] if hook.each else ():
            if isinstance(action, AROUND_CALL):
                self._reader.problem(
                    action.mark,
                    "conflict",
                    f'{action.reference} is around a call, and "{hook.hook.name}" happens once for each item of a list',
                    "use a hook without each: for the call, or name a moment with at:",
                )
            elif not isinstance(action, HookValue):
                for each in hook.each.values():
                    self._reader.check_phases(each, ENTER)

    def _collections(self, hook: Hook) -> tuple[CollectionPlan, ...]:
        plans = []
        for each in hook.collect.values():
            if len(each.kinds) > 1:
                self._reader.problem(
                    each.mark,
                    "wrong-value",
                    f'the collection "{each.name}" has {" and ".join(map(quoted, each.kinds))}: it has one value',
                    "keep one of them, and collect the others under names of their own",
                )
            value = self._reader.expression(each.value, ("item",))
            if value is not None:
                plans.append(CollectionPlan(each.name, each.mark, each.kind, value))
        return tuple(plans)

    def _targets(self, hook: Hook) -> tuple[list[Target], str | None]:
        """The callables that a hook names in full, and their extension if they are methods of one."""
        if hook.extension is None:
            return [] if hook.target is None else [hook.target], None
        extension = self._spec.extensions.get(hook.extension.value)
        if extension is None:
            self._reader.unknown(hook.extension, "extension", self._spec.extensions)
            return [], None
        base = extension.base
        return [Target(base.module, f"{base.path}.{each.value}", each.mark) for each in hook.methods], extension.name
