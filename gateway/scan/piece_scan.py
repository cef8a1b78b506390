"""What speaks for an attack in one text: patterns, and what the guard thinks of each window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from gateway.core.findings import ATTACKS, Finding, Severity
from gateway.scan.normal import Form, forms_of
from gateway.scan.patterns import Match, PatternSet
from models.guard import Guard
from models.judge import is_doubtful

# What a pattern adds to the logit of its kind: beside a critical one a model's doubt is of no
# account, and a low one is a cue that innocent texts hold too.
EVIDENCE = {Severity.CRITICAL: 7.0, Severity.HIGH: 3.0, Severity.MEDIUM: 0.8, Severity.LOW: 0.0}
NONE = (0.0,) * len(ATTACKS)
# "Output JSON only.": short orders are what prompts are made of, and no model can tell which of
# them are somebody else's. Of so short a text only patterns are believed.
ORDER_BYTES_MIN = 24
CALM = (-6.0,) * len(ATTACKS)
UNREAD = (-2.0,) * len(ATTACKS)  # logits beside a pattern where nothing else is known of the text

Permits = Callable[[Finding, str], bool]


class Window(msgspec.Struct, frozen=True):
    """
    A stretch of a text in one form of it. *guard* are the logits of ATTACKS, *evidence* what the
    patterns in it add to them. *doubtful*: the encoder should read it.
    """

    text: str
    guard: tuple[float, ...]
    evidence: tuple[float, ...]
    doubtful: bool

    @property
    def suspicion(self) -> float:
        """By which the windows queue for the encoder: the likeliest kind's logit."""
        return max(map(sum, zip(self.guard, self.evidence, strict=True)))


class Found(msgspec.Struct, frozen=True):
    """Matches in one form of a text."""

    form: Form
    matches: list[Match]


class PieceScanner:
    """Immutable, one per process: patterns and guard."""

    def __init__(self, patterns: PatternSet, guard: Guard | None) -> None:
        self._set = patterns
        self._guard = guard

    def matches(self, text: str, permits: Permits) -> list[Found]:
        """
        Every form of *text* and the patterns in it, but for what the operator permits; the text as
        it was sent comes first.
        """
        found = []
        for form in forms_of(text):
            matches = self._set.scan(form.text)
            kept = [one for one in matches if not permits(self._finding(form, one), text)]
            found.append(Found(form, kept))
        return found

    def _finding(self, form: Form, match: Match) -> Finding:
        return self._set.finding(Match(match.pattern, *form.span(match.start, match.end)))

    def findings(self, found: Sequence[Found]) -> tuple[Finding, ...]:
        """The patterns of attacks, in offsets of the text as sent; each pattern and span once."""
        kept: dict[tuple[str, int, int], Finding] = {}
        for one in found:
            for match in one.matches:
                finding = self._finding(one.form, match)
                if finding.kind in ATTACKS:
                    kept.setdefault((finding.id, finding.start, finding.end), finding)
        return tuple(kept.values())

    def windows(self, found: Sequence[Found], most: int, *, chunk: bool) -> Iterator[Window]:
        """
        The windows of all forms, *most* at most, but one of each form at least; one, which shows
        both ends of a long text, unless *chunk*. Patterns that no window shows, or without a guard,
        count by themselves: then one more, without a text.
        """
        guard = self._guard
        for one in found:
            text = one.form.text
            spans: list[tuple[int, int]] = []
            if guard is not None:
                spans = guard.windows(text, max(1, most)) if chunk else [(0, len(text))]
                most -= len(spans)
                yield from self._read(guard, one, spans)
            unread = [
                match
                for match in one.matches
                if not any(match.start < end and match.end > start for start, end in spans)
            ]
            if (evidence := self._evidence(unread)) != NONE:
                yield Window("", UNREAD, evidence, doubtful=False)

    def _read(
        self, guard: Guard, found: Found, spans: Sequence[tuple[int, int]]
    ) -> Iterator[Window]:
        """What the guard thinks of each span of a form."""
        text = found.form.text
        for start, end in spans:
            words = text if (start, end) == (0, len(text)) else text[start:end]
            shown = [one for one in found.matches if one.start < end and one.end > start]
            evidence = self._evidence(shown)
            if evidence == NONE and is_short(words):
                yield Window(words, CALM, evidence, doubtful=False)
                continue
            logits = tuple(guard.logits(words).tolist())
            doubtful = evidence != NONE or is_doubtful(guard, logits)
            yield Window(words, logits, evidence, doubtful)

    def _evidence(self, matches: Sequence[Match]) -> tuple[float, ...]:
        """What patterns add to the logits; of a kind the worst counts."""
        if not matches:
            return NONE
        added = dict.fromkeys(ATTACKS, 0.0)
        for match in matches:
            pattern = self._set.patterns[match.pattern]
            if pattern.kind in added:
                added[pattern.kind] = max(added[pattern.kind], EVIDENCE[pattern.severity])
        return tuple(added.values())


def is_short(text: str) -> bool:
    """Whether only patterns are believed of *text*: it has less than ORDER_BYTES_MIN bytes."""
    return len(text) < ORDER_BYTES_MIN and len(text.encode(errors="replace")) < ORDER_BYTES_MIN
