"""Every shape of callable in every kind and with every signature, as source text of a host program."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = '''
import dataclasses, functools, types
from opentelemetry import trace

class Thing:
    """A class of the host, used in annotations by its name alone."""

SENTINEL, MUTABLE = object(), [object()]
FIRST, SECOND, RESULT, SENT = Thing(), Thing(), Thing(), Thing()
raises = None
seen, inside = [], []

@types.coroutine
def pause():
    yield

def note(*values):
    seen.append(values)
    inside.append(trace.get_current_span())

def finish():
    if raises is not None:
        raise raises
    return RESULT
'''

BODIES = {
    "plain": ("def", "note({names})\nreturn finish()"),
    "coroutine": ("async def", "note({names})\ntry:\n    await pause()\nfinally:\n    note()\nreturn finish()"),
    "generator": (
        "def",
        """
        note({names})
        try:
            try:
                note((yield FIRST))
                note((yield SECOND))
            except LookupError as error:
                note(error, (yield SECOND))
        finally:
            note()
        return finish()
        """,
    ),
    "asynchronous generator": (
        "async def",
        """
        note({names})
        try:
            try:
                note((yield FIRST))
                await pause()
                note((yield SECOND))
            except LookupError as error:
                note(error, (yield SECOND))
        finally:
            await pause()
            note()
        finish()
        """,
    ),
}

#: How a callable of each kind passes on what another of its kind does.
PASSED_ON = {"plain": "return {}", "coroutine": "return await {}", "generator": "return (yield from {})"}

#: Parameters, the names of all of them, and ways of calling.
SIGNATURES = {
    "positional only": ('a: "Thing", b: "int | None" = None, /', "a, b", ["1", "1, 2"]),
    "defaults": (
        'a: "Thing", items: "list[Thing]" = MUTABLE, flag: "object" = SENTINEL',
        "a, items, flag",
        ["1", "a=1, flag=2", "1, 2, 3"],
    ),
    "keyword only": (
        'a: "Thing", *, key: "Thing", other: "object" = SENTINEL',
        "a, key, other",
        ["1, key=2", "other=3, key=2, a=1"],
    ),
    "stars": (
        'a: "Thing", *args: "int", key: "object" = SENTINEL, **kwargs: "Thing"',
        "a, args, key, kwargs",
        ["1", "1, 2, 3, key=4, z=5"],
    ),
    "names of ours": (
        "span, result=1, /, error=2, *original, attributes=3, name=4, rule=5, Exception=6, BaseException=7, "
        "generator=8, items=9, value=10, advance=11, token=12, step=13, stop=14, args=15, **kwargs",
        "span, result, error, original, attributes, name, rule, Exception, BaseException, generator, items, value, "
        "advance, token, step, stop, args, kwargs",
        ["1", "1, 2, 3, 4, key=5, step=6"],
    ),
}

SHAPES = (
    "function",
    "method",
    "static method",
    "class method",
    "inherited method",
    "override calling super",
    "metaclass method",
    "slotted class",
    "dataclass",
    "decorated",
    "lru cache",
    "partial",
)


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    shape: str
    kind: str
    signature: str

    def __str__(self) -> str:
        return f"{self.shape}-{self.kind}-{self.signature}"

    @property
    def calls(self) -> list[str]:
        return SIGNATURES[self.signature][2]

    @property
    def target(self) -> str:
        """What is hooked."""
        owner = {"function": "", "decorated": "", "lru cache": "", "metaclass method": "Meta."}
        return owner.get(self.shape, "Host.") + "target"

    @property
    def reached(self) -> str:
        """How the host gets at it."""
        if "." not in self.target:
            return "target"
        return "Host.target" if self.shape in ("metaclass method", "class method", "partial") else "Host().target"

    @property
    def source(self) -> str:
        return HEAD + getattr(self, "_" + self.shape.replace(" ", "_"))()

    def _definition(self, first: str = "", name: str = "target", indent: int = 0) -> str:
        word, body = BODIES[self.kind]
        parameters, names, _ = SIGNATURES[self.signature]
        body = textwrap.indent(textwrap.dedent(body).strip().format(names=names), "    ")
        text = f'{word} {name}({first}{parameters}) -> "Thing":\n    """What it does."""\n{body}\n'
        return textwrap.indent(text, " " * indent)

    def _function(self) -> str:
        return self._definition()

    def _method(self, head: str = "class Host:") -> str:
        return f"{head}\n{self._definition(self._self, indent=4)}"

    @property
    def _self(self) -> str:
        return "self, "

    def _static_method(self) -> str:
        return f"class Host:\n    @staticmethod\n{self._definition(indent=4)}"

    def _class_method(self) -> str:
        return f"class Host:\n    @classmethod\n{self._definition('cls, ', indent=4)}"

    def _inherited_method(self) -> str:
        return self._method("class Base:") + "\nclass Host(Base):\n    pass\n"

    def _override_calling_super(self) -> str:
        parameters, names, _ = SIGNATURES[self.signature]
        passed = {"stars": "a, *args, key=key, **kwargs", "keyword only": "a, key=key, other=other"}
        call = f"super().target({passed.get(self.signature, names)})"
        how = PASSED_ON[self.kind].format(call)
        word = BODIES[self.kind][0]
        over = f'    {word} target(self, {parameters}) -> "Thing":\n        """What it does."""\n        {how}\n'
        return self._method("class Base:") + f"\nclass Host(Base):\n{over}"

    def _metaclass_method(self) -> str:
        return self._method("class Meta(type):") + "\nclass Host(metaclass=Meta):\n    pass\n"

    def _slotted_class(self) -> str:
        return self._method('class Host:\n    __slots__ = ("one",)\n')

    def _dataclass(self) -> str:
        return self._method("@dataclasses.dataclass(frozen=True, slots=True)\nclass Host:\n    one: int = 1\n")

    def _decorated(self) -> str:
        call = "function(*args, **kwargs)"
        how = PASSED_ON[self.kind].format(call)
        return (
            f"def decorate(function):\n    @functools.wraps(function)\n    {BODIES[self.kind][0]} decorated("
            f"*args, **kwargs):\n        {how}\n    return decorated\n\n@decorate\n{self._definition()}"
        )

    def _lru_cache(self) -> str:
        return f"@functools.lru_cache(maxsize=0)\n{self._definition()}"

    def _partial(self) -> str:
        return f"{self._definition(name='free')}\nclass Host:\n    target = functools.partial(free)\n"


def table() -> Iterator[Case]:
    """Every combination that makes sense."""
    for shape, kind, signature in itertools.product(SHAPES, BODIES, SIGNATURES):
        if shape == "lru cache" and kind != "plain":
            continue  # a cached coroutine or generator can be used only once
        if shape in ("override calling super", "decorated") and kind == "asynchronous generator":
            continue  # there is no `yield from` for these
        if shape == "override calling super" and signature == "names of ours":
            continue
        yield Case(shape, kind, signature)
