"""The library that the specs in this folder trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Parcel:
    weight: float


@dataclass
class Order:
    id: str
    state: str = "new"
    lines: list[str] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def total(self) -> float:
        return 2.5 * len(self.lines)


class Cart:
    TAX = 0.2

    def __init__(self) -> None:
        self.owner = "Ada"

    def pay(self, order: Order) -> float:
        return order.total()

    def ship(self, order: Order) -> bool:
        return bool(order.lines)

    def watch(self) -> Iterator[Order]:
        yield Order("1")

    def add(self, order: Order, *names: str) -> None:
        order.lines.extend(names)


def checkout(order: Order, currency: str = "EUR") -> float:
    return Cart().pay(order)
