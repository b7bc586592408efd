"""Detects calls that come from another recorded call, by the frames below them."""

from __future__ import annotations

import sys

from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer


class RecordedCalls:
    """The layers through which a function may be called. One call of the program is recorded once.

    For functions that run when they are called: a coroutine or generator does not run below the frame that called it.
    """

    def __init__(self) -> None:
        self.layers: list[CodeLayer] = []

    def includes(self) -> bool:
        """Whether the generated code that asks has been called, at any depth, by that of another layer.

        A frame of the same code in between means that the function has called itself, which is another call.
        """
        frame = sys._getframe(1)
        own = frame.f_code
        codes = {layer.code for layer in self.layers}
        caller = frame.f_back
        while caller is not None:
            if caller.f_code is own:
                return False
            if caller.f_code in codes:
                return True
            caller = caller.f_back
        return False
