import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, NO_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import parse_document, read_document
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.planner import make_plan
from opentelemetry.instrumentation.declarative.plan.span_actions import EndSpan
from opentelemetry.instrumentation.declarative.plan.stages import Stage

HOOKS = """\
instrument: 2
name: shop
hooks:
  pay: {call: "shop.cart:Cart.pay"}
  ship: {call: "shop.cart:Cart.ship", when: kind == "box", unpack: [kind, box], names: {owner: self.owner}}
"""


def plan(text: str, *, content: ContentPolicy = NO_CONTENT) -> Plan:
    return make_plan(decode(parse_document(HOOKS + text, "shop.yaml")), content=content)


def reported(text: str) -> list[tuple[int, str, str]]:
    made = plan(text)
    problems = sorted([*made.problems, *made.presumed], key=lambda p: (p.mark.line, p.mark.column))
    return [(p.mark.line - HOOKS.count("\n"), p.code, p.message) for p in problems]


def only(text: str) -> Problem:
    made = plan(text)
    (problem,) = [*made.problems, *made.presumed]
    assert problem.help
    return problem


def actions(made: Plan, stage: Stage, hook: str = "pay") -> list[Action]:
    assert made.problems == []
    (found,) = [each for call in made.calls for each in call.hooks if each.hook.name == hook]
    return found.actions[stage]


def shown(made: Plan, stage: Stage, hook: str = "pay") -> list[str]:
    """The actions of a stage, each as its class, its name in the spec, and the span type if that is another name."""
    found = []
    for action in actions(made, stage, hook):
        span = f" of {action.span_name}" if action.span_name not in (None, action.subject) else ""
        found.append(f"{type(action).__name__} {action.subject}{span}")
    return found


def test_an_end_of_several_spans_cannot_wait_for_their_counts():
    counts = "counts: {n: {at: pay.enter}}"
    problem = only(
        f"spans: {{a: {{key: x, start: pay.enter, end: {{at: pay.return, key: {{each: xs}}, when: n > 1}}, {counts}}}}}"
    )
    assert (problem.code, problem.message.partition(":")[0]) == ("unknown-name", 'several spans "a" end here')
    made = plan(f"spans: {{a: {{key: x, start: pay.enter, end: {{at: pay.return, when: n > 1}}, {counts}}}}}")
    assert [action.waits_for_counts for action in actions(made, "return") if isinstance(action, EndSpan)] == [True]


def test_a_span_around_a_call_starts_when_the_call_does():
    made = plan("spans: {buy: {around: pay, attributes: {a: self.id, b: result.id, c: error.code}}}")
    assert shown(made, "enter") == ["TraceCall buy"]
    span = made.spans["buy"]
    assert [span.is_read_at_start(each.expression.names) for each in span.attributes] == [True, False, False]


def test_expressions_with_counts_are_read_at_every_end_of_the_span():
    made = plan(
        "spans: {buy: {around: pay, key: x, attributes: {a: n, b: n + m, c: self.n, d: m or result, e: result},"
        " counts: {n: {at: ship.enter}, m: {at: ship.exit}}}}"
    )
    span = made.spans["buy"]
    names = [each.expression.names for each in span.attributes]
    assert [span.is_read_at_start(each) for each in names] == [False, False, True, False, False]
    found = [span.is_readable_at_end(each.expression, "raise") for each in span.attributes]
    assert found == [True, True, True, True, False]


def test_with_several_starts_only_names_that_each_of_them_has_are_read_at_the_start():
    made = plan(
        "spans: {buy: {key: x, start: [pay.return, {at: pay.exit}], end: ship.exit, attributes: {a: result, b: error}}}"
    )
    span = made.spans["buy"]
    assert [span.is_read_at_start(each.expression.names) for each in span.attributes] == [True, False]


def test_several_starts_ends_and_counts_are_each_at_their_moment():
    made = plan(
        "spans: {buy: {key: x, start: [pay.enter, {at: ship.return, unless_open: true}],"
        " end: [{at: pay.exit, key: {each: xs}}], counts: {n: {at: [pay.enter, pay.return]}}}}"
    )
    assert shown(made, "enter") == ["StartSpan buy", "IncrementCount n of buy"]
    assert shown(made, "return") == ["IncrementCount n of buy", "EndSpan buy"]
    assert shown(made, "return", "ship") == ["StartSpan buy"]
    assert [action.several for action in actions(made, "raise") if isinstance(action, EndSpan)] == [True]
    assert made.context_values == ()


def test_a_context_value_is_set_when_its_call_starts():
    made = plan("context: {one: {during: ship, value: box}, two: {during: pay, value: x, when: y}}")
    assert (shown(made, "enter"), shown(made, "enter", "ship")) == (["SetContextValue two"], ["SetContextValue one"])
    assert (shown(made, "return"), made.context_values) == ([], ("one", "two"))


def test_a_target_in_a_span_is_a_separate_hook():
    made = plan("spans: {buy: {around: shop.cart:buy}}")
    assert [(str(call.target), call.hooks[0].hook.name) for call in made.calls] == [("shop.cart:buy", "shop.cart:buy")]
    assert made.modules == ("shop.cart",)


@pytest.mark.parametrize(
    ("phase", "stages"),
    [("enter", ["enter"]), ("return", ["return"]), ("raise", ["raise"]), ("exit", ["return", "raise"])],
)
def test_a_moment_is_at_its_stage_and_exit_is_at_return_and_raise(phase: str, stages: list[Stage]):
    made = plan(f"spans: {{paid: {{at: pay.{phase}}}}}")
    there: list[Stage] = ["enter", "return", "raise"]
    assert [stage for stage in there if shown(made, stage)] == stages


@pytest.mark.parametrize(
    ("phase", "name", "early"),
    [
        ("enter", "self", True),
        ("return", "result", True),
        ("raise", "error", True),
        ("exit", "result", True),
        ("exit", "error", True),
    ],
)
def test_a_span_that_starts_when_a_name_exists_reads_it_at_the_start(phase: str, name: str, early: bool):
    made = plan(f"spans: {{buy: {{key: self.id, start: pay.{phase}, end: ship.exit, attributes: {{a: {name}.x}}}}}}")
    span = made.spans["buy"]
    assert span.is_read_at_start(span.attributes[0].expression.names) is early


def test_actions_at_one_moment_are_in_the_order_of_the_life_of_a_span():
    made = plan(
        """
spans:
  whole:
    key: self.id
    start: pay.enter
    end: pay.enter
    events: {seen: {at: pay.enter}}
    attributes: {a: {value: self.a, at: pay.enter}}
    counts: {times: {at: pay.enter}}
  shot: {at: pay.enter}
  around: {around: pay}
context: {paid: {during: pay, value: self.id}}
inject: {trace: {at: pay.enter, traceparent: self.trace}}
enrich: {current: {events: {bare: {at: pay.enter}}}}
extensions: {seam: {base: "shop:Seam", install: {at: pay.enter, call: self.add}}}
"""
    )
    assert shown(made, "enter") == [
        "TraceCall around",
        "StartSpan whole",
        "RecordSpan shot",
        "AddEvent seen of whole",
        "SetAttribute a of whole",
        "AddEvent bare",
        "IncrementCount times of whole",
        "InjectContext trace",
        "EndSpan whole",
        "SetContextValue paid",
        "InstallExtension seam",
    ]


def test_hooks_on_one_callable_share_its_plan_and_unused_ones_are_left_out():
    made = plan('  again: {call: "shop.cart:Cart.pay"}\nspans: {a: {around: pay}, b: {around: again}}')
    assert [(str(call.target), [hook.hook.name for hook in call.hooks]) for call in made.calls] == [
        ("shop.cart:Cart.pay", ["pay", "again"])
    ]


def test_a_hook_on_an_extension_is_a_method_of_the_extensions_class():
    made = plan(
        "  turn: {extension: seam, method: on_turn}\n"
        'extensions: {seam: {base: "shop.seams:Seam", install: {at: pay.return, call: self.add}}}\n'
        "spans: {a: {around: turn}}"
    )
    assert [(str(call.target), call.extension) for call in made.calls] == [
        ("shop.cart:Cart.pay", None),
        ("shop.seams:Seam.on_turn", "seam"),
    ]


def test_content_is_read_only_if_it_is_recorded():
    text = "spans: {a: {around: pay, attributes: {a: self.id, b: {value: self.text, content: true}}}}"
    assert [each.key for each in plan(text).spans["a"].attributes] == ["a"]
    assert [each.key for each in plan(text, content=FULL_CONTENT).spans["a"].attributes] == ["a", "b"]


def test_a_mistake_in_content_is_reported_whether_it_is_recorded_or_not():
    assert only("spans: {a: {around: pay, attributes: {b: {value: x.y(), content: true}}}}").code == "not-allowed"


def test_the_shipped_spec_has_no_problem():
    assert make_plan(decode(read_document(directory("configs") / "ag2.yaml"))).problems == []


@pytest.mark.parametrize(
    ("text", "code", "message", "help"),
    [
        ("spans: {a: {around: pai}}", "unknown-hook", 'there is no hook "pai"', 'did you mean "pay"?'),
        ("spans: {a: {at: xyzzy.enter}}", "unknown-hook", 'there is no hook "xyzzy"', "there are: pay, ship"),
        (
            "spans: {a: {around: pay, links: {l: {span: aa, key: x}}}}",
            "unknown-span",
            'there is no span "aa"',
            'did you mean "a"?',
        ),
        ("  h: {extension: seem, method: on}", "unknown-extension", 'there is no extension "seem"', "there are: none"),
        (
            "spans: {a: {key: x, start: pay.enter, end: pay.exit, inject: {traceparent: len(x)}}}",
            "not-a-field",
            '"len(x)" cannot be set: only a field can',
            'name a field, such as message.trace_id or message.headers["traceparent"]',
        ),
        (
            "  h: {call: 'a:b', unpack: [x, result]}",
            "bad-name",
            '"result" cannot be used as a name: it is the call\'s return value',
            "choose another name",
        ),
    ],
)
def test_a_wrong_reference_is_reported_with_a_suggestion(text: str, code: str, message: str, help: str):
    problem = only(text)
    assert (problem.code, problem.message, problem.help) == (code, message, help)


@pytest.mark.parametrize("name", ["class", "None", "__x__", "error", "x"])
def test_a_name_that_is_reserved_or_used_twice_is_refused(name: str):
    assert only(f"  h: {{call: 'a:b', unpack: [x], names: {{{name}: self.y}}}}").code == "bad-name"


@pytest.mark.parametrize(
    "span",
    [
        "{}",
        "{key: x, start: pay.enter}",
        "{end: pay.exit}",
    ],
)
def test_a_span_has_exactly_one_kind_of_lifetime(span: str):
    assert only(f"spans: {{a: {span}}}").code == "no-lifetime"


@pytest.mark.parametrize(
    "text",
    [
        "spans: {a: {start: pay.enter, end: pay.exit}}",
        "spans: {a: {around: pay, events: {e: {at: ship.enter}}}}",
        "spans: {a: {around: pay}, b: {around: ship, parent: {span: a, key: x}}}",
        "spans: {a: {at: pay.exit, key: x}, b: {around: ship, parent: {span: a, key: x}}}",
    ],
)
def test_a_span_that_has_to_be_found_needs_a_key(text: str):
    assert only(text).code == "no-key"


@pytest.mark.parametrize(
    "text",
    [
        "  h: {call: 'a:b', when: result.ok}",
        "  h: {call: 'a:b', names: {x: error.y}}",
        "spans: {a: {around: pay, when: result.ok}}",
        "spans: {a: {around: pay, key: result.id}}",
        "spans: {a: {around: pay, parent: {traceparent: result.id}}}",
        "spans: {a: {key: x, start: {at: pay.enter, when: result}, end: pay.exit}}",
        "spans: {a: {key: x, start: pay.enter, end: {at: pay.return, when: error}}}",
        "spans: {a: {key: x, start: pay.enter, end: {at: pay.raise, attributes: {k: result}}}}",
        "spans: {a: {key: x, start: pay.enter, end: {at: pay.raise, key: result.id}}}",
        "spans: {a: {key: x, start: pay.enter, end: pay.return, attributes: {k: error.code}}}",
        "spans: {a: {key: x, start: pay.enter, end: pay.exit, inject: {traceparent: result.x}}}",
        "spans: {a: {at: pay.enter, name: 'x {result.id}'}}",
        "spans: {a: {key: x, start: [{at: pay.enter, names: {y: result.id}}], end: pay.exit}}",
        "spans: {a: {key: x, start: pay.enter, end: {at: pay.raise, key: {each: result.ids}}}}",
        "spans: {a: {around: pay, key: {value: x, keep_ended: 1, also: [result.id]}}}",
        "spans: {a: {around: pay, parent: [{traceparent: x}, {traceparent: error.trace}]}}",
        "spans: {a: {around: pay, key: x, counts: {n: {at: pay.raise, when: result}}}}",
        "spans: {a: {around: pay, key: x, counts: {n: {at: [pay.enter, ship.raise], key: result.id}}}}",
        "spans: {a: {around: pay, key: x, attributes: {k: {value: result, at: pay.enter}}}}",
        "context: {c: {during: pay, value: result.id}}",
        "context: {c: {during: pay, value: x, when: error}}",
        "inject: {w: {at: pay.enter, field: self.x, value: result}}",
        "inject: {w: {at: pay.raise, traceparent: result.trace}}",
        "inject: {w: {at: pay.enter, traceparent: self.x, of: {traceparent: result.trace}}}",
        "spans: {a: {at: pay.return, status: {error: error.code}}}",
        "spans: {a: {at: pay.enter, timestamps: {start: x, end: result.at}}}",
        "enrich: {current: {events: {e: {at: [pay.enter, ship.raise], when: result}}}}",
        "enrich: {current: {events: {e: {at: pay.enter, attributes: {k: result}}}}}",
        'extensions: {t: {base: "a:b", install: {at: pay.enter, call: result.add}}}',
    ],
)
def test_reading_a_name_that_never_exists_at_its_moments_is_too_early(text: str):
    problem = only(text)
    assert problem.code == "too-early"
    assert " is not available at " in problem.message
    assert problem.mark.length in (5, 6)


@pytest.mark.parametrize(
    "text",
    [
        "spans: {a: {at: pay.exit, when: result.ok, attributes: {k: error.code}}}",
        "spans: {a: {key: x, start: pay.enter, end: [pay.raise, pay.return], attributes: {k: error, l: result}}}",
        "spans: {a: {around: pay, status: {error: 'str(error) if error else result.problem'}}}",
        "enrich: {current: {events: {e: {at: [pay.enter, pay.return], attributes: {k: result.id}}}}}",
    ],
)
def test_reading_a_name_that_exists_at_one_of_its_moments_is_allowed(text: str):
    assert plan(text).problems == []


def test_one_mistake_does_not_hide_others():
    text = """
spans:
  a:
    key: self.id(
    start: {at: nowhere.enter, when: x ** 2}
    end: {at: pay.exit, when: lenn(x), attributes: {k: x.y()}}
    events: {e: {at: pai.enter, when: 2j, name: "{", attributes: {k: x.__dict__}}}
  b: {around: missing, when: 2j}
"""
    assert [(line, code) for line, code, _ in reported(text)] == [
        (4, "expression-syntax"),
        (5, "unknown-hook"),
        (5, "not-allowed"),
        (6, "unknown-function"),
        (6, "not-allowed"),
        (7, "unknown-hook"),
        (7, "not-allowed"),
        (7, "template-brace"),
        (7, "not-allowed"),
        (8, "unknown-hook"),
        (8, "not-allowed"),
    ]


def test_whether_a_result_is_followed_may_not_be_decided_twice_and_differently():
    problem = only("  draw: {call: 'shop:draw', follow_result: true}\nspans: {a: {around: draw, follow_result: false}}")
    assert (problem.code, problem.subject) == ("follow-conflict", "draw")
    assert plan("spans: {a: {around: pay, follow_result: true}, b: {around: pay}}").problems == []
