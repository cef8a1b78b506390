"""What the first stage reads of an excerpt: the same words for training and for scoring."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.hashing import KINDS, hash_text
from models.excerpt import split_excerpt

# Of a longer text only the ends are read. The gateway cuts an ask to less, so this is a bound for
# other callers, and what makes the time of a text bounded.
ASK_HEAD_CHARS, ASK_TAIL_CHARS = 1_400, 900
PRIOR_CHARS_MAX = 1_000

# A character is at most four bytes, and no kind has more than three features for each of them.
FEATURES_MAX = 3 * (ASK_HEAD_CHARS + ASK_TAIL_CHARS) + 16


class View(msgspec.Struct, frozen=True):
    """A part of the excerpt with features of its own, and how much they weigh."""

    seed: int
    weight: float
    chars: int  # of the ask, from its beginning; negative: from its end; 0: the turns before it


# How an ask begins says most of what it is; the whole of it says what it is about. Found by
# leaving out one author at a time; doubling or halving any weight changes little.
WHOLE = ASK_HEAD_CHARS + ASK_TAIL_CHARS
VIEWS = (
    View(seed=0, weight=1.0, chars=WHOLE),
    View(seed=1, weight=0.84, chars=100),
    View(seed=2, weight=0.84, chars=40),
    View(seed=3, weight=0.55, chars=-100),
    View(seed=4, weight=0.7, chars=0),
)


class Features(msgspec.Struct, frozen=True):
    """The distinct buckets of one kind in one view, never empty. *weight* is the view's."""

    weight: float
    ids: NDArray[np.int32]


def read_features(text: str, bits: int) -> Iterator[Features]:
    """All features of an excerpt, hashed into 2**bits buckets. Any text will do."""
    prior, ask = split_excerpt(text)
    prior = prior[-PRIOR_CHARS_MAX:].lower()
    if len(ask) > WHOLE:
        ask = f"{ask[:ASK_HEAD_CHARS]}\n{ask[-ASK_TAIL_CHARS:]}"
    ask = ask.strip().lower()
    counts = np.empty(KINDS, dtype=np.int64)
    for view in VIEWS:
        words = viewed(view, ask) if view.chars else prior
        if not words:
            continue
        utf8 = np.frombuffer(words.encode("utf-8", "replace"), dtype=np.uint8)
        ids = np.empty((KINDS, min(FEATURES_MAX, 3 * utf8.size + 3)), dtype=np.int32)
        hash_text(utf8, view.seed, bits, ids, counts)
        for kind in range(KINDS):
            if counts[kind]:
                yield Features(view.weight, ids[kind, : counts[kind]])


def viewed(view: View, ask: str) -> str:
    """The part of *ask* that a view looks at."""
    return ask[: view.chars] if view.chars > 0 else ask[view.chars :]
