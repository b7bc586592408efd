"""`instrument check` reports attributes that the types of the library rule out."""

from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

SHOP = """
from dataclasses import dataclass

@dataclass
class Order:
    id: int
    lines: list[str]

class Cart:
    def open(self, order: Order) -> Order: return order
    def close(self, order: Order) -> Order: return order
    def note(self, order) -> None: ...
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    module = f"shop_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(SHOP)

    def run(spec: str) -> tuple[int, list[str]]:
        Path("spec.yaml").write_text(("instrument: 2\nname: shop\n" + spec).replace("SHOP", module))
        code = main(["check", "spec.yaml"])
        return code, [line.strip() for line in capsys.readouterr().out.splitlines() if "|" not in line]

    return run


def test_an_attribute_that_no_order_has_is_a_warning_with_a_suggestion(check):
    code, lines = check(
        "spans:\n  open:\n    around: SHOP:Cart.open\n"
        "    attributes: {a: order.idd, b: result.liness, c: order.id, d: len(order.nothing), e: order.nothing or 1}\n"
    )
    assert code == 0
    assert lines == [
        "spec.yaml:6:21: warning[never-readable]: order.idd never exists: the attribute a is never recorded",
        'help: did you mean "order.id"?',
        "spec.yaml:6:35: warning[never-readable]: result.liness never exists: the attribute b is never recorded",
        'help: did you mean "result.lines"?',
        "spec.yaml:6:70: warning[never-readable]: order.nothing never exists: the attribute d is never recorded",
        "help: there are: id, lines",
        "3 warnings",
    ]


def test_an_attribute_that_exists_on_one_of_its_callables_is_not_a_problem(check):
    spec = """
hooks:
  open: {{call: "SHOP:Cart.open"}}
  note: {{call: "SHOP:Cart.note"}}
  close: {{call: "SHOP:Cart.close"}}
enrich: {{current: {{events: {{noted: {{at: note.enter}}}}}}}}
spans:
  order:
    key: order.id
    start: {start}
    end: close.exit
    attributes: {{a: order.gone}}
"""
    assert check(spec.format(start="[open.enter, note.enter]"))[1] == ["spec.yaml: no problems"]
    assert "never-readable" in check(spec.format(start="open.enter"))[1][0]
