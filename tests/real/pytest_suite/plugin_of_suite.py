"""A plugin, loaded with -p."""

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield)


@pytest.fixture
def currency():
    return "EUR"
