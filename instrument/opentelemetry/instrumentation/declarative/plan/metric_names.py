"""The names and units of metrics that OpenTelemetry accepts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z][-_./A-Za-z0-9]{0,254}")
_UNIT = re.compile(r"[\x00-\x7f]{0,63}")

NAME_RULE = "a metric name starts with a letter and has at most 255 ASCII letters, digits, and `_`, `.`, `-` or `/`"
UNIT_RULE = "a unit has at most 63 ASCII characters"

#: Symbols of units beyond ASCII, and their notation in UCUM.
_SYMBOLS: Mapping[str, str] = {
    "\N{MICRO SIGN}": "u",
    "\N{GREEK SMALL LETTER MU}": "u",
    "\N{DEGREE SIGN}C": "Cel",
    "\N{DEGREE SIGN}F": "[degF]",
    "\N{DEGREE SIGN}": "deg",
    "\N{GREEK CAPITAL LETTER OMEGA}": "Ohm",
    "\N{OHM SIGN}": "Ohm",
    "\N{EURO SIGN}": "{EUR}",
    "\N{POUND SIGN}": "{GBP}",
    "\N{YEN SIGN}": "{JPY}",
    "\N{PER MILLE SIGN}": "[ppth]",
    "\N{SUPERSCRIPT TWO}": "2",
    "\N{SUPERSCRIPT THREE}": "3",
    "\N{MIDDLE DOT}": ".",
}


#: Words for units, and their notation in UCUM.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "msecs", "milli", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("usec", "usecs", "micro", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("nsec", "nsecs", "nano", "nanos", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("minute", "minutes", "mins", "m"), "min"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("b", "byte", "bytes"), "By"),
    **dict.fromkeys(("kb", "kib", "kilobyte", "kilobytes"), "KiBy"),
    **dict.fromkeys(("mb", "mib", "megabyte", "megabytes"), "MiBy"),
    **dict.fromkeys(("gb", "gib", "gigabyte", "gigabytes"), "GiBy"),
    **dict.fromkeys(("percent", "percentage", "pct"), "%"),
}


def is_metric_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def is_unit(unit: str) -> bool:
    return _UNIT.fullmatch(unit) is not None


def suggested_name(name: str) -> str | None:
    """The closest name that is accepted; None if nothing of it is."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = re.sub(r"[^-_./A-Za-z0-9]+", "_", plain).strip("_.-/")
    words = re.sub(r"^[^A-Za-z]+", "", words)[:255]
    return words if is_metric_name(words) else None


def suggested_unit(unit: str) -> str | None:
    """The same unit in the notation of UCUM; None if it is not known."""
    if unit.lower() in _WORDS:
        return _WORDS[unit.lower()]
    for symbol, notation in _SYMBOLS.items():
        unit = unit.replace(symbol, notation)
    return unit if is_unit(unit) else None
