"""The keys of version 1 of the language, with what version 2 has instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class RenamedKey(NamedTuple):
    """The key of version 2, and how to write it if only the name has not changed."""

    key: str
    instead: str | None = None

    @property
    def help(self) -> str:
        return f"in version 2, {self.instead or f'it is called `{self.key}`'}"


_UPDATES = RenamedKey(
    "attributes",
    "each attribute of an update is one of `attributes`, written `KEY: {at: ..., value: ...}`, and a status is an "
    "entry of `status` with `at`",
)
_OF = RenamedKey("enrich", "the span is a key of `enrich`: `current`, `parent` or `root`")
_BRIEF = RenamedKey("brief", "a description is in the file beside the spec, such as `shop_registry.yaml`")
_DESCRIBED = ("span", "event", "current_event", "log_record", "attribute", "span_attribute", "current_attribute")
_RULES = {
    "carried": RenamedKey("context"),
    "extract": RenamedKey("context", "it is an entry of `context`, with `during` instead of `around`"),
    "set": RenamedKey("inject", "it is an entry of `inject`, with the same keys"),
    "modules": RenamedKey("target", "`modules` is a key of `target`"),
    "taps": RenamedKey("extensions"),
    "writes": RenamedKey("inject", "trace context and other values are written by `inject`"),
    "closings": RenamedKey("owners", "the moment is in `owners: {NAME: {object: ..., closes: ...}}`"),
    "mirrors": RenamedKey("owners", "the class is in `owners: {NAME: {object: ..., sink: ...}}`"),
    "updates": _UPDATES,
    **dict.fromkeys(
        ("attributes", "attribute_groups", "events", "status"),
        RenamedKey("enrich", "it is a key of a span or, for spans that exist already, of `enrich: {current: {...}}`"),
    ),
    "loaders": RenamedKey("target", "`loaders` is a key of `target`"),
}
#: By the definition of the node and the old key.
RENAMED_KEYS: Mapping[tuple[str, str], RenamedKey] = {
    **{("spec", old): new for old, new in _RULES.items()},
    **{("release", old): new for old, new in _RULES.items()},
    ("spec", "vocabulary"): RenamedKey(
        "scope",
        "descriptions are in a file beside the spec, such as `shop_registry.yaml`, `link_kind` is a key of `scope`, "
        "and the type of a span is an attribute: `shop.span.type: {const: order}`",
    ),
    ("hook", "suppress"): RenamedKey("context", "it is an entry of `context`: `NAME: {during: HOOK, suppress: http}`"),
    ("context_entry", "around"): RenamedKey("during"),
    ("hook", "args"): RenamedKey("unpack"),
    ("hook", "calls"): RenamedKey("call", "`call` is a target, a list of targets or a mapping with patterns"),
    ("hook", "tap"): RenamedKey("extension"),
    ("extension", "plug"): RenamedKey("install"),
    ("span", "mirror"): RenamedKey("owner", "the class is in `owners: {NAME: {object: ..., sink: ...}}`"),
    ("span", "time"): RenamedKey("timestamps"),
    ("span", "aliases"): RenamedKey("key", "it is written `key: {value: ..., also: [...]}`"),
    ("span", "remember"): RenamedKey("key", "it is written `key: {value: ..., keep_ended: ...}`"),
    ("span", "limit"): RenamedKey("key", "it is written `key: {value: ..., max_open: ...}`"),
    ("span", "age"): RenamedKey("key", "it is written `key: {value: ..., max_age: ...}`"),
    ("start", "resumes"): RenamedKey("unless_open"),
    ("end", "keys"): RenamedKey("key", "it is written `key: {each: ...}`"),
    ("span", "lookup"): RenamedKey("key", "its keys are those of `key: {value: ...}`"),
    ("span", "logs"): RenamedKey("logs", "it is an entry of `logs` of the spec, with `of: {span: NAME}`"),
    **{
        (definition, "of"): _OF
        for definition in ("current_attribute", "current_attribute_group", "current_event", "current_status")
    },
    ("span", "constants"): RenamedKey("attributes", "a fixed value is an attribute: `shop.kind: {const: order}`"),
    ("span", "updates"): _UPDATES,
    ("span", "type"): RenamedKey("attributes", "it is an attribute: `shop.span.type: {const: order}`"),
    **{(definition, "brief"): _BRIEF for definition in _DESCRIBED},
    ("metric", "brief"): RenamedKey("description"),
}
