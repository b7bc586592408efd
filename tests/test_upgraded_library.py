"""An AG2 that no longer matches the spec: the program runs as before, and inactive rules are reported."""

import ast
import importlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import ag2
import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.plan.call_actions import InstallExtension
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.plan.span_actions import RecordSpan, StartSpan, TraceCall
from opentelemetry.instrumentation.declarative.plan.validation import plan_of

from .processes import ProcessResult, run

PLAN = plan_of(read_shipped("ag2"))
SERVERS = ("ag2.a2a.", "ag2.ag_ui.")
"""Optional parts of AG2, which the program does not use."""
CALLS = {str(call.target): call for call in PLAN.calls if not call.target.module.startswith(SERVERS)}
"""Every callable that the shipped spec hooks; a hook that is added to it is tested by itself."""

APP = """
import asyncio

from ag2 import Agent, Context, tool
from ag2.events import HumanInputRequest, ModelMessage, ModelResponse, ToolCallEvent, Usage
from ag2.knowledge import MemoryKnowledgeStore
from ag2.network import EV_CHANNEL_CLOSED, Hub
from ag2.testing import TestConfig

ANSWER = ModelResponse(ModelMessage("Paris."), usage=Usage(prompt_tokens=3, completion_tokens=1), model="m")


@tool
async def confirm(ctx: Context) -> str:
    "Ask a person."
    return await ctx.input("Is it?")


async def yes(request: HumanInputRequest) -> str:
    return f"Yes to: {request.content}"


async def main() -> None:
    hub = await Hub.open(MemoryKnowledgeStore())
    alice = await hub.register(Agent("alice"))
    config = TestConfig(ToolCallEvent(name="confirm", arguments="{}"), ANSWER)
    bob = await hub.register(Agent("bob", config=config, tools=[confirm], hitl_hook=yes))
    channel = await alice.open(type="consulting", target="bob")
    await channel.send("The capital of France?")
    await alice.wait_for_channel_event(
        channel_id=channel.channel_id, predicate=lambda envelope: envelope.event_type == EV_CHANNEL_CLOSED
    )
    for envelope in await hub.read_wal(channel.channel_id):
        print(hub.name_for(envelope.sender_id), envelope.event_type, envelope.event_data.get("text"))
    await bob.close()
    await alice.close()
    await hub.close()


asyncio.run(main())
"""

Edit = Callable[[str], str]


# ── A modified AG2 ──


Run = Callable[..., ProcessResult]
PACKAGE = Path(ag2.__file__).parent


@pytest.fixture
def upgraded(tmp_path: Path) -> Run:
    """Run the traced application on the installed AG2 with some modules edited, and one of them moved."""

    def start(edits: Mapping[str, Edit], moved: tuple[str, str] = ("", "")) -> ProcessResult:
        (tmp_path / "app.py").write_text(APP)
        texts: dict[Path, tuple[str, str]] = {}
        for module, edit in edits.items():
            file = _file(module)
            before = file.read_text(encoding="utf-8")
            after = edit(before)
            assert after != before, f"there is nothing to edit in {module}"
            texts[file] = file.name, after
        if moved[0]:
            file = _file(moved[0])
            texts[file] = moved[1], file.read_text(encoding="utf-8")
        _copy(PACKAGE, tmp_path / "upgraded" / "ag2", texts)
        return run(tmp_path / "app.py", paths=[tmp_path / "upgraded"])

    return start


def _file(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _modules_with(word: str) -> list[str]:
    files = [file for file in PACKAGE.rglob("*.py") if word in file.read_text(encoding="utf-8")]
    names = [".".join(("ag2", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def _copy(source: Path, to: Path, texts: Mapping[Path, tuple[str, str]]) -> None:
    """Copy a package with some files renamed and changed; unchanged files and folders are linked."""
    to.mkdir(parents=True)
    for entry in source.iterdir():
        if entry in texts:
            name, text = texts[entry]
            (to / name).write_text(text, encoding="utf-8")
        elif any(entry in file.parents for file in texts):
            _copy(entry, to / entry.name, texts)
        else:
            (to / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())


def without(path: str) -> Edit:
    """An edit that renames a function or method, with all its callers in AG2."""
    owner, _, name = path.rpartition(".")

    def edit(text: str) -> str:
        if name.startswith("_") and not name.endswith("__"):
            return re.sub(rf"\b{name}\b", f"{name}_renamed", text)
        found = next(one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == owner)
        lines = text.split("\n")
        for one in found.body:
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name == name:
                lines[one.lineno - 1] = lines[one.lineno - 1].replace(f"def {name}(", "def renamed(")
        old = INIT if name == "__init__" else OTHER.format(name=name)
        return "\n".join([*lines[: found.end_lineno], *old.split("\n"), *lines[found.end_lineno :]])

    return edit


# The old name of a constructor or public method still works, so that the program runs.
INIT = """
    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self.renamed(*args, **kwargs)
        return self
"""
OTHER = """
    def __getattr__(self, name):
        if name == "{name}":
            return self.renamed
        raise AttributeError(name)
"""


# ── The warnings, and the remaining spans ──


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProcessResult, ProcessResult]:
    """The program on the unmodified AG2, untraced and traced."""
    app = tmp_path_factory.mktemp("today") / "app.py"
    app.write_text(APP)
    untraced, traced = run(app, traced=False), run(app)
    assert (untraced.code, len(untraced.lines), untraced.errors) == (0, 6, "")
    assert (traced.code, traced.lines, traced.errors) == (0, untraced.lines, "")
    return untraced, traced


def warnings_of(ended: ProcessResult) -> list[tuple[str, str]]:
    """The location in the spec and the message of each warning. Fails if there is any other output."""
    warnings: list[tuple[str, str]] = []
    for line in ended.errors.splitlines():
        if found := _WARNING.match(line):
            warnings.append((found[1], found[2]))
        else:
            assert warnings, line
            assert _EXCERPT.match(line), line
    return warnings


_WARNING = re.compile(r"(\S+ag2(?:_native)?\.yaml:\d+:\d+): (?:error\[[a-z-]+\]: )?(.*)")
_EXCERPT = re.compile(r"  (?: *\d* \| .*|help: .*)$|$")


def types_of(ended: ProcessResult) -> Counter[str]:
    return Counter(span["attributes"]["ag2.span.type"] for span in ended.spans)


def lost_with(calls: list[CallPlan]) -> set[str]:
    """The types of spans that depend on these callables."""
    actions = [action for call in calls for hook in call.hooks for stage in hook.actions.values() for action in stage]
    lost = {action.span.name for action in actions if isinstance(action, (TraceCall, RecordSpan))}
    # The other starts of a span are for the state that a hub restores from its store, and this store is empty.
    firsts = {span.starts[0].at.mark for span in PLAN.spec.spans.values() if span.starts}
    lost |= {action.span.name for action in actions if isinstance(action, StartSpan) and action.mark in firsts}
    extensions = {action.name for action in actions if isinstance(action, InstallExtension)}
    if extensions:
        lost |= lost_with([call for call in PLAN.calls if call.extension in extensions])
    for name, span in PLAN.spans.items():
        lost |= {name for parent in span.parents if parent.required and parent.span in lost}
    return lost


def without_types(counts: Counter[str], lost: set[str]) -> Counter[str]:
    return Counter({name: count for name, count in counts.items() if name not in lost})


@pytest.mark.parametrize("target", CALLS)
def test_without_a_hooked_callable_the_application_runs_and_one_warning_names_it(
    target: str, upgraded: Run, today: tuple[ProcessResult, ProcessResult]
):
    untraced, traced = today
    call = CALLS[target]
    ended = upgraded({call.target.module: without(call.target.path)})
    # This also verifies that the modified AG2 works by itself: the program would fail otherwise.
    assert (ended.code, ended.lines) == (0, untraced.lines)
    owner, _, name = f"{call.target.module}.{call.target.path}".rpartition(".")
    own, inherited = (" of its own", ", only that of object") if name == "__init__" else ("", "")
    (warning,) = warnings_of(ended)
    assert warning == (
        str(call.target.mark),
        f"{owner} has no {name}{own} in ag2 {version('ag2')}{inherited}: hooks on it are inactive",
    )
    assert types_of(ended) == without_types(types_of(traced), lost_with([call]))


def test_every_type_of_span_of_the_application_depends_on_a_callable(
    today: tuple[ProcessResult, ProcessResult],
):
    lost = [lost_with([call]) for call in PLAN.calls]
    assert set(types_of(today[1])) <= set().union(*lost)


def test_an_envelope_without_its_end_hook_ends_with_its_hub_and_still_carries_its_trace(upgraded: Run):
    ended = upgraded({"ag2.network.hub.core": without("Hub._dispatch")})
    envelopes = {span["context"]["span_id"]: span for span in ended.named("network.envelope")}
    assert [span["attributes"]["instrument.end"] for span in envelopes.values()] == ["hub_closed"] * 2
    (turn,) = ended.named("invoke_agent")
    assert envelopes[turn["parent_id"]]["context"]["trace_id"] == turn["context"]["trace_id"]


def sub(pattern: str, new: str) -> Edit:
    return lambda text: re.sub(pattern, new, text)


CORE = "ag2.network.hub.core"
FAN_OUT, APPEND, DISPATCH = (CALLS[f"{CORE}:Hub.{name}"] for name in ("_fan_out", "_wal_append", "_dispatch"))
TAPPED = [call for call in PLAN.calls if call.extension]
NOT_THERE = f"in ag2 {version('ag2')}: hooks on it are inactive"

CHANGES: dict[str, tuple[dict[str, Edit], list[str], set[str]]] = {
    "a parameter has another name": (
        {CORE: sub(r"(async def _wal_append\(self, )envelope(.*\n)", r"\1entry\2        envelope = entry\n")},
        [
            '"envelope" is not a parameter of Hub._wal_append(self, entry): '
            'this start of the span "envelope" is left out',
            '"envelope" is not a parameter of Hub._wal_append(self, entry): the link "triggers" is left out',
        ],
        lost_with([APPEND]),
    ),
    "the parameter that all its hooks ask for has another name": (
        {CORE: sub(r"\bmethod_name\b", "moment")},
        [
            '"method_name" is not a parameter of Hub._fan_out(self, moment, args): '
            f'the hook "{plan.hook.name}" is left out'
            for plan in FAN_OUT.hooks
        ],
        lost_with([FAN_OUT]),
    ),
    "the parameter by which a span is found has another name": (
        {CORE: sub(r"(async def _dispatch\(self, )envelope(.*\n)", r"\1item\2        envelope = item\n")},
        [
            '"envelope" is not a parameter of Hub._dispatch(self, item, metadata): '
            'the attribute "ag2.network.recipients_away" is left out',
            '"envelope" is not a parameter of Hub._dispatch(self, item, metadata): '
            'this end of the span "envelope" is left out',
            '"envelope" is not a parameter of Hub._dispatch(self, item, metadata): '
            'the attribute group "conventions_of_exceptions" is left out',
        ],
        set(),
    ),
    "a parameter more": (
        {CORE: sub(r"(async def _dispatch\(.*)(\) -> int:\n)", r"\1, *, again: bool = False\2")},
        [],
        set(),
    ),
    "middleware is plugged in otherwise": (
        {"ag2.plugin": sub(r"\binsert_middleware\b", "put_middleware")},
        [
            "extension middleware is installed failed: AttributeError: 'Agent' object has no attribute "
            "'insert_middleware'. The program is not affected; further failures of this rule are not logged."
        ],
        lost_with(TAPPED),
    ),
    "the class of middleware has another name": (
        {module: sub(r"\bBaseMiddleware\b", "Layer") for module in _modules_with("BaseMiddleware")},
        [
            "ag2.middleware.base:BaseMiddleware cannot be found: "
            "module 'ag2.middleware.base' has no attribute 'BaseMiddleware'"
        ],
        lost_with(TAPPED),
    ),
    "the class of middleware has another name and answers to the old one": (
        {
            "ag2.middleware.base": lambda text: (
                re.sub(r"\bBaseMiddleware\b", "Layer", text) + "\n\ndef __getattr__(name):\n    return Layer\n"
            )
        },
        [f"ag2.middleware.base has no BaseMiddleware {NOT_THERE}"] * len(TAPPED),
        lost_with(TAPPED),
    ),
    "a field that a condition reads has another name": (
        {CORE: sub(r"\b_envelope_tracer\b", "_tracer_of_envelopes")},
        [],
        set(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_of_ag2_the_application_runs_and_inactive_rules_are_reported(
    change: str, upgraded: Run, today: tuple[ProcessResult, ProcessResult]
):
    edits, warnings, lost = CHANGES[change]
    untraced, traced = today
    ended = upgraded(edits)
    assert (ended.code, ended.lines) == (0, untraced.lines)
    assert [message for _, message in warnings_of(ended)] == warnings
    assert types_of(ended) == without_types(types_of(traced), lost)


def test_a_moved_module_is_reported_once_and_the_rest_is_traced(
    upgraded: Run, today: tuple[ProcessResult, ProcessResult]
):
    untraced, traced = today
    ended = upgraded({"ag2.network.hub": sub(r"from \.core import", "from .kernel import")}, moved=(CORE, "kernel.py"))
    assert (ended.code, ended.lines) == (0, untraced.lines)
    first = next(call for call in PLAN.calls if call.target.module == CORE)
    assert warnings_of(ended) == [(str(first.target.mark), f"ag2.network.hub has no module core {NOT_THERE}")]
    gone = [call for call in PLAN.calls if call.target.module == CORE]
    assert types_of(ended) == without_types(types_of(traced), lost_with(gone))


# ── Attributes that the library does not define itself ──


@pytest.mark.parametrize(
    ("hooked", "source"),
    [
        ("__init__", "def __new__(cls, size):\n        self = super().__new__(cls); self.size = size; return self"),
        ("__new__", "def __init__(self, size): self.size = size"),
    ],
)
def test_an_init_or_new_that_only_object_defines_is_not_hooked(
    hooked: str, source: str, make_module, instrumented, logged
):
    """A wrapper of ``object.__init__`` would refuse the arguments of ``__new__``, and vice versa."""
    module = make_module(f"class Cart:\n    {source}\n")
    with instrumented(f'spans: {{cart: {{around: "HOST:Cart.{hooked}"}}}}', module):
        assert module.Cart(3).size == 3
    (message,) = logged()
    assert (
        f"{module.__name__}.Cart has no {hooked} of its own, only that of object: hooks on it are inactive" in message
    )
    assert f'did you mean "{hooked}"' not in message
    assert module.Cart(3).size == 3


def test_a_package_that_has_become_a_module_is_reported_when_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracing, spec_file, logged
):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "flattened.py").write_text("def checkout(): return 1")
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracing.provider, specs=[spec_file('spans: {a: {around: "flattened.cart.lines:checkout"}}')]
    )
    try:
        assert logged() == []
        assert importlib.import_module("flattened").checkout() == 1
    finally:
        instrumentor.uninstrument()
        sys.modules.pop("flattened", None)
    (message,) = logged()
    assert "flattened has no module cart: hooks on it are inactive" in message
