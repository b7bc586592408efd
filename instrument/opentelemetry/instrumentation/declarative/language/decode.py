"""Decodes a validated document to the model of a spec."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.instrumentation.declarative.language.content_marks import has_content
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.spec_model import (
    Attribute,
    Calls,
    Carried,
    Closing,
    ContextSource,
    Count,
    Distribution,
    End,
    Event,
    Flag,
    Hook,
    Link,
    Metric,
    Mirror,
    Sample,
    Scope,
    SpanType,
    Spec,
    Start,
    Status,
    Tap,
    Text,
    Value,
    Vocabulary,
    Write,
)


def decode(document: Document) -> Spec:
    """Decode a document whose layers are merged and which has no problems of ``schema.check``."""
    root = DocumentNode(document, ())
    scope = root.get("scope")
    vocabulary = root.get("vocabulary")
    name = str(root.value["name"])
    spec = Spec(
        name=name,
        file=document.file,
        target=_distribution(root.get("target")),
        scope=Scope(**scope.value) if scope else Scope(f"instrument.{name}"),
        vocabulary=Vocabulary(**vocabulary.value) if vocabulary else Vocabulary(),
        functions={key: node.target() for key, node in root.entries("functions")},
        loaders={key: node.target() for key, node in root.entries("loaders")},
        hooks={key: _hook(key, node) for key, node in root.entries("hooks")} | _direct_hooks(root),
        carried=tuple(_carried(key, node) for key, node in root.entries("carried")),
        taps={key: _tap(key, node) for key, node in root.entries("taps")},
        spans={key: _span(key, node) for key, node in root.entries("spans")},
        events=(
            *(_event(key, node) for key, node in root.entries("events")),
            *(_update(key, node) for key, node in root.entries("updates")),
        ),
        metrics=tuple(_metric(key, node) for key, node in root.entries("metrics")),
        writes=tuple(_write(key, node) for key, node in root.entries("writes")),
        closings=tuple(_closing(key, node) for key, node in root.entries("closings")),
        mirrors=tuple(_mirror(key, node) for key, node in root.entries("mirrors")),
    )
    return replace(spec, has_content=has_content(spec))


def _direct_hooks(root: DocumentNode) -> dict[str, Hook]:
    """The hooks of spans that name a target directly: ``around: module:Class.method``."""
    found: dict[str, Hook] = {}
    for _, span in root.entries("spans"):
        around = span.get("around")
        if around and ":" in around.value:
            name, target = str(around.value), around.target()
            calls = Calls((target,)) if "*" in name else None
            found[name] = Hook(name, around.mark, None if calls else target, calls, direct=True)
    return found


def _distribution(node: DocumentNode | None) -> Distribution | None:
    if node is None:
        return None
    return Distribution(node.value["distribution"], node.value.get("version", ""), node.mark)


def _hook(name: str, node: DocumentNode) -> Hook:
    args = node.get("args")
    return Hook(
        name=name,
        mark=node.key_mark,
        target=node.map("call", DocumentNode.target),
        calls=node.map("calls", _calls),
        tap=node.text("tap"),
        method=node.text("method"),
        when=node.text("when"),
        args=tuple(item.required_text() for item in args.items()) if args else (),
        names=node.texts("names"),
        name_marks={key: entry.key_mark for key, entry in node.entries("names")},
        follow_result=node.value.get("follow_result"),
    )


def _calls(node: DocumentNode) -> Calls:
    return Calls(
        include=tuple(item.target() for item in node.require("include").items()),
        exclude=tuple(item.target() for item in node.listed("exclude")),
        subclass_of=node.map("subclass_of", DocumentNode.target),
        decorated_by=tuple(str(item.value) for item in node.listed("decorated_by")),
        takes=tuple(str(item.value) for item in node.listed("takes")),
        returns=tuple(str(item.value) for item in node.listed("returns")),
        limit=int(node.value.get("limit") or 100),
    )


def _tap(name: str, node: DocumentNode) -> Tap:
    plug = node.require("plug")
    return Tap(
        name=name,
        mark=node.key_mark,
        base=node.require("base").target(),
        at=plug.require("at").moment(),
        call=plug.required_text("call"),
        when=plug.text("when"),
    )


def _carried(name: str, node: DocumentNode) -> Carried:
    during, value = node.required_text("during"), node.required_text("value")
    return Carried(name, node.key_mark, during, value, node.text("when"))


def _write(name: str, node: DocumentNode) -> Write:
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


def _closing(name: str, node: DocumentNode) -> Closing:
    return Closing(name, node.require("at").moment(), node.required_text("owner"))


def _mirror(name: str, node: DocumentNode) -> Mirror:
    return Mirror(
        name=name,
        mark=node.key_mark,
        sink=node.require("sink").target(),
        store=node.required_text("store"),
        path=str(node.value["path"]),
        rotate=node.value.get("rotate"),
        enabled=node.value.get("enabled") is not False,
    )


def _attributes(node: DocumentNode) -> tuple[Attribute, ...]:
    found = []
    for key, entry in node.entries("attributes"):
        if isinstance(entry.value, dict):
            content = bool(entry.value.get("content", False))
            found.append(Attribute(key, entry.required_text("value"), content, entry.value.get("brief")))
        else:
            found.append(Attribute(key, entry.required_text()))
    return tuple(found)


def _sources(node: DocumentNode) -> tuple[ContextSource, ...]:
    return tuple(map(_source, node.items()))


def _source(node: DocumentNode) -> ContextSource:
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


def _event(name: str, node: DocumentNode) -> Event:
    return Event(
        name=name,
        mark=node.key_mark,
        template=node.text("name") or Text(_escaped(name), node.key_mark),
        at=node.moments("at"),
        when=node.text("when"),
        key=node.text("key"),
        attributes=_attributes(node),
        brief=node.value.get("brief"),
        once=bool(node.value.get("once")),
        of=node.value.get("of") or "current",
        statuses=tuple(map(_status, node.listed("status"))),
    )


def _update(name: str, node: DocumentNode) -> Event:
    return replace(_event(name, node), template=None)


def _metric(name: str, node: DocumentNode) -> Metric:
    return Metric(
        name=name,
        mark=node.key_mark,
        instrument=node.value["instrument"],
        unit=node.text("unit"),
        brief=node.value.get("brief"),
        boundaries=tuple(node.value.get("boundaries") or ()),
        span=node.text("span"),
        span_attributes=tuple(item.required_text() for item in node.listed("span_attributes")),
        at=node.moments("at") if node.get("at") else (),
        when=node.text("when"),
        values=tuple(map(_value, node.listed("values"))) or (Value(node.key_mark, None, node.text("value"), ()),),
        attributes=_attributes(node),
    )


def _value(node: DocumentNode) -> Value:
    return Value(node.mark, node.text("when"), node.text("value"), _attributes(node))


def _count(name: str, node: DocumentNode) -> Count:
    return Count(name, node.key_mark, node.moments("at"), node.text("when"), node.text("key"))


def _start(node: DocumentNode) -> Start:
    if isinstance(node.value, str):
        return Start(node.moment())
    return Start(
        at=node.require("at").moment(),
        when=node.text("when"),
        names=node.texts("names"),
        resumes=bool(node.value.get("resumes")),
        name_marks={key: entry.key_mark for key, entry in node.entries("names")},
    )


def _end(node: DocumentNode) -> End:
    if isinstance(node.value, str):
        return End(node.moment())
    return End(
        at=node.require("at").moment(),
        when=node.text("when"),
        key=node.text("key"),
        keys=node.text("keys"),
        attributes=_attributes(node),
        statuses=tuple(map(_status, node.listed("status"))),
    )


def _status(node: DocumentNode) -> Status:
    return Status(
        when=node.text("when"),
        error=node.text("error"),
        ok=node.text("ok"),
        unset=bool(node.value.get("unset")),
        content=node.value.get("content"),
    )


def _flag(node: DocumentNode) -> Flag:
    return Flag(bool(node.value), node.mark)


def _sample(node: DocumentNode) -> Sample:
    ratio = node.value.get("ratio")
    return Sample(node.value.get("per_second"), 1.0 if ratio is None else float(ratio))


def _span(name: str, node: DocumentNode) -> SpanType:
    around = node.get("around")
    start, end, time, inject = (node.get(key) for key in ("start", "end", "time", "inject"))
    parent, aliases, constants, exception = (node.get(key) for key in ("parent", "aliases", "constants", "exception"))
    return SpanType(
        name=name,
        mark=node.key_mark,
        template=node.text("name") or Text(_escaped(name), node.key_mark),
        type=str(node.value.get("type") or name),
        kind=node.value.get("kind") or "internal",
        around=around.value if around else None,
        starts=tuple(map(_start, start.items())) if start else (),
        ends=tuple(_end(item) for item in end.items()) if end else (),
        at=node.map("at", DocumentNode.moment),
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
        exception=exception.text("value" if isinstance(exception.value, dict) else None) if exception else None,
        exception_content=exception.value.get("content") if exception and isinstance(exception.value, dict) else None,
        statuses=tuple(map(_status, node.listed("status"))),
        sample=node.map("sample", _sample),
        brief=node.value.get("brief"),
        owner=node.text("owner"),
        mirror=node.text("mirror"),
        around_mark=around.mark if around else None,
        follow_result=node.map("follow_result", _flag),
    )


def _escaped(name: str) -> str:
    """The template for a name without expressions."""
    return name.replace("{", "{{").replace("}", "}}")
