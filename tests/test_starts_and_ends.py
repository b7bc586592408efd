"""Spans with several starts, moments that end several spans, and spans with aliases."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode

from .conftest import is_patched

HOST = """
class Room:
    title = "lobby"
    def __init__(self, id): self.id = id
class House:
    def build(self, room): return room
    def load(self, id): return Room(id)
    def leave(self, id): return id
    def shut(self, ids): return ids
    def visit(self, guest, id=None, fail=False):
        if fail: raise OSError("no way in")
        return id
    def tell(self, about): return about
"""

ROOMS = """
hooks:
  build: {call: "HOST:House.build"}
  load: {call: "HOST:House.load"}
  leave: {call: "HOST:House.leave"}
  shut: {call: "HOST:House.shut"}
spans:
  room:
    name: room {title}
    key: id
    start:
      - {at: build.enter, names: {id: room.id, title: room.title}}
      - {at: load.return, when: title != "attic", names: {id: result.id, title: result.title, loaded: "True"}}
    end:
      - leave.return
      - {at: shut.enter, key: {each: ids}, attributes: {together: "True"}}
    attributes: {id: id, loaded: loaded}
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_each_start_starts_a_span_with_the_names_that_it_defines(module, instrumented, tracing, logged):
    with instrumented(ROOMS.replace("title: room.title}", "title: room.title, loaded: 'None'}"), module):
        house = module.House()
        house.build(module.Room(1))
        house.load(2)
        for id in (1, 2):
            house.leave(id)
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
        ("room lobby", {"id": 1}),
        ("room lobby", {"id": 2, "loaded": True}),
    ]
    assert logged() == []


def test_a_name_that_only_another_start_defines_is_missing(module, instrumented, tracing, logged):
    with instrumented(ROOMS, module):
        house = module.House()
        house.build(module.Room(1))
        house.load(2)
        for id in (1, 2):
            house.leave(id)
    assert [dict(span.attributes) for span in tracing.spans] == [{"id": 1}, {"id": 2, "loaded": True}]
    assert logged() == []


def test_the_condition_of_a_start_can_use_its_names(module, instrumented, tracing):
    with instrumented(ROOMS.replace('title != "attic"', 'id != "attic"').replace("loaded: loaded}", "}"), module):
        house = module.House()
        house.load("attic")
        house.load(2)
        for id in ("attic", 2):
            house.leave(id)
    assert [span.attributes["id"] for span in tracing.spans] == [2]


@pytest.mark.parametrize(
    ("unless_open", "ends"), [("false", [{"instrument.end": "replaced"}, {"id": 1}]), ("true", [{"id": 1}])]
)
def test_a_start_that_unless_open_does_not_change_an_open_span(
    unless_open: str, ends: list[Any], module, instrumented, tracing
):
    spec = ROOMS.replace('loaded: "True"}}', f"loaded: 'None'}}, unless_open: {unless_open}}}")
    with instrumented(spec.replace("loaded: loaded}", "}"), module):
        house = module.House()
        house.build(module.Room(1))
        house.load(1)
        house.leave(1)
        house.load(1)  # none is open any more: it starts one
        house.leave(1)
    found = [
        {k: v for k, v in span.attributes.items() if k != "id" or len(span.attributes) == 1} for span in tracing.spans
    ]
    assert found == [*ends, {"id": 1}]


def test_a_single_start_can_define_names_and_resume(module, instrumented, tracing):
    spec = """
    hooks: {load: {call: "HOST:House.load"}, leave: {call: "HOST:House.leave"}}
    spans:
      room:
        key: id
        start: {at: load.return, names: {title: result.title}, unless_open: true}
        end: leave.enter
        attributes: {title: title}
    """
    with instrumented(spec, module):
        for id in (1, 1):
            module.House().load(id)
        module.House().leave(1)
    assert dict(tracing.span.attributes) == {"title": "lobby"}


# ── One end for several spans ──


@pytest.mark.parametrize(
    ("keys", "ended"),
    [
        ([1, 2], [1, 2]),
        ((2, 9, 1), [2, 1]),
        ({1: "one", 2: "two"}, [1, 2]),
        ([1, 1], [1]),
        ([], []),
        (None, []),
        ([None, 2], [2]),
    ],
)
def test_one_moment_ends_the_open_spans_of_all_its_keys(keys, ended: list[int], module, instrumented, tracing, logged):
    with instrumented(ROOMS.replace("loaded: loaded}", "}"), module):
        house = module.House()
        for id in (1, 2, 3):
            house.build(module.Room(id))
        assert house.shut(keys) is keys
        assert [dict(span.attributes) for span in tracing.spans] == [{"id": id, "together": True} for id in ended]
    assert logged() == []


def test_keys_can_be_returned_by_a_function_of_the_spec(module, make_module, instrumented, tracing):
    functions = make_module("def odd(ids):\n    return {id for id in ids if id % 2}")
    spec = ROOMS.replace("key: {each: ids}", "key: {each: odd(ids)}").replace("loaded: loaded}", "}")
    with instrumented(f'functions: {{odd: "{functions.__name__}:odd"}}\n' + spec, module):
        house = module.House()
        for id in (1, 2):
            house.build(module.Room(id))
        house.shut([1, 2])
        assert [span.attributes["id"] for span in tracing.spans] == [1]


def test_a_generator_of_the_application_is_not_consumed(module, instrumented, tracing, logged):
    with instrumented(ROOMS.replace("loaded: loaded}", "}"), module):
        house = module.House()
        house.build(module.Room(1))
        assert list(house.shut(id for id in (1, 2))) == [1, 2]
        assert tracing.spans == ()
    (line,) = logged()
    assert "span room ends failed: TypeError: generator would be exhausted by reading it: a list is required" in line


@pytest.mark.parametrize("keys", [5, True, 0, "12", b"12"])
def test_keys_that_are_not_a_list_are_logged_once(keys, module, instrumented, tracing, logged):
    with instrumented(ROOMS.replace("loaded: loaded}", "}"), module):
        for _ in range(2):
            assert module.House().shut(keys) is keys
    (line,) = logged()
    assert "spec.yaml:17:" in line and "span room ends failed: TypeError" in line


def test_an_invalid_key_does_not_keep_the_other_spans_open(module, instrumented, tracing, logged):
    with instrumented(ROOMS.replace("loaded: loaded}", "}"), module):
        house = module.House()
        for id in (1, 2):
            house.build(module.Room(id))
        house.shut([1, [], 2])
        assert [span.attributes["id"] for span in tracing.spans] == [1, 2]
        house.shut([[]])
    assert len(logged()) == 1


def test_a_processor_that_fails_for_one_span_does_not_keep_the_others_open(module, instrumented, tracing, logged):
    class Broken(SpanProcessor):
        def on_end(self, span: Any) -> None:
            raise OSError("the disk is full")

    tracing.provider.add_span_processor(Broken())
    with instrumented(ROOMS.replace("loaded: loaded}", "}"), module):
        house = module.House()
        for id in (1, 2):
            house.build(module.Room(id))
        house.shut([1, 2])
        assert [span.attributes["id"] for span in tracing.spans] == [1, 2]
    assert len(logged()) == 1


# ── Aliases ──

VISITS = """
hooks: {visit: {call: "HOST:House.visit"}, tell: {call: "HOST:House.tell"}}
spans:
  visit:
    around: visit
    key: {value: id, also: [guest], keep_ended: 3}
  found:
    at: tell.enter
    attributes: {about: str(about)}
    parent: {span: visit, key: about, required: true}
"""


def found(tracing: Any) -> list[str]:
    return [span.attributes["about"] for span in tracing.spans if span.name == "found"]


def test_a_span_around_a_call_is_found_by_its_aliases_once_it_has_ended(module, instrumented, tracing):
    with instrumented(VISITS, module):
        house = module.House()
        house.tell("ann")
        house.visit("ann", 1)
        for about in ("ann", 1, "bob"):
            house.tell(about)
    visit = tracing.named("visit")
    assert found(tracing) == ["ann", "1"]
    assert {span.parent.span_id for span in tracing.spans if span.name == "found"} == {visit.context.span_id}


def test_an_alias_is_not_known_while_the_call_runs(make_module, instrumented, tracing):
    module = make_module(HOST + "    def visit(self, guest, id): return self.tell(guest), self.tell(id)\n")
    with instrumented(VISITS, module):
        module.House().visit("ann", 1)
    assert found(tracing) == ["1"]


def test_a_call_that_raises_is_also_found_by_its_alias(module, instrumented, tracing):
    with instrumented(VISITS, module):
        with pytest.raises(OSError, match="no way in"):
            module.House().visit("ann", 1, fail=True)
        module.House().tell("ann")
    assert tracing.named("visit").status.status_code is StatusCode.ERROR
    assert found(tracing) == ["ann"]


def test_every_key_and_alias_counts_towards_the_number_that_is_remembered(module, instrumented, tracing):
    with instrumented(VISITS, module):
        house = module.House()
        house.visit("ann", 1)
        house.visit("bob", 2)
        for about in (1, "ann", 2, "bob"):
            house.tell(about)
    assert found(tracing) == ["ann", "2", "bob"]


@pytest.mark.parametrize(("alias", "lines"), [(None, 0), ([], 1), ({"a": 1}, 1)])
def test_an_invalid_alias_does_not_affect_the_span(alias, lines: int, module, instrumented, tracing, logged):
    with instrumented(VISITS, module):
        house = module.House()
        for _ in range(2):
            assert house.visit(alias, 1) == 1
        house.tell(1)
    assert tracing.names == ["visit", "visit", "found"]
    assert [line.split(": ")[1] for line in logged()] == ["span visit ends failed"] * lines


def test_a_span_without_a_key_cannot_be_a_parent(module, instrumented, tracing, logged):
    with instrumented(VISITS.replace("    key: {value: id, also: [guest], keep_ended: 3}\n", ""), module):
        assert not is_patched(module.House.visit)
    (line,) = logged()
    assert 'error[no-key]: the span "visit" has no `key`: it cannot be found by a key' in line
    assert tracing.spans == ()
