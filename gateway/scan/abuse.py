"""
Whether a request abuses the gateway, by itself or together with those before it. Looked for only
where the request or the operator wishes it. Nothing is kept of a text but two numbers.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.scan.abuse_asks import AskPatterns, ramp
from kernels.repetition import (
    ALIKE,
    COUNTS,
    LONGEST_RUN,
    REPEATED,
    RESULTS,
    SAME,
    SAME_LONG,
    SHINGLES,
    SPREAD_OF_INTERVALS,
    TOP_WORD,
    WORDS,
    compare_earlier,
    count_repeated,
    mark_text,
)

# The kinds, as LockLLM's clients name them, and what to do about each.
REPETITION, EXHAUSTION, FLOOD, BOT = "repetition", "resource_exhaustion", "flood", "bot_generated"
RECOMMENDATIONS = {
    EXHAUSTION: "Limit the output tokens of this request, or refuse it.",
    FLOOD: "Limit the request rate of this key, or answer repeated prompts from a cache.",
    BOT: "Check who uses this key: the same prompt comes at regular intervals.",
    REPETITION: "Limit the prompt length, or ask for the prompt without the repeated text.",
}
DETECTED_FROM = 50.0  # of a score, 0 to 100
NOTHING_TO_DO = ""

KEYS_MAX = 10_000  # whose requests are remembered, 2 KB each; those idle longest go first
EARLIER = 64  # requests of one key
SHORT_S, LONG_S = 60.0, 600.0  # seconds: of a flood; of a bot that takes its time

READ_CHARS = 65_536  # of a longer text, four parts of it at even distances
PARTS = 4

# From the first value on it counts, at the second it is certain. A retry or three is none, nor is
# the tenth of a prompt that somebody samples ten times.
COPIES = (5.0, 35.0)  # in SHORT_S
ALIKE_WEIGHT = 0.5  # of a copy in which words differ: a template with other words may be a batch
BOT_COPIES = (6.0, 18.0)  # in LONG_S
IRREGULAR, REGULAR = 0.35, 0.1  # standard deviation over mean of the intervals; chance comes to 1
REPEATED_SHARE = (0.85, 0.97)  # of the text, said before in it: logs and tables stay below
REPEATED_BYTES = (200.0, 800.0)  # of the text: a shorter one costs nothing
TOP_SHARE = (0.4, 0.8)  # of the words, the commonest: in prose below 0.1
TOP_WORDS = (50.0, 200.0)  # of the text
RUN_BYTES = (2_000.0, 20_000.0)  # without white space
RUN_WEIGHT = 40.0  # a blob may be data: alone never enough
OUTPUT_TOKENS = (16_000.0, 100_000.0)  # that are allowed, beside a tiny ask
OUTPUT_WEIGHT = 40.0  # many clients always allow the most
TINY_TOKENS = 64


class AbuseReport(msgspec.Struct, frozen=True):
    """
    *detected*: one of the kinds is likely. *confidence* is the score of the likeliest; *types* are
    the likely kinds, likeliest first. *scores* of all kinds, and the *indicators* that they are
    made of, are 0 to 100. *recommendation* is "" where nothing is detected.
    """

    detected: bool
    confidence: float
    types: tuple[str, ...]
    scores: dict[str, float]
    indicators: dict[str, float]
    recommendation: str


class Earlier:
    """The last requests of one key: a ring."""

    __slots__ = ("marks", "newest", "times")

    def __init__(self) -> None:
        self.times = np.full(EARLIER, -np.inf)
        self.marks = np.zeros((2, EARLIER), dtype=np.uint64)
        self.newest = EARLIER - 1

    def add(self, marks: NDArray[np.uint64], now_s: float) -> NDArray[np.float64]:
        """Note a request; returns how it compares, float64[RESULTS] of kernels.repetition."""
        self.newest = (self.newest + 1) % EARLIER
        self.times[self.newest] = now_s
        self.marks[:, self.newest] = marks
        results = np.empty(RESULTS)
        compare_earlier(self.times, self.marks, self.newest, SHORT_S, LONG_S, results)
        return results


class AbuseMonitor:
    """What the keys have asked lately. For one thread."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        """*keys_max*, at least 1: the memory is 2 KB times this."""
        self._keys_max = keys_max
        self._keys: dict[tuple[str, str], Earlier] = {}
        self._patterns = AskPatterns()

    def __len__(self) -> int:
        """Number of keys that are remembered."""
        return len(self._keys)

    def observe(
        self,
        key_id: str,
        project: str,
        text: str,
        tokens_in: int,
        *,
        max_tokens: int | None,
        now_s: float,
    ) -> AbuseReport:
        """
        Note a request and judge it. What other keys ask makes no difference.

        Args:
            key_id, project: who asks.
            text: what a human asks; may be empty.
            tokens_in: of the whole request, estimated.
            max_tokens: that the answer may have, None for no limit of the request.
            now_s: seconds of a clock that never goes back.
        """
        text = _excerpt(text)
        counts, marks = _read(text)
        compared = self._earlier(key_id, project).add(marks, now_s)
        asks = self._patterns.read(text)
        tiny = tokens_in <= TINY_TOKENS and max_tokens is not None
        indicators = {
            "repeated_text": _repeated_text(counts),
            "repeated_word": _repeated_word(counts),
            "long_token": RUN_WEIGHT * ramp(float(counts[LONGEST_RUN]), *RUN_BYTES),
            "endless_output": asks.endless,
            "huge_output": asks.huge,
            "output_limit": OUTPUT_WEIGHT * ramp(max_tokens or 0, *OUTPUT_TOKENS) if tiny else 0.0,
            "same_prompt": 100.0 * ramp(float(compared[SAME] - 1.0), *COPIES),
            "similar_prompt": 100.0
            * ramp(float(compared[SAME] - 1.0 + ALIKE_WEIGHT * compared[ALIKE]), *COPIES),
            "regular_interval": 100.0
            * ramp(float(compared[SAME_LONG]), *BOT_COPIES)
            * ramp(float(compared[SPREAD_OF_INTERVALS]), IRREGULAR, REGULAR),
        }
        return _report({name: round(score, 1) for name, score in indicators.items()})

    def _earlier(self, key_id: str, project: str) -> Earlier:
        """What is known of a key, from now on the most recent one."""
        key = (project, key_id)
        earlier = self._keys.pop(key, None)
        if earlier is None:
            earlier = Earlier()
            if len(self._keys) >= self._keys_max:
                del self._keys[next(iter(self._keys))]
        self._keys[key] = earlier
        return earlier


def _report(indicators: dict[str, float]) -> AbuseReport:
    """The kinds that the indicators speak for."""
    spent = ("endless_output", "huge_output", "output_limit", "long_token")
    scores = {
        REPETITION: max(indicators["repeated_text"], indicators["repeated_word"]),
        EXHAUSTION: _either(*(indicators[name] for name in spent)),
        FLOOD: max(indicators["same_prompt"], indicators["similar_prompt"]),
        BOT: indicators["regular_interval"],
    }
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    types = tuple(kind for kind in ranked if scores[kind] >= DETECTED_FROM)
    return AbuseReport(
        detected=bool(types),
        confidence=scores[ranked[0]],
        types=types,
        scores=scores,
        indicators=indicators,
        recommendation=RECOMMENDATIONS[types[0]] if types else NOTHING_TO_DO,
    )


def _either(*scores: float) -> float:
    """The score that one of several independent ones is right, 0 to 100."""
    none = 1.0
    for score in scores:
        none *= 1.0 - score / 100.0
    return round(100.0 * (1.0 - none), 1)


def _repeated_text(counts: NDArray[np.int64]) -> float:
    """Score of a text that goes on saying what it has said, 0 to 100."""
    size = float(counts[SHINGLES])
    share = float(counts[REPEATED]) / max(size, 1.0)
    return 100.0 * ramp(share, *REPEATED_SHARE) * ramp(size, *REPEATED_BYTES)


def _repeated_word(counts: NDArray[np.int64]) -> float:
    """Score of a text of one word in any order, 0 to 100."""
    words = float(counts[WORDS])
    share = float(counts[TOP_WORD]) / max(words, 1.0)
    return 100.0 * ramp(share, *TOP_SHARE) * ramp(words, *TOP_WORDS)


def _excerpt(text: str) -> str:
    """*text*, or PARTS of it, its beginning and its end among them, READ_CHARS in all."""
    if len(text) <= READ_CHARS:
        return text
    part = READ_CHARS // PARTS
    starts = [(len(text) - part) * place // (PARTS - 1) for place in range(PARTS)]
    return "\n".join(text[start : start + part] for start in starts)


def _read(text: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The counts and the marks of a text, see kernels.repetition."""
    utf8 = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    counts = np.empty(COUNTS, dtype=np.int64)
    marks = np.empty(2, dtype=np.uint64)
    cells = 1 << max(4, (utf8.size // 4).bit_length())  # sixteen bits for a byte or more
    count_repeated(utf8, np.zeros(cells, dtype=np.uint64), counts)
    mark_text(utf8, counts, marks)
    return counts, marks
