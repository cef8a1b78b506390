"""
Read the value of one control, from a header (always a string) or a JSON member.

Every reader raises ValueError with the end of the sentence "NAME must be ...".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

Value = str | bool | float | list[str] | dict[str, str]
Read = Callable[[Value], object]

TEXT_CHARS_MAX = 256  # longer than any model name; ends up in records and replies
PAIRS_MAX = 16  # as many as OpenAI allows in `metadata`
WORDS_MAX = 32  # more regions than any one provider has


def one_of(allowed: Mapping[str, object]) -> Read:
    """One of the names in *allowed*, in any case; read as what it maps to."""
    listed = "one of " + ", ".join(allowed)

    def read(value: Value) -> object:
        name = value.strip().lower() if isinstance(value, str) else ""
        if name not in allowed:
            raise ValueError(listed)
        return allowed[name]

    return read


def either(*names: str) -> Read:
    """One of *names*, in any case."""
    return one_of({name: name for name in names})


def switch(value: Value) -> bool:
    """``true`` or ``false``, also as JSON has them."""
    if isinstance(value, bool):
        return value
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in {"true", "false"}:
        raise ValueError("true or false")
    return name == "true"


def number(low: float, high: float) -> Read:
    """A finite number, *low* to *high*."""
    asked = (
        f"a number from {low:g} to {high:g}" if high < math.inf else f"a number, {low:g} or more"
    )

    def read(value: Value) -> float:
        if isinstance(value, bool):
            raise ValueError(asked)  # noqa: TRY004 - readers raise ValueError only
        try:
            found = float(value) if isinstance(value, str | float) else math.nan
        except ValueError:
            found = math.nan
        if not (low <= found <= high) or found == math.inf:
            raise ValueError(asked)
        return found

    return read


def seconds(most: int) -> Read:
    """A whole number of seconds, 0 to *most*."""
    within = number(0, most)

    def read(value: Value) -> int:
        found = within(value)
        if not isinstance(found, float) or not found.is_integer():
            raise ValueError(f"a whole number from 0 to {most}")
        return int(found)

    return read


def text(value: Value) -> str:
    """Words that only others read: 1 to TEXT_CHARS_MAX printable characters."""
    found = value.strip() if isinstance(value, str) else ""
    if not 0 < len(found) <= TEXT_CHARS_MAX or not found.isprintable():
        raise ValueError(f"1 to {TEXT_CHARS_MAX} printable characters")
    return found


def words(value: Value) -> tuple[str, ...]:
    """A comma-separated list, or a JSON array, in lower case and without empty entries."""
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list):
        raise ValueError("a comma-separated list")  # noqa: TRY004 - readers raise ValueError only
    found = tuple(text(entry).lower() for entry in entries if entry.strip())
    if not 0 < len(found) <= WORDS_MAX:
        raise ValueError(f"a list of 1 to {WORDS_MAX} names")
    return found


def pairs(value: Value) -> dict[str, str]:
    """``name=value, name=value``, or a JSON object of strings."""
    if isinstance(value, str):
        value = dict(_pair(entry) for entry in value.split(",") if entry.strip())
    if not isinstance(value, dict) or not 0 < len(value) <= PAIRS_MAX:
        raise ValueError(f"a list of 1 to {PAIRS_MAX} pairs name=value")
    return {text(name): text(said) for name, said in value.items()}


def _pair(entry: str) -> tuple[str, str]:
    """One ``name=value``; the value may hold further equals signs."""
    name, equals, value = entry.partition("=")
    if not equals:
        raise ValueError("a list of pairs name=value")
    return name.strip(), value.strip()
