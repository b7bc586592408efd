"""What is in stock, and what has been ordered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, field_validator


class OutOfStock(Exception):
    def __init__(self, item: str) -> None:
        super().__init__(f"{item} is out of stock")
        self.item = item


class Order(BaseModel):
    item: str
    amount: int = 1

    @field_validator("item")
    @classmethod
    def strip_item(cls, value: str) -> str:
        return value.strip()


@dataclass
class Stored:
    number: int
    order: Order


class Session:
    """A connection to the database."""

    def __init__(self) -> None:
        self.closed = False

    def save(self, order: Order) -> Stored:
        stored = Stored(len(ORDERS) + 1, order)
        ORDERS[stored.number] = stored
        return stored

    def close(self) -> None:
        self.closed = True


ORDERS: dict[int, Stored] = {}
STOCK = {"tea": 5, "coffee": 0}


def reserve(item: str, amount: int = 1) -> int:
    if STOCK.get(item, 0) < amount:
        raise OutOfStock(item)
    STOCK[item] -= amount
    return STOCK[item]


async def price_of(item: str) -> float:
    await asyncio.sleep(0)
    return {"tea": 2.5}.get(item, 1.0)


def export_rows(limit: int) -> Iterator[str]:
    for number in range(limit):
        yield f"row {number}\n"


async def watch_stock(item: str) -> AsyncIterator[int]:
    for left in (2, 1, 0):
        await asyncio.sleep(0)
        yield left
