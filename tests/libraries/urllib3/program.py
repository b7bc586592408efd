"""Sends requests through a pool of connections that answer them themselves."""

import contextlib
import io
from typing import Any

import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, ProtocolError


class Connection:
    """Answers with the status that the path contains."""

    is_connected = True
    is_closed = is_verified = proxy_is_verified = proxy = None

    def __init__(self, **options: Any) -> None:
        pass

    def request(self, _method: str, url: str, **options: Any) -> None:
        self.status = int(url.rsplit("/", 1)[1].partition("?")[0])
        if self.status == 999:
            raise ProtocolError("refused")

    def getresponse(self) -> urllib3.HTTPResponse:
        headers = {"Content-Length": "5"}
        if self.status == 302:
            headers["Location"] = "/200"
        return urllib3.HTTPResponse(io.BytesIO(b"hello"), headers, self.status, version=11, preload_content=False)

    def close(self) -> None:
        pass


class Pool(HTTPConnectionPool):
    ConnectionCls = Connection  # type: ignore[assignment]


POOL, OTHER = Pool("shop.example"), Pool("shop.example", 8080)


def hot() -> None:
    POOL.urlopen("GET", "/200", headers={})


def main() -> None:
    for path in ("200", "404", "500", "200?page=2", "302"):
        POOL.request("GET", f"/{path}")
    OTHER.request("POST", "/201", body=b"tea", headers={"X-Shop": "1"})
    POOL.request("brew", "http://shop.example/200", redirect=False)
    POOL.urlopen("PUT", "/200", io.BytesIO(b"tea"))
    with contextlib.suppress(MaxRetryError):
        POOL.request("GET", "/999", retries=1)
    with contextlib.suppress(ProtocolError):
        POOL.request("GET", "/999", retries=False)
