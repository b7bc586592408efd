"""What `instrument check` reports about hooks on several callables."""

from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

SHOP = """
class CartService:
    def add(self, item, count=1): return count
    def total(self): return 5
class MailService:
    def send(self, to: "boxes.Parcel", copies: int = 1): return to
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    package = f"shop_{tmp_path.name}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "cart.py").write_text(SHOP)

    def run(spec: str) -> tuple[int, list[str]]:
        Path("spec.yaml").write_text(("instrument: 2\nname: shop\n" + spec).replace("SHOP", package))
        code = main(["check", "spec.yaml"])
        lines = capsys.readouterr().out.replace(package, "SHOP").splitlines()
        return code, [line for line in lines if not line.startswith("  ") or "help:" in line]

    return run


def test_the_number_of_matches_is_a_note_and_not_a_problem(check):
    code, lines = check('spans: {service: {around: "SHOP.*:*Service.*", attributes: {n: count, t: to}}}\n')
    assert (code, lines) == (
        0,
        [
            "spec.yaml:3:27: note[meets]: the hook SHOP.*:*Service.* matches 3 callables: "
            "SHOP.cart:CartService.add, SHOP.cart:CartService.total, SHOP.cart:MailService.send",
            "spec.yaml: no problems",
        ],
    )


def test_a_hook_that_matches_nothing_is_a_problem(check):
    code, lines = check(
        'hooks: {a: {call: {include: "SHOP.*:*Srvice.*"}}, b: {call: {include: [SHOP.cart:C.d, SHOP.till:T.s]}}}\n'
        "spans: {a: {around: a}, b: {around: b}}\n"
    )
    assert code == 1
    assert [line.split(": ", 1)[1] for line in lines if "meets-nothing" in line] == [
        "error[meets-nothing]: the hook a matches no installed callable",
        "error[meets-nothing]: the hook b matches no installed callable",
    ]


def test_a_filter_that_excludes_everything_is_reported_with_what_the_source_says(check):
    _, lines = check('hooks: {a: {call: {include: "SHOP.*:*.*", takes: Parcel}}}\nspans: {a: {around: a}}\n')
    assert lines[1:2] == ["  help: takes is compared with the source, where there are: boxes.Parcel, int"]


def test_one_of_the_methods_of_several_releases_is_enough(check):
    code, lines = check(
        'hooks: {pay: {call: {include: ["SHOP.cart:MailService.send", "SHOP.till:Till.settle"]}}}\n'
        "spans: {pay: {around: pay}}\n"
    )
    assert (code, lines[-1]) == (0, "spec.yaml: no problems")


def test_a_name_that_only_matches_of_a_larger_hook_have_is_not_a_problem(check):
    _, lines = check(
        "hooks:\n"
        '  all: {call: {include: "SHOP.*:*Service.*"}, when: to or item, names: {target: to}}\n'
        '  some: {call: {include: ["SHOP.cart:CartService.add", "SHOP.cart:CartService.total"]}, names: {n: cuont}}\n'
        "spans:\n"
        "  all: {around: all, attributes: {shop.target: target, shop.to: to}}\n"
        "  some: {around: some, attributes: {shop.n: n}}\n"
    )
    assert [line.split(": ", 1)[1] for line in lines if "unknown-name" in line] == [
        'error[unknown-name]: "cuont" is not a parameter of any callable that the hook some matches'
    ]


def test_a_name_that_no_match_has_is_a_problem_and_one_that_some_have_is_not(check):
    code, lines = check('spans: {service: {around: "SHOP.*:*Service.*", attributes: {n: cuont, t: to}}}\n')
    assert code == 1
    assert [line.split(": ", 1)[1] for line in lines if "unknown-name" in line or "help" in line] == [
        'error[unknown-name]: "cuont" is not a parameter of any callable that the hook SHOP.*:*Service.* matches',
        'did you mean "count"?',
    ]


@pytest.mark.parametrize(
    "rules",
    [
        "spans:\n  service:\n    around: SHOP.*:*Service.*\n    attributes:\n      n: >-\n",
        "hooks: {add: {call: SHOP.cart:CartService.add}, send: {call: SHOP.cart:MailService.send}}\n"
        "metrics:\n  shop.n:\n    instrument: counter\n    at: [add.enter, send.enter]\n"
        "    attributes:\n      n: >-\n",
    ],
)
def test_each_name_of_a_text_on_several_lines_is_looked_for_by_itself(check, rules):
    text = "        count or to\n        or {} or copies\n"
    code, lines = check(rules + text.format("item"))
    assert (code, lines[-1]) == (0, "spec.yaml: no problems")
    code, lines = check(rules + text.format("cuont"))
    assert (code, [line.split('"')[1] for line in lines if "unknown-name" in line]) == (1, ["cuont"])
