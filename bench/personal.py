"""Precision, recall and F1 of personal data on labelled texts, and the CPU time per 2 KB."""

from __future__ import annotations

import argparse
import gzip
import statistics
import time
from collections import Counter
from pathlib import Path

import msgspec

from gateway.core.findings import Finding
from gateway.scan.patterns import PatternSet, read_patterns
from gateway.scan.personal import PERSONAL, SECRETS, Recognisers

FOLDER = Path("../shared/data/pii")
TYPES = frozenset((*PERSONAL, *SECRETS))
CHECKED = ("CREDIT_CARD", "IBAN", "NATIONAL_ID")  # types with check digits
# Other taxonomies: a date of birth is a DATE_TIME to the publisher of dev, and a date no person's.
ELSEWHERE = {"DATE_OF_BIRTH": "DATE_TIME"}
ROUNDS = 200
PLAIN = "The committee met on Tuesday to talk about the budget and the new library building. "


class Span(msgspec.Struct, frozen=True):
    """A labelled span."""

    start: int
    end: int
    type: str


class Row(msgspec.Struct, frozen=True):
    """A labelled text."""

    text: str
    spans: tuple[Span, ...]
    source: str = ""


class Tally:
    """Hits, misses and false alarms by type."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.exact: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.false: Counter[str] = Counter()
        self.elsewhere: Counter[str] = Counter()
        self.shown: list[str] = []

    def add(self, row: Row, findings: list[Finding]) -> None:
        """Compare one text's findings with its labels: of one type, and overlapping."""
        left = list(findings)
        for span in row.spans:
            if span.type not in TYPES:
                continue
            same = [one for one in left if one.kind == span.type and overlap(one, span)]
            if not same:
                self.missed[span.type] += 1
                self.show("miss ", span.type, row.text, span.start, span.end)
                continue
            left.remove(same[0])
            self.hits[span.type] += 1
            exact = (same[0].start, same[0].end) == (span.start, span.end)
            self.exact[span.type] += exact
            if not exact:
                self.show("inexact", span.type, row.text, same[0].start, same[0].end)
        for one in left:
            other = ELSEWHERE.get(one.kind)
            if any(span.type == other and overlap(one, span) for span in row.spans):
                self.elsewhere[one.kind] += 1
            else:
                self.false[one.kind] += 1
                self.show("false", f"{one.kind} {one.id}", row.text, one.start, one.end)

    def show(self, what: str, kind: str, text: str, start: int, end: int) -> None:
        """Keep an example with what stands around it."""
        lead, tail = text[max(0, start - 50) : start], text[end : end + 20]
        self.shown.append(f"{what} {kind}: {lead!r} [{text[start:end][:60]!r}] {tail!r}")

    def line(self, name: str, kinds: tuple[str, ...]) -> str:
        """A row of the table over *kinds*."""
        hits, missed, false, exact, elsewhere = (
            sum(counts[kind] for kind in kinds)
            for counts in (self.hits, self.missed, self.false, self.exact, self.elsewhere)
        )
        precision = hits / (hits + false) if hits + false else 1.0
        recall = hits / (hits + missed) if hits + missed else 1.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return (
            f"{name:22}{hits + missed:6}{precision:10.3f}{recall:8.3f}{f1:8.3f}"
            f"{exact / hits if hits else 1.0:8.3f}{elsewhere:10}"
        )


def overlap(one: Finding, span: Span) -> bool:
    """Whether a finding and a label share a character."""
    return one.start < span.end and span.start < one.end


def measure(name: str, patterns: PatternSet, examples: int) -> None:
    """Print the table of one file of the pack."""
    lines = gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).splitlines()
    rows = [msgspec.json.decode(line, type=Row) for line in lines]
    asked = {span.type for row in rows for span in row.spans} & {"URL"}
    recognisers, tally = Recognisers(patterns.patterns, asked), Tally()
    for row in rows:
        tally.add(row, recognisers.findings(row.text, patterns.scan(row.text)))
    print(f"\n{name}: {len(rows)} texts")
    print(
        f"{'type':22}{'spans':>6}{'precision':>10}{'recall':>8}{'F1':>8}{'exact':>8}{'elsewhere':>10}"
    )
    counts = (tally.hits, tally.missed, tally.false, tally.elsewhere)
    kinds = tuple(kind for kind in (*PERSONAL, *SECRETS) if any(n[kind] for n in counts))
    for kind in kinds:
        print(tally.line(kind, (kind,)))
    print(tally.line("all", kinds))
    print(tally.line("with check digits", CHECKED))
    print(tally.line("secrets", SECRETS))
    for shown in tally.shown[:examples]:
        print("  ", shown)


def timing(patterns: PatternSet) -> None:
    """Print the microseconds that scanning and validating 2 KB take, median of ROUNDS."""
    recognisers = Recognisers(patterns.patterns)
    few = (PLAIN * 26)[:1900] + " Write to ann@example.org or +44 20 7946 0182, 3 of 12."
    many = "Card 4242 4242 8778 9327, SSN 987-65-4321, born 22 Aug 1979, password = Oak7Leaf. " * 24
    for name, text in (("nothing", PLAIN * 25), ("two", few), ("about 100", many)):
        scans, checks = [], []
        for _ in range(ROUNDS):
            begun = time.thread_time()
            matches = patterns.scan(text)
            scanned = time.thread_time()
            found = recognisers.findings(text, matches)
            checks.append(time.thread_time() - scanned)
            scans.append(scanned - begun)
        print(
            f"{name} in {len(text)} characters: scan {1e6 * statistics.median(scans):.0f} µs,"
            f" validation {1e6 * statistics.median(checks):.0f} µs, {len(found)} findings"
        )


def main() -> None:
    """Measure both files of the pack, then the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=0, help="misses and misfires to print")
    examples = parser.parse_args().examples
    patterns = PatternSet([one for one in read_patterns() if one.kind in TYPES])
    for name in ("dev", "authored"):
        measure(name, patterns, examples)
    timing(patterns)


if __name__ == "__main__":
    main()
