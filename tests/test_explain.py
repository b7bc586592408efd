"""``instrument explain``: the active specs, what their rules do, and what expressions can read."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import PHRASES
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.plan import call_actions, open_span_actions, span_actions
from opentelemetry.instrumentation.declarative.plan.actions import Action

from .processes import PATIENCE, ROOT, SOURCE

Run = Callable[..., tuple[int, str, str]]

SHOP = '''from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Line:
    sku: str
    price: float

class Cart:
    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self._seen = False

    def checkout(self, coupon: str | None = None) -> float:
        """Pay for all lines.

        This line is not shown.
        """

    async def pay(self, card, *parts: Line) -> None: ...

    def close(self): ...

class SmallCart(Cart):
    pass

def free(line: Line): ...
'''

SPEC = """
    hooks:
      pay:
        call: HOST:Cart.pay
        when: card is not None
        unpack: [first]
        names: {kind: card.kind}
      checkout: {call: "HOST:Cart.checkout"}
      closed: {call: "HOST:Cart.close"}
    context:
      paying: {during: pay, value: card.id}
    spans:
      sale:
        owner: shop
        name: sale {coupon}
        kind: producer
        parent: none
        key: coupon
        start: {at: checkout.enter, names: {size: len(self.lines)}, when: coupon != "free"}
        end: {at: checkout.exit}
        links: {triggered_by: [{span: payment, key: coupon}, current]}
        inject: {traceparent: self.trace}
        attributes:
          shop.kind: {const: sale}
          shop.coupon: coupon
          shop.size: size
          shop.total: result
          shop.left: {value: gone, omit: empty}
        counts: {gone: {at: closed.enter, key: self.last}}
        events: {payment: {at: pay.return, key: kind, attributes: {shop.kind: kind}}}
        attribute_groups: {closed: {at: closed.return, key: self.last, attributes: {shop.closed: "True"}}}
        status: {error: error and str(error), ok: result > 0}
      payment:
        around: pay
        key: {value: kind, keep_ended: 3}
        attributes: {shop.card: {value: card.number, content: true}}
      closing:
        at: closed.enter
        parent: {span: sale, key: self.last, required: true}
        timestamps: {start: iso(self.began)}
    inject:
      note: {at: closed.enter, field: self.note, value: paying}
      trace: {at: pay.enter, traceparent: card.trace}
    owners: {shop: {object: self, closes: closed.exit}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a temporary directory; returns its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["explain", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def shop(tmp_path: Path, spec_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module, with ``spec.yaml`` in the same directory. It is short, so that few lines break."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "a_shop.py").write_text(SHOP)
    spec_file(SPEC, "a_shop")
    yield "a_shop"
    sys.modules.pop("a_shop", None)


def part(text: str, first: str) -> str:
    """The lines from the first that starts with a text, as long as they are indented further."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip().startswith(first))
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and lines[end].startswith(" " * (indent + 1)):
        end += 1
    return "\n".join(re.sub(r"  +spec\.yaml:[0-9]+$", "", line[indent:]) for line in lines[start:end])


def line_of(text: str) -> int:
    """The line of the spec that contains a text."""
    return next(
        number for number, line in enumerate(Path("spec.yaml").read_text().splitlines(), start=1) if text in line
    )


# ── All specs ──


def test_shipped_specs_are_listed_with_the_installed_release(run: Run):
    pytest.importorskip("ag2")
    from importlib.metadata import version

    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith(f"ag2 (shipped), for ag2 >=0.13.4,<2: active, ag2 {version('ag2')} is installed\n")
    assert re.search(r"^  [0-9]+ callables are hooked$", out, re.MULTILINE)
    assert re.search(r"^  release before_fourteen \(<0\.14\) does not apply +ag2\.yaml:[0-9]+$", out, re.MULTILINE)
    assert "ag2_task_deadlines (shipped): inactive: it is opt-in" in out
    assert "content attributes are not recorded:" in out


def test_changes_of_a_file_are_listed_key_by_key_with_their_lines(run: Run):
    pytest.importorskip("ag2")
    Path("over.yaml").write_text(
        "instrument: 2\n"
        "extends: ag2\n"
        "spans:\n"
        "  usage: null\n"
        "  envelope:\n"
        "    kind: consumer\n"
        "    attributes:\n"
        "      {app.x: envelope.priority, ag2.network.audience: null, ag2.network.sender_id: envelope.sender_id}\n"
        "  mine: {around: dispatch, kind: client}\n"
        "owners: {hub: {sink: null}}\n"
        "releases:\n"
        '  all: {version: ">=0.1", spans: {tool: {kind: client}}}\n'
        '  none: {version: "<0.1", spans: {tool: null}}\n'
    )
    code, out, _ = run("--specs", "over.yaml")
    assert code == 0
    assert [re.sub(" {2,}", "  ", line) for line in part_of_layer(out, "over.yaml")] == [
        "removes spans.usage  over.yaml:4",
        "changes spans.envelope.kind: producer → consumer  over.yaml:6",
        "adds spans.envelope.attributes.app.x: envelope.priority  over.yaml:8",
        "removes spans.envelope.attributes.ag2.network.audience  over.yaml:8",
        "adds spans.mine  over.yaml:9",
        "removes owners.hub.sink  over.yaml:10",
        "adds spans.tool.kind: client  over.yaml:12",
    ]
    assert re.search(r"^  release all \(>=0\.1\) applies +over\.yaml:12$", out, re.MULTILINE)
    assert re.search(r"^  release none \(<0\.1\) does not apply +over\.yaml:13$", out, re.MULTILINE)


def part_of_layer(out: str, file: str) -> list[str]:
    lines = out.splitlines()
    start = lines.index(f"  {file} extends it") + 1
    end = next(index for index in range(start, len(lines)) if not lines[index].startswith("    "))
    return [line.strip() for line in lines[start:end]]


def test_the_environment_lists_specs_as_well(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_SPECS", "spec.yaml")
    code, out, _ = run()
    assert code == 0
    assert "test (spec.yaml): active\n  3 callables are hooked\n  spans: sale, payment, closing\n" in out


def test_a_file_that_extends_another_is_listed_as_a_layer(run: Run, shop: str):
    Path("more.yaml").write_text("instrument: 2\nextends: spec.yaml\nspans: {sale: {kind: client}}\n")
    code, out, _ = run("--specs", "more.yaml")
    assert code == 0
    assert [re.sub(" {2,}", "  ", line) for line in part_of_layer(out, "more.yaml")] == [
        "changes spans.sale.kind: producer → client  more.yaml:3"
    ]


def test_a_spec_that_does_not_support_the_installed_release_is_inactive_and_says_why(run: Run):
    spec = "instrument: 2\nname: {}\ntarget: {{distribution: {}, version: '{}'}}\nspans: {{}}\n"
    Path("old.yaml").write_text(spec.format("old", "pytest", "<1"))
    Path("away.yaml").write_text(spec.format("away", "no-such-library", ">=1"))
    code, out, _ = run("--specs", "old.yaml", "--specs", "away.yaml")
    assert code == 0
    assert (
        f"old (old.yaml), for pytest <1: inactive: pytest {pytest.__version__} is installed, but it is for <1\n" in out
    )
    assert "away (away.yaml), for no-such-library >=1: inactive: no-such-library is not installed\n" in out


def test_a_spec_with_problems_is_inactive_and_the_others_are_listed(run: Run, shop: str):
    Path("bad.yaml").write_text("instrument: 2\nname: bad\nspan: {}\n")
    code, out, _ = run("--specs", "bad.yaml", "--specs", "spec.yaml")
    assert code == 1
    assert "bad.yaml: inactive: it has problems\n" in out
    assert 'bad.yaml:3:1: error[unknown-key]: "span" is not a key of a spec' in out
    assert "test (spec.yaml): active\n" in out


def test_callables_that_cannot_be_hooked_are_counted_and_reported(run: Run, shop: str, spec_file: Callable[..., Path]):
    spec_file(
        """
        spans:
          a: {around: "HOST:Cart.chekout"}
          b: {around: "HOST:Cart.close", attributes: {x: slef.lines}}
          c: {around: "no_such_module:thing"}
        """,
        shop,
    )
    code, out, _ = run("--specs", "spec.yaml")
    assert code == 1
    assert "  1 callable is hooked, 2 cannot be hooked\n" in out
    assert f"spec.yaml:4:15: error[target-missing]: {shop}.Cart has no chekout" in out
    assert 'help: did you mean "checkout"?' in out
    assert '"slef" is not a parameter of Cart.close(self): the attribute x is left out' in out
    assert "error[target-missing]: there is no module no_such_module: no installed package provides it" in out


def test_a_module_with_a_missing_optional_dependency_is_not_a_problem_of_the_spec(
    run: Run, package: Callable[[str], str], spec_file: Callable[..., Path]
):
    spec_file('spans: {a: {around: "HOST:thing"}}', package("import no_such_package\n"))
    code, out, _ = run("--specs", "spec.yaml")
    assert code == 0
    assert "  1 callable cannot be checked: " in out


def test_the_overview_says_that_all_specs_are_disabled(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, declarative")
    _, out, _ = run()
    assert out.startswith("all specs are inactive: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=flask, declarative\n")


def test_the_overview_is_available_as_json(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", "--format", "json")
    assert code == 0
    (data,) = (spec for spec in json.loads(out)["specs"] if spec["name"] == "test")
    assert (data["active"], data["shipped"], data["problems"]) == (True, False, [])
    assert data["spans"] == ["sale", "payment", "closing"]
    assert {"name": f"{shop}:Cart.pay", "hooked": True, "waits": None} in data["callables"]


# ── A span type ──


@pytest.mark.parametrize("name", ["sale", "test:sale"])
def test_a_type_of_span_is_described_with_the_location_of_each_statement(name: str, run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", name)
    assert (code, err) == (0, "")
    text = "\n".join(re.sub(r"  +spec\.yaml:[0-9]+$", "", line) for line in out.splitlines())
    assert text == (
        "test:sale, a span between two moments, of kind producer\n"
        "  name: sale {coupon}\n"
        f'  starts when {shop}:Cart.checkout is called, if coupon != "free"\n'
        "    size = len(self.lines)\n"
        f"  ends when {shop}:Cart.checkout returns or raises\n"
        "  key: coupon\n"
        "  parent: none, the span is the root of a new trace\n"
        "  links\n"
        "    triggered_by: the span payment with the key coupon, otherwise the current span\n"
        "  attributes with fixed values\n"
        "    shop.kind = 'sale'\n"
        f"  attributes read when it starts, from {shop}:Cart.checkout\n"
        "    shop.coupon = coupon\n"
        "    shop.size = size\n"
        f"  attributes read when it ends and the call has returned, from {shop}:Cart.checkout\n"
        "    shop.total = result\n"
        f"  attributes read when it ends, from {shop}:Cart.checkout\n"
        "    shop.left = gone, unless empty\n"
        "  events\n"
        f"    payment when {shop}:Cart.pay returns, if card is not None, found by kind\n"
        "      shop.kind = kind\n"
        "  attributes set while it is open\n"
        f"    closed when {shop}:Cart.close returns, found by self.last\n"
        "      shop.closed = True\n"
        "  counts\n"
        f"    gone when {shop}:Cart.close is called, found by self.last\n"
        "  status ERROR, described by error and str(error) (content), if that has a value\n"
        "  status OK, if result > 0\n"
        "  exceptions: their messages are content, which is not recorded\n"
        "  its traceparent is written to self.trace when it starts\n"
        "  owner shop: self"
    )
    lines = dict(re.findall(r"^ *(\S+) .*?  spec\.yaml:([0-9]+)$", out, re.MULTILINE))
    assert int(lines["shop.coupon"]) == line_of("shop.coupon")
    assert int(lines["ends"]) == line_of("checkout.exit")
    assert int(lines["payment"]) == line_of("events: {payment")


def test_content_that_is_not_recorded_is_listed_separately(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch):
    switch = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert " ".join(part(out, "not recorded").split()) == (
        f"not recorded, because {switch} does not enable it shop.card = card.number"
    )
    monkeypatch.setenv(switch, "SPAN_ONLY")
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert "not recorded" not in out
    assert "    shop.card = card.number" in out
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_CONTENT", "sha256")
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert "    shop.card = card.number (hashed)" in out


def test_the_types_of_span_of_all_specs_with_that_name_are_described(run: Run, shop: str):
    text = Path("spec.yaml").read_text()
    Path("other.yaml").write_text(text.replace("name: test\n", "name: other\n"))
    _, out, _ = run("--specs", "spec.yaml", "--specs", "other.yaml", "sale")
    assert re.findall(r"^(\w+):sale, ", out, re.MULTILINE) == ["test", "other"]
    _, out, _ = run("--specs", "spec.yaml", "--specs", "other.yaml", "other:sale")
    assert re.findall(r"^(\w+):sale, ", out, re.MULTILINE) == ["other"]


# ── A callable ──


def test_a_callable_is_shown_with_its_signature_and_the_first_line_of_its_docstring(run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert (code, err) == (0, "")
    assert out.startswith(
        f"{shop}:Cart.checkout\n"
        "  def checkout(self, coupon: str | None = None) -> float\n"
        "  Pay for all lines.\n"
        "\n"
        "rules of test\n"
    )
    assert "This line is not shown" not in out


def test_actions_are_described_by_moment_in_the_order_in_which_they_happen(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook checkout\n"
        '    if coupon != "free": the span sale starts and stays open\n'
        "      size = len(self.lines)\n"
        "      name: sale {coupon}\n"
        "      key: coupon\n"
        "      parent: none, the span is the root of a new trace\n"
        "      link triggered_by: the span payment with the key coupon, otherwise the current\n"
        "          span\n"
        "      owner: self\n"
        "      shop.coupon = coupon\n"
        "      shop.size = size\n"
        "      its traceparent is written to self.trace"
    )
    assert part(out, "when it returns") == (
        "when it returns\n"
        "  hook checkout\n"
        "    the open span sale with the key coupon ends\n"
        "      shop.total = result\n"
        "      shop.left = gone, unless empty\n"
        "      status OK, if result > 0"
    )
    assert part(out, "when it raises") == (
        "when it raises\n"
        "  hook checkout\n"
        "    the open span sale with the key coupon ends with the exception recorded\n"
        "      shop.left = gone, unless empty\n"
        "      status ERROR, described by error and str(error) (content), if that has a value"
    )


def test_context_values_are_set_last_and_reset_first(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.pay")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook pay, if card is not None\n"
        "    the span payment starts and is current until the call ends\n"
        "      name: payment\n"
        "      key: kind\n"
        "      parent: the current span\n"
        "    of the current span, the traceparent is written to card.trace\n"
        "  hook pay, if card is not None\n"
        "    the context value paying is card.id until the call ends"
    )
    assert part(out, "when it returns") == (
        "when it returns\n"
        "  hook pay, if card is not None\n"
        "    the context value paying is reset\n"
        "  hook pay, if card is not None\n"
        "    the event payment is added to the open span sale with the key kind\n"
        "      shop.kind = kind\n"
        "    the span payment ends"
    )


def test_the_other_actions_are_described(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook closed\n"
        "    the span closing is recorded, starting at iso(self.began)\n"
        "      name: closing\n"
        "      parent: the span sale with the key self.last, which is required\n"
        "    the count gone of the open span sale with the key self.last increases by 1\n"
        "    self.note is set to paying"
    )
    assert part(out, "when it returns") == (
        "when it returns\n"
        "  hook closed\n"
        "    attributes are set on the open span sale with the key self.last\n"
        "      shop.closed = True\n"
        "    every open span whose owner shop is self ends with instrument.end=shop_closed"
    )


def test_rules_are_described_in_the_order_of_the_generated_code(run: Run, shop: str):
    """At each moment, the rules have the same order as in the wrapper."""
    _, text, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    _, source, _ = run("--specs", "spec.yaml", "--source", f"{shop}:Cart.close")
    before, after = source.split("result = original(", 1)
    raised, returned = after.split("    raise\n", 1)
    for moment, code in (("is called", before), ("returns", returned), ("raises", raised)):
        rules = re.findall(r"^ {6}\S.*?  +spec\.yaml:([0-9]+)$", rules_of(text, f"when it {moment}"), re.MULTILINE)
        assert rules == re.findall(r"# spec\.yaml:([0-9]+)  ", code)
        assert rules


def rules_of(text: str, first: str) -> str:
    lines = text.splitlines()
    start = lines.index(f"  {first}")
    end = next(index for index in range(start + 1, len(lines)) if not lines[index].startswith("    "))
    return "\n".join(lines[start:end])


def test_rules_on_an_extension_say_that_they_are_in_its_subclass(run: Run):
    pytest.importorskip("ag2")
    _, out, _ = run("ag2.middleware.base:BaseMiddleware.on_turn")
    assert "rules of ag2, in the subclass of the extension middleware\n" in out
    assert "the span agent starts and is current until the call ends" in out
    _, out, _ = run("ag2.agent:Agent.__init__")
    assert "is installed with self.insert_middleware(middleware)" in out


def test_the_answer_of_a_span_has_what_is_recorded_on_it_as_the_current_span(
    run: Run, shop: str, spec_file: Callable[..., Path]
):
    spec_file(
        """
        hooks: {pay: {call: "HOST:Cart.pay"}, closed: {call: "HOST:Cart.close"}}
        spans:
          payment: {around: pay, status: [{when: is_cancelled(error), unset: true}]}
        enrich:
          current: {events: {declined: {at: pay.raise, when: not is_cancelled(error)}}}
          parent: {events: {tried: {at: pay.enter}}}
        logs:
          refused: {at: pay.raise}
          elsewhere: {at: closed.enter}
        """,
        shop,
    )
    code, out, _ = run("--specs", "spec.yaml", "payment")
    assert code == 0
    assert f"declined when {shop}:Cart.pay raises, if the call is not cancelled" in out
    assert f"refused when {shop}:Cart.pay raises" in out
    assert "if the call is cancelled: status UNSET" in out
    assert "tried" not in out and "elsewhere" not in out


def test_every_action_of_a_plan_has_a_phrase():
    found = [each for module in (call_actions, open_span_actions, span_actions) for each in vars(module).values()]
    classes = {each for each in found if isinstance(each, type) and issubclass(each, Action)}
    concrete = {each for each in classes if not any(each in other.__mro__[1:] for other in classes)}
    assert set(PHRASES) == concrete


def test_problems_of_rules_are_reported_with_them(run: Run, shop: str, spec_file: Callable[..., Path]):
    spec_file('spans: {a: {around: "HOST:Cart.close", attributes: {x: slef.lines}}}', shop)
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    assert code == 1
    assert 'error[unknown-name]: "slef" is not a parameter of Cart.close(self)' in out
    assert 'help: did you mean "self"?' in out


# ── What can be read ──


def test_names_that_can_be_read_are_listed_with_their_types(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert part(out, "names that can be read") == (
        "names that can be read\n"
        "  at every moment\n"
        "    self                     Cart  (1 private: --private)\n"
        "      self.lines             list[Line]\n"
        "        self.lines[0].sku    str\n"
        "        self.lines[0].price  float\n"
        "    coupon                   str | None\n"
        "  defined when the span sale starts\n"
        "    size                     = len(self.lines)\n"
        "  counted, when the span sale ends\n"
        "    gone                     int\n"
        "  context value, during calls of pay\n"
        "    paying                   = card.id\n"
        "  after it returns\n"
        "    result                   float\n"
        "  after it raises\n"
        "    error                    BaseException"
    )


def test_several_specs_on_one_callable_are_listed_with_the_outermost_first(run: Run, shop: str):
    for name in ("one", "two"):
        Path(f"{name}.yaml").write_text(f"instrument: 2\nname: {name}\nspans: {{a: {{around: '{shop}:free'}}}}\n")
    _, out, _ = run("--specs", "one.yaml", "--specs", "two.yaml", f"{shop}:free")
    assert "  several specs hook it: the first one below is the outermost\n" in out
    assert re.findall(r"^rules of (\w+)$", out, re.MULTILINE) == ["two", "one"]
    _, out, _ = run("--specs", "one.yaml", "--specs", "two.yaml", "--source", f"{shop}:free")
    assert re.findall(r"^# (\S+:free.*)$", out, re.MULTILINE) == [f"{shop}:free", f"{shop}:free (two)"]


def test_the_names_that_a_hook_defines_are_listed_too(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.pay", "--depth", "1")
    assert "\n    card              not annotated\n" in out
    assert "  defined by the hook pay\n    first             Line  item 0 of *args  spec.yaml:7\n" in out
    assert "      first.price     float\n" in out
    assert "    kind              = card.kind  spec.yaml:8\n" in out


@pytest.mark.parametrize("arguments", [["--specs", "spec.yaml"], []])
def test_the_last_item_of_a_generator_and_the_number_of_its_items_are_listed(
    arguments: list[str], run: Run, spec_file: Callable[..., Path]
):
    Path("gives.py").write_text("from collections.abc import Iterator\ndef lines() -> Iterator[int]: yield 1\n")
    spec_file('spans: {lines: {around: "gives:lines"}}')
    _, out, _ = run(*arguments, "gives:lines")
    assert re.findall(r"^    (last_item|item_count) +(\w+)", out, re.MULTILINE) == [
        ("last_item", "int"),
        ("item_count", "int"),
    ]
    sys.modules.pop("gives")


def test_a_callable_that_no_spec_hooks_is_shown_with_how_to_hook_it(run: Run, shop: str):
    code, out, err = run(f"{shop}:free")
    assert (code, err) == (0, "")
    assert out.startswith(
        f"No active spec hooks this callable. For a span around each call, write around: {shop}:free\n{shop}:free\n"
    )
    assert "\n    line          Line\n      line.sku    str\n      line.price  float\n" in out
    assert "\n    result        not annotated\n" in out


def test_an_inherited_method_is_shown_with_its_definition(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:SmallCart.checkout")
    assert code == 0
    assert f"  defined as {shop}:Cart.checkout\n" in out


def test_depth_and_private_select_what_is_listed(run: Run, shop: str):
    _, out, _ = run(f"{shop}:Cart.checkout", "--depth", "0")
    assert "self.lines" not in out
    _, out, _ = run(f"{shop}:Cart.checkout", "--depth", "1", "--private")
    assert "self._seen" in out
    assert "self.lines[0].sku" not in out


def test_a_builtin_without_a_signature_is_shown_as_such(run: Run):
    code, out, _ = run("sqlite3:Connection.execute")
    assert code == 0
    assert "  the signature of this callable is not available: its parameters cannot be read\n" in out


def test_a_callable_is_available_as_json(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout", "--format", "json")
    assert code == 0
    data = json.loads(out)
    assert (data["target"], data["hooked"], data["shape"]) == (f"{shop}:Cart.checkout", True, "function")
    (rules,) = data["rules"]
    (hook,) = rules["moments"]["return"]
    (ends,) = hook["below"]
    assert (ends["text"], ends["line"]) == ("the open span sale with the key coupon ends", line_of("checkout.exit"))
    (name,) = (name for name in data["readable"] if name["name"] == "coupon")
    assert name["paths"] == [{"path": "coupon", "type": "str | None", "private_names": 0, "again": False}]


def test_the_priority_of_an_envelope_is_found(run: Run):
    """What the page and the README promise: how to find out that there is such a field."""
    pytest.importorskip("ag2")
    code, out, _ = run("ag2.network.hub.core:Hub._dispatch")
    assert code == 0
    assert re.search(r"^      envelope\.priority +Literal\[", out, re.MULTILINE)
    assert re.search(r"^      envelope\.event_data +dict\[str, Any\]$", out, re.MULTILINE)
    assert re.search(r"^        metadata\.manifest\.type +str$", out, re.MULTILINE)
    _, out, _ = run("ag2.network.hub.core:Hub._dispatch", "--private")
    assert re.search(r"^      self\._channels +dict\[str, ChannelMetadata\]$", out, re.MULTILINE)
    assert re.search(r"^      self\._envelope_tracer +EnvelopeTracer \| None$", out, re.MULTILINE)


# ── The generated code ──


def test_source_shows_the_wrappers_of_a_type_of_span(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", "--source", "test:payment")
    assert code == 0
    assert re.findall(r"^# (\S+)$", out, re.MULTILINE) == [f"{shop}:Cart.pay"]
    compile(out, "explained", "exec")


def test_source_shows_all_of_them_as_json(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", "--source", "--format", "json")
    assert code == 0
    sources = json.loads(out)
    assert {f"{shop}:Cart.{name}" for name in ("pay", "checkout", "close")} <= set(sources)
    assert all(source.startswith(("def ", "async def ")) for source in sources.values())


def test_source_of_a_callable_that_no_spec_hooks_exits_1(run: Run, shop: str):
    code, out, err = run("--source", f"{shop}:free")
    assert (code, out) == (1, "")
    assert err == (
        f"error[not-hooked]: no active spec hooks {shop}:free\n  help: write a span with around: {shop}:free\n"
    )


def test_nothing_stays_patched(run: Run, shop: str):
    run("--specs", "spec.yaml")
    run("--specs", "spec.yaml", f"{shop}:Cart.close")
    module = sys.modules[shop]
    assert module.Cart.close.__code__.co_filename == module.__file__


# ── Targets that do not exist ──


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("sal", 'error[unknown-span]: no active spec has a span "sal"\n  help: did you mean "sale"?\n'),
        ("pay", 'error[unknown-span]: no active spec has a span "pay"\n  help: pay is a hook: use HOST:Cart.pay\n'),
        ("test:sal", 'error[unknown-span]: test has no sal\n  help: did you mean the span "test:sale"?\n'),
        (
            "HOST:Cart.chekout",
            'error[target-missing]: HOST has no Cart.chekout\n  help: did you mean "HOST:Cart.checkout"?\n',
        ),
        (
            "HOST.Cart.pay",
            'error[unknown-span]: no active spec has a span "HOST.Cart.pay"\n  help: did you mean "HOST:Cart.pay"?\n',
        ),
        (
            "HOST:Cart",
            "error[not-callable]: HOST:Cart is a class: hook one of its methods\n"
            "  help: hooked methods: HOST:Cart.checkout, HOST:Cart.close, HOST:Cart.pay\n",
        ),
        (
            "no_such_module:thing",
            "error[target-missing]: there is no module no_such_module: no installed package provides it\n"
            "  help: install the package that provides it, or correct the name\n",
        ),
        (
            "HOST:",
            'error[target-missing]: "HOST:" is not a callable\n  help: write a callable as module:Class.method\n',
        ),
    ],
)
def test_a_target_that_does_not_exist_exits_1_with_a_suggestion(target: str, error: str, run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", target.replace("HOST", shop))
    assert (code, out) == (1, "")
    assert err.replace(shop, "HOST") == error


def test_a_spec_with_problems_does_not_hide_the_others(run: Run, shop: str):
    Path("bad.yaml").write_text("instrument: 2\nname: bad\nspan: {}\n")
    code, out, err = run("--specs", "bad.yaml", "--specs", "spec.yaml", "sale")
    assert code == 1
    assert out.startswith("test:sale, ")
    assert "bad.yaml:3:1: error[unknown-key]" in err


@pytest.mark.parametrize("arguments", [["--depth", "x"], ["--depth", "9"], ["--format", "github"]])
def test_wrong_usage_exits_2(arguments: list[str], run: Run, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 2
    assert "usage: instrument explain" in capsys.readouterr().err


# ── As a command ──


def test_modules_in_the_current_directory_are_found_and_their_output_goes_to_standard_error(tmp_path: Path):
    (tmp_path / "loud_shop.py").write_text(SHOP + "\nprint('loud')\n")
    command = Path(sysconfig.get_path("scripts")) / "instrument"
    done = subprocess.run(
        [str(command), "explain", "loud_shop:free", "--format", "json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["target"] == "loud_shop:free"
    assert done.stderr == "loud\n"


def test_a_traced_process_imports_nothing_of_it():
    code = (
        "import sys; from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor;"
        "DeclarativeInstrumentor().instrument(specs=[sys.argv[1]]);"
        "print([name for name in sys.modules if '.declarative.inspection' in name or '.declarative.lint' in name])"
    )
    spec = str(directory("configs").parent / "docs" / "demo" / "my.yaml")
    done = subprocess.run(
        [sys.executable, "-c", code, spec],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "[]\n"


# ── The page ──

PAGE = ROOT / "docs" / "explain.md"


def test_the_page_shows_what_the_command_shows(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Each output on the page is that of its command, apart from omissions at a ⋮ and the line numbers of ag2.yaml."""
    pytest.importorskip("ag2")
    pytest.importorskip("websockets")  # one of AG2's transports, which is hooked
    shown = re.findall(
        r"```sh\ninstrument explain ?(.*?)\n```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert len(shown) >= 4
    monkeypatch.chdir(ROOT)
    for arguments, output in shown:
        _, out, err = run(*arguments.split())
        rest = _lines(out or err)
        for part_ in _lines(output).split("⋮\n"):
            assert part_ in rest, f"instrument explain {arguments} does not show this, or not in this order:\n{part_}"
            rest = rest.split(part_, 1)[1]


def _lines(text: str) -> str:
    return re.sub(r"(?m) (ag2(?:_native)?\.yaml):[0-9]+$", r" \1", text)


def test_what_a_span_records_is_described_by_the_registry_of_the_spec(run: Run, shop: str, tmp_path: Path):
    registry = tmp_path / "spec_registry.yaml"
    registry.write_text("""
instrument: 2
spans: {till: "A till, until it is closed."}
attributes: {shop.id: "The number of the order."}
events: {done: "It is paid."}
""")
    spec = f"""
hooks: {{pay: {{call: "{shop}:Cart.pay"}}}}
spans:
  till:
    around: pay
    attributes: {{shop.id: card, shop.other: card, shop.fixed: {{const: 1}}}}
    events: {{done: {{at: pay.return, attributes: {{shop.id: card}}}}}}
"""
    (tmp_path / "spec.yaml").write_text("instrument: 2\nname: shop\n" + spec)
    _, out, _ = run("--specs", "spec.yaml", "till")
    texts = [line.partition("  spec.yaml")[0].strip() for line in out.splitlines()]
    assert texts[1] == "A till, until it is closed."
    after = {text: texts[index + 1] for index, text in enumerate(texts[:-1])}
    assert after["shop.id = card"] == "The number of the order."
    assert after["shop.other = card"] != "The number of the order."
    assert after[f"done when {shop}:Cart.pay returns"] == "It is paid."
    registry.write_text("instrument: 3\n")  # `check` reports it
    assert run("--specs", "spec.yaml", "till")[0] == 0
