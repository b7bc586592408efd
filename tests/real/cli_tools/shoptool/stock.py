"""What the command lines do."""

from contextlib import contextmanager


class OutOfStock(Exception):
    pass


def find(article):
    if article == "moon":
        raise OutOfStock(article)
    return f"<{article}>"


@contextmanager
def connection(url):
    print("open", url)
    try:
        yield url
    finally:
        print("close", url)
