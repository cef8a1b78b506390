"""Ridge regression with groups left out."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training has an environment of its own: `make train`")

from scipy.sparse import csr_matrix

from models.train.data import Row
from models.train.ridge import fit, kernel_matrix


def test_left_out_answers_are_those_of_a_model_without_the_group():
    """The block formula and training again without the group give the same answers."""
    random = np.random.default_rng(7)
    features = csr_matrix(random.normal(size=(24, 40)).astype(np.float32))
    targets = random.normal(size=(24, 2)).astype(np.float32)
    rows = [
        Row(text="", label=0, complexity=None, lang="en", group="abc"[i % 3], weight=1 + i % 2)
        for i in range(24)
    ]

    whole = fit(features, kernel_matrix(features), targets, rows, 0.7)

    for group in "abc":
        inside = np.array([row.group == group for row in rows])
        rest = features[~inside]
        others = [row for row in rows if row.group != group]
        again = fit(rest, kernel_matrix(rest), targets[~inside], others, 0.7)
        answers = features[inside] @ again.weights + again.intercept
        np.testing.assert_allclose(whole.left_out[inside], answers, atol=1e-3)
