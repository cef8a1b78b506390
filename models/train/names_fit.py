"""Fit the tagger of names: texts to examples, examples to weights in whole steps."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.tagger import (
    CAPITALISED,
    COMPANY,
    END,
    ENTRY,
    FAMILY,
    FIRST,
    GAP,
    GIVEN,
    KNOWN,
    LAST,
    MIXED,
    NEW_LINE,
    PLACE,
    SHAPE,
    START,
    find_runs,
)
from kernels.tagger_path import LABELS, NEVER, WEIGHTS
from kernels.tagger_path import TYPES as KINDS
from models.names import (
    TYPES,
    Lexicon,
    Names,
    NamesManifest,
    Weights,
    featured,
    points_of,
    tokens_of,
)
from models.train.names_crf import UNKNOWN, first_follow, learn, seed_chance
from models.train.names_phrases import Labelled

BITS = 18
NAME, WEIGHTS_FILE = "names", "names.npz"
EPOCHS = 5
DROPPED, DECAY = 0.25, 2e-4
STEPS = 127  # of an int8, to each side
WRITTEN_WEIGHT, PROMPT_WEIGHT = 0.1, 0.06  # of prompts that nobody has labelled
SURE = 0.9
EAGERNESS = 0.4  # log-odds added where a name may begin: such prompts teach too much caution


class Example(msgspec.Struct, frozen=True):
    """A text ready to learn from: see names_crf.learn."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.uint8]
    weight: float


def example_of(labelled: Labelled, lexicon: Lexicon) -> Example | None:
    """Features and labels of a text, None when it has no token."""
    points = points_of(labelled.text)
    tokens = featured(points, tokens_of(points, lexicon), BITS)
    count = len(tokens.rows)
    if count == 0:
        return None
    labels = np.zeros(count, dtype=np.uint8)
    starts, ends = tokens.rows[:, START], tokens.rows[:, END]
    for start, end, kind in labelled.spans:
        inside = np.flatnonzero((starts < end) & (ends > start))
        labels[inside] = 1 + KINDS + TYPES.index(kind)
        labels[inside[:1]] = 1 + TYPES.index(kind)
    for start, end in labelled.open:
        labels[(starts < end) & (ends > start)] = UNKNOWN
    offsets = np.concatenate([[0], np.cumsum(tokens.sizes)]).astype(np.int64)
    ids = np.concatenate([row[:size] for row, size in zip(tokens.ids, tokens.sizes, strict=True)])
    return Example(ids, offsets, labels, labelled.weight)


def fit(texts: list[Labelled], lexicon: Lexicon) -> Names:
    """A tagger that has learnt from *texts*, not calibrated."""
    examples = [one for text in texts if (one := example_of(text, lexicon)) is not None]
    table = np.zeros((1 << BITS, WEIGHTS), dtype=np.float32)
    squares = np.zeros_like(table)
    follow, follow_squares = first_follow(), np.zeros((LABELS, LABELS))
    order = random.Random(7)  # noqa: S311 - no secret
    seed_chance(7)
    for _ in range(EPOCHS):
        order.shuffle(examples)
        for one in examples:
            learn(
                one.ids,
                one.offsets,
                one.labels,
                one.weight,
                DROPPED,
                table,
                squares,
                follow,
                follow_squares,
                DECAY,
            )
    table *= np.float32(1 - DROPPED)
    return quantised(table, follow, lexicon)


def unlabelled(model: Names, texts: Iterable[str], *, written: bool) -> list[Labelled]:
    """
    Texts in which what cannot be told is left open, the rest is no name.

    In prompts *written* for this project hardly anybody is named: open are only what *model* is
    sure of, and runs of capitalised words with a known name. Elsewhere every such run is.
    """
    found = []
    for text in texts:
        points = points_of(text)
        rows = tokens_of(points, model.lexicon)
        find_runs(rows, len(rows), points)
        doubtful = [(start, end) for start, end, _, p in model.spans(text) if p > SURE]
        for first, last in set(map(tuple, rows[:, [FIRST, LAST]].tolist())):
            entries = int(np.bitwise_or.reduce(rows[first : last + 1, ENTRY]))
            capital = CAPITALISED <= rows[first, SHAPE] <= MIXED
            every = int(np.bitwise_and.reduce(rows[first : last + 1, ENTRY]))
            likely = entries & (GIVEN | FAMILY | PLACE | COMPANY) or (last > first)
            plain = every & KNOWN and (written or rows[first, GAP] >= NEW_LINE)
            if capital and not plain and (likely or not written):
                doubtful.append((int(rows[first, START]), int(rows[last, END])))
        weight = WRITTEN_WEIGHT if written else PROMPT_WEIGHT
        found.append(Labelled(text, (), weight, tuple(sorted(doubtful))))
    return found


def quantised(table: NDArray[np.float32], follow: NDArray[np.float64], lexicon: Lexicon) -> Names:
    """The model in whole steps, of which the largest of a thousand weights are cut to STEPS."""
    used = np.abs(table[table != 0])
    scale = float(np.quantile(used, 0.9995)) / STEPS
    steps = np.clip(np.rint(table / scale), -STEPS, STEPS).astype(np.int8)
    allowed = np.where(np.isfinite(follow), np.rint(follow / scale), NEVER).astype(np.int32)
    allowed[:, 1 : 1 + KINDS] += round(EAGERNESS / scale)
    manifest = NamesManifest(
        name=NAME,
        version="",
        weights=WEIGHTS_FILE,
        sha256="",
        labels=TYPES,
        bits=BITS,
        scale=scale,
        calibration=((1.0, 0.0),) * len(TYPES),
        thresholds=(0.5,) * len(TYPES),
        data_sha256="",
        measured={},
    )
    return Names(manifest, lexicon, Weights(steps, allowed))
