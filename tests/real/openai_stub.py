"""A server that answers as the API of OpenAI does: completions, responses, also as streams, embeddings, and errors."""

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
        if self.path.endswith("/responses"):
            return self._respond(request)
        question = request["messages"][-1]["content"]
        if question in FAILING or (question == "again" and not self._is_repeated(question)):
            return self._answer(FAILING.get(question, 429), {"error": {"message": f"{question}!", "type": "error"}})
        if request.get("stream"):
            events = [_chunk(word) for word in f"{question} is a number".split(" ")]
            events = [*_CHUNKS.get(question, events)]
            if question == "cut off":
                events[2:] = [{"error": {"message": "cut off!"}}]
            if request.get("stream_options"):
                events.append({**_chunk(""), "choices": [], "usage": _USAGE})
            return self._stream(events)
        return self._answer(200, _completion(question, request.get("n") or 1))

    def _respond(self, request: dict[str, Any]) -> None:
        question = request["input"] if isinstance(request["input"], str) else "all"
        if question in FAILING:
            return self._answer(FAILING[question], {"error": {"message": f"{question}!", "type": "error"}})
        response = {**_response(question), **_UNSUCCESSFUL.get(question, {})}
        if not request.get("stream"):
            return self._answer(200, response)
        started = {
            "type": "response.created",
            "sequence_number": 0,
            "response": {**response, "output": [], "usage": None},
        }
        delta = {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
        }
        ended = {"type": "response.completed", "sequence_number": 2, "response": response}
        return self._stream([started, {**delta, "delta": "a", "logprobs": []}, ended])

    def _is_repeated(self, question: str) -> bool:
        """Whether this server has been asked the question before."""
        asked: list[str] = self.server.__dict__.setdefault("asked", [])
        asked.append(question)
        return asked.count(question) > 1

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


_USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
_FUNCTION = {"name": "look_up", "arguments": '{"place": "here"}'}


def _completion(question: str, count: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": f"{question} is a number"}
    reason = "stop"
    if question == "weather":
        message = {"role": "assistant", "content": None}
        message["tool_calls"] = [{"id": "call-1", "type": "function", "function": _FUNCTION}]
        reason = "tool_calls"
    return {
        "id": "completion-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-1",
        "service_tier": "default",
        "system_fingerprint": "print-1",
        "choices": [{"index": index, "message": message, "finish_reason": reason} for index in range(count)],
        "usage": _USAGE,
    }


def _delta(delta: dict[str, Any], finish_reason: str | None, index: int = 0) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small-1", "choices": [choice]}


def _chunk(word: str) -> dict[str, Any]:
    return _delta({"role": "assistant", "content": word}, "stop" if word == "number" else None)


_TOOL_CHUNKS = (
    _delta({"tool_calls": [{"index": 0, "id": "call-1", "type": "function", "function": {"name": "look_up"}}]}, None),
    _delta({"tool_calls": [{"index": 0, "function": {"arguments": '{"place": '}}]}, None),
    _delta({"tool_calls": [{"index": 0, "function": {"arguments": '"here"}'}}]}, "tool_calls"),
)
#: Streams that are more than the words of an answer.
_CHUNKS = {
    "weather": _TOOL_CHUNKS,
    "choices": (
        _delta({"role": "assistant", "content": "heads"}, None),
        _delta({"role": "assistant", "content": "ta"}, None, 1),
        _delta({"content": "ils"}, "length", 1),
        _delta({"content": "!"}, "stop"),
    ),
    "secret": (_delta({"role": "assistant", "refusal": "I can"}, None), _delta({"refusal": "not."}, "stop")),
}
#: Responses that are returned although the model has failed, or has stopped too early.
_UNSUCCESSFUL: dict[str, dict[str, Any]] = {
    "impossible": {"status": "failed", "error": {"code": "server_error", "message": "overloaded"}, "output": []},
    "endless": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
}


def _response(question: str) -> dict[str, Any]:
    text = {"type": "output_text", "text": f"{question} is a number", "annotations": []}
    status = "incomplete" if question == "endless" else "completed"
    message = {"type": "message", "id": "m", "role": "assistant", "status": status, "content": [text]}
    call = {"type": "function_call", "id": "f", "call_id": "call-1", "status": "completed", **_FUNCTION}
    return {
        "id": "response-1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "small-1",
        "service_tier": "default",
        "output": [message, call] if question == "all" else [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 5,
            "output_tokens": 6,
            "total_tokens": 11,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens_details": {"reasoning_tokens": 1},
        },
    }


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
