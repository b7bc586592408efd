async def read(path):
    yield path


async def poll():
    yield 1
