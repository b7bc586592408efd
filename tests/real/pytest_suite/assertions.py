"""Rewritten because conftest.py registers it."""


def assert_total(basket, expected):
    total = basket.total()
    assert total == expected
