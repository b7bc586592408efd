import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from feeds import source, workers


async def pipeline(name):
    queue, store = asyncio.Queue(maxsize=1), workers.Store()
    workers.REQUEST.set(name)
    async with source.subscription(name):
        await asyncio.gather(workers.produce(name, queue), workers.consume(queue, store))
    with ThreadPoolExecutor(1) as pool:
        packed = await asyncio.get_running_loop().run_in_executor(pool, workers.compress, store.items)
    return packed, await store.size


async def limited():
    try:
        await asyncio.wait_for(workers.never(), 0.05)
    except asyncio.TimeoutError:
        print("too late")


async def cancelled():
    task = asyncio.create_task(workers.never(), name="never")
    await asyncio.sleep(0)
    task.cancel()
    print(await asyncio.gather(task, source.fetch("broken"), source.fetch("ok"), return_exceptions=True))
    task = asyncio.create_task(workers.stubborn())
    await asyncio.sleep(0)
    task.cancel()
    print(await task, task.cancelled())


async def shielded():
    inner = asyncio.ensure_future(source.fetch("slow", 0.05))
    outer = asyncio.ensure_future(wait_for(asyncio.shield(inner)))
    await asyncio.sleep(0)
    outer.cancel()
    try:
        await outer
    except asyncio.CancelledError:
        print("outer cancelled, inner", await inner)


async def wait_for(awaitable):
    return await awaitable


async def callbacks():
    store = workers.Store()
    task = asyncio.create_task(source.fetch("called"), name="fetch")
    task.add_done_callback(store.on_done)
    loop = asyncio.get_running_loop()
    loop.call_soon(workers.tick, 1)
    loop.call_later(0.01, workers.tick, 2)
    await asyncio.gather(task, asyncio.sleep(0.02))
    print(await source.later("late"))


async def abandoned():
    items = source.read("left")
    async for item in items:
        print("first", item)
        break
    await items.aclose()


async def grouped():
    if sys.version_info < (3, 11):
        return
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(workers.never())
            group.create_task(source.fetch("broken"))
    except Exception as errors:
        print("group", errors.exceptions)
    try:
        async with asyncio.timeout(0.02):
            await source.fetch("slow", 30)
    except TimeoutError:
        print("timed out")


async def main():
    for name in ("a", "bc"):
        print(await pipeline(name))
    for part in (limited, cancelled, shielded, callbacks, abandoned, grouped):
        await part()
