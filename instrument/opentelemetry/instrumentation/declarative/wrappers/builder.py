"""One generated function per callable: the hooks' lines put around the call of the original."""

from __future__ import annotations

import functools
import inspect
import keyword
import linecache
import types
import weakref
from collections.abc import Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.plan.model import STAGES, Around, CallPlan, Carry, HookPlan, Plug, Stage
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.spec_runtime import Runtime
from opentelemetry.instrumentation.declarative.wrappers.action_code import write_action, write_putting_down
from opentelemetry.instrumentation.declarative.wrappers.call_kinds import CALLS, original_call, passive_body
from opentelemetry.instrumentation.declarative.wrappers.code import Hooked, Lines, Names, Scope, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Site, when
from opentelemetry.instrumentation.declarative.wrappers.ends import write_leaving
from opentelemetry.instrumentation.declarative.wrappers.signatures import Signature, bind, read_signature
from opentelemetry.instrumentation.declarative.wrappers.wrapper import CodeSwitch, Wrapper, title_of


class _Nobody:
    """In the place of a successor as long as there is none."""


def make_wrapper(call: CallPlan, original: Any, runtime: Runtime) -> Wrapper:
    """The wrapper of one callable. ``original`` is the raw function as its owner holds it."""
    signature = read_signature(original)
    direct = signature.mode == "direct"
    names = Names(signature.own)
    site = Site(
        title=f"{call.target.path}{signature}",
        names=names,
        parameters={name: name if direct else names.local(name) for name in signature.parameters},
        runtime=runtime,
        direct=direct,
        stepwise=signature.shape in ("generator", "asynchronous generator"),
        awaits=signature.shape == "coroutine",
    )
    hooked = Hooked(call.target.path.rpartition(".")[2], call.target.path, call.target.module)
    hooks = [_Hook(plan, site, signature, hooked) for plan in call.hooks]
    held = site.names.cell("original", original)
    body = _body(hooks, site, signature, held)
    problems = tuple(site.problems)
    if body is None:
        return Wrapper(call.target, None, "", False, problems, tuple(site.left_out))
    title = title_of(call.target)
    word = "async def" if signature.shape in ("coroutine", "asynchronous generator") else "def"
    definition = f"{word} {_function_name(original, site.names)}({signature.header}):"
    source = "\n".join([definition, *indented(body)]) + "\n"
    # A cell of this function, though only the code that may come in the place of this names it in earnest.
    successor = site.names.cell("successor", _Nobody)
    function = _compile(f"{source}    if False: {successor}\n", title, site.names, original)
    cells = function.__code__.co_freevars
    passive, forwarding = (
        _compile("\n".join([definition, *indented(lines)]) + "\n", title, site.names, original).__code__
        for lines in (
            passive_body(signature, site.names, original_call(signature, held), cells),
            passive_body(signature, site.names, f"{successor}({signature.handed_on})", cells),
        )
    )
    if signature.mode != "foreign":
        functools.update_wrapper(function, original)
        function.__defaults__, function.__kwdefaults__ = original.__defaults__, original.__kwdefaults__
    linecache.cache[title] = (len(source), None, source.splitlines(keepends=True), title)
    cell = (function.__closure__ or ())[cells.index(successor)]
    switch = CodeSwitch(weakref.ref(function), passive, forwarding, cell)
    foreign = signature.mode == "foreign"
    return Wrapper(call.target, function, source, foreign, problems, tuple(site.left_out), switch)


def _function_name(original: Any, names: Names) -> str:
    name = getattr(original, "__name__", None)
    fitting = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    return str(name) if fitting and name not in names.cells else names.local("call")


class _Hook:
    """One hook on the callable: its names in the generated code, and its lines at each stage."""

    def __init__(self, plan: HookPlan, site: Site, signature: Signature, hooked: Hooked) -> None:
        self.plan = plan
        self.site = site
        names = site.names
        runtime, several = site.runtime, plan.hook.calls is not None
        self.scope = Scope(names, runtime.functions, runtime.carried, site.parameters, hooked, one_of_many=several)
        self.head: Lines = []
        self.flag: str | None = None
        self.usable = site.can_read(self.scope, f"hook {plan.hook.name}", [plan.when])
        if self.usable and (plan.when is not None or plan.args):
            self.flag = names.local(f"in_{plan.hook.name}")
        if self.usable:
            self._write_head(signature)

    def _write_head(self, signature: Signature) -> None:
        plan, names = self.plan, self.site.names
        what = f"hook {plan.hook.name}"
        if plan.args and signature.var_positional is None:
            message = f"{self.site.title} has no *args that could be given names: hook {plan.hook.name} is left out"
            self.site.problems.append(Problem(plan.hook.args[0].mark, "no-args", message, "remove `args`"))
            self.usable = False
            return
        given = {name: names.local(name) for name in plan.args}
        after = self.scope.with_locals(**given)
        lines: Lines = []
        if given:
            assert signature.var_positional is not None
            lines.append(f"{_unpacked(given.values())} = {self.site.parameters[signature.var_positional]}")

        def write(rule: Rule) -> Lines:
            read, scope = self.site.named(plan.names, after, rule, keep=True)
            lines.extend(read)
            self.scope, inner = scope, self.scope
            if self.flag:
                lines.append(f"{self.flag} = True")
            lines.extend(self.site.matched())
            return lines if plan.when is None else when(plan.when, inner, rule, lines)

        self.head = self.site.guarded(what, plan.hook.mark, write)
        if self.flag:
            self.head.insert(0, f"{self.flag} = False")

    def at(self, stage: Stage, dynamic: dict[str, str]) -> Lines:
        """The lines of this hook at a stage; the spans around the call end last and in reverse."""
        if not self.usable:
            return []
        scope = self.scope.with_locals(**dynamic)
        lines: Lines = []
        for action in self.plan.actions[stage]:
            if isinstance(action, Carry):
                continue
            here = scope
            if isinstance(action, Plug):
                here = scope.with_locals(
                    tap=self.site.names.cell(f"{action.tap}_tap", self.site.runtime.tap(action.tap))
                )
            lines += write_action(action, self.site, here, stage)
        if stage != "enter":
            for around in reversed(self.arounds):
                lines += write_leaving(around.span, around.mark, self.site, scope, stage)
        return self._flagged(lines)

    def carrying(self, dynamic: dict[str, str]) -> tuple[Lines, Lines]:
        """The lines that take up what is carried, and those that put it down again.

        They stand next to the call, inside of every hook's own lines: what a call carries is not for its own hooks.
        """
        if not self.usable:
            return [], []
        scope = self.scope.with_locals(**dynamic)
        actions = [action for action in self.plan.actions["enter"] if isinstance(action, Carry)]
        up = [line for action in actions for line in write_action(action, self.site, scope, "enter")]
        down = [line for action in reversed(actions) for line in write_putting_down(action, self.site)]
        return self._flagged(up), self._flagged(down)

    def _flagged(self, lines: Lines) -> Lines:
        return [f"if {self.flag}:", *indented(lines)] if self.flag and lines else lines

    @property
    def arounds(self) -> list[Around]:
        return [action for action in self.plan.actions["enter"] if isinstance(action, Around)]


def _body(hooks: list[_Hook], site: Site, signature: Signature, original: str) -> Lines | None:
    """The body of the wrapper; None where no hook has anything to do."""
    names = site.names
    result, error = names.local("result"), names.local("error")
    locals_: dict[Stage, dict[str, str]] = {
        "enter": {"result": "None", "error": "None"},
        "return": {"result": result, "error": "None"},
        "raise": {"result": "None", "error": error},
    }
    carried = [hook.carrying(locals_["enter"]) for hook in hooks]
    at = {stage: [hook.at(stage, locals_[stage]) for hook in hooks] for stage in STAGES}
    for stage in ("return", "raise"):
        at[stage].reverse()
    at["enter"] += [up for up, _ in carried]
    for stage in STAGES[1:]:
        at[stage][:0] = [down for _, down in reversed(carried)]
    enter, returned, raised = ([line for lines in at[stage] for line in lines] for stage in STAGES)
    if not (enter or returned or raised):
        return None
    prepared = _bound(hooks, site, signature)
    heads = [line for hook in hooks for line in hook.head]
    spans = [f"{local} = None" for local in (*site.entered.values(), *site.carrying.values())]
    call = CALLS[signature.shape](names, result, original_call(signature, original), list(site.entered.values()))
    if signature.shape == "function" or signature.shape == "coroutine":
        simple = not returned and not raised
        if simple:
            call = [call[0].replace(f"{result} = ", "return ", 1)]
    else:
        simple = False
    if raised:
        call = [
            "try:",
            *indented(call),
            f"except {names.builtin('BaseException')} as {error}:",
            *indented(raised),
            "    raise",
        ]
    last = [] if simple or signature.shape == "asynchronous generator" else [f"return {result}"]
    if site.entered:
        call, enter, returned = _left(site, [*enter, *call, *returned]), [], []
    return [*prepared, *heads, *spans, *enter, *call, *returned, *last]


def _left(site: Site, lines: Lines) -> Lines:
    """The lines, and after them no span is current, even if what stops the host reaches it in the middle of them."""
    stop = site.names.local("stop")
    leave = [f"{site.spans(name)}.abandon({local}, {stop})" for name, local in reversed(site.entered.items())]
    handler = [f"except {site.names.builtin('BaseException')} as {stop}:", *indented(leave), "    raise"]
    return ["try:", *indented(lines), *handler]


def _unpacked(names: Iterable[str]) -> str:
    """The left side of an assignment that unpacks into these names."""
    left = ", ".join(names)
    return left if "," in left else f"{left},"


def _bound(hooks: list[_Hook], site: Site, signature: Signature) -> Lines:
    """For a callable without a readable signature of its own: its parameters, bound from what it is called with."""
    if signature.mode == "direct" or signature.named is None or not signature.parameters:
        return []
    values = site.names.cell("bind", bind(signature.named, signature.parameters))
    instance = ", instance" if signature.mode == "foreign" else ""
    left = list(site.parameters.values())
    mark = hooks[0].plan.hook.mark
    lines = site.guarded(
        "the call's arguments", mark, lambda _: [f"{_unpacked(left)} = {values}({signature.given}{instance})"]
    )
    return [f"{' = '.join(left)} = None", *lines]


def _compile(source: str, title: str, names: Names, original: Any) -> types.FunctionType:
    """Make the function. It has the globals of the original, and reaches everything of ours through its closure."""
    cells = list(names.cells)
    maker = "\n".join(
        [f"def make({', '.join(cells)}):", *indented(source.splitlines()), f"    return {_defined(source)}"]
    )
    namespace: dict[str, Any] = {}
    # One line more than the source that linecache shows, so the code starts a line earlier.
    exec(compile(maker, title, "exec"), namespace)
    made: types.FunctionType = namespace["make"](*names.cells.values())
    code = made.__code__.replace(co_firstlineno=1)
    shared = made.__globals__
    if type(original) is types.FunctionType:
        shared = original.__globals__
        # What `types.coroutine` has made of a generator: it can be awaited, and so can ours.
        code = code.replace(co_flags=code.co_flags | original.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return types.FunctionType(code, shared, made.__name__, made.__defaults__, made.__closure__)


def _defined(source: str) -> str:
    return source.split("(", 1)[0].rsplit(" ", 1)[1]
