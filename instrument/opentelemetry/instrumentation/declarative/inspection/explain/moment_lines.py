"""What happens at each moment of a callable, in the order in which the generated wrapper does it."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.inspection.explain.output import Line
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import leaving, putting_down, sentence
from opentelemetry.instrumentation.declarative.plan.model import STAGES, Around, CallPlan, Carry, HookPlan, Stage


def moments(call: CallPlan) -> dict[Stage, tuple[Line, ...]]:
    """Per moment the hooks of a callable, each with what it does. At the end they come in reverse."""
    return {stage: tuple(_at(call.hooks, stage)) for stage in STAGES}


def _at(hooks: Sequence[HookPlan], stage: Stage) -> list[Line]:
    doing = [(hook, _plain(hook, stage)) for hook in hooks]
    carrying = [(hook, _carried(hook, stage)) for hook in hooks]
    # What is carried is taken up last and put down first: it is not for the call's own hooks.
    order = [*doing, *carrying] if stage == "enter" else [*reversed(carrying), *reversed(doing)]
    return [Line(_title(hook), hook.hook.mark, tuple(lines)) for hook, lines in order if lines]


def _plain(hook: HookPlan, stage: Stage) -> list[Line]:
    lines = [sentence(action, stage) for action in hook.actions[stage] if not isinstance(action, Carry)]
    if stage != "enter":
        arounds = [action for action in hook.actions["enter"] if isinstance(action, Around)]
        lines += [leaving(action, stage) for action in reversed(arounds)]
    return lines


def _carried(hook: HookPlan, stage: Stage) -> list[Line]:
    actions = [action for action in hook.actions["enter"] if isinstance(action, Carry)]
    if stage == "enter":
        return [sentence(action, stage) for action in actions]
    return [putting_down(action) for action in reversed(actions)]


def _title(hook: HookPlan) -> str:
    """The hook and the calls that it means."""
    name = "every call" if hook.hook.direct else f"hook {hook.hook.name}"
    return name if hook.when is None else f"{name}, if {hook.when.text}"
