"""From a checked document to the model. Only what the schema has already let through arrives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from instrument.problems import Mark
from instrument.spec.model import (
    Attribute,
    Carried,
    Closing,
    ContextSource,
    Count,
    Distribution,
    End,
    Event,
    Hook,
    Link,
    Mirror,
    Moment,
    Scope,
    SpanType,
    Spec,
    Start,
    Tap,
    Target,
    Text,
    Vocabulary,
    Write,
)
from instrument.spec.source import Document, Path

T = TypeVar("T")


def decode(document: Document) -> Spec:
    """The spec that a document means. The document has passed ``schema.check`` and its layers are merged."""
    root = _Node(document, ())
    scope = root.get("scope")
    vocabulary = root.get("vocabulary")
    name = str(root.value["name"])
    return Spec(
        name=name,
        file=document.file,
        target=_distribution(root.get("target")),
        scope=Scope(**scope.value) if scope else Scope(f"instrument.{name}"),
        vocabulary=Vocabulary(**vocabulary.value) if vocabulary else Vocabulary(),
        functions={key: node.target() for key, node in root.entries("functions")},
        hooks={key: _hook(key, node) for key, node in root.entries("hooks")} | _direct_hooks(root),
        carried=tuple(_carried(key, node) for key, node in root.entries("carried")),
        taps={key: _tap(key, node) for key, node in root.entries("taps")},
        spans={key: _span(key, node) for key, node in root.entries("spans")},
        events=tuple(_event(key, node) for key, node in root.entries("events")),
        writes=tuple(_write(key, node) for key, node in root.entries("writes")),
        closings=tuple(_closing(key, node) for key, node in root.entries("closings")),
        mirrors=tuple(_mirror(key, node) for key, node in root.entries("mirrors")),
    )


class _Node:
    """A value of the document with its path, so that everything taken from it knows where it stands."""

    def __init__(self, document: Document, path: Path) -> None:
        self.document = document
        self.path = path
        value: Any = document.data
        for step in path:
            value = value[step]
        self.value: Any = value

    @property
    def mark(self) -> Mark:
        return self.document.marks[self.path]

    @property
    def key_mark(self) -> Mark:
        return self.document.keys.get(self.path, self.mark)

    def get(self, key: str) -> _Node | None:
        if not isinstance(self.value, dict) or self.value.get(key) is None:
            return None
        return _Node(self.document, (*self.path, key))

    def require(self, key: str) -> _Node:
        return _Node(self.document, (*self.path, key))

    def entries(self, key: str) -> Iterator[tuple[str, _Node]]:
        """The entries of the mapping under ``key``; what a layer has removed (null) is not there."""
        node = self.get(key)
        for name in node.value if node else ():
            entry = node.get(name) if node else None
            if entry is not None:
                yield name, entry

    def items(self) -> list[_Node]:
        """This value as a list: its items, or itself alone."""
        if isinstance(self.value, list):
            return [_Node(self.document, (*self.path, index)) for index in range(len(self.value))]
        return [self]

    def text(self, key: str | None = None) -> Text | None:
        node = self if key is None else self.get(key)
        return None if node is None else Text(str(node.value), node.mark)

    def required_text(self, key: str | None = None) -> Text:
        node = self if key is None else self.require(key)
        return Text(str(node.value), node.mark)

    def target(self) -> Target:
        module, _, path = str(self.value).partition(":")
        return Target(self._installed(module), path, self.mark)

    def _installed(self, module: str) -> str:
        """The name that a module has in the installed release; of two names that fit, the longer one counts."""
        renamed: dict[str, str | None] = self.document.data.get("modules") or {}
        parts = module.split(".") if renamed else []
        for end in range(len(parts), 0, -1):
            if there := renamed.get(".".join(parts[:end])):
                return ".".join([there, *parts[end:]])
        return module

    def moments(self, key: str) -> tuple[Moment, ...]:
        return tuple(item.moment() for item in self.require(key).items())

    def texts(self, key: str) -> dict[str, Text]:
        return {name: entry.required_text() for name, entry in self.entries(key)}

    def moment(self) -> Moment:
        hook, _, phase = str(self.value).partition(".")
        return Moment(hook, phase, self.mark)  # type: ignore[arg-type]  # the schema has checked the phase

    def map(self, key: str, read: Callable[[_Node], T]) -> T | None:
        node = self.get(key)
        return None if node is None else read(node)


def direct_hook(target: str) -> str:
    """The name of the hook that ``around: module:Class.method`` stands for."""
    return f"around {target}"


def _direct_hooks(root: _Node) -> dict[str, Hook]:
    found: dict[str, Hook] = {}
    for _, span in root.entries("spans"):
        around = span.get("around")
        if around and ":" in around.value:
            name = direct_hook(around.value)
            found[name] = Hook(name, around.mark, around.target())
    return found


def _distribution(node: _Node | None) -> Distribution | None:
    if node is None:
        return None
    return Distribution(node.value["distribution"], node.value.get("version", ""), node.mark)


def _hook(name: str, node: _Node) -> Hook:
    args = node.get("args")
    return Hook(
        name=name,
        mark=node.key_mark,
        target=node.map("call", _Node.target),
        tap=node.text("tap"),
        method=node.text("method"),
        when=node.text("when"),
        args=tuple(item.required_text() for item in args.items()) if args else (),
        names=node.texts("names"),
        name_marks={key: entry.key_mark for key, entry in node.entries("names")},
    )


def _tap(name: str, node: _Node) -> Tap:
    plug = node.require("plug")
    return Tap(
        name=name,
        mark=node.key_mark,
        base=node.require("base").target(),
        at=plug.require("at").moment(),
        call=plug.required_text("call"),
        when=plug.text("when"),
    )


def _carried(name: str, node: _Node) -> Carried:
    during, value = node.required_text("during"), node.required_text("value")
    return Carried(name, node.key_mark, during, value, node.text("when"))


def _write(name: str, node: _Node) -> Write:
    return Write(
        name=name,
        mark=node.key_mark,
        at=node.moments("at"),
        when=node.text("when"),
        traceparent=node.text("traceparent"),
        tracestate=node.text("tracestate"),
        span_context=node.text("span_context"),
        of=node.map("of", _sources) or (ContextSource(node.key_mark, "current"),),
        field=node.text("field"),
        value=node.text("value"),
    )


def _closing(name: str, node: _Node) -> Closing:
    return Closing(name, node.require("at").moment(), node.required_text("owner"))


def _mirror(name: str, node: _Node) -> Mirror:
    return Mirror(
        name=name,
        mark=node.key_mark,
        store=node.required_text("store"),
        path=str(node.value["path"]),
        rotate=node.value.get("rotate"),
        enabled=node.value.get("enabled") is not False,
    )


def _attributes(node: _Node) -> tuple[Attribute, ...]:
    found = []
    for key, entry in node.entries("attributes"):
        if isinstance(entry.value, dict):
            found.append(Attribute(key, entry.required_text("value"), bool(entry.value.get("content", False))))
        else:
            found.append(Attribute(key, entry.required_text()))
    return tuple(found)


def _sources(node: _Node) -> tuple[ContextSource, ...]:
    return tuple(map(_source, node.items()))


def _source(node: _Node) -> ContextSource:
    if isinstance(node.value, str):
        return ContextSource(node.mark, "none" if node.value == "none" else "current")
    return ContextSource(
        mark=node.mark,
        where="span" if "span" in node.value else "traceparent",
        span=node.text("span"),
        key=node.text("key"),
        required=bool(node.value.get("required", False)),
        traceparent=node.text("traceparent"),
        tracestate=node.text("tracestate"),
    )


def _event(name: str, node: _Node) -> Event:
    return Event(
        name=name,
        mark=node.key_mark,
        template=node.text("name") or Text(_escaped(name), node.key_mark),
        at=node.moments("at"),
        when=node.text("when"),
        key=node.text("key"),
        attributes=_attributes(node),
    )


def _update(name: str, node: _Node) -> Event:
    return replace(_event(name, node), template=None)


def _count(name: str, node: _Node) -> Count:
    return Count(name, node.key_mark, node.moments("at"), node.text("when"), node.text("key"))


def _start(node: _Node) -> Start:
    if isinstance(node.value, str):
        return Start(node.moment())
    return Start(
        at=node.require("at").moment(),
        when=node.text("when"),
        names=node.texts("names"),
        resumes=bool(node.value.get("resumes")),
        name_marks={key: entry.key_mark for key, entry in node.entries("names")},
    )


def _end(node: _Node) -> End:
    if isinstance(node.value, str):
        return End(node.moment())
    return End(node.require("at").moment(), node.text("when"), node.text("key"), node.text("keys"), _attributes(node))


def _span(name: str, node: _Node) -> SpanType:
    around = node.get("around")
    start, end, time, inject, status = (node.get(key) for key in ("start", "end", "time", "inject", "status"))
    parent, aliases, constants = (node.get(key) for key in ("parent", "aliases", "constants"))
    return SpanType(
        name=name,
        mark=node.key_mark,
        template=node.text("name") or Text(_escaped(name), node.key_mark),
        type=str(node.value.get("type") or name),
        kind=node.value.get("kind") or "internal",
        around=(direct_hook(around.value) if ":" in around.value else around.value) if around else None,
        starts=tuple(map(_start, start.items())) if start else (),
        ends=tuple(_end(item) for item in end.items()) if end else (),
        at=node.map("at", _Node.moment),
        start_time=time.text("start") if time else None,
        end_time=time.text("end") if time else None,
        when=node.text("when"),
        parents=_sources(parent) if parent else (ContextSource(node.key_mark, "current"),),
        key=node.text("key"),
        aliases=tuple(item.required_text() for item in aliases.items()) if aliases else (),
        remember=int(node.value.get("remember") or 0),
        limit=int(node.value.get("limit") or 10_000),
        age=node.value.get("age"),
        inject_traceparent=inject.text("traceparent") if inject else None,
        inject_tracestate=inject.text("tracestate") if inject else None,
        links=tuple(Link(kind, _sources(entry)) for kind, entry in node.entries("links")),
        attributes=_attributes(node),
        constants={key: value for key, value in constants.value.items() if value is not None} if constants else {},
        events=(
            *(_event(key, entry) for key, entry in node.entries("events")),
            *(_update(key, entry) for key, entry in node.entries("updates")),
        ),
        counts=tuple(_count(key, item) for key, entry in node.entries("counts") for item in entry.items()),
        exception=node.text("exception"),
        status_error=status.text("error") if status else None,
        status_ok=status.text("ok") if status else None,
        owner=node.text("owner"),
        mirror=node.text("mirror"),
        around_mark=around.mark if around else None,
    )


def _escaped(name: str) -> str:
    """A key as the template that means just that key."""
    return name.replace("{", "{{").replace("}", "}}")
