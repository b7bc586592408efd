"""Uses a server of Postgres that it starts, through a socket and through TCP: statements, cursors, and failures."""

import asyncio
import contextlib
from typing import Any

import asyncpg

from tests.libraries.postgres import start_postgres

FOLDER, PORT = start_postgres()


async def use(host: str) -> None:
    connection: Any = await asyncpg.connect(host=host, port=PORT, user="postgres", database="postgres")
    await connection.execute("CREATE TEMPORARY TABLE items (name text, price int)")
    await connection.execute("INSERT INTO items VALUES ($1, $2)", "tea", 5)
    await connection.executemany("INSERT INTO items VALUES ($1, $2)", [("cup", 2), ("pot", 9)])
    await connection.fetch("/* all */ SELECT * FROM items WHERE price > $1", 2)
    await connection.fetchrow("SELECT name FROM items")
    await connection.fetchval("SELECT count(*) FROM items")
    await connection.fetch("")
    with contextlib.suppress(asyncpg.UndefinedTableError):
        await connection.fetch("SELECT * FROM nothing")
    with contextlib.suppress(asyncio.TimeoutError):
        await connection.execute("SELECT pg_sleep(60)", timeout=0.01)
    statement = await connection.prepare("SELECT name FROM items WHERE price > $1")
    await statement.fetch(2)
    await statement.fetchrow(2)
    await statement.fetchval(2)
    insert = await connection.prepare("INSERT INTO items VALUES ($1, $2)")
    await insert.executemany([("jar", 3)])
    async with connection.transaction():
        cursor = await connection.cursor("SELECT name FROM items")
        await cursor.fetch(1)
        await cursor.forward(1)
        await cursor.fetchrow()
        async for _ in connection.cursor("SELECT name FROM items", prefetch=2):
            pass
    await connection.close()


async def main_async() -> None:
    await use("127.0.0.1")
    await use(FOLDER)


def main() -> None:
    asyncio.run(main_async())


async def select() -> None:
    connection: Any = await asyncpg.connect(host=FOLDER, port=PORT, user="postgres", database="postgres")
    for _ in range(100):
        await connection.fetchval("SELECT 1")
    await connection.close()


def hot() -> None:
    asyncio.run(select())
