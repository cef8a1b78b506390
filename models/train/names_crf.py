"""A linear chain of labels over hashed features, fitted by AdaGrad on its likelihood."""

from __future__ import annotations

import numpy as np

from kernels.jit import kernel
from kernels.tagger_path import LABELS, TYPES, WEIGHTS

RATE = 0.12
SMALL = 1e-8
NEGLIGIBLE = 1e-4  # gain of a label that is not worth a step
UNKNOWN = 255  # as a label: any may be right, and the others say which


@kernel("void(float32[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1])")
def marginals(scores, follow, forward, backward, scale):
    """
    Forward and backward sums of a text, each row scaled by *scale* so that they stay in range.

    Args:
        scores: float32[n, LABELS]: what each token says, as powers of e.
        follow: float64[LABELS, LABELS]: likewise, 0 where forbidden.
        forward, backward: float64[n, LABELS], overwritten.
        scale: float64[n], overwritten.
    """
    count = scores.shape[0]
    for i in range(count):
        total = 0.0
        for label in range(LABELS):
            if i == 0:
                value = follow[0, label]
            else:
                value = 0.0
                for before in range(LABELS):
                    value += forward[i - 1, before] * follow[before, label]
            forward[i, label] = value * scores[i, label]
            total += forward[i, label]
        scale[i] = total
        forward[i] /= total
    backward[count - 1] = 1.0
    for i in range(count - 2, -1, -1):
        for label in range(LABELS):
            value = 0.0
            for after in range(LABELS):
                value += follow[label, after] * scores[i + 1, after] * backward[i + 1, after]
            backward[i, label] = value / scale[i + 1]


@kernel(
    "void(int64, float32[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1],"
    " float64, float64[:, ::1])"
)
def add_pairs(i, scores, follow, forward, backward, scale, sign, gradient):
    """
    Add how likely each label of token *i* is after each label before it, times *sign*.
    """
    for label in range(LABELS):
        if i == 0:
            gradient[0, label] += sign * forward[0, label] * backward[0, label]
            continue
        after = sign * scores[i, label] * backward[i, label] / scale[i]
        for before in range(LABELS):
            gradient[before, label] += forward[i - 1, before] * follow[before, label] * after


@kernel(
    "float64(int32[::1], int64[::1], uint8[::1], float64, float64, float32[:, ::1],"
    " float32[:, ::1], float64[:, ::1], float64[:, ::1], float64)"
)
def learn(ids, offsets, labels, weight, dropped, table, squares, follow, follow_squares, decay):
    """
    One step on one text; returns its log-likelihood.

    Args:
        ids: int32[f]: features of all tokens, those of token k from offsets[k] to offsets[k + 1].
        offsets: int64[n + 1].
        labels: uint8[n], or UNKNOWN.
        weight: of the text.
        dropped: share of the features that are left out, by chance.
        table, squares: float32[2**bits, WEIGHTS]: weights, and sums of their squared steps.
        follow, follow_squares: float64[LABELS, LABELS]: the same between labels.
        decay: pull of each weight that is used towards 0.
    """
    count = labels.size
    kept = np.random.random(ids.size) >= dropped
    scores = np.zeros((count, LABELS), dtype=np.float32)
    for i in range(count):
        for k in range(offsets[i], offsets[i + 1]):
            if kept[k]:
                for w in range(WEIGHTS):
                    scores[i, w + 1] += table[ids[k], w]
        for label in range(LABELS):
            scores[i, label] = np.exp(min(max(scores[i, label], -40.0), 40.0))
    allowed = np.exp(follow)
    forward, backward = np.empty((count, LABELS)), np.empty((count, LABELS))
    scale, known_scale = np.empty(count), np.empty(count)
    marginals(scores, allowed, forward, backward, scale)
    known, known_forward, known_backward = scores.copy(), forward.copy(), backward.copy()
    for i in range(count):
        if labels[i] != UNKNOWN:
            known[i] = 0.0
            known[i, labels[i]] = scores[i, labels[i]]
    marginals(known, allowed, known_forward, known_backward, known_scale)
    gradient = np.zeros((LABELS, LABELS))
    for i in range(count):
        for label in range(1, LABELS):
            gain = known_forward[i, label] * known_backward[i, label]
            gain -= forward[i, label] * backward[i, label]
            if abs(gain) > NEGLIGIBLE:
                step = np.float32(gain * weight)
                for k in range(offsets[i], offsets[i + 1]):
                    if kept[k]:
                        pull = step - np.float32(decay) * table[ids[k], label - 1]
                        squares[ids[k], label - 1] += pull * pull
                        table[ids[k], label - 1] += (
                            RATE * pull / np.sqrt(squares[ids[k], label - 1] + SMALL)
                        )
        add_pairs(i, known, allowed, known_forward, known_backward, known_scale, 1.0, gradient)
        add_pairs(i, scores, allowed, forward, backward, scale, -1.0, gradient)
    for before in range(LABELS):
        for label in range(LABELS):
            if allowed[before, label] > 0.0:
                step = gradient[before, label] * weight
                follow_squares[before, label] += step * step
                follow[before, label] += (
                    RATE * step / np.sqrt(follow_squares[before, label] + SMALL)
                )
    return np.log(known_scale).sum() - np.log(scale).sum()


@kernel("void(int64)")
def seed_chance(seed):
    """
    Make the features that are left out the same ones in every run.
    """
    np.random.seed(seed)


def first_follow():
    """float64[LABELS, LABELS]: nothing learnt yet; a name goes on only after its own type."""
    follow = np.zeros((LABELS, LABELS))
    for kind in range(TYPES):
        goes_on = 1 + TYPES + kind
        follow[:, goes_on] = -np.inf
        follow[[1 + kind, goes_on], goes_on] = 0.0
    return follow
