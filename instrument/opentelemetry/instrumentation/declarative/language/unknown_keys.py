"""Which key was probably intended instead of one that a node does not have."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import did_you_mean
from opentelemetry.instrumentation.declarative.language.renamed_keys import RENAMED_KEYS
from opentelemetry.instrumentation.declarative.language.spellings import snake_case

#: Words of other tools and of OpenTelemetry's interfaces, and the keys that they can stand for, the likeliest first.
OTHER_WORDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("tags", "attrs", "labels", "fields", "set_attributes", "properties", "capture_args", "record_args"),
        ("attributes",),
    ),
    **dict.fromkeys(
        ("callable", "call", "func", "function", "target", "hook", "wrap", "trace", "method", "calls", "module"),
        ("call", "around"),
    ),
    "event": ("event_name", "events", "at"),
    **dict.fromkeys(("on", "moment", "trigger", "phase"), ("at",)),
    **dict.fromkeys(("if", "condition", "filter", "only_if", "unless"), ("when",)),
    **dict.fromkeys(("dist", "package", "library", "pip", "project"), ("distribution",)),
    **dict.fromkeys(("versions", "requires", "range", "specifier"), ("version",)),
    **dict.fromkeys(("desc", "doc", "docs", "help", "comment", "summary", "brief", "note"), ("description",)),
    **dict.fromkeys(
        ("span_name", "title", "operation", "operation_name", "op", "resource", "rename", "update_name", "new_name"),
        ("name",),
    ),
    **dict.fromkeys(("for_each", "foreach", "for", "every", "items", "loop"), ("each",)),
    **dict.fromkeys(("allow", "allowed", "allowlist", "select", "capture", "keys"), ("only",)),
    **dict.fromkeys(("deny", "denylist", "sanitize", "sanitized", "mask", "hide"), ("redact",)),
    **dict.fromkeys(("args", "with", "pass"), ("arguments", "unpack")),
    **dict.fromkeys(("trace_context", "trace_parent", "w3c", "carrier"), ("traceparent",)),
    **dict.fromkeys(("buckets", "bucket_boundaries", "bounds", "explicit_bucket_boundaries"), ("boundaries",)),
    **dict.fromkeys(("kind", "metric_type", "type"), ("instrument",)),
    **dict.fromkeys(("expression", "expr", "val", "amount", "from"), ("value",)),
    **dict.fromkeys(("span_kind", "span_type"), ("kind",)),
    **dict.fromkeys(("set", "assign"), ("field",)),
    **dict.fromkeys(("includes", "patterns", "pattern", "match"), ("include",)),
    **dict.fromkeys(("excludes", "ignore", "except", "skip"), ("exclude",)),
    **dict.fromkeys(("base", "inherits", "extend", "import", "imports", "include_file"), ("extends",)),
    **dict.fromkeys(("begin", "starts", "open"), ("start",)),
    **dict.fromkeys(("finish", "ends", "stop", "close"), ("end",)),
    **dict.fromkeys(("schema", "schemaUrl"), ("schema_url",)),
    **dict.fromkeys(("sampling", "sampler", "sample_rate"), ("sample",)),
    **dict.fromkeys(("errors", "record_exception", "exceptions", "on_error", "on_exception"), ("exception",)),
    **dict.fromkeys(("record", "record_event", "as_event"), ("event",)),
    **dict.fromkeys(("constant", "literal", "fixed", "static"), ("const",)),
    **dict.fromkeys(("active", "this", "own"), ("current",)),
    **dict.fromkeys(("local_root", "server", "entry"), ("root",)),
    **dict.fromkeys(("header", "headers", "into"), ("carrier",)),
    **dict.fromkeys(("propagate", "propagation", "propagator"), ("carrier", "inject")),
    **dict.fromkeys(("rate", "rate_limit", "max_per_second"), ("per_second",)),
    "limit": ("max_open", "per_second"),
    **dict.fromkeys(("probability", "fraction", "percent"), ("ratio",)),
    **dict.fromkeys(("message", "text", "msg"), ("body",)),
    **dict.fromkeys(("level", "log_level", "severity_text", "severity_number"), ("severity",)),
    **dict.fromkeys(("result_type", "return_type"), ("returns",)),
    **dict.fromkeys(("parents", "parent_span"), ("parent",)),
    **dict.fromkeys(("link",), ("links",)),
    **dict.fromkeys(("variables", "vars", "let", "params", "parameters", "aliases"), ("names", "arguments")),
    **dict.fromkeys(("class", "cls", "subclass"), ("base", "subclass_of")),
}


_CONFIGURED = "it is configured for the whole process, with OpenTelemetry's variables such as {}"
_EXPORTERS = _CONFIGURED.format("OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_ENDPOINT")
#: By the definition of the node and the key: where that is said which the key seems to say.
_ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("enrichment", "name"): "a new name is in an attribute group: `attribute_groups: {NAME: {at: MOMENT, name: ...}}`",
    **dict.fromkeys(
        ((kind, word) for kind in ("span", "event", "hook") for word in ("description", "brief", "desc", "doc")),
        "a description is in the file beside the spec, such as `shop_registry.yaml`",
    ),
    **dict.fromkeys(
        (
            ("spec", word)
            for word in ("exporters", "exporter", "receivers", "processors", "pipelines", "tracer_provider")
        ),
        _EXPORTERS,
    ),
    **dict.fromkeys(
        (("spec", word) for word in ("service", "service_name", "resource", "environment")),
        _CONFIGURED.format("OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES"),
    ),
    **dict.fromkeys(
        (("spec", word) for word in ("sampler", "sampling", "sample", "sample_rate", "traces_sample_rate")),
        _CONFIGURED.format("OTEL_TRACES_SAMPLER") + "; `sample` is a key of a span",
    ),
    **dict.fromkeys(
        ((kind, word) for kind in ("span_injection", "injection") for word in ("format", "propagator", "propagators")),
        _CONFIGURED.format("OTEL_PROPAGATORS"),
    ),
    **dict.fromkeys(
        (("span", word) for word in ("class", "class_name", "qualified_name")),
        "`around` names the class and its method: write around: module:Class.method",
    ),
    **dict.fromkeys(
        (
            (kind, word)
            for kind in ("status", "span_status", "current_status")
            for word in ("code", "description", "message", "status")
        ),
        "write `error` with an expression for the description of an error, or `ok` with a condition",
    ),
    **dict.fromkeys(
        ((kind, "default") for kind in ("attribute", "span_attribute", "current_attribute")),
        'write it in the expression, as in value: order.note or "none"',
    ),
    **dict.fromkeys(
        ((kind, "type") for kind in ("attribute", "span_attribute", "current_attribute")),
        "a value has the type of its expression: convert it with int(value), float(value) or str(value)",
    ),
    **dict.fromkeys(
        (
            (kind, word)
            for kind in ("attribute", "span_attribute", "current_attribute")
            for word in ("max", "max_length", "limit")
        ),
        "write `value: truncate(EXPRESSION, LENGTH)`",
    ),
    ("spec", "functions_to_trace"): "each function is a span: write spans: {NAME: {around: module:function}}",
    ("span", "each"): "`each` is a key of the hook: with it, everything at its moments happens once for each item",
}


#: Names with fewer letters are similar to any key that has one of them.
_SHORTEST = 3
_SIMILAR = 0.7
#: Keys of most entries.
_COMMON = frozenset({"at", "when", "key"})


class KeyHelp(NamedTuple):
    """The help for an unknown key, the key that was probably intended, and what to suggest for it."""

    help: str
    intended: str | None = None
    suggestion: str | None = None
    #: Whether it is a key of another kind of entry.
    is_of_entry: bool = False


class NodeKeys(NamedTuple):
    """The keys of another kind of node, its title, and the key that it is under."""

    title: str
    keys: Collection[str]
    under: str | None = None


def unknown_key_help(
    name: str,
    definition: str,
    known: Collection[str],
    inner: Iterable[NodeKeys],
    outer: Sequence[NodeKeys],
    entries: Iterable[NodeKeys],
) -> KeyHelp:
    """The help for a key that a node does not have.

    ``known``: the keys of the node. ``inner``: the nodes in it. ``outer``: the nodes that it is in, outermost first.
    ``entries``: the entries of the spec.
    """
    if renamed := RENAMED_KEYS.get((definition, name)):
        return KeyHelp(renamed.help, renamed.key, None if renamed.instead else renamed.key)
    if elsewhere := _ELSEWHERE.get((definition, name)):
        return KeyHelp(elsewhere)
    word = snake_case(name) or name
    for other in (word, *OTHER_WORDS.get(word, ())):
        if other in known:
            return KeyHelp(f'did you mean "{other}"?', other, other)
    if near := difflib.get_close_matches(word, known, n=1, cutoff=0.85):
        return KeyHelp(f'did you mean "{near[0]}"?', near[0], near[0])
    for node in reversed(outer[1:]):
        if name in node.keys:
            return KeyHelp(f'"{name}" is a key of {node.title}: write it there, with less indentation')
    for node in sorted(inner, key=lambda node: node.under != "spans"):
        if name in node.keys:
            return KeyHelp(f'"{name}" is a key of {node.title}: write it inside `{node.under}`')
    is_entry = len(outer) == 1 and word not in _COMMON
    for node in sorted(entries if is_entry else (), key=lambda node: node.under != "spans"):
        if word in node.keys:
            return KeyHelp(
                f'"{word}" is a key of {node.title}: write it in an entry of `{node.under}`', is_of_entry=True
            )
    for node in outer[:1]:
        if name in node.keys:
            return KeyHelp(f'"{name}" is a key of {node.title}: write it there, with less indentation')
    similar = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_SIMILAR) if len(name) >= _SHORTEST else []
    suggestion = next(iter(similar), None)
    return KeyHelp(did_you_mean(suggestion) or f"its keys are {', '.join(known)}", suggestion, suggestion)
