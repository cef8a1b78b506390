"""Personal data and secrets in one text: what patterns and checksums show, and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from gateway.core.findings import Finding, Severity
from gateway.scan.patterns import MATCHES_MAX, Match, PatternSet
from gateway.scan.personal import Recognisers, without_overlaps
from gateway.scan.piece_scan import Permits
from models.names import Names

NAMES_FROM = 0.5  # probability
IMPERSONAL = frozenset({"LOCATION", "ORGANIZATION"})  # a country, a company: by itself nobody's

# Names are read in no longer text, and no pattern matches as often in it as matches are kept.
PIECE_CHARS = 4_096
OVERLAP_CHARS = 512  # longer than an address, a name, a number or a key in one line
SEEK_CHARS = 256  # how far before a cut a blank is looked for


class PersonalData:
    """Immutable, one per process. *names*: None where its artefact is missing."""

    def __init__(self, patterns: PatternSet, names: Names | None) -> None:
        self._set = patterns
        self._recognisers = Recognisers(patterns.patterns)
        self._names = names

    def matches(self, text: str, permits: Permits) -> list[Match]:
        """What the patterns match in *text*, but for what the operator permits."""
        found = self._set.scan(text)
        return [one for one in found if not permits(self._set.finding(one), text)]

    def find(self, text: str, matches: Sequence[Match]) -> tuple[Finding, ...]:
        """
        All findings in *text*, sorted and not overlapping; *matches* are what the pattern set found
        in it. A long text is read in pieces that overlap where a part has limits: neither these nor
        a cut leave anything out.
        """
        if len(text) <= PIECE_CHARS:
            return self._find(text, matches)
        more = crowded(matches)
        found = self._recognisers.findings(text, matches)
        found += [
            msgspec.structs.replace(one, start=one.start + start, end=one.end + start)
            for start, piece in pieces_of(text)
            for one in self._find(piece, self._set.scan(piece) if more else ())
        ]
        return tuple(without_overlaps(found))

    def _find(self, text: str, matches: Sequence[Match]) -> tuple[Finding, ...]:
        """Where a name and a pattern overlap, the pattern knows better."""
        found = self._recognisers.findings(text, matches)
        if self._names is None:
            return tuple(found)
        named = [
            Finding(kind, self._names.version, Severity.MEDIUM, start, end, score)
            for start, end, kind, score in self._names.spans(text)
            if score >= NAMES_FROM and not any(one.start < end and start < one.end for one in found)
        ]
        return tuple(sorted([*found, *named], key=lambda one: one.start))


def tells_of_someone(findings: Sequence[Finding]) -> bool:
    """Whether any of *findings* is more than the name of a place or of an organisation."""
    return any(one.kind not in IMPERSONAL for one in findings)


def crowded(matches: Sequence[Match]) -> bool:
    """Whether a pattern has as many *matches* as are kept, so that some may be missing."""
    if len(matches) < MATCHES_MAX:
        return False
    return max(Counter(match.pattern for match in matches).values()) >= MATCHES_MAX


def pieces_of(text: str) -> Iterator[tuple[int, str]]:
    """
    Where each piece begins, and the piece. Each shares OVERLAP_CHARS or a little more with the one
    before it, and begins behind a line or a word where there is one.
    """
    start = 0
    while len(text) - start > PIECE_CHARS:
        yield start, text[start : start + PIECE_CHARS]
        after = start + PIECE_CHARS - OVERLAP_CHARS
        cut = text.rfind("\n", after - SEEK_CHARS, after)
        if cut < 0:
            cut = text.rfind(" ", after - SEEK_CHARS, after)
        start = cut + 1 if cut >= 0 else after
    yield start, text[start:]
