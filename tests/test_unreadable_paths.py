"""Paths that a closed type can never have are found; paths that may exist are not."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.inspection.readable import callable_types
from opentelemetry.instrumentation.declarative.lint.unreadable_paths import unreadable_path

NEVER = """
import abc, dataclasses, enum
from typing import Any, NamedTuple, Protocol, TypedDict

@dataclasses.dataclass(slots=True)
class Envelope:
    priority: str
    data: dict[str, Any]
    sender: "Sender | None" = None
@dataclasses.dataclass
class Sender:
    name: str
    def stamp(self):
        self.stamped_at = 1
class Wider(Sender):
    reach: int
class Point(NamedTuple):
    x: int
class Frame(TypedDict):
    kind: str
    final: bool
class Slots:
    __slots__ = ("a",)
class Open:
    known: int
class Magic(Slots):
    __slots__ = ()
    def __getattr__(self, name): ...
@dataclasses.dataclass(slots=True)
class Plain:
    a: int
class Shape(Protocol):
    area: float
class Base(abc.ABC):
    __slots__ = ()
    @abc.abstractmethod
    def run(self): ...
def mark(sender):
    sender.marked = True
def read(envelope: Envelope, sender: Sender, point: Point, frame: Frame, slots: Slots, open: Open, plain: Plain,
         many: list[Plain], either: Plain | Point, maybe: Plain | None, shape: Shape, base: Base, unknown, any: Any,
         ghost: "Ghost") -> Plain: ...
"""

CERTAIN = {
    "envelope.prioritty": ("envelope.prioritty", "envelope.priority"),
    "envelope.sender.nam": ("envelope.sender.nam", "envelope.sender.name"),
    "envelope.nope.deeper": ("envelope.nope", None),
    "any(each.nope for each in many)": ("each.nope", None),
    "str(envelope.prioritty)": ("envelope.prioritty", "envelope.priority"),
    "envelope.nope or sender.nope": ("envelope.nope", None),
    "envelope.nope and sender.name": ("envelope.nope", None),
    "envelope.nope if sender.name else None": ("envelope.nope", None),
    "1 + point.z": ("point.z", None),
    "[each.nope for each in many]": ("each.nope", None),
    "sum(each.nope for each in many)": ("each.nope", None),
    "[each for each in envelope.nope]": ("envelope.nope", None),
    "point.z": ("point.z", None),
    "frame.knd": ("frame.knd", "frame.kind"),
    'frame["knd"]': ("frame['knd']", "frame['kind']"),
    "frame.items": ("frame.items", None),
    "plain.b": ("plain.b", None),
    "many[0].b": ("many[0].b", None),
    "many[-1].b": ("many[-1].b", None),
    "either.b": ("either.b", None),
    "maybe.b": ("maybe.b", None),
    "result.b": ("result.b", None),
    "sender.nope": ("sender.nope", None),
    "sender.name and envelope.nope": ("envelope.nope", None),
    'f"{envelope.nope}"': ("envelope.nope", None),
    "own(envelope.nope)": ("envelope.nope", None),
    "envelope.nope == 1": ("envelope.nope", None),
    "not envelope.nope": ("envelope.nope", None),
    "(sender.name, envelope.nope)": ("envelope.nope", None),
    'envelope["sender"]': ("envelope['sender']", "envelope.sender"),
    "sender.stamp": ("sender.stamp", None),  # a method
    "frame.final.anything": ("frame.final.anything", None),  # no library has a subclass of bool
}
UNCERTAIN = [
    "envelope.priority",
    "envelope.data.anything",
    "envelope.priority.anything or 1",
    "envelope.nope or sender.name",
    "envelope.nope is None",
    "sender.name if envelope.nope else 1",
    "[each.a for each in many]",
    "[each.nope or 1 for each in many]",
    "[each.nope for each in unknown]",
    "sender.stamped_at",  # assigned by its own method
    "sender.marked",  # assigned by a function of the same module
    "sender.reach",  # a subclass has it
    "slots.b",  # a subclass has a __getattr__
    "open.unknown",
    "either.x",  # one of the two has it
    "shape.unknown",
    "base.unknown",
    "unknown.a",
    "any.a",
    "ghost.a",
    "error.a",
    "nobody.a",
    "plain.a",
    "frame.kind.name",  # some loaded subclass of str has it
]


@pytest.fixture
def find(package: Callable[[str], str]) -> Callable[..., Any]:
    module = importlib.import_module(package(NEVER))

    def ask(text: str, **more: Any) -> Any:
        return unreadable_path(
            parse(text, Mark("spec.yaml", 3, 10, len(text)), ["own"]), callable_types(module.read), **more
        )

    return ask


def _quoted(text: str | None) -> str | None:
    return text and text.replace('"', "'")


@pytest.mark.parametrize("text", CERTAIN)
def test_a_path_that_no_call_has_is_found_with_a_suggestion(text: str, find: Callable[..., Any]):
    found = find(text)
    path, suggestion = CERTAIN[text]
    assert found is not None
    assert (_quoted(found.path), _quoted(found.suggestion)) == (path, suggestion)
    # The mark is that of the path, not of the whole expression.
    start = found.mark.column - 10
    assert text[start : start + found.mark.length].replace('"', "'") == path


@pytest.mark.parametrize("text", UNCERTAIN)
def test_a_path_that_may_exist_is_not_found(text: str, find: Callable[..., Any]):
    assert find(text) is None


def test_a_name_that_the_spec_defines_takes_precedence_over_the_parameter(find: Callable[..., Any]):
    assert find("plain.b") is not None
    assert find("plain.b", given=["plain"]) is None


def test_the_self_of_a_method_is_checked_too(package: Callable[[str], str]):
    source = """
import dataclasses
@dataclasses.dataclass(slots=True)
class Cart:
    lines: list
    def pay(self): ...
"""
    cart = importlib.import_module(package(source)).Cart
    found = unreadable_path(parse("self.linse", Mark("spec.yaml", 1, 1, 10), []), callable_types(cart.pay, cart))
    assert found is not None
    assert found.suggestion == "self.lines"


def test_a_pydantic_model_is_closed_unless_it_allows_extra_fields(package: Callable[[str], str]):
    pytest.importorskip("pydantic")
    source = """
from pydantic import BaseModel
class Closed(BaseModel):
    a: int
class Open(BaseModel, extra="allow"):
    a: int
class Half(BaseModel):
    a: int
class Whole(Half, extra="allow"):
    pass
def read(closed: Closed, open: Open, half: Half): ...
"""
    read = importlib.import_module(package(source)).read

    def ask(text: str) -> Any:
        return unreadable_path(parse(text, Mark("spec.yaml", 1, 1, len(text)), []), callable_types(read))

    assert ask("closed.nope") is not None
    assert ask("closed.a") is None
    assert ask("closed.model_fields_set") is None
    assert ask("open.nope") is None
    assert ask("half.nope") is None  # a subclass allows it


def test_the_shipped_spec_of_ag2_has_no_unreadable_paths():
    """The paths that the shipped spec reads from closed types of AG2 exist, so none of them may be found."""
    pytest.importorskip("ag2")
    from opentelemetry.instrumentation.declarative.config.settings import Settings
    from opentelemetry.instrumentation.declarative.inspection.explain.spec_states import spec_states
    from opentelemetry.instrumentation.declarative.inspection.installed_callables import resolve_callable
    from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT
    from opentelemetry.instrumentation.declarative.patching.imports.target_loading import PatchError
    from opentelemetry.instrumentation.declarative.plan.span_actions import SpanAction

    (plan,) = (spec.plan for spec in spec_states(Settings((), FULL_CONTENT)) if spec.plan is not None)
    found = []
    for call in plan.calls:
        try:
            installed = resolve_callable(call)
        except PatchError:  # a module that needs an optional package
            continue
        types = callable_types(installed.raw, installed.owner)
        for hook in call.hooks:
            given = {*hook.unpack, *hook.names, *plan.context_values}
            for action in (action for actions in hook.actions.values() for action in actions):
                span_attributes = action.span.attributes if isinstance(action, SpanAction) else ()
                for attribute in (*action.attributes, *span_attributes):
                    names = {*given, *action.given_names}
                    found.append(unreadable_path(attribute.expression, types, given=names))
    assert len(found) > 50
    assert [each for each in found if each is not None] == []


def test_a_class_in_c_that_looks_its_attributes_up_itself_may_have_any(package: Callable[[str], str]):
    pytest.importorskip("google.protobuf")
    module = importlib.import_module(
        package("from google.protobuf.struct_pb2 import Struct\ndef read(struct: Struct): ...\n")
    )
    expression = parse("struct.fields", Mark("spec.yaml", 1, 1))
    assert unreadable_path(expression, module.read) is None
