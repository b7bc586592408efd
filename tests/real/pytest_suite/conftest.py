import pytest

pytest.register_assert_rewrite("assertions")

from basket.prices import Basket  # noqa: E402


@pytest.fixture
def basket():
    basket = fill(Basket())
    yield basket
    basket.items.clear()


def fill(basket):
    return basket.add("tea", 2.5)


@pytest.fixture(scope="session", autouse=True)
def database():
    yield connect()
    disconnect()


def connect():
    return "connected"


def disconnect():
    pass


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name)
