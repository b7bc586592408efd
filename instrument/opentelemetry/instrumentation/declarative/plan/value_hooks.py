"""Hooks on values: the results and parameters of the calls of other hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Target, Text
from opentelemetry.instrumentation.declarative.plan.call_actions import HookValue
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader
from opentelemetry.instrumentation.declarative.plan.model import CallPlan, HookPlan, ValueOfCall
from opentelemetry.instrumentation.declarative.plan.stages import Stage


class ValueHooks:
    """The hooks of a spec that name a value. A hook on several values has a call for each of them."""

    def __init__(self, spec: Spec, reader: ExpressionReader) -> None:
        self._spec = spec
        self._reader = reader
        self._calls: dict[tuple[ValueOfCall, str | None], CallPlan] = {}

    def add(self, hook: Hook, plan: HookPlan) -> None:
        """Add a hook. A value of an unknown hook is a problem."""
        methods: list[str | None] = [method.value for method in hook.methods] or [None]
        for text in hook.values:
            value = _value(text)
            if value.hook not in self._spec.hooks:
                named = [each.name for each in self._spec.hooks.values() if not each.direct and each is not hook]
                self._reader.unknown(Text(value.hook, text.mark), "hook", named)
            elif not self._is_reachable(value.hook):
                self._reader.problem(
                    text.mark,
                    "unreachable-value",
                    f'the hook "{hook.name}" is on a value of itself: no call of a callable leads to it',
                    "name the result or a parameter of a hook on a callable",
                    subject=hook.name,
                )
            else:
                for method in methods:
                    module, path = self._place(value, method)
                    call = CallPlan(Target(module, path, text.mark), value=value, method=method)
                    self._calls.setdefault((value, method), call).hooks.append(plan)

    def used(self, hooks: Mapping[str, HookPlan]) -> tuple[CallPlan, ...]:
        """The calls of the hooks that have actions or lead to one that has; add the action that hooks each value."""
        used: list[CallPlan] = []
        waiting = list(self._calls.values())
        added: set[ValueOfCall] = set()
        while ready := [call for call in waiting if any(any(hook.actions.values()) for hook in call.hooks)]:
            waiting = [call for call in waiting if call not in ready]
            for call in ready:
                used.append(call)
                assert call.value is not None
                source = hooks.get(call.value.hook)
                if source is not None and call.value not in added:
                    added.add(call.value)
                    stage: Stage = "return" if call.value.name == "result" else "enter"
                    name = call.hooks[0].hook.name
                    source.actions[stage].append(HookValue(mark=call.target.mark, name=name, value=call.value.name))
        for call in used:
            call.hooks = [hook for hook in call.hooks if any(hook.actions.values())]
        return tuple(used)

    def _is_reachable(self, name: str) -> bool:
        """Whether a hook is on a callable, or on a value of a hook that is reachable."""
        reachable, before = set[str](), -1
        while before != len(reachable):
            before = len(reachable)
            for hook in self._spec.hooks.values():
                if not hook.values or any(_value(each).hook in reachable for each in hook.values):
                    reachable.add(hook.name)
        return name in reachable

    def _place(self, value: ValueOfCall, method: str | None) -> tuple[str, str]:
        """The module and the path of a call, for people: ``sqlite3`` and ``connect().execute``."""
        module, path = next(self._places(value.hook, set()), ("", value.hook))
        path += "()" if value.name == "result" else f"({value.name})"
        return module, path if method is None else f"{path}.{method}"

    def _places(self, name: str, seen: set[str]) -> Iterator[tuple[str, str]]:
        hook = self._spec.hooks[name]
        if hook.call:
            yield hook.call.named[0].module, hook.call.named[0].path
        elif hook.extension is not None:
            extension = self._spec.extensions.get(hook.extension.value)
            for method in hook.methods:
                if extension is not None:
                    yield extension.base.module, f"{extension.base.path}.{method.value}"
        for each in hook.values:
            value = _value(each)
            if value.hook in self._spec.hooks and value.hook not in seen:
                for module, path in self._places(value.hook, {*seen, name}):
                    path += "()" if value.name == "result" else f"({value.name})"
                    yield module, f"{path}.{hook.methods[0].value}" if hook.methods else path


def _value(text: Text) -> ValueOfCall:
    hook, _, name = text.value.partition(".")
    return ValueOfCall(hook, name)
