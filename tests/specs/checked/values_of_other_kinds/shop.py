"""A library whose values have types that are easily taken for others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class State(Enum):
    NEW = "new"
    PAID = "paid"


@dataclass
class Customer:
    name: str
    age: int


@dataclass
class Order:
    id: str
    state: State
    customer: Customer | None
    lines: list[str]
    count: int
    created: datetime
    delay: timedelta
    body: bytes


class Cart:
    def pay(self, order: Order) -> bool:
        return True
