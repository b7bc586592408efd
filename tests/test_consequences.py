"""Which problems are consequences of an entry that is missing."""

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.document import KeyPath
from opentelemetry.instrumentation.declarative.plan.consequences import follows_from


def problem(code: str, subject: str | None) -> Problem:
    return Problem(Mark("shop.yaml", 1, 1), code, 'there is no hook "pay"', subject=subject)


@pytest.mark.parametrize(
    ("code", "subject", "missing"),
    [
        ("unknown-hook", "pay", ("hooks", "pay")),
        ("unknown-hook", "pay", ("hooks",)),
        ("unknown-hook", "pay", ("releases", "old", "hooks", "pay")),
        ("unknown-span", "buy", ("spans", "buy")),
        ("unknown-extension", "line", ("extensions", "line")),
        ("unknown-owner", "hub", ("owners", "hub")),
        ("unknown-function", "total", ("functions", "total")),
        ("unknown-attribute", "shop.id", ("spans", "buy", "attributes", "shop.id")),
        ("unknown-attribute", "shop.id", ("spans", "buy", "attributes")),
        ("unknown-name", "cart", ("hooks", "pay", "names", "cart")),
        ("no-key", "buy", ("spans", "buy", "key")),
        ("no-key", "buy", ("spans", "buy", "events", "paid", "key")),
        ("no-lifetime", "buy", ("spans", "buy", "end")),
    ],
)
def test_a_problem_follows_from_the_absence_of_its_subject(code: str, subject: str, missing: KeyPath):
    assert follows_from(problem(code, subject), missing)


@pytest.mark.parametrize(
    ("code", "subject", "missing"),
    [
        ("unknown-hook", "pay", ("spans", "buy", "attributes", "pay")),
        ("unknown-hook", "pay", ("hooks", "ship")),
        ("unknown-hook", "pay", ("hooks", "pay", "when")),
        ("unknown-hook", "pay", ("spans", "pay")),
        ("unknown-hook", "pay", ()),
        ("unknown-hook", None, ("hooks", "pay")),
        ("no-key", "buy", ("spans", "sell", "key")),
        ("no-key", "buy", ("spans", "buy", "attributes", "key")),
        ("no-lifetime", "buy", ("spans", "sell", "around")),
        ("not-allowed", "pay", ("hooks", "pay")),
    ],
)
def test_a_problem_does_not_follow_from_the_absence_of_anything_else(code: str, subject: str | None, missing: KeyPath):
    assert not follows_from(problem(code, subject), missing)
