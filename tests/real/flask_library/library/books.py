"""The books, and who has them."""

from library.errors import NotAvailable

TITLES = {1: "Middlemarch", 2: "Ulysses"}
LENT: dict[int, str] = {}


def find(number: int) -> str | None:
    return TITLES.get(number)


def lend(number: int, reader: str) -> str:
    title = TITLES[number]
    if number in LENT:
        raise NotAvailable(title)
    LENT[number] = reader
    return title


def lines(titles):
    for title in titles:
        yield f"{title}\n"
