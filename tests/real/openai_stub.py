"""A server that answers as the API of OpenAI does: completions, at once or as a stream, embeddings, and errors."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: The status of the answer to a question that fails.
FAILING = {"too often": 429, "broken": 500}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/embeddings"):
            return self._answer(200, _embedding(request))
        question = request["messages"][-1]["content"]
        if question in FAILING:
            return self._answer(FAILING[question], {"error": {"message": f"{question}!", "type": "error"}})
        if request.get("stream"):
            events = [_chunk(word) for word in f"{question} is a number".split(" ")]
            if question == "cut off":
                events[2:] = [{"error": {"message": "cut off!"}}]
            return self._stream(events)
        return self._answer(200, _completion(question))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-request-id", "request-1")
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events: list[dict[str, Any]]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may leave earlier
            for event in (*map(json.dumps, events), "[DONE]"):
                content = f"data: {event}\n\n".encode()
                self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _completion(question: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": f"{question} is a number"}
    return {
        "id": "completion-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


def _chunk(word: str) -> dict[str, Any]:
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": word},
        "finish_reason": "stop" if word == "number" else None,
    }
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small-1", "choices": [choice]}


def _embedding(request: dict[str, Any]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, len(request["input"])]}]
    return {"object": "list", "data": data, "model": "vectors-1", "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@contextlib.contextmanager
def openai_stub() -> Iterator[str]:
    """Run the server. Yields the URL for the client."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
