"""Find asks for an output without end, or for one that nobody can read."""

from __future__ import annotations

import msgspec

from gateway.scan.patterns import RULES, PatternSet, read_patterns

# Their gaps of many words take hyperscan ten seconds to compile, and re2 some milliseconds; both
# read 2 KB in less than ten microseconds.
ENGINE = "re2"
FOLDER = RULES / "abuse"
ENDLESS, HUGE, CODE = "ENDLESS_OUTPUT", "HUGE_OUTPUT", "CODE"  # kinds of its patterns

# An ask among few words is the ask; among many it may be a quotation, or part of a story.
ALONE_CHARS, AMONG_CHARS = 600, 6_000
ALONE, AMONG = 75.0, 35.0
OF_A_PROGRAM = 0.4  # of that, where code is asked for: a loop may run for ever


class Asks(msgspec.Struct, frozen=True):
    """How sure it is that a text asks for an *endless* or a *huge* output, 0 to 100."""

    endless: float
    huge: float


NOTHING = Asks(0.0, 0.0)


class AskPatterns:
    """The patterns of asks, compiled once."""

    def __init__(self) -> None:
        patterns = read_patterns(FOLDER)
        self._asks = PatternSet([one for one in patterns if one.kind != CODE], ENGINE)
        self._code = PatternSet([one for one in patterns if one.kind == CODE], ENGINE)

    def read(self, text: str) -> Asks:
        """What *text* asks for."""
        matches = self._asks.scan(text)
        if not matches:
            return NOTHING
        kinds = {self._asks.patterns[match.pattern].kind for match in matches}
        sure = ALONE + (AMONG - ALONE) * ramp(len(text), ALONE_CHARS, AMONG_CHARS)
        if self._code.scan(text):
            sure *= OF_A_PROGRAM
        return Asks(sure if ENDLESS in kinds else 0.0, sure if HUGE in kinds else 0.0)


def ramp(value: float, low: float, high: float) -> float:
    """0 up to *low*, 1 from *high* on, a line between. *low* may be the greater one."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
