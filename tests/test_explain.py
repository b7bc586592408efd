"""``instrument explain``: the active specs, the rules in words, and what can be read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.inspection.explain.phrases import WORDS
from opentelemetry.instrumentation.declarative.language.resources import directory
from opentelemetry.instrumentation.declarative.plan import model

from .processes import ROOT, SOURCE

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

        Nobody reads this.
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
        args: [first]
        names: {kind: card.kind}
      checkout: {call: "HOST:Cart.checkout"}
      closed: {call: "HOST:Cart.close"}
    carried:
      paying: {during: pay, value: card.id}
    spans:
      sale:
        owner: self
        name: sale {coupon}
        kind: producer
        parent: none
        key: coupon
        start: {at: checkout.enter, names: {size: len(self.lines)}, when: coupon != "free"}
        end: {at: checkout.exit}
        links: {triggered_by: [{span: payment, key: coupon}, current]}
        inject: {traceparent: self.trace}
        constants: {shop.kind: sale}
        attributes: {shop.coupon: coupon, shop.size: size, shop.total: result, shop.left: gone or None}
        counts: {gone: {at: closed.enter, key: self.last}}
        events: {payment: {at: pay.return, key: kind, attributes: {shop.kind: kind}}}
        updates: {closed: {at: closed.return, key: self.last, attributes: {shop.closed: "True"}}}
        status: {error: error and str(error), ok: result > 0}
      payment: {around: pay, key: kind, remember: 3, attributes: {shop.card: {value: card.number, content: true}}}
      closing: {at: closed.enter, parent: {span: sale, key: self.last, required: true}, time: {start: iso(self.began)}}
    writes:
      note: {at: closed.enter, field: self.note, value: paying}
      trace: {at: pay.enter, traceparent: card.trace}
    closings: {over: {at: closed.exit, owner: self}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a folder of the test's own; gives its exit code, its output, and what it said."""
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
    """The name of a module, with ``spec.yaml`` beside it. It is short: lines break where they do."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "a_shop.py").write_text(SHOP)
    spec_file(SPEC, "a_shop")
    yield "a_shop"
    sys.modules.pop("a_shop", None)


def part(text: str, first: str) -> str:
    """The lines from one on, until the indentation is that of the line again."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip().startswith(first))
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and lines[end].startswith(" " * (indent + 1)):
        end += 1
    return "\n".join(re.sub(r"  +spec\.yaml:[0-9]+$", "", line[indent:]) for line in lines[start:end])


def line_of(text: str) -> int:
    """The line of the spec in which something stands."""
    return next(
        number for number, line in enumerate(Path("spec.yaml").read_text().splitlines(), start=1) if text in line
    )


# ── All specs ──


def test_what_is_shipped_is_told_with_the_release_that_is_installed(run: Run):
    pytest.importorskip("ag2")
    from importlib.metadata import version

    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith(f"ag2 (shipped), for ag2 >=0.13.4,<2: active, ag2 {version('ag2')} is installed\n")
    assert re.search(r"^  [0-9]+ callables are hooked$", out, re.MULTILINE)
    assert re.search(r"^  release before_fourteen \(<0\.14\) does not apply +ag2\.yaml:[0-9]+$", out, re.MULTILINE)
    assert "ag2_task_deadlines (shipped): off: it changes what the program does" in out
    assert "attributes of content not recorded:" in out


def test_what_a_file_changes_is_told_key_by_key_with_its_line(run: Run):
    pytest.importorskip("ag2")
    Path("over.yaml").write_text(
        "instrument: 1\n"
        "extends: ag2\n"
        "spans:\n"
        "  usage: null\n"
        "  envelope:\n"
        "    kind: consumer\n"
        "    attributes:\n"
        "      {app.x: envelope.priority, ag2.network.audience: null, ag2.network.sender_id: envelope.sender_id}\n"
        "  mine: {around: dispatch, kind: client}\n"
        "mirrors: {spans_file: {enabled: false}}\n"
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
        "adds mirrors.spans_file.enabled: false  over.yaml:10",
        "adds spans.tool.kind: client  over.yaml:12",
    ]
    assert re.search(r"^  release all \(>=0\.1\) applies +over\.yaml:12$", out, re.MULTILINE)
    assert re.search(r"^  release none \(<0\.1\) does not apply +over\.yaml:13$", out, re.MULTILINE)
    assert re.search(r"^  the mirror spans_file is off: enabled is false +", out, re.MULTILINE)


def part_of_layer(out: str, file: str) -> list[str]:
    lines = out.splitlines()
    start = lines.index(f"  {file} lies over it") + 1
    end = next(index for index in range(start, len(lines)) if not lines[index].startswith("    "))
    return [line.strip() for line in lines[start:end]]


def test_the_environment_lists_specs_as_well(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_SPECS", "spec.yaml")
    code, out, _ = run()
    assert code == 0
    assert "test (spec.yaml): active\n  3 callables are hooked\n  spans: sale, payment, closing\n" in out


def test_what_extends_a_file_is_a_layer_over_it(run: Run, shop: str):
    Path("more.yaml").write_text("instrument: 1\nextends: spec.yaml\nspans: {sale: {kind: client}}\n")
    code, out, _ = run("--specs", "more.yaml")
    assert code == 0
    assert [re.sub(" {2,}", "  ", line) for line in part_of_layer(out, "more.yaml")] == [
        "changes spans.sale.kind: producer → client  more.yaml:3"
    ]


def test_a_spec_that_is_not_for_what_is_installed_is_off_and_says_why(run: Run):
    spec = "instrument: 1\nname: {}\ntarget: {{distribution: {}, version: '{}'}}\nspans: {{}}\n"
    Path("old.yaml").write_text(spec.format("old", "pytest", "<1"))
    Path("away.yaml").write_text(spec.format("away", "no-such-library", ">=1"))
    code, out, _ = run("--specs", "old.yaml", "--specs", "away.yaml")
    assert code == 0
    assert f"old (old.yaml), for pytest <1: off: pytest {pytest.__version__} is installed, and it is for <1\n" in out
    assert "away (away.yaml), for no-such-library >=1: off: no-such-library is not installed\n" in out


def test_a_spec_with_problems_is_left_out_and_the_rest_is_told(run: Run, shop: str):
    Path("bad.yaml").write_text("instrument: 1\nname: bad\nspan: {}\n")
    code, out, _ = run("--specs", "bad.yaml", "--specs", "spec.yaml")
    assert code == 1
    assert "bad.yaml: off: it has problems and is left out\n" in out
    assert 'bad.yaml:3:1: error[unknown-key]: "span" is not a key of a spec' in out
    assert "test (spec.yaml): active\n" in out


def test_what_cannot_be_hooked_is_counted_and_told(run: Run, shop: str, spec_file: Callable[..., Path]):
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
    assert "  1 callable is hooked, and 2 cannot be\n" in out
    assert f"spec.yaml:4:15: error[target-missing]: {shop}.Cart has no chekout" in out
    assert 'help: did you mean "checkout"?' in out
    assert '"slef" is not a parameter of Cart.close(self): the attribute x is left out' in out
    assert "error[target-missing]: there is no module no_such_module: no installed package provides it" in out


def test_a_module_that_lacks_an_optional_package_is_no_problem_of_the_spec(
    run: Run, package: Callable[[str], str], spec_file: Callable[..., Path]
):
    spec_file('spans: {a: {around: "HOST:thing"}}', package("import no_such_package\n"))
    code, out, _ = run("--specs", "spec.yaml")
    assert code == 0
    assert "  1 callable cannot be looked at: " in out


def test_it_says_that_everything_is_disabled(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "flask, declarative")
    _, out, _ = run()
    assert out.startswith("all of this is off: OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=flask, declarative\n")


def test_all_of_it_is_told_to_a_program_as_json(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", "--format", "json")
    assert code == 0
    (told,) = (spec for spec in json.loads(out)["specs"] if spec["name"] == "test")
    assert (told["active"], told["shipped"], told["problems"]) == (True, False, [])
    assert told["spans"] == ["sale", "payment", "closing"]
    assert {"name": f"{shop}:Cart.pay", "hooked": True, "waits": None} in told["callables"]


# ── A type of span ──


@pytest.mark.parametrize("name", ["sale", "test:sale"])
def test_a_type_of_span_is_told_in_words_with_the_place_of_each(name: str, run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", name)
    assert (code, err) == (0, "")
    told = "\n".join(re.sub(r"  +spec\.yaml:[0-9]+$", "", line) for line in out.splitlines())
    assert told == (
        "test:sale, a span between two moments, of kind producer\n"
        "  named sale {coupon}\n"
        f'  starts when {shop}:Cart.checkout is called, if coupon != "free"\n'
        "    size is len(self.lines)\n"
        f"  ends when {shop}:Cart.checkout returns or raises\n"
        "  key: coupon\n"
        "  parent: none, it is the root of a trace of its own\n"
        "  links\n"
        "    triggered_by to the span payment with the key coupon, or else the current span\n"
        "  always\n"
        "    shop.kind = 'sale'\n"
        f"  attributes read when it starts, from {shop}:Cart.checkout\n"
        "    shop.coupon = coupon\n"
        "    shop.size = size\n"
        f"  attributes read when it ends and the call has returned, from {shop}:Cart.checkout\n"
        "    shop.total = result\n"
        f"  attributes read when it ends, from {shop}:Cart.checkout\n"
        "    shop.left = gone or None\n"
        "  events\n"
        f"    payment when {shop}:Cart.pay returns, if card is not None, found by kind\n"
        "      shop.kind = kind\n"
        "  updates\n"
        f"    closed when {shop}:Cart.close returns, found by self.last\n"
        "      shop.closed = True\n"
        "  counts\n"
        f"    gone when {shop}:Cart.close is called, found by self.last\n"
        "  its status is ERROR if this gives a description: error and str(error)\n"
        "  its status is OK if result > 0\n"
        "  its traceparent is written into self.trace when it starts\n"
        "  belongs to self"
    )
    lines = dict(re.findall(r"^ *(\S+) .*?  spec\.yaml:([0-9]+)$", out, re.MULTILINE))
    assert int(lines["shop.coupon"]) == line_of("shop.coupon")
    assert int(lines["ends"]) == line_of("checkout.exit")
    assert int(lines["payment"]) == line_of("events: {payment")


def test_content_that_is_not_recorded_is_told_apart(run: Run, shop: str, monkeypatch: pytest.MonkeyPatch):
    switch = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert " ".join(part(out, "not recorded").split()) == (
        f"not recorded, because {switch} does not allow it on spans shop.card = card.number"
    )
    monkeypatch.setenv(switch, "SPAN_ONLY")
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert "not recorded" not in out
    assert "    shop.card = card.number" in out
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_CONTENT", "sha256")
    _, out, _ = run("--specs", "spec.yaml", "payment")
    assert "    shop.card = card.number, as a hash" in out


def test_the_types_of_span_of_all_specs_with_that_name_are_told(run: Run, shop: str):
    text = Path("spec.yaml").read_text()
    Path("other.yaml").write_text(text.replace("name: test\n", "name: other\n"))
    _, out, _ = run("--specs", "spec.yaml", "--specs", "other.yaml", "sale")
    assert re.findall(r"^(\w+):sale, ", out, re.MULTILINE) == ["test", "other"]
    _, out, _ = run("--specs", "spec.yaml", "--specs", "other.yaml", "other:sale")
    assert re.findall(r"^(\w+):sale, ", out, re.MULTILINE) == ["other"]


# ── A callable ──


def test_a_callable_is_told_with_its_signature_and_the_first_line_about_it(run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert (code, err) == (0, "")
    assert out.startswith(
        f"{shop}:Cart.checkout\n"
        "  def checkout(self, coupon: str | None = None) -> float\n"
        "  Pay for all lines.\n"
        "\n"
        "what test does\n"
    )
    assert "Nobody reads this" not in out


def test_what_happens_is_told_moment_by_moment_in_the_order_in_which_it_happens(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook checkout\n"
        '    if coupon != "free": the span sale starts and stays open\n'
        "      size is len(self.lines)\n"
        "      named sale {coupon}\n"
        "      found again by its key coupon\n"
        "      its parent is none, it is the root of a trace of its own\n"
        "      linked as triggered_by to the span payment with the key coupon, or else the\n"
        "          current span\n"
        "      it belongs to self\n"
        "      shop.coupon = coupon\n"
        "      shop.size = size\n"
        "      its traceparent is written into self.trace"
    )
    assert part(out, "when it has returned") == (
        "when it has returned\n"
        "  hook checkout\n"
        "    the open span sale with the key coupon ends\n"
        "      shop.total = result\n"
        "      shop.left = gone or None\n"
        "      its status is OK if result > 0"
    )
    assert part(out, "when it has raised") == (
        "when it has raised\n"
        "  hook checkout\n"
        "    the open span sale with the key coupon ends, with the exception recorded\n"
        "      shop.left = gone or None\n"
        "      its status is ERROR if this gives a description: error and str(error)"
    )


def test_what_is_carried_is_taken_up_last_and_put_down_first(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.pay")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook pay, if card is not None\n"
        "    the span payment starts, and is the current one until the call is over\n"
        "      named payment\n"
        "      found again by its key kind\n"
        "      its parent is the current span\n"
        "    of the current span, the program is given traceparent to card.trace\n"
        "  hook pay, if card is not None\n"
        "    paying is card.id in all that the call calls, until it is over"
    )
    assert part(out, "when it has returned") == (
        "when it has returned\n"
        "  hook pay, if card is not None\n"
        "    paying is no longer carried\n"
        "  hook pay, if card is not None\n"
        "    the event payment is added to the open span sale with the key kind\n"
        "      shop.kind = kind\n"
        "    the span payment ends"
    )


def test_the_other_actions_are_told(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    assert part(out, "when it is called") == (
        "when it is called\n"
        "  hook closed\n"
        "    a span closing is recorded, which starts and ends from iso(self.began)\n"
        "      named closing\n"
        "      its parent is the span sale with the key self.last (without it there is no span)\n"
        "    one more of gone is counted on the open span sale with the key self.last\n"
        "    self.note of the program is set to paying"
    )
    assert part(out, "when it has returned") == (
        "when it has returned\n"
        "  hook closed\n"
        "    the open span sale with the key self.last takes attributes up\n"
        "      shop.closed = True\n"
        "    every open span that belongs to self ends, marked instrument.end=over"
    )


def test_the_words_are_in_the_order_of_the_generated_code(run: Run, shop: str):
    """At each moment, the rules' lines stand in the words as they do in the wrapper."""
    _, told, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    _, source, _ = run("--specs", "spec.yaml", "--source", f"{shop}:Cart.close")
    before, after = source.split("original(", 1)
    raised, returned = after.split("    raise\n", 1)
    for moment, code in (("is called", before), ("has returned", returned), ("has raised", raised)):
        rules = re.findall(r"^ {6}\S.*?  +spec\.yaml:([0-9]+)$", rules_of(told, f"when it {moment}"), re.MULTILINE)
        assert rules == re.findall(r"# spec\.yaml:([0-9]+)  ", code)
        assert rules


def rules_of(text: str, first: str) -> str:
    lines = text.splitlines()
    start = lines.index(f"  {first}")
    end = next(index for index in range(start + 1, len(lines)) if not lines[index].startswith("    "))
    return "\n".join(lines[start:end])


def test_a_tap_is_told_as_the_pass_through_that_it_is(run: Run):
    pytest.importorskip("ag2")
    _, out, _ = run("ag2.middleware.base:BaseMiddleware.on_turn")
    assert "what ag2 does, in the pass-through that it plugs in (tap middleware)\n" in out
    assert "the span agent starts, and is the current one until the call is over" in out
    _, out, _ = run("ag2.agent:Agent.__init__")
    assert "the tap middleware is plugged in by self.insert_middleware(middleware)" in out


def test_every_action_of_a_plan_has_a_sentence():
    assert set(WORDS) == set(typing.get_args(model.Action))


def test_what_a_rule_cannot_do_here_is_told_with_it(run: Run, shop: str, spec_file: Callable[..., Path]):
    spec_file('spans: {a: {around: "HOST:Cart.close", attributes: {x: slef.lines}}}', shop)
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.close")
    assert code == 1
    assert 'error[unknown-name]: "slef" is not a parameter of Cart.close(self)' in out
    assert 'help: did you mean "self"?' in out


# ── What can be read ──


def test_what_can_be_read_is_listed_with_its_types(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout")
    assert part(out, "what can be read there") == (
        "what can be read there\n"
        "  at each moment\n"
        "    self                     Cart  (1 private: --private)\n"
        "      self.lines             list[Line]\n"
        "        self.lines[0].sku    str\n"
        "        self.lines[0].price  float\n"
        "    coupon                   str | None\n"
        "  given where the span sale starts\n"
        "    size                     = len(self.lines)\n"
        "  counted, where the span sale ends\n"
        "    gone                     int\n"
        "  carried, inside of calls of pay\n"
        "    paying                   = card.id\n"
        "  once it has returned\n"
        "    result                   float\n"
        "  once it has raised\n"
        "    error                    BaseException"
    )


def test_several_specs_on_one_callable_are_told_the_outermost_first(run: Run, shop: str):
    for name in ("one", "two"):
        Path(f"{name}.yaml").write_text(f"instrument: 1\nname: {name}\nspans: {{a: {{around: '{shop}:free'}}}}\n")
    _, out, _ = run("--specs", "one.yaml", "--specs", "two.yaml", f"{shop}:free")
    assert "  several rules are around it: the first below is the outermost\n" in out
    assert re.findall(r"^what (\w+) does$", out, re.MULTILINE) == ["two", "one"]
    _, out, _ = run("--specs", "one.yaml", "--specs", "two.yaml", "--source", f"{shop}:free")
    assert re.findall(r"^# (\S+:free.*)$", out, re.MULTILINE) == [f"{shop}:free", f"{shop}:free (two)"]


def test_the_names_that_a_hook_gives_are_listed_too(run: Run, shop: str):
    _, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.pay", "--depth", "1")
    assert "\n    card              not annotated\n" in out
    assert "  given by the hook pay\n    first             Line  item 0 of *args  spec.yaml:7\n" in out
    assert "      first.price     float\n" in out
    assert "    kind              = card.kind  spec.yaml:8\n" in out


def test_a_callable_that_nothing_hooks_is_told_with_how_to_hook_it(run: Run, shop: str):
    code, out, err = run(f"{shop}:free")
    assert (code, err) == (0, "")
    assert out.startswith(
        f"No active spec hooks this. A span around each call of it: around: {shop}:free\n{shop}:free\n"
    )
    assert "\n    line          Line\n      line.sku    str\n      line.price  float\n" in out
    assert "\n    result        not annotated\n" in out


def test_an_inherited_method_is_told_with_where_it_is_defined(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:SmallCart.checkout")
    assert code == 0
    assert f"  it is defined as {shop}:Cart.checkout\n" in out


def test_depth_and_private_say_what_is_listed(run: Run, shop: str):
    _, out, _ = run(f"{shop}:Cart.checkout", "--depth", "0")
    assert "self.lines" not in out
    _, out, _ = run(f"{shop}:Cart.checkout", "--depth", "1", "--private")
    assert "self._seen" in out
    assert "self.lines[0].sku" not in out


def test_a_builtin_without_a_signature_is_told_as_such(run: Run):
    code, out, _ = run("sqlite3:Connection.execute")
    assert code == 0
    assert "  Python cannot tell the parameters of this callable: none can be named\n" in out


def test_a_callable_is_told_to_a_program_as_json(run: Run, shop: str):
    code, out, _ = run("--specs", "spec.yaml", f"{shop}:Cart.checkout", "--format", "json")
    assert code == 0
    told = json.loads(out)
    assert (told["target"], told["hooked"], told["shape"]) == (f"{shop}:Cart.checkout", True, "function")
    (rules,) = told["rules"]
    (hook,) = rules["moments"]["return"]
    (ends,) = hook["below"]
    assert (ends["text"], ends["line"]) == ("the open span sale with the key coupon ends", line_of("checkout.exit"))
    (name,) = (name for name in told["readable"] if name["name"] == "coupon")
    assert name["paths"] == [{"path": "coupon", "type": "str | None", "private_names": 0, "again": False}]


def test_the_priority_of_an_envelope_is_found(run: Run):
    """What the page and the README promise: this is how one learns that there is such a field."""
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


def test_source_shows_the_wrappers_that_have_to_do_with_a_type_of_span(run: Run, shop: str):
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


def test_source_of_what_no_spec_hooks_exits_1(run: Run, shop: str):
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


# ── What is not there ──


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sal", 'error[unknown-span]: no active spec has a span "sal"\n  help: did you mean "sale"?\n'),
        ("pay", 'error[unknown-span]: no active spec has a span "pay"\n  help: pay is a hook: ask for HOST:Cart.pay\n'),
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
            "error[not-callable]: HOST:Cart is a class: hook its __init__\n"
            "  help: hooked of it: HOST:Cart.checkout, HOST:Cart.close, HOST:Cart.pay\n",
        ),
        (
            "no_such_module:thing",
            "error[target-missing]: there is no module no_such_module: no installed package provides it\n"
            "  help: install the package that provides it, or correct the name\n",
        ),
        ("HOST:", 'error[target-missing]: "HOST:" names nothing\n  help: a callable is written module:Class.method\n'),
    ],
)
def test_what_is_not_there_exits_1_with_what_was_meant(asked: str, said: str, run: Run, shop: str):
    code, out, err = run("--specs", "spec.yaml", asked.replace("HOST", shop))
    assert (code, out) == (1, "")
    assert err.replace(shop, "HOST") == said


def test_a_spec_with_problems_does_not_hide_the_others(run: Run, shop: str):
    Path("bad.yaml").write_text("instrument: 1\nname: bad\nspan: {}\n")
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


def test_modules_where_the_command_is_run_are_found_and_what_they_print_does_not_mix_in(tmp_path: Path):
    (tmp_path / "loud_shop.py").write_text(SHOP + "\nprint('loud')\n")
    command = Path(sysconfig.get_path("scripts")) / "instrument"
    done = subprocess.run(
        [str(command), "explain", "loud_shop:free", "--format", "json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
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
        timeout=60,
    )
    assert done.stdout == "[]\n"


# ── The page ──

PAGE = ROOT / "docs" / "explain.md"


def test_the_page_shows_what_the_command_shows(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Each output on the page is that of its command, apart from what is left out at a ⋮ and the lines of ag2.yaml."""
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
            assert part_ in rest, f"instrument explain {arguments} does not show, or not in this order:\n{part_}"
            rest = rest.split(part_, 1)[1]


def _lines(text: str) -> str:
    return re.sub(r"(?m) ag2\.yaml:[0-9]+$", " ag2.yaml", text)
