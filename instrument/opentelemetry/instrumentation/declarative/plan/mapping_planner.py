"""Plans attributes that stand for the entries of a mapping, such as headers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import quoted
from opentelemetry.instrumentation.declarative.expressions import MAPPING_ENTRIES, Expression, HelperCall
from opentelemetry.instrumentation.declarative.expressions.mapping_entries import named_pattern
from opentelemetry.instrumentation.declarative.expressions.patterns import PatternError
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ANY_NAME, Attribute
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.plan.expression_reader import ExpressionReader

#: A pattern for file names: as a regular expression it is valid, and matches something else.
_SHELL_PATTERN = re.compile(r"[\w-]*\*")


def entries_of_mapping(attribute: Attribute, value: Expression, reader: ExpressionReader) -> Expression | None:
    """The expression for the recorded entries of a mapping; None if none are, or the attribute is not valid."""
    if not _is_valid(attribute, reader):
        return None
    only = _patterns(attribute.only or (), reader, whole=True)
    redact = _patterns(attribute.redact, reader, whole=False)
    if not only and not reader.for_check:
        return None
    options = (attribute.name.removesuffix(ANY_NAME), "\n".join(only), "\n".join(redact), attribute.case)
    constants = map(ast.Constant, (*options, attribute.as_list))
    return replace(value, tree=HelperCall.of(MAPPING_ENTRIES, value.tree, *constants))


def _is_valid(attribute: Attribute, reader: ExpressionReader) -> bool:
    name = attribute.name
    if not attribute.is_mapping:
        message = f'the attribute "{name}" selects entries of a mapping with `only`, but has one key'
        help = f'did you mean "{name}.{ANY_NAME}"? The name of each entry takes the place of the `*`'
    elif attribute.const is not None:
        message = f'the attribute "{name}" stands for the entries of a mapping, which a fixed value is not'
        help = "write the mapping under `value`, or a key without `*`"
    elif attribute.only is not None:
        return True
    else:
        message = f'the attribute "{name}" stands for the entries of a mapping, and does not say which are recorded'
        help = 'add only: with patterns for their names, such as only: [content-type, "x-request-.*"]'
        reader.problem(attribute.mark, "missing-key", message, help, subject=name)
        return False
    reader.problem(attribute.mark, "wrong-value", message, help, subject=name)
    return False


def _patterns(texts: Iterable[Text], reader: ExpressionReader, *, whole: bool) -> list[str]:
    """The patterns in texts, which have commas between them. One that is not valid is reported and left out."""
    found = []
    for text in texts:
        for pattern in filter(None, map(str.strip, text.value.split(","))):
            is_from_variable = bool(text.mark.references)
            suggestion = None
            try:
                if _SHELL_PATTERN.fullmatch(pattern) and not is_from_variable:
                    suggestion = f"{pattern.removesuffix('*')}.*"
                    raise PatternError("`*` repeats the character before it", f"did you mean {quoted(suggestion)}?")
                named_pattern(pattern, whole=whole)
                found.append(pattern)
            except PatternError as error:
                shown = text.mark.references if is_from_variable else quoted(pattern)
                reader.problem(
                    text.mark,
                    "bad-pattern",
                    f"the regular expression {shown} cannot be used: {error}",
                    error.help,
                    suggestion=suggestion,
                    is_local=is_from_variable,
                )
    return found
