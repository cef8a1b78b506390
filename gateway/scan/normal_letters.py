"""Undo what hides words of plain characters: digits for letters, and gaps between letters."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.scan.normal_words import WORDS, is_words, likeliest

_MEANS = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "+": "t",
    "€": "e",
}
_SWAPS = re.escape("".join(_MEANS))
_TOKEN = re.compile(
    rf"(?<![\w{_SWAPS}])(?=[A-Za-z]*[{_SWAPS}])[A-Za-z{_SWAPS}]{{2,24}}(?![A-Za-z{_SWAPS}_])"
)
_INSIDE = re.compile(rf"[A-Za-z][{_SWAPS}]+[A-Za-z]|^[{_SWAPS}][A-Za-z]{{3}}")
STRONG_LETTERS_MIN = 4  # "c6i" is a machine type before it is three letters
READINGS_MAX = 16  # of one word that are looked up
LEET_WORDS_MIN = 2  # known words among those disguised, from which on the rest is read so too
LEET_SHARE_MIN = 0.4  # of the disguised words that are known
NUMBER_DIGITS_MIN = 4  # "2030" is a year where "15" may be "is"
GUESSES_MAX = 2_000  # words of a text that are read without a look of their own

_GAPS = r" .\-_*|/·,~\n"
_ROW = re.compile(rf"(?<![^\W_])[A-Za-z](?![^\W_])(?:[{_GAPS}]{{1,5}}+[A-Za-z'](?![^\W_])){{4,}}+")
ROW_LETTERS_MAX = 8_000  # of all rows of a text that are joined
WORD_LETTERS_MAX = 14
UNKNOWN_COST = 3.0  # of a letter that no known word covers; a known word costs 1


class _Read(NamedTuple):
    """How a word with digits reads: *strong* if it looks hidden, *known* if it is listed."""

    strong: bool
    known: str | None


def without_leet(text: str) -> str:
    """
    *text*, as long as it was, with the digits and signs that stand for letters made letters.

    Only in words that are known ones then, or in all of them where many are.
    """
    tokens = list(_TOKEN.finditer(text))
    reads = {token: _read(token) for token in {m.group() for m in tokens}}
    words = {
        token: known
        for token, (strong, known) in reads.items()
        if strong and known is not None and len(known) >= STRONG_LETTERS_MIN
    }
    strong = sum(read.strong for read in reads.values())
    if len(words) >= LEET_WORDS_MIN and len(words) >= LEET_SHARE_MIN * strong:
        rest = [token for token in reads if token not in words]
        for token in rest[:GUESSES_MAX]:
            known = reads[token].known
            if not token.isdigit():
                words[token] = known or likeliest(tuple(_choices(token)))
            elif known and len(token) < NUMBER_DIGITS_MIN:
                words[token] = known
    if not words:
        return text
    letters = list(text)
    for found in tokens:
        for i, letter in enumerate(words.get(found.group(), ""), found.start()):
            if letters[i] in _MEANS:
                letters[i] = letter
    return "".join(letters)


def _read(token: str) -> _Read:
    words = map("".join, itertools.product(*_choices(token)))
    known = next((w for w in itertools.islice(words, READINGS_MAX) if w in WORDS), None)
    return _Read(bool(_INSIDE.search(token)), known)


def _choices(token: str) -> Iterator[str]:
    """What each character may stand for; an exclamation mark at the end ends a sentence."""
    for c in token.rstrip("!").lower():
        yield _MEANS.get(c, c)


def without_gaps(text: str) -> tuple[str, NDArray[np.int32]] | None:
    """
    *text* with letters that stand apart ("i g n o r e", "i-g-n-o-r-e") joined to words, and where
    each character came from, with the end; None where no row of letters makes words.
    """
    parts: list[str] = []
    at: list[NDArray[np.int32]] = []
    done, left = 0, ROW_LETTERS_MAX
    for row in _ROW.finditer(text):
        if left <= 0:
            break
        joined = _joined(row.group()[: 2 * left])
        left -= len(row.group()) // 2
        if joined is None:
            continue
        words, places = joined
        parts += (text[done : row.start()], words)
        at.append(np.arange(done, row.start(), dtype=np.int32))
        at.append(np.array(places, dtype=np.int32) + np.int32(row.start()))
        done = row.end()
    if not parts:
        return None
    parts.append(text[done:])
    at.append(np.arange(done, len(text) + 1, dtype=np.int32))
    return "".join(parts), np.concatenate(at)


def _joined(row: str) -> tuple[str, list[int]] | None:
    """The words of a row of letters, and the offset in it of each character."""
    places = [i for i, c in enumerate(row) if c.isalpha() or c == "'"]
    gaps = [row[a + 1 : b] for a, b in itertools.pairwise(places)]
    common = Counter(gaps).most_common(1)[0][0]
    ends = {k for k, gap in enumerate(gaps, 1) if gap != common}
    letters = "".join(row[i] for i in places)
    if not ends:
        ends = set(itertools.accumulate(map(len, _cut(letters))))
    ends.discard(len(letters))
    words, at = "", []
    for k, letter in enumerate(letters):
        if k in ends:
            words += " "
            at.append(places[k] - 1)
        words += letter
        at.append(places[k])
    if not is_words(words) or not any(len(w) > 2 and w in WORDS for w in words.lower().split()):
        return None
    return words, at


def _cut(letters: str) -> list[str]:
    """*letters* without spaces as the fewest known words."""
    low = letters.lower()
    cost = [0.0] + [float("inf")] * len(low)
    back = [0] * (len(low) + 1)
    for end in range(1, len(low) + 1):
        for start in range(max(0, end - WORD_LETTERS_MAX), end):
            step = 1.0 if low[start:end] in WORDS else UNKNOWN_COST * (end - start)
            if cost[start] + step < cost[end]:
                cost[end], back[end] = cost[start] + step, start
    words, end = [], len(low)
    while end:
        words.append(letters[back[end] : end])
        end = back[end]
    return words[::-1]
