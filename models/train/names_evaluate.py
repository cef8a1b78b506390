"""How often names are found: exactly, and at least in part."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from models.names import TYPES
from models.train.names_phrases import Labelled

Span = tuple[int, int, str]


class Counts(msgspec.Struct):
    """Names that are there, that are found, and that are right: exactly, and by overlap."""

    there: int = 0
    found: int = 0
    exact: int = 0
    there_met: int = 0
    found_met: int = 0

    def f1(self) -> float:
        """Of exact spans."""
        return 2 * self.exact / max(1, self.there + self.found)

    def overlap_f1(self) -> float:
        """Of spans that share a character with one of the same type."""
        precision = self.found_met / max(1, self.found)
        recall = self.there_met / max(1, self.there)
        return 2 * precision * recall / max(1e-9, precision + recall)

    def line(self) -> str:
        """All of it, for people."""
        return (
            f"F1 {self.f1():.3f} precision {self.exact / max(1, self.found):.3f}"
            f" recall {self.exact / max(1, self.there):.3f} overlap F1 {self.overlap_f1():.3f}"
            f" ({self.there} there, {self.found} found)"
        )


def count(pairs: Iterable[tuple[Labelled, list[Span]]]) -> dict[str, Counts]:
    """The counts by type, and of all types together under ``all``."""
    counts = {kind: Counts() for kind in (*TYPES, "all")}
    for labelled, found in pairs:
        for kind in TYPES:
            there = [span for span in labelled.spans if span[2] == kind]
            given = [span for span in found if span[2] == kind]
            for into in (counts[kind], counts["all"]):
                into.there += len(there)
                into.found += len(given)
                into.exact += len(set(there) & set(given))
                into.there_met += sum(any(meets(a, b) for b in given) for a in there)
                into.found_met += sum(any(meets(a, b) for b in there) for a in given)
    return counts


def meets(one: Span, other: Span) -> bool:
    """Whether two spans share a character."""
    return one[0] < other[1] and other[0] < one[1]


def report(counts: dict[str, Counts]) -> str:
    """A line for each type."""
    return "\n".join(f"{kind:13} {found.line()}" for kind, found in counts.items())
