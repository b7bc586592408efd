import sqlite3


class Declined(Exception):
    pass


def pay(order, *, amount=1):
    if amount > 10:
        raise Declined(order)
    return f"paid {amount} for {order}"


async def ship(order, carrier="post"):
    return f"shipped {pay(order)} by {carrier}"


def items(order):
    sent = yield f"{order}/1"
    yield f"{order}/{sent}"
    return "end"


class Cart:
    def __init__(self, name):
        self.name = name

    def total(self, *prices):
        return sum(prices)

    @classmethod
    def load(cls, name):
        return cls(name)

    @staticmethod
    def check(name):
        return bool(name)


def stored(number):
    with sqlite3.connect(":memory:") as connection:
        (found,) = connection.execute("select ? + 1", (number,)).fetchone()
    connection.close()
    return found
