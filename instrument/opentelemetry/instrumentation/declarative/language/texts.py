"""The forms of text in a spec: names, expressions, targets and so on, each with its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.scalar_types import Flag, TextType
from opentelemetry.instrumentation.declarative.language.spellings import (
    snake_case,
    specifier_of,
    target_of,
    without_name,
)
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import PHASES

#: Other words for the moments of a call.
_OTHER_PHASES: Mapping[str, str] = {
    **dict.fromkeys(("before", "start", "begin", "call", "called", "entry", "pre", "on_enter", "open"), "enter"),
    **dict.fromkeys(("after", "end", "finally", "finish", "done", "close", "leave", "post", "on_exit"), "exit"),
    **dict.fromkeys(("error", "exception", "except", "failure", "fail", "throw", "on_error"), "raise"),
    **dict.fromkeys(("result", "success", "ok", "on_return"), "return"),
    **dict.fromkeys(("yield", "next", "chunk", "each", "items"), "item"),
}


def _moment_of(text: str) -> str | None:
    hook, _, phase = text.rpartition(".")
    intended = _OTHER_PHASES.get(phase.lower()) or closest(phase, PHASES)
    return f"{hook}.{intended}" if hook and intended else None


def _moment_help(text: str) -> str | None:
    """Help for the name of a hook without a moment, and for a callable in place of a hook."""
    if ":" in text:
        target = text.rpartition(".")[0] if text.rpartition(".")[2] in PHASES else text
        return f"add hooks: {{NAME: {{call: {target}}}}}, and write NAME with a moment, as in NAME.enter"
    if (phase := text if text in PHASES else _OTHER_PHASES.get(text.lower())) is not None:
        return f"add hooks: {{NAME: {{call: TARGET}}}}, write around: NAME, and here NAME.{phase}"
    moments = ", ".join(f"{text}.{phase}" for phase in PHASES)
    return f"write a moment of the hook: {moments}" if text.isidentifier() else None


def _dotted_name(text: str) -> str | None:
    """A name with dots, each part of which is in lower case."""
    return ".".join(snake_case(part) or "" for part in text.split("."))


def _name_and_version(text: str) -> str | None:
    """Help for a range of releases in place of the name of a release."""
    specifier = specifier_of(text)
    is_range = re.fullmatch(r"[<>=!~^\d. xX*,]+", text) and specifier and VERSION_SPECIFIER.matches(specifier)
    return f'write a name, and the releases inside: {{NAME: {{version: "{specifier}"}}}}' if is_range else None


def _module_of(text: str) -> str | None:
    return text.partition(":")[0] if ":" in text else snake_case(text)


def _calls_of(text: str) -> str | None:
    hook, _, phase = text.rpartition(".")
    return hook if phase in PHASES else target_of(text)


NAME = TextType(
    About(
        "name",
        "The name of an entry of the spec, by which other rules and other specs refer to it. It consists of lower-case "
        "letters, digits and underscores.",
        ("checkout", "order_event"),
    ),
    definition="name",
    pattern=r"^[a-z][a-z0-9_]*$",
    suggest=snake_case,
    otherwise=_name_and_version,
)
#: Calls: a hook by its name, a callable, or a pattern.
CALLS = TextType(
    pattern="^([a-z][a-z0-9_]*|[A-Za-z_]\\w*(\\.[\\w*]+)*:[\\w*]+(\\.(<locals>\\.)?[\\w*]+)*)$",
    suggest=_calls_of,
    otherwise=without_name,
    structured="add a hook with `call: {include: [...]}`, and write its name here",
)
#: The name of an owner. The object itself in its place is a common mistake.
OWNER_NAME = TextType(
    NAME.about,
    definition="name",
    pattern=NAME.pattern,
    otherwise=lambda text: f"write owners: {{NAME: {{object: {text}}}}}, and use that name",
)
EVENT_NAME = TextType(
    About(
        "event name",
        "The key of an event. It consists of lower-case letters, digits and underscores, and of dots if the recorded "
        "name has dots.",
        ("payment_failed", "gen_ai.choice"),
    ),
    definition="event_name",
    pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$",
    decoded=DocumentNode.string,
    suggest=_dotted_name,
)
LINK_KIND = TextType(
    About(
        "link kind",
        "How the two spans of a link are related. It is recorded under the attribute key for link kinds, and consists "
        "of lower-case letters, digits, underscores and dots.",
        ("ordered_by", "triggered_by"),
    ),
    definition="link_kind",
    pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$",
    decoded=DocumentNode.string,
    suggest=_dotted_name,
)
IDENTIFIER = TextType(
    About(
        "Python name",
        "The name of a parameter, a method or a value. It is a Python identifier.",
        ("order_id", "on_order"),
    ),
    definition="identifier",
    pattern=r"^[A-Za-z_]\w*$",
    suggest=snake_case,
)
ATTRIBUTE_KEY = TextType(
    About(
        "attribute key",
        "The key under which an attribute is recorded. By convention it is in lower case, with dots; it has no spaces.",
        ("shop.total", "gen_ai.request.model"),
    ),
    definition="attribute_key",
    pattern=r"^\S+$",
    suggest=snake_case,
)
TARGET = TextType(
    About(
        "target",
        "A callable or class of the library, as `module:name` or `module:Class.method`.",
        ("shop.cart:Cart.checkout", "shop.cart:total"),
    ),
    definition="target",
    pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
    decoded=DocumentNode.target,
    suggest=target_of,
    editor=(("patternErrorMessage", "A callable is written as module:name or module:Class.method."),),
)
MOMENT = TextType(
    About(
        "moment",
        "A moment of a call: the name of a hook, a dot, and `enter`, `item`, `return`, `raise` or `exit`. `item` is "
        "each item of a result that gives several, and `exit` is the end of the call, whether it returns or raises.",
        ("pay.enter", "pay.exit"),
    ),
    definition="moment",
    pattern=rf"^[a-z][a-z0-9_]*\.({'|'.join(PHASES)})$",
    decoded=DocumentNode.moment,
    suggest=_moment_of,
    otherwise=_moment_help,
    editor=(
        ("patternErrorMessage", "A moment is the name of a hook, a dot, and enter, item, return, raise or exit."),
        (
            "defaultSnippets",
            [
                {"label": "HOOK.enter", "description": "before the call", "body": "${1:hook}.enter"},
                {"label": "HOOK.item", "description": "for each item of the result", "body": "${1:hook}.item"},
                {"label": "HOOK.return", "description": "when the call returns", "body": "${1:hook}.return"},
                {"label": "HOOK.raise", "description": "when the call raises an exception", "body": "${1:hook}.raise"},
                {
                    "label": "HOOK.exit",
                    "description": "when the call returns or raises an exception",
                    "body": "${1:hook}.exit",
                },
            ],
        ),
    ),
)
EXPRESSION = TextType(
    About(
        "expression",
        "An expression in a subset of Python. It can use the parameters of the callable, the names that the hook "
        "defines and, once they exist, `result` and `error`.",
        ("order.id", "len(self.lines)", "result.total if result else None"),
    ),
    definition="expression",
    min_length=1,
)
TEMPLATE = TextType(
    About(
        "template",
        "Text with expressions in braces. An expression without a value is replaced by nothing.",
        ("checkout {self.customer.tier}", "record"),
    ),
    definition="template",
    min_length=1,
)
FIELD = TextType(
    About(
        "field",
        "A field that is written: an attribute or an item, in Python's syntax.",
        ("order.traceparent", 'message.headers["traceparent"]'),
    ),
    definition="field",
    min_length=1,
)
#: An attribute key that is decoded to a string.
ATTRIBUTE_KEY_STRING = replace(ATTRIBUTE_KEY, decoded=DocumentNode.string)
MODULE_NAME = TextType(
    About("module name", "The name of a module, with its packages.", ("shop",)),
    pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
    decoded=DocumentNode.string,
    suggest=_module_of,
)
VERSION_SPECIFIER = TextType(
    About("version specifier", "Releases of a distribution, as a PEP 440 version specifier.", (">=1.2,<2",)),
    pattern=r"^\s*(===|~=|==|!=|<=|>=|<|>)\s*[^\s,;=][^\s,;]*\s*(,\s*(===|~=|==|!=|<=|>=|<|>)\s*[^\s,;=][^\s,;]*\s*)*$",
    decoded=DocumentNode.string,
    suggest=specifier_of,
)
#: Text that is not evaluated, such as a description.
PLAIN_TEXT = TextType(
    About("text", "Text that is recorded as it is.", ("A note from the customer.",)),
    min_length=1,
    decoded=DocumentNode.string,
    is_named=False,
)

FLAG = Flag()
