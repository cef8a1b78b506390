"""What stands in a request instead of the values that were taken out of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

SHORT_NAMES = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "US_SSN": "SSN",
    "STREET_ADDRESS": "ADDRESS",
    "DATE_OF_BIRTH": "BIRTH_DATE",
}
FOLDED = frozenset({"EMAIL_ADDRESS"})  # types whose values mean the same in any case

PLACEHOLDER = re.compile(r"<([A-Z0-9_]+_[1-9][0-9]*)>")
_FOREIGN = re.compile(r"[^A-Z0-9]+")


class Placeholders:
    """
    The values of one request and their placeholders, ``<EMAIL_1>``. Grows while a request is
    redacted; never written anywhere, and its ``repr`` holds no value.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """*taken*: placeholders that the request holds already, which nothing may become."""
        self._taken = frozenset(taken)
        self._known: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._last: Counter[str] = Counter()

    def of(self, kind: str, value: str) -> str:
        """
        The placeholder of *value*, a finding of the type *kind*: always the same for the same
        value of a type. White space around it does not count, nor does case in an e-mail address;
        what is put back later is the value as it was first seen.
        """
        value = value.strip()
        key = (kind, value.casefold() if kind in FOLDED else value)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._next(name_of(kind))
            self._values[known] = value
        return known

    def value(self, placeholder: str) -> str | None:
        """What *placeholder* stands for; None when it is not one of ours."""
        return self._values.get(placeholder)

    def names(self) -> list[str]:
        """The placeholders without their brackets, sorted."""
        return sorted(placeholder[1:-1] for placeholder in self._values)

    def __len__(self) -> int:
        """How many values were taken out."""
        return len(self._values)

    def __repr__(self) -> str:
        """How many of each type, as in ``Placeholders(EMAIL: 2)``."""
        counts = Counter(placeholder[1:].rpartition("_")[0] for placeholder in self._values)
        return f"Placeholders({', '.join(f'{name}: {n}' for name, n in sorted(counts.items()))})"

    def _next(self, name: str) -> str:
        while True:
            self._last[name] += 1
            placeholder = f"<{name}_{self._last[name]}>"
            if placeholder not in self._taken:
                return placeholder


def name_of(kind: str) -> str:
    """What placeholders of the type *kind* are called: ``EMAIL``, else the type in capitals."""
    return SHORT_NAMES.get(kind) or _FOREIGN.sub("_", kind.upper()).strip("_") or "VALUE"
