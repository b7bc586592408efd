"""Generates the code after a call: what happens once its result is known, now or when the result has finished."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from functools import partial
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.plan.call_actions import EndOwnedSpans
from opentelemetry.instrumentation.declarative.plan.model import HookPlan
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.context.current import added_to_context
from opentelemetry.instrumentation.declarative.runtime.following.policies import BY_DEFAULT, ON_REQUEST, FollowPolicy
from opentelemetry.instrumentation.declarative.wrappers.code_lines import Lines, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Emitter
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import HookedCallable
from opentelemetry.instrumentation.declarative.wrappers.signatures import CallKind


class Outcome(NamedTuple):
    """The locals for the outcome of a call. ``stop`` is an exception that hits our own code around it."""

    result: str
    error: str
    stop: str
    last_item: str
    item_count: str
    previous_item_time: str


@record
class AfterCall:
    """What hooks with the same policy do after the call: the lines for a result, an exception, and each item."""

    policy: FollowPolicy | None
    hooks: list[HookPlan] = field(default_factory=list)
    returned: Lines = field(default_factory=list)
    raised: Lines = field(default_factory=list)
    items: Lines = field(default_factory=list)
    #: The locals of contexts that are current while the result runs, each after that of its token; and the same for
    #: context values.
    contexts: list[tuple[str, str]] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    #: The locals that the lines read, once they are known.
    read: list[str] | None = None

    @property
    def spans(self) -> list[str]:
        """The names of the spans around the call, the outermost first."""
        return [action.span.name for hook in reversed(self.hooks) for action in hook.calls_traced]


def policy_of(hook: HookPlan, kind: CallKind) -> FollowPolicy | None:
    """Whether the results of the calls of a hook are followed, and which of them."""
    if kind not in ("function", "coroutine") or hook.follow_result is False:
        return None
    # The end of what belongs to an owner is awaited, which only the call itself can do.
    if any(isinstance(action, EndOwnedSpans) for actions in hook.actions.values() for action in actions):
        return None
    if hook.follow_result:
        return ON_REQUEST
    return BY_DEFAULT if kind == "function" else None


def after_call_lines(parts: Sequence[AfterCall], emitter: Emitter, outcome: Outcome) -> Lines:
    """The lines after a call that has returned. Each part passes on what stands for the result to the next."""
    return [line for part in parts for line in _part_lines(part, emitter, outcome)]


def _part_lines(part: AfterCall, emitter: Emitter, outcome: Outcome) -> Lines:
    carried = [*part.contexts, *part.values]
    if part.policy is None or not (part.returned or part.raised or part.items or carried):
        return part.returned
    names, result = emitter.names, outcome.result
    following = ResultFollowing(part, part.policy, emitter, outcome)
    unfollowed = names.constant("unfollowed", part.policy.unfollowed)
    follows = names.constant("follows", part.policy.follows)
    follow = names.constant("follow", following.follow)
    arguments = [result, *following.locals]
    for name, pairs in (("contexts", part.contexts), ("carried", part.values)):
        if pairs:
            arguments.append(f"{name}=({''.join(f'({token}, {value}), ' for token, value in pairs).strip()})")
    passed_on = f"{names.builtin('type')}({result}) in {unfollowed} or not {follows}({result})"
    if not (part.returned or part.raised or part.items):
        # Without one of the contexts, nothing happens after the call.
        passed_on = f"({' and '.join(f'{token} is None' for token, _ in carried)}) or {passed_on}"
    return [
        f"if {passed_on}:",
        *indented(part.returned or ["pass"]),
        "else:",
        f"    {result} = {follow}({', '.join(arguments)})",
    ]


class ResultFollowing:
    """Follows the results of the calls of one wrapper.

    The function for the end of such a call is compiled when it is first needed: most wrappers never need one.
    ``locals`` are the locals of the call that it reads.
    """

    def __init__(self, part: AfterCall, policy: FollowPolicy, emitter: Emitter, outcome: Outcome) -> None:
        self._policy = policy
        self._spans = {
            emitter.call_spans[name]: emitter.runtime.spans[name] for name in part.spans if name in emitter.call_spans
        }
        self.locals = [
            *self._spans,
            *(name for name in captured(part, emitter, outcome) if name not in self._spans),
        ]
        self._rule = emitter.runtime.rule(part.hooks[0].rule)
        self._names = emitter.names
        self._source = "\n".join(_functions(part, emitter, self.locals, outcome))
        self._keeps_items = outcome.last_item in emitter.read
        self._keeps_times = outcome.previous_item_time in emitter.read
        self._functions: tuple[Callable[..., None], Callable[..., None] | None] | None = None

    def follow(
        self,
        result: Any,
        *values: Any,
        contexts: Iterable[tuple[Any, Any]] = (),
        carried: Iterable[tuple[Any, Any]] = (),
    ) -> Any:
        """Return what the program gets instead of a result that is unfinished. ``values`` are those of ``locals``.

        ``contexts`` are current while the result runs, each after the token of ``attach``. So are the context values
        ``carried``, each after the token of its variable.
        """
        try:
            calls = [
                (spans, None if span is None else spans.suspend(span))
                for spans, span in reversed([*zip(self._spans.values(), values, strict=False)])
            ][::-1]
            finish, on_item = self._functions or self._compile()
            suspended = (*(span for _, span in calls), *values[len(calls) :])
            return self._policy.follow(
                result,
                partial(finish, *suspended),
                calls,
                self._rule.failed,
                self._keeps_items,
                None if on_item is None else partial(on_item, *suspended),
                added_to_context(contexts),
                tuple((token.var, value) for token, value in carried if token is not None),
                self._keeps_times,
            )
        except Exception as failure:
            self._rule.failed(failure)
            return result

    def _compile(self) -> tuple[Callable[..., None], Callable[..., None] | None]:
        namespace = dict(self._names.constants)
        exec(compile(self._source, "<instrument, result>", "exec"), namespace)
        self._functions = functions = namespace["finish"], namespace.get("on_item")
        return functions


def _functions(part: AfterCall, emitter: Emitter, locals_: Sequence[str], outcome: Outcome) -> Lines:
    """The source of the functions that are called with the outcome of a result, and with each of its items."""
    body = [
        f"if {outcome.error} is None:",
        *indented(part.returned or ["pass"]),
        "else:",
        *indented(part.raised or ["pass"]),
    ]
    given = [outcome.last_item, outcome.item_count, outcome.previous_item_time]
    lines = [
        f"def finish({', '.join([*locals_, outcome.result, outcome.error, *given])}):",
        *indented(abandoning(emitter, body, part.spans, outcome.stop)),
    ]
    if part.items:
        lines += [f"def on_item({', '.join([*locals_, *given])}):", *indented(part.items)]
    return lines


def captured(part: AfterCall, emitter: Emitter, outcome: Outcome) -> list[str]:
    """The locals of the call that the lines of a part read."""
    if part.read is not None:
        return part.read
    tree = ast.parse("\n".join([*part.returned, *part.raised, *part.items]))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Load))
    names = emitter.names
    # The hooked callable is passed like a local: callables with the same signature share this code.
    own = {
        *outcome,
        *emitter.read_at_end,
        *(name for name, value in names.constants.items() if type(value) is not HookedCallable),
    }
    part.read = [name for name in read if name not in own and not names.is_temporary(name)]
    return part.read


def abandoning(emitter: Emitter, lines: Lines, spans: Iterable[str], stop: str) -> Lines:
    """The lines, and what ends spans of the call if an exception such as KeyboardInterrupt hits between them."""
    locals_ = {name: emitter.call_spans[name] for name in reversed([*spans]) if name in emitter.call_spans}
    if not locals_:
        return lines
    abandon = [f"{emitter.spans(name)}.abandon({local}, {stop})" for name, local in locals_.items()]
    handler = [f"except {emitter.names.builtin('BaseException')} as {stop}:", *indented(abandon), "    raise"]
    return ["try:", *indented(lines), *handler]
