"""Names that all expressions of a spec share."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.validation import examine

HOST = """
class Cart:
    id = 7
    lines = ["tea", "cup"]

    def pay(self, card, order=None):
        return {"receipt": card}

    def ship(self, parcel, order=3):
        return self.pay(parcel)
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_name_stands_for_its_expression_wherever_it_is_read(module, instrumented, tracing):
    spec = """
    names:
      cart: self
      number: cart.id + 1
      receipt: result.receipt
      order: order or 0
      long: "[each for each in cart.lines if len(each) > number - 6]"
    hooks: {pay: {call: "HOST:Cart.pay", names: {doubled: number * 2}}}
    spans:
      pay:
        around: pay
        name: pay {number}
        key: cart.id
        attributes: {number: number, doubled: doubled, receipt: receipt, order: order, long: long}
      ship:
        around: HOST:Cart.ship
        attributes:
          order: order
          each: "[number for number in cart.lines]"
          sized: "[f'{id}{number}' for id in cart.lines]"
    """
    with instrumented(spec, module):
        module.Cart().ship("box")
    pay, ship = tracing.spans
    assert pay.name == "pay 8"
    assert dict(pay.attributes) == {"number": 8, "doubled": 16, "receipt": "box", "order": 0, "long": ("tea", "cup")}
    assert dict(ship.attributes) == {"order": 3, "each": ("tea", "cup"), "sized": ("tea8", "cup8")}


def test_the_item_of_a_comprehension_does_not_hide_what_a_name_reads(module, instrumented, tracing):
    spec = """
    names: {kind: card}
    spans: {pay: {around: "HOST:Cart.pay", attributes: {kinds: "[f'{card} {kind}' for card in self.lines]"}}}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa")
    assert dict(tracing.span.attributes) == {"kinds": ("tea visa", "cup visa")}


def test_a_condition_under_a_name_is_decided_once(module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch):
    spec = """
    names: {new_conventions: '"http" in split("${SHOP_CONVENTIONS}", ",")'}
    spans:
      pay:
        around: HOST:Cart.pay
        attribute_groups:
          old: {when: not new_conventions, attributes: {old: card}}
          new: {when: new_conventions, attributes: {new: card}}
      only_new: {around: "HOST:Cart.ship", when: new_conventions}
    """
    for value in ("", "database,http"):
        monkeypatch.setenv("SHOP_CONVENTIONS", value)
        with instrumented(spec, module):
            module.Cart().ship("box")
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
        ("pay", {"old": "box"}),
        ("pay", {"new": "box"}),
        ("only_new", {}),
    ]


def test_a_name_that_no_expression_reads_is_reported(tmp_path: Path):
    file = tmp_path / "spec.yaml"
    file.write_text("""\
instrument: 2
name: shop
names: {used: self.id, unused: self.id, only_by_unused: unused}
spans: {pay: {around: "shop.cart:Cart.pay", attributes: {id: used}}}
""")
    found, problems = examine(file)
    assert found is not None
    assert problems == []
    assert [problem.message for problem in static_warnings(found)] == ['no expression reads the name "only_by_unused"']


def test_the_commands_of_click_share_the_names_of_a_spec(module, instrumented, tracing):
    spec = """
    names: {command: ctx.command.name, parent: ctx.parent.command.name}
    spans:
      command: {around: "click.core:Command.invoke", name: "{parent} {command}", attributes: {cli.command: command}}
    """
    group = click.Group("shop")
    group.add_command(click.Command("pay", callback=lambda: None))
    with instrumented(spec, module):
        CliRunner().invoke(group, ["pay"])
    assert tracing.named("shop pay").attributes["cli.command"] == "pay"


def test_explain_shows_the_names_of_a_spec_and_the_items_of_lists(
    module, spec_file, capsys: pytest.CaptureFixture[str]
):
    spec = """
    names: {number: self.id + 1}
    hooks: {pay: {call: "HOST:Cart.pay", each: {line: self.lines}}}
    spans: {line: {at: pay.return, name: "{line} {number}"}}
    """
    main(["explain", "--specs", str(spec_file(spec, module)), f"{module.__name__}:Cart.pay"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "hook pay, for each line in self.lines" in shown
    assert "line one item of self.lines" in shown
    assert "shared by the spec test number = self.id + 1" in shown
