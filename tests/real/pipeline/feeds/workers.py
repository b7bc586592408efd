import asyncio
import contextvars
import threading

from feeds.source import read

REQUEST = contextvars.ContextVar("request", default="none")


def clean(item):
    """Runs in a thread."""
    assert threading.current_thread() is not threading.main_thread()
    return f"{item}/{REQUEST.get()}"


def compress(items):
    """Runs in an executor."""
    return "+".join(sorted(items))


async def produce(name, queue):
    async for item in read(name):
        await queue.put(item)
    await queue.put(None)


async def consume(queue, store):
    while (item := await queue.get()) is not None:
        await store.save(await asyncio.to_thread(clean, item))
        queue.task_done()


class Store:
    def __init__(self):
        self.items = []
        self.lock = asyncio.Lock()

    async def save(self, item):
        async with self.lock:
            self.items.append(item)

    @property
    async def size(self):
        return len(self.items)

    def on_done(self, future):
        print("done:", future.get_name(), future.cancelled() or future.exception() or future.result())


def tick(number):
    print("tick", number)


async def never():
    try:
        await asyncio.Event().wait()
    finally:
        await cleanup()


async def cleanup():
    await asyncio.sleep(0)
    print("cleaned up")


async def stubborn():
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        return "finished anyway"
