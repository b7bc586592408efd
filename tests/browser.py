"""A headless Chromium, driven by the Chrome DevTools Protocol through pipes."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.processes import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EXECUTABLE = next((found for name in NAMES if (found := shutil.which(name))), None)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
)


class Browser:
    """A browser with one page. ``messages`` has the errors and warnings of the page."""

    def __init__(self, profile: Path) -> None:
        assert EXECUTABLE is not None
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        redirected = f'exec "$@" 3<&{commands} 4>&{answers}'  # Chromium reads commands from 3 and answers on 4
        self._process = subprocess.Popen(
            ["bash", "-c", redirected, "bash", EXECUTABLE, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._ids = itertools.count(1)
        self._buffer = b""
        self.messages: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable", self._session)

    def open(self, page: Path, view: str = "") -> None:
        """Open a page, and wait until it has read its spans."""
        self.messages.clear()
        self._call("Page.navigate", self._session, url="about:blank")
        self._call("Page.navigate", self._session, url=f"{page.as_uri()}#{view}")
        script = "new Promise(done => { const look = () => window.page ? done(true) : setTimeout(look, 20); look(); })"
        assert self.run(script) is True

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self._call("Runtime.evaluate", self._session, expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The visible texts of the elements that a selector finds."""
        found: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].filter(e => e.getClientRects().length)"
            ".map(e => (e.innerText ?? e.textContent).replace(/\\s+/g, ' ').trim())"
        )
        return found

    def close(self) -> None:
        os.close(self._commands)  # ends the browser
        self._process.wait(timeout=PATIENCE)
        os.close(self._answers)

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        number = next(self._ids)
        request = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._commands, json.dumps(request).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.messages.append(json.dumps(answer["params"]))

    def _read(self) -> Any:
        while b"\0" not in self._buffer:
            data = os.read(self._answers, 1 << 16)
            assert data, "the browser has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
