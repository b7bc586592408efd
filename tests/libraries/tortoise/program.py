"""Creates, changes and reads objects in a database in memory. A statement fails."""

import asyncio
import contextlib
from typing import Any

from tortoise import Tortoise, fields
from tortoise.contrib.pydantic import pydantic_model_creator
from tortoise.exceptions import OperationalError
from tortoise.models import Model
from tortoise.transactions import in_transaction


class Item(Model):
    id = fields.IntField(primary_key=True)
    name = fields.TextField()


async def start() -> None:
    await Tortoise.init(db_url="sqlite://:memory:", modules={"models": [__name__]})
    await Tortoise.generate_schemas()


async def use() -> None:
    await start()
    await Item.create(name="tea")
    await Item.bulk_create([Item(name="cup"), Item(name="pot")])
    tea = await Item.get(name="tea")
    tea.name = "green tea"
    await tea.save()
    await Item.all().values("name")
    async with in_transaction():
        await Item.filter(name="cup").delete()
    connection: Any = Tortoise.get_connection("default")
    with contextlib.suppress(OperationalError):
        await connection.execute_query("SELECT * FROM nothing")
    shown: Any = pydantic_model_creator(Item)
    await shown.from_queryset(Item.all())
    await shown.from_queryset_single(Item.get(id=1))
    await Tortoise.close_connections()


def main() -> None:
    asyncio.run(use())


async def select() -> None:
    await start()
    connection: Any = Tortoise.get_connection("default")
    for _ in range(50):
        await connection.execute_query("SELECT 1")
    await Tortoise.close_connections()


def hot() -> None:
    asyncio.run(select())
