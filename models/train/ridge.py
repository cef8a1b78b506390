"""
Ridge regression in its dual form, with the answers for every group that is left out.

There are fewer prompts than features, so the matrix to invert has one row per prompt. Its inverse
also tells what a model trained without a group F would have said of it, without training again:
with ``G = (K + D)^-1`` and ``A = G Y`` that is ``Y_F - (G_FF)^-1 A_F`` (Rifkin and Lippert, Notes
on Regularized Least Squares, 2007, section 4, for one row; the block form is the same algebra).
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, lapack
from scipy.sparse import csr_matrix

from models.features import read_features
from models.train.data import Row

Floats = NDArray[np.float32]
CONSTANT = 0.3  # square of the feature that every text has: the intercept
BLOCK_ROWS = 2_000  # of the kernel matrix at a time, for memory


class Fit(msgspec.Struct, frozen=True):
    """A linear model, and what it says of each row when the row's group is left out."""

    weights: Floats  # float32[features, targets]
    intercept: Floats  # float32[targets]
    left_out: Floats  # float32[rows, targets]


def design(rows: list[Row], bits: int) -> csr_matrix:
    """float32[rows, 2**bits]: the features of every row, collisions summed as in scoring."""
    indices, values, ends = [], [], [0]
    for row in rows:
        features = list(read_features(row.text, bits))
        indices += [group.ids for group in features]
        values += [np.full(g.ids.size, g.weight / g.ids.size**0.5, np.float32) for g in features]
        ends.append(ends[-1] + sum(group.ids.size for group in features))
    return csr_matrix(
        (np.concatenate(values), np.concatenate(indices), ends), shape=(len(rows), 1 << bits)
    )


def kernel_matrix(features: csr_matrix) -> Floats:
    """float32[rows, rows]: inner products of all rows."""
    transposed = features.T.tocsr()
    blocks = [
        (features[first : first + BLOCK_ROWS] @ transposed).toarray().astype(np.float32)
        for first in range(0, features.shape[0], BLOCK_ROWS)
    ]
    return np.vstack(blocks)


def fit(
    features: csr_matrix, products: Floats, targets: Floats, rows: list[Row], penalty: float
) -> Fit:
    """Fit *targets*, float32[rows, targets], centred; *products* is features' kernel_matrix."""
    matrix = products + np.float32(CONSTANT)
    weight = np.array([row.weight for row in rows], dtype=np.float32)
    matrix[np.diag_indices_from(matrix)] += penalty / weight
    inverse = inverted(matrix)
    dual = inverse @ targets
    left_out = np.empty_like(targets)
    groups = np.array([row.group for row in rows])
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        block = inverse[np.ix_(inside, inside)]
        left_out[inside] = targets[inside] - np.linalg.solve(block, dual[inside])
    return Fit(
        weights=np.asarray(features.T @ dual, dtype=np.float32),
        intercept=CONSTANT * dual.sum(axis=0),
        left_out=left_out,
    )


def inverted(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite matrix, which is overwritten."""
    factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    lower, info = lapack.spotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise ValueError(f"the kernel matrix cannot be inverted: LAPACK says {info}")
    lower = np.tril(lower)
    return np.asarray(lower + np.tril(lower, -1).T)
