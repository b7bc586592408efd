"""How a span starts, in source: its name, parent, links and attributes read, its context injected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.model import Around, Begin, LinkPlan, Source, SpanPlan, Stage
from opentelemetry.instrumentation.declarative.runtime import context
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.code import Group, Lines, Scope, indented
from opentelemetry.instrumentation.declarative.wrappers.emitter import Site


@dataclass(slots=True)
class Opening:
    """What every start of a span reads, and the words that hand it on."""

    group: Group
    arguments: list[str]
    after: Lines
    required: str | None


def opening_of(span: SpanPlan, site: Site, scope: Scope, rule: Rule) -> Opening | None:
    """Name, attributes, parent and links of a span that starts; None where it lacks one that it needs."""
    parts = [part for part in span.template.parts if isinstance(part, str) or span.early(part.names)]
    what = f"span {span.name}"
    needed = [part for part in parts if isinstance(part, Expression)]
    if not site.can_read(scope, what, [*needed, *source_expressions(span.parents)]):
        return None
    group = Group(scope, rule)
    name = group.title("name", parts)
    readings = [reading for reading in span.readings if span.early(reading.expression.names)]
    attributes = group.attributes("attributes", site.readable(scope, readings))
    opening = Opening(group, [name, attributes], [], None)
    if span.owner is not None and site.can_read(scope, f"the owner of span {span.name}", [span.owner]):
        opening.arguments.append(f"owner={group.value('owner', span.owner)}")
    parent = _parent(span.parents, site, group, opening)
    if parent:
        opening.arguments.append(f"parent={parent}")
    links = [
        word
        for link in span.links
        if site.can_read(scope, f"the link {link.kind}", source_expressions(link.sources))
        and (word := site.noted("link", link.kind, link.sources[0].mark, _link(link, site, group)))
    ]
    if len(links) == 1 and len(links[0]) <= 60:
        opening.arguments.append(f"links=[{links[0]}]")
    elif links:
        local = site.names.temporary("links")
        opening.after += [f"{local} = [", *(f"    {word}," for word in links), "]"]
        opening.arguments.append(f"links={local}")
    return opening


def source_expressions(sources: Iterable[Source]) -> list[Expression | None]:
    return [word for source in sources for word in (source.key, source.traceparent, source.tracestate)]


def _parent(sources: Sequence[Source], site: Site, group: Group, opening: Opening) -> str | None:
    """The words for the first parent that is there. Where none is, the current span is the parent."""
    words = first_there(sources, site, group)
    if not words or sources[0].where == "none":
        return words or None
    parent = site.names.temporary("parent")
    opening.after.append(f"{parent} = {words}")
    if any(source.required for source in sources):
        opening.required = parent
    return parent


def first_there(sources: Sequence[Source], site: Site, group: Group) -> str:
    """The words for the context of the first source that is there.

    None stands for the current context, also in what they give; where that is the first to be tried there are none.
    """
    # The current context is what comes of it anyway where nothing is left to be tried after it.
    tried = sources[:-1] if sources[-1].where == "current" else sources
    return " or ".join(_noted(source, looked_up(source, site, group), site) for source in tried)


def _noted(source: Source, words: str, site: Site) -> str:
    if source.where in ("none", "current"):
        return words
    return site.noted("parent", source.span or source.where, source.mark, words)


def looked_up(source: Source, site: Site, group: Group) -> str:
    """The words for the context of a span that is named, or that an object carries; None where it is not there."""
    if source.where == "none":
        return site.names.cell("root", context.ROOT)
    if source.where == "current":
        return f"{site.names.cell('current', context.current)}()"
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{site.spans(source.span)}.context({group.value('parent_key', source.key)})"
    return f"{site.names.cell('remote', context.remote)}({_carried(source, group)})"


def _carried(source: Source, group: Group) -> str:
    assert source.traceparent is not None
    words = [group.value("traceparent", source.traceparent)]
    words.append(group.value("tracestate", source.tracestate) if source.tracestate else "None")
    return ", ".join(words)


def _link(link: LinkPlan, site: Site, group: Group) -> str:
    """The words for a link to the first of its sources that is there."""
    key = site.runtime.link_kind
    attributes = site.names.cell(link.kind, {key: link.kind} if key else {})
    tried = takewhile(lambda source: source.where != "none", link.sources)
    return " or ".join(_link_to(source, attributes, site, group) for source in tried)


def _link_to(source: Source, attributes: str, site: Site, group: Group) -> str:
    if source.where == "current":
        return f"{site.names.cell('current_link', context.current_link)}({attributes})"
    if source.where == "span":
        assert source.span is not None and source.key is not None
        return f"{site.spans(source.span)}.link({group.value('link_key', source.key)}, {attributes})"
    return f"{site.names.cell('remote_link', context.remote_link)}({_carried(source, group)}, {attributes})"


def opened(opening: Opening, lines: Lines, site: Site) -> Lines:
    if opening.required:
        lines = [f"if {opening.required} is not None:", *indented(lines)]
        missed = site.missed("its parent, which is required, is not there")
        lines += ["else:", *indented(missed)] if missed else []
    return [*opening.group.lines(), *opening.after, *lines]


def _injected(span: SpanPlan, site: Site, scope: Scope, local: str, reach: str) -> Lines:
    """Write the span's context into the fields that carry it, before the host's call goes on."""
    lines: Lines = []
    for word, path in span.inject.items():
        what = f"the injection of {word}"
        if not site.can_read(scope, what, [path]):
            continue
        value = site.names.temporary(word)
        write = site.names.cell(word, getattr(context, word))
        lines += site.guarded(
            f"span {span.name} injects {word}",
            path.mark,
            lambda _rule, value=value, write=write, path=path: [  # type: ignore[misc]
                f"{value} = {write}({reach})",
                f"if {value} is not None:",
                f"    {path.field(scope.rename)} = {value}",
                *indented(site.written()),
            ],
        )
    return [f"if {local} is not None:", *indented(lines)] if lines else []


def write_around(action: Around, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = opening_of(span, site, scope, rule)
    if opening is None:
        return []
    arguments = [*opening.arguments, *(["current=False"] if site.stepwise else [])]
    key = None
    if span.key is not None and site.can_read(scope, f"the key of span {span.name}", [span.key]):
        key = opening.group.value("key", span.key)
    aliases = [
        opening.group.value("alias", alias) for alias in span.aliases if site.can_read(scope, "an alias", [alias])
    ]
    if aliases:
        arguments.append(f"aliases=[{', '.join(aliases)}]")
    local = site.entered[span.name] = site.names.local(f"{span.name}_span")
    lines = [f"{local} = {site.acting(span.name)}.enter({', '.join(arguments)})"]
    return opened(
        opening, [*lines, *_kept(span, site, local, key), *_injected(span, site, scope, local, f"{local}.span")], site
    )


def _kept(span: SpanPlan, site: Site, local: str, key: str | None) -> Lines:
    """Let a span around a call be found by its key. A key that cannot be one does not cost the span."""
    if span.key is None or key is None:
        return []
    keep = f"{local} = {site.spans(span.name)}.under({key}, {local})"
    lines = site.guarded(f"the key of span {span.name}", span.key.mark, lambda _: [keep], part=True)
    return [f"if {local} is not None:", *indented(lines)]


def write_begin(action: Begin, site: Site, scope: Scope, rule: Rule, stage: Stage) -> Lines:
    span = action.span
    opening = opening_of(span, site, scope, rule)
    if opening is None or span.key is None or not site.can_read(scope, f"span {span.name}", [span.key]):
        return []
    key = opening.group.value("key", span.key)
    resumes = ["resumes=True"] if action.resumes else []
    call = f"{site.acting(span.name)}.begin({', '.join([key, *opening.arguments, *resumes])})"
    if not span.inject:
        return opened(opening, [call], site)
    local = site.names.temporary("span")
    return opened(opening, [f"{local} = {call}", *_injected(span, site, scope, local, local)], site)
