"""Read from a regular expression the words without which it cannot match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _constants as op  # type: ignore[attr-defined]  # no public parser of the syntax
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Cue = frozenset[str]  # expressions for pieces of text, of which one must be there

_BORDER = r"\b"
_BORDERS = (op.AT_BOUNDARY, op.AT_BEGINNING, op.AT_END)  # with multi-line ^ and $
_WORD = re.compile(r"\w", re.ASCII)
_BYTES_MIN = 3  # of a piece that may lie inside a word, and of a whole word with its borders
# What half of all texts of 2 KB in English hold, as a word or inside of one: looking for it costs
# more than it spares.
_COMMON = frozenset(
    (
        *("the", "of", "and", "to", "in", "with", "is", "that", "as", "an", "from", "are", "at"),
        *("which", "not", "also", "has", "have", "this", "first", "all", "were", "be", "but"),
        "here",
    )
)


def required(regex: str) -> tuple[Cue, ...]:
    """
    What every match of *regex* holds: of each cue at least one piece. Empty if nothing is certain.

    Order and distance are forgotten, so a text may hold all and still not match. Hyperscan
    compiles such pieces in milliseconds, a phrase with its gaps in seconds or not at all.
    """
    cues = _sequence(parser.parse(regex), before=False, after=False)
    return tuple(dict.fromkeys(cue for cue in cues if _tells(cue)))


def _sequence(items: Sequence[Any], *, before: bool, after: bool) -> list[Cue]:
    """
    The cues of parsed items in a row: neighbouring letters make a piece. *before* and *after* say
    whether a word certainly has a border there.
    """
    cues: list[Cue] = []
    run, border = "", before
    for at, (kind, value) in enumerate(items):
        if kind is op.LITERAL:
            run += chr(value)
            continue
        if run:
            cues.append(_piece(run, before=border, after=_opens(items[at:], after=after)))
            run, border = "", False
        cues += _item(kind, value, before=border, after=_opens(items[at + 1 :], after=after))
        border = _closes(kind, value, before=border)
    return [*cues, _piece(run, before=border, after=after)] if run else cues


def _item(kind: Any, value: Any, *, before: bool, after: bool) -> list[Cue]:
    """The cues of one parsed item."""
    if kind is op.SUBPATTERN:
        return _sequence(value[-1], before=before, after=after)
    if kind is op.BRANCH:
        choices = [_sequence(branch, before=before, after=after) for branch in value[1]]
        certain = [max(cues, key=_weight) for cues in choices if cues]
        return [frozenset().union(*certain)] if len(certain) == len(choices) else []
    if kind is op.MAX_REPEAT or kind is op.MIN_REPEAT:
        least, most, repeated = value
        once = most == 1
        return _sequence(repeated, before=before and once, after=after and once) if least else []
    return []


def _piece(run: str, *, before: bool, after: bool) -> Cue:
    """The cue of letters in a row: as a word of its own where its borders are certain."""
    first = _BORDER if before and _WORD.match(run[0]) else ""
    last = _BORDER if after and _WORD.match(run[-1]) else ""
    return frozenset({f"{first}{re.escape(run)}{last}"})


def _opens(items: Sequence[Any], *, after: bool) -> bool:
    """Whether a letter before *items* is certainly the last of a word."""
    for kind, value in items:
        if kind is op.LITERAL:
            return _WORD.match(chr(value)) is None
        if kind is op.AT:
            return value in _BORDERS
        if kind is op.SUBPATTERN:
            return _opens(value[-1], after=False)
        if kind is op.BRANCH:
            return all(_opens(branch, after=False) for branch in value[1])
        if kind is op.MAX_REPEAT or kind is op.MIN_REPEAT:
            if not (_is_space(value[-1]) or _opens(value[-1], after=False)):
                return False
            if value[0] > 0:
                return True
            continue
        return False
    return after


def _closes(kind: Any, value: Any, *, before: bool) -> bool:
    """Whether a letter behind this item is certainly the first of a word."""
    if kind is op.LITERAL:
        return _WORD.match(chr(value)) is None
    if kind is op.AT:
        return before or value in _BORDERS
    if kind is op.SUBPATTERN:
        return _closes_last(value[-1], before=before)
    if kind is op.BRANCH:
        return all(_closes_last(branch, before=before) for branch in value[1])
    if kind is op.MAX_REPEAT or kind is op.MIN_REPEAT:
        inner = _is_space(value[-1]) or _closes_last(value[-1], before=False)
        return inner and (value[0] > 0 or before)
    return False


def _closes_last(items: Sequence[Any], *, before: bool) -> bool:
    """Whether a letter behind *items* is certainly the first of a word."""
    for kind, value in items:
        before = _closes(kind, value, before=before)
    return before


def _is_space(items: Sequence[Any]) -> bool:
    """Whether *items* is one white space character of any kind."""
    return list(items) == [(op.IN, [(op.CATEGORY, op.CATEGORY_SPACE)])]


def _weight(cue: Cue) -> int:
    """
    How much *cue* tells: twice the bytes of its shortest piece, plus its borders; of a common word
    nothing.
    """
    words = {piece: piece.replace(_BORDER, "") for piece in cue}
    if not _COMMON.isdisjoint(words.values()):
        return 0
    return min(2 * len(word.encode()) + piece.count(_BORDER) for piece, word in words.items())


def _tells(cue: Cue) -> bool:
    """Whether *cue* is worth looking for: two letters are in every text, unless a whole word."""
    return _weight(cue) >= 2 * _BYTES_MIN
