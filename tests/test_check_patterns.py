"""What `instrument check` says of hooks on several callables."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

SHOP = """
class CartService:
    def add(self, item, count=1): return count
    def total(self): return 5
class MailService:
    def send(self, to): return to
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    package = f"shop_{tmp_path.name}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "cart.py").write_text(SHOP)

    def run(spec: str) -> tuple[int, list[str]]:
        Path("spec.yaml").write_text(("instrument: 1\nname: shop\n" + spec).replace("SHOP", package))
        code = main(["check", "spec.yaml"])
        lines = capsys.readouterr().out.replace(package, "SHOP").splitlines()
        return code, [line for line in lines if not line.startswith("  ") or "help:" in line]

    return run


def test_how_many_are_met_is_said_and_is_no_problem(check):
    code, lines = check('spans: {service: {around: "SHOP.*:*Service.*", attributes: {n: count, t: to}}}\n')
    assert (code, lines) == (
        0,
        [
            "spec.yaml:3:27: note[meets]: the hook SHOP.*:*Service.* meets 3 callables: "
            "SHOP.cart:CartService.add, SHOP.cart:CartService.total, SHOP.cart:MailService.send",
            "spec.yaml: no problem",
        ],
    )


def test_a_hook_that_meets_nothing_is_a_problem(check):
    code, lines = check(
        'hooks: {a: {calls: {include: "SHOP.*:*Srvice.*"}}, b: {calls: {include: [SHOP.cart:C.d, SHOP.till:T.s]}}}\n'
        "spans: {a: {around: a}, b: {around: b}}\n"
    )
    assert code == 1
    assert [line.split(": ", 1)[1] for line in lines if "meets nothing" in line] == [
        "error[meets-nothing]: the hook a meets nothing that is installed here",
        "error[meets-nothing]: the hook b meets nothing that is installed here",
    ]


def test_of_the_methods_of_several_releases_one_is_enough(check):
    code, lines = check(
        'hooks: {pay: {calls: {include: ["SHOP.cart:MailService.send", "SHOP.till:Till.settle"]}}}\n'
        "spans: {pay: {around: pay}}\n"
    )
    assert (code, lines[-1]) == (0, "spec.yaml: no problem")


def test_a_name_that_none_of_them_has_is_a_problem_and_one_that_some_have_is_not(check):
    code, lines = check('spans: {service: {around: "SHOP.*:*Service.*", attributes: {n: cuont, t: to}}}\n')
    assert code == 1
    assert [line.split(": ", 1)[1] for line in lines if "unknown-name" in line or "help" in line] == [
        'error[unknown-name]: "cuont" is a parameter of none of those that the hook SHOP.*:*Service.* meets',
        'did you mean "count"?',
    ]
