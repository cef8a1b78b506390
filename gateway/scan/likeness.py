"""
How like two sentences are, by the words and parts of words that they share. Words of every
language will do, but a synonym is another word: the encoder's vectors know better, where there
are any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from kernels.hashing import KINDS, hash_text
from kernels.likeness import fold_features

DIMENSIONS = 512
FEATURE_BITS = 17  # of the features before they are folded
WORDS_MAX = 40  # of one window
WHOLE_CHARS_MAX = 240  # about as many words: a sentence that is not cut
WORD_CHARS_MAX = 24  # of one "word": what has no spaces is cut anyway
WINDOW_CHARS_MIN = 16  # "Hi. Thanks." are read together with what follows
TEXT_CHARS_MAX = WORDS_MAX * (WORD_CHARS_MAX + 1)  # of a text that is embedded as one
_FEATURES_MAX = 3 * 4 * TEXT_CHARS_MAX + 16  # a character has at most four bytes

# Function words and the frame of an ask say little about what is asked.
COMMON_IMPORTANCE = 0.15
_COMMON = """
a about all also am an and any are as at be because been being but by can can't could did do does
doing don't down each for from get give go had has have he help her here him his how i if in into is
it its just know let like make may me might more most much must my need no not of on one only or
other our out over please should show so some such tell than that the their them then there these
they thing this those to too up us use used using very want was way we were what when where which
while who why will with without would write you your explain describe someone something
answer answers detail details detailed example examples following information instruction
instructions list previous prompt question questions step steps text
der die das ein eine einen dem den des und oder ist sind wie was kann ich du mir mein für mit von zu
auf im in nicht bitte wenn man es sie wir
le la les un une des du de et ou est sont comment que qui je tu moi mon ma mes pour avec dans pas
sur puis peux s'il vous plaît ce cette
el los las una unos y o es son cómo como qué por para con en no mi me puedo quiero favor se lo
il lo gli e per che non di da come posso mio si è
os as um uma em do da para com não como posso meu minha por favor
de het een en of is hoe kan ik mij mijn voor met van te op niet
и в на с не что как я мне мой для это по к или
"""
_SENTENCE_END = re.compile(r"[.!?][\s\"'”)]+|[。！？…]+|\n+")  # full-width signs
_WORD = re.compile(rf"\S{{1,{WORD_CHARS_MAX}}}")


@cache
def _importance() -> NDArray[np.float32]:
    """float32[2**FEATURE_BITS]: 1 but for the features of common words."""
    importance = np.ones(1 << FEATURE_BITS, dtype=np.float32)
    ids, counts = _hashed(_COMMON)
    for kind in range(KINDS):
        importance[ids[kind, : counts[kind]]] = COMMON_IMPORTANCE
    return importance


def _hashed(text: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The distinct features of a text of TEXT_CHARS_MAX, and how many there are of each kind."""
    utf8 = np.frombuffer(text.lower().encode("utf-8", "replace"), dtype=np.uint8)
    ids = np.empty((KINDS, min(_FEATURES_MAX, 3 * utf8.size + 16)), dtype=np.int32)
    counts = np.empty(KINDS, dtype=np.int64)
    hash_text(utf8, 0, FEATURE_BITS, ids, counts)
    return ids, counts


_KIND_WEIGHTS = np.array([1.0, 0.3, 1.3], dtype=np.float32)  # words, pairs of words, parts of words


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """
    float32[n, DIMENSIONS]: a vector of unit length for each text, zero for one without a letter,
    digit or sign. Of a text longer than TEXT_CHARS_MAX the beginning is read.
    """
    vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
    importance = _importance()
    for place, text in enumerate(texts):
        ids, counts = _hashed(text[:TEXT_CHARS_MAX])
        fold_features(ids, counts, _KIND_WEIGHTS, importance, vectors[place])
    return vectors


def windows_of(text: str, limit: int) -> list[tuple[int, int]]:
    """
    The sentences of *text*, by first character and end, longer ones cut into WORDS_MAX words that
    overlap by half. Of more than *limit* windows the first and the last are kept, half each, and
    of a text longer than *limit* times WHOLE_CHARS_MAX nothing but its ends is looked at.
    """
    half = limit * WHOLE_CHARS_MAX // 2
    size = len(text)
    parts = ((0, size),) if size <= 2 * half else ((0, half), (size - half, size))
    windows = [
        window
        for part in parts
        for start, end in _sentences(text, *part)
        for window in _cut(text, start, end)
    ]
    if len(windows) <= limit:
        return windows
    head = (limit + 1) // 2
    return windows[:head] + windows[len(windows) - (limit - head) :]


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences and lines between *start* and *end*, the shortest joined with the next."""
    for mark in _SENTENCE_END.finditer(text, start, end):
        if mark.end() - start >= WINDOW_CHARS_MIN:
            yield start, mark.end()
            start = mark.end()
    if start < end:
        yield start, end


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence without the space around it, in windows of at most WORDS_MAX words."""
    if end - start <= WHOLE_CHARS_MAX:
        sentence = text[start:end]
        if bare := sentence.strip():
            start += len(sentence) - len(sentence.lstrip())
            yield start, start + len(bare)
        return
    words = [word.span() for word in _WORD.finditer(text, start, end)]
    for first in range(0, max(1, len(words) - WORDS_MAX // 2), WORDS_MAX // 2):
        window = words[first : first + WORDS_MAX]
        if window:
            yield window[0][0], window[-1][1]
