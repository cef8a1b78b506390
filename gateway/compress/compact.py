"""
Shorten a text by leaving words out, those first that say least about what is asked.

Every word is worth what its sentence has in common with the ask, plus what kind of word it is and
how rare. The least worth are dropped until the rate is met or nothing but what must stay is left.
No word is changed or moved; the same text and ask always give the same result.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from gateway.compress.compact_pieces import ENDS, Pieces, Rank, Sentence, cut, terms_of
from gateway.signals.pasted import beside_paste

# Whole sentences keep more answers than whole words do: within one, grammar goes only a little
# sooner than content. Found on the answers of bench/compress.py.
WORTH = {Rank.FILLER: -0.2, Rank.FUNCTION: 0.0, Rank.CONTENT: 0.1}
SHORT_TERMS = 5  # a sentence with few terms is no better for having only common ones
LEAD = 0.2  # of the first sentence of a text with no ask; the last gets nothing

ASK_SHARE_MAX = 0.5  # of a text: what is longer is not an ask beside a text, but the text
BLOCK_CHARS_MAX = 250  # of a first or last block that may be an ask, though it does not look so
BLOCK_SHARE_MAX = 0.34  # of the text, likewise
ASK_TERMS_MAX = 400
_OPEN, _CLOSE = "([{", ")]}"


def compact(text: str, rate: float, ask: str = "") -> str:
    """
    *text* with about the share *rate* of its characters, 0 to 1.

    Numbers, names, negations, modals, quotations, code, addresses, headings, questions and orders
    stay whatever the rate, so the result may be longer than asked for. *ask* is what a text beside
    this one asks about it.
    """
    pieces = cut(text, _ask_in(text))
    asked = terms_of(ask) if ask else []
    for sentence in pieces.sentences:
        if sentence.asks:
            asked += sentence.terms
    values = _values(pieces, frozenset(asked[:ASK_TERMS_MAX]))
    return _render(pieces, _chosen(pieces, values, round(rate * len(text))))


def _ask_in(text: str) -> str:
    """What *text* asks, or its first and last block where they are short enough to be that."""
    ask = beside_paste(text)
    if len(ask) <= ASK_SHARE_MAX * len(text):
        return ask
    blocks = text.strip().split("\n\n")
    most = min(BLOCK_CHARS_MAX, BLOCK_SHARE_MAX * len(text))
    return "\n".join(block for block in (blocks[0], blocks[-1]) if len(block) <= most)


def _values(pieces: Pieces, asked: frozenset[str]) -> list[float]:
    """What each piece is worth; those outside sentences nothing."""
    values = [0.0] * len(pieces.texts)
    loose = [sentence for sentence in pieces.sentences if not sentence.asks]
    scores = _common(loose, asked) if asked else _central(loose)
    most = max(scores, default=0.0) or 1.0
    for sentence, score in zip(loose, scores, strict=True):
        for index in range(sentence.first, sentence.end):
            values[index] = score / most + WORTH.get(pieces.ranks[index], 0.0)
    return values


def _common(sentences: Sequence[Sentence], asked: frozenset[str]) -> list[float]:
    """What each sentence has in common with what is asked; a rare term counts more."""
    spread = Counter(term for sentence in sentences for term in set(sentence.terms))
    rare = {term: math.log(1 + len(sentences) / spread[term]) for term in asked if term in spread}
    return [sum(rare[term] for term in rare.keys() & set(s.terms)) for s in sentences]


def _central(sentences: Sequence[Sentence]) -> list[float]:
    """What each sentence has in common with the others, and how early it comes: 0 to 1."""
    spread = Counter(term for sentence in sentences for term in set(sentence.terms))
    means = [
        sum(map(spread.__getitem__, sentence.terms)) / (len(sentence.terms) + SHORT_TERMS)
        for sentence in sentences
    ]
    most = max(means, default=0.0) or 1.0
    return [
        (1 - LEAD) * mean / most + LEAD * (1 - row / len(means)) for row, mean in enumerate(means)
    ]


def _chosen(pieces: Pieces, values: Sequence[float], budget: int) -> list[bool]:
    """Which pieces stay when the text may have *budget* characters."""
    ranks, texts = pieces.ranks, pieces.texts
    keep = [rank >= Rank.KEPT for rank in ranks]
    left = budget - sum(len(text) for text, kept in zip(texts, keep, strict=True) if kept)
    loose = [index for index, kept in enumerate(keep) if not kept]
    loose.sort(key=values.__getitem__, reverse=True)
    for index in loose:
        left -= len(texts[index])
        if left < 0:
            break
        keep[index] = True
    return keep


def _render(pieces: Pieces, keep: Sequence[bool]) -> str:
    """The kept pieces as a text: no empty lines or brackets, sentences end with their sign."""
    out: list[str] = []
    held = ""  # an indentation, brackets of dropped words: written before the next word, if any
    filled = blank = False  # whether the line has words; whether the one before was empty
    for text, rank, kept in zip(pieces.texts, pieces.ranks, keep, strict=True):
        if rank is Rank.BREAK:
            if filled or not blank:
                out.append(text)
            blank, filled, held = not filled, False, ""
        elif not kept:
            held = _drop(text, out, held, filled=filled)
        elif text.isspace() and not filled:
            held += text
        else:
            out += (held, text)
            held, filled = "", True
    return "".join(out)


def _drop(text: str, out: list[str], held: str, *, filled: bool) -> str:
    """Leave *text* out, but not the signs on it that others need; what is *held* from now on."""
    bare = text.rstrip()
    if bare[:1] in _OPEN:
        held += bare[:1]
    for sign in bare[-2:]:
        if sign in _CLOSE:
            if held.strip():
                held = held[:-1]
            elif filled:
                out[-1] = out[-1].rstrip() + sign + " "
    if filled and bare[-1:] in ENDS and out[-1].rstrip()[-1:] not in ENDS:
        out[-1] = out[-1].rstrip(" \t,;:，、") + bare[-1:] + " "
    return held
