"""
Ridge regression in its dual form, with every group left out in turn.

There are fewer prompts than features, so the matrix to invert has a row per prompt. Its inverse
gives the predictions for a left-out group without training again: with G = (K + D)^-1 and
A = G Y, the residuals of a group F are (G_FF)^-1 A_F.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, lapack
from scipy.sparse import csr_matrix

from models.features import read_features
from models.train.data import Row

Matrix = NDArray[np.float32]
CONSTANT = 0.3  # squared length of the feature that every text has: the intercept
BLOCK_ROWS = 2_000  # of the kernel matrix at a time


def design(rows: list[Row], bits: int) -> csr_matrix:
    """float32[rows, 2**bits]: what the table will be multiplied with, collisions included."""
    indices, values, ends = [], [], [0]
    for row in rows:
        for features in read_features(row.text, bits):
            indices.append(features.ids)
            values.append(np.full(features.ids.size, features.weight / features.ids.size**0.5))
        ends.append(sum(part.size for part in indices[len(ends) - 1 :]) if not indices else 0)
    raise NotImplementedError
