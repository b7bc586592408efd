"""Sends commands to a socket with answers."""

import contextlib
from typing import Any

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheClientError


class Answers:
    """A socket that gives these answers, and ignores what is sent."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = [*answers]

    def sendall(self, data: bytes) -> None:
        pass

    def recv(self, size: int) -> bytes:
        return self.answers.pop(0)

    def close(self) -> None:
        pass


def client(*answers: bytes) -> Any:
    made = Client(("cache.example", 11211))
    made.sock = Answers(*answers)
    return made


USED = Client(("cache.example", 11211))


def hot() -> None:
    USED.sock = Answers(b"VALUE tea 0 1\r\n5\r\nEND\r\n")
    USED.get("tea")


def main() -> None:
    client(b"STORED\r\n").set("tea", b"5", noreply=False)
    client(b"VALUE tea 0 1\r\n5\r\nEND\r\n").get("tea")
    client(b"END\r\n").get_many([b"tea", b"cup"])
    client(b"STORED\r\n", b"STORED\r\n").set_many({"tea": b"5", "cup": b"2"}, noreply=False)
    client(b"DELETED\r\n").delete(b"tea", noreply=False)
    client(b"6\r\n").incr("tea", 1)
    client(b"VERSION 1.6\r\n").version()
    with contextlib.suppress(MemcacheClientError):
        client(b"CLIENT_ERROR no\r\n").set("tea", b"5", noreply=False)
