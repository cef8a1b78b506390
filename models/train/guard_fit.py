"""The linear model of the guard: its matrix of features, and fits on any part of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.descent import descend
from models.guard import HEADS, guard_features
from models.train.guard_rows import Row

COST = 0.4  # of a row of weight 1 that is misjudged by 1
POSITIVE_FACTOR = 2.0  # of a row that is of the kind
EPOCHS_MAX = 12
MOVED_MIN = 0.02  # of a dual; with less in a pass the fit has converged
CONSTANT = 0.6  # the feature that every text has: the intercept


class Design(msgspec.Struct, frozen=True):
    """The features of rows: row i has those from ends[i] to ends[i + 1], the constant last."""

    ends: NDArray[np.int64]
    ids: NDArray[np.int32]
    values: NDArray[np.float32]
    buckets: int  # without the constant, which is the bucket behind them


def design(texts: Sequence[str], bits: int) -> Design:
    """The features of *texts* as the guard reads them."""
    ids, values, ends = [], [], [0]
    constant = np.array([1 << bits], np.int32), np.array([CONSTANT], np.float32)
    for text in texts:
        size = 1
        for group in guard_features(text, bits):
            ids.append(group.copy())  # a view would keep its whole buffer
            values.append(np.full(group.size, group.size**-0.5, np.float32))
            size += group.size
        ids.append(constant[0])
        values.append(constant[1])
        ends.append(ends[-1] + size)
    return Design(np.array(ends), np.concatenate(ids), np.concatenate(values), 1 << bits)


def signs_and_costs(rows: Sequence[Row]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """float32[rows, HEADS] each: 1 or -1, and how much that matters; 0 where nobody knows."""
    signs = np.full((len(rows), HEADS), -1.0, dtype=np.float32)
    costs = np.zeros((len(rows), HEADS), dtype=np.float32)
    for number, row in enumerate(rows):
        for head, target in enumerate(row.targets):
            if target is not None:
                factor = POSITIVE_FACTOR if target else 1.0
                signs[number, head] = 1.0 if target else -1.0
                costs[number, head] = COST * row.weight * factor
    return signs, costs


def fit(
    matrix: Design,
    signs: NDArray[np.float32],
    costs: NDArray[np.float32],
    chosen: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float32]:
    """float32[buckets + 1, HEADS]: the weights learnt from the *chosen* rows."""
    weights = np.zeros((matrix.buckets + 1, HEADS), dtype=np.float32)
    duals = np.zeros_like(costs)
    random = np.random.default_rng(seed)
    for _ in range(EPOCHS_MAX):
        order = random.permutation(chosen)
        moved = descend(order, matrix.ends, matrix.ids, matrix.values, signs, costs, duals, weights)
        if moved < MOVED_MIN:
            break
    return weights


def scores(matrix: Design, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32[rows, HEADS]: what *weights* say of every row."""
    found = np.empty((matrix.ends.size - 1, HEADS), dtype=np.float32)
    for number, (first, last) in enumerate(zip(matrix.ends[:-1], matrix.ends[1:], strict=True)):
        found[number] = matrix.values[first:last] @ weights[matrix.ids[first:last]]
    return found
