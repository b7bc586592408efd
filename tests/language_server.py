"""A small client of yaml-language-server, with the requests of an editor in which a spec is written."""

from __future__ import annotations

import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.processes import PATIENCE

#: Where `make` installs the server: in the environment of the tests.
INSTALLED = Path(sys.prefix) / "yaml-language-server" / "node_modules" / ".bin" / "yaml-language-server"

SETTINGS = {
    "yaml": {
        "validate": True,
        "completion": True,
        "hover": True,
        "schemaStore": {"enable": False},  # nothing is fetched
        "kubernetesCRDStore": {"enable": False},
    }
}


def command() -> str | None:
    """The command of the server: YAML_LANGUAGE_SERVER, that of `make`, or the one on PATH; None if there is none."""
    named = os.environ.get("YAML_LANGUAGE_SERVER")
    if named:
        return named
    return str(INSTALLED) if INSTALLED.exists() else shutil.which("yaml-language-server")


def missing() -> str | None:
    """Why there is no server; None if there is one."""
    if command() is None:
        return "yaml-language-server is not installed: `make` installs it if npm is available"
    return None if shutil.which("node") else "yaml-language-server needs node, which is not installed"


class LanguageServer:
    """The real server in its own process, connected by its standard streams."""

    def __init__(self, folder: Path) -> None:
        found = command()
        assert found is not None
        self._process = subprocess.Popen(
            [found, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        self._numbers = itertools.count(1)
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._diagnostics: dict[str, queue.Queue[dict[str, Any]]] = {}
        self._documents = itertools.count(1)
        self._writing = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        client = {
            "workspace": {"configuration": True},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {"versionSupport": True},
            },
        }
        self.ask("initialize", {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": client})
        self._notify("initialized", {})

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.ask("shutdown", None)
            self._notify("exit", None)
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and return its result. Fails if the server answers with an error."""
        number = next(self._numbers)
        self._answers[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": params})
        answer = self._answers[number].get(timeout=PATIENCE)
        assert "error" not in answer, answer["error"]
        return answer.get("result")

    def diagnostics(self, file: Path, text: str | None = None) -> list[dict[str, Any]]:
        """The diagnostics of a document: the text of a file, or another text in its place."""
        uri = self._open(file, file.read_text(encoding="utf-8") if text is None else text)
        found: list[dict[str, Any]] = self._diagnostics[uri].get(timeout=PATIENCE)["diagnostics"]
        return found

    def completions(self, file: Path, text: str) -> list[dict[str, Any]]:
        """The completions at the ``|`` in a text."""
        found = self._at("textDocument/completion", file, text)
        return found["items"] if isinstance(found, dict) else found or []

    def hover(self, file: Path, text: str) -> str:
        """The text for hovering over the position of the ``|`` in a text."""
        found = self._at("textDocument/hover", file, text)
        return "" if found is None else str(found["contents"]["value"])

    def _open(self, file: Path, text: str) -> str:
        """Open a document next to a file, under a unique name, so that diagnostics are not mixed up."""
        uri = file.with_name(f"{file.stem}-{next(self._documents)}.yaml").as_uri()
        self._diagnostics[uri] = queue.Queue()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def _at(self, method: str, file: Path, text: str) -> Any:
        before, _, after = text.partition("|")
        uri = self._open(file, before + after)
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self.ask(method, {"textDocument": {"uri": uri}, "position": position})

    def _notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        with self._writing:
            stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            stream.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return
            self._receive(json.loads(stream.read(length)))

    def _receive(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            assert isinstance(number, int)
            self._answers[number].put(message)
        elif method == "workspace/configuration":
            wanted = [item.get("section") for item in message["params"]["items"]]
            self._send({"id": number, "result": [SETTINGS.get(section) for section in wanted]})
        elif method == "textDocument/publishDiagnostics":
            params = message["params"]
            if params["uri"] in self._diagnostics:
                self._diagnostics[params["uri"]].put(params)
        elif number is not None:
            self._send({"id": number, "result": None})
