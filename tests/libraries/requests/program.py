"""Sends requests to an adapter that answers them itself."""

import contextlib

import requests
from requests.adapters import BaseAdapter


class Answers(BaseAdapter):
    """Answers with the status that the path contains."""

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        if "refused" in (request.url or ""):
            raise requests.ConnectionError("refused")
        response = requests.Response()
        response.status_code = int((request.path_url or "/200").rsplit("/", 1)[1].partition("?")[0])
        response.request, response.url = request, request.url or ""
        response._content = b"hello"
        return response

    def close(self) -> None:
        pass


SESSION = requests.Session()
SESSION.mount("http://", Answers())


def hot() -> None:
    SESSION.get("http://shop.example/200")


def main() -> None:
    for path in ("200", "404", "500", "200?page=2"):
        SESSION.get(f"http://shop.example/{path}")
    SESSION.post("http://shop.example:8080/201", json={})
    SESSION.request("brew", "http://user:secret@shop.example/200")
    with contextlib.suppress(requests.ConnectionError):
        SESSION.get("http://refused.example/200")
