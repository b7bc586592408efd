import unittest
from unittest import mock

import pytest
from assertions import assert_total
from basket import prices
from basket.prices import Basket, rounded


def check(value, expected):
    assert rounded(value) == expected, "rounded differently"


@pytest.mark.parametrize(("value", "expected"), [(1.234, 1.23), (1.239, 1.24)])
def test_rounding(value, expected):
    check(value, expected)


def test_total(basket, currency):
    basket.add("cake", 4)
    assert_total(basket, 6.5)


def test_wrong_total(basket):
    assert_total(basket, 7)


def test_raises():
    with pytest.raises(TypeError):
        Basket().add("tea", None).total()


def test_monkeypatch(monkeypatch):
    monkeypatch.setattr(prices, "rounded", lambda value: "patched")
    monkeypatch.setattr(Basket, "total", lambda self: 0)
    assert (prices.rounded(1.5), Basket().total()) == ("patched", 0)


def test_mock():
    with mock.patch("basket.prices.rounded") as patched, mock.patch.object(Basket, "total", autospec=True) as total:
        total.return_value = 3
        prices.rounded(2.5)
        assert Basket().total() == 3
    patched.assert_called_once_with(2.5)
    assert prices.rounded(3.333) == 3.33
    assert mock.create_autospec(rounded)(1) is not None


class TestClass:
    @pytest.fixture(autouse=True)
    def prepare(self):
        self.basket = Basket()

    def test_method(self):
        assert self.basket.total() == 0


class TestCase(unittest.TestCase):
    def setUp(self):
        self.basket = Basket()

    def test_case(self):
        for price in (1, 2):
            with self.subTest(price=price):
                assert self.basket.add("tea", price).total() == price
