import asyncio
from contextlib import asynccontextmanager


class FeedError(Exception):
    pass


class Connection:
    """An asynchronous context manager and iterator."""

    def __init__(self, name):
        self.name = name
        self.left = 3

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        return False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        await asyncio.sleep(0)
        return f"{self.name}{self.left}"


@asynccontextmanager
async def subscription(name):
    await asyncio.sleep(0)
    try:
        yield name.upper()
    finally:
        await asyncio.sleep(0)


async def read(name):
    """Yields the items of a feed."""
    async with Connection(name) as connection:
        async for item in connection:
            yield item


async def fetch(name, seconds=0.0):
    await asyncio.sleep(seconds)
    if name == "broken":
        raise FeedError(name)
    return len(name)


def later(name):
    """A plain function that returns an awaitable."""
    return asyncio.ensure_future(fetch(name))
