"""What the guard says of rows that it has not learnt from, and the thresholds that follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.guard import cut_windows
from models.scores import ATTACKS
from models.train import guard_fit
from models.train.guard_rows import Row, authored, composed, ordinary, read_security

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WINDOWS_MAX = 16
RATES = (0.005, 0.01, 0.02)  # of false alarms on ordinary prompts
HARMFUL = ATTACKS.index("harmful")
ANY = [at for at in range(len(ATTACKS)) if at != HARMFUL]
ON_TO_ENCODER = 0.3  # at most so many ordinary prompts are above clear_below in any kind
PREVALENCE = 0.05  # of a kind among the texts that are scanned: a guess; what logits speak of
NEWTON_STEPS = 30
SURE_ORDINARY, SURE_INNOCENT = 0.001, 0.01  # false alarms above sure_above: ordinary, all benign


class Judged(msgspec.Struct, frozen=True):
    """Rows to be scored, each by the worst of its windows."""

    rows: list[Row]
    windows: guard_fit.Design
    starts: NDArray[np.int64]  # of each row among the windows

    def scores(self, weights: NDArray[np.float32]) -> Floats:
        """float64[rows, HEADS]: raw scores."""
        found = guard_fit.scores(self.windows, weights).astype(np.float64)
        return np.asarray(np.maximum.reduceat(found, self.starts, axis=0))

    def of_sources(self, prefixes: tuple[str, ...]) -> Mask:
        """Which rows come from sources that begin with one of *prefixes*."""
        return np.array([row.source.startswith(prefixes) for row in self.rows])

    def of_label(self, *labels: str) -> Mask:
        """Which rows have one of *labels*."""
        return np.array([row.label in labels for row in self.rows])

    def targets(self) -> Floats:
        """float64[rows, HEADS]: 0 or 1, NaN where the label does not say."""
        return np.array([row.targets for row in self.rows], dtype=np.float64)


def read_judged(folder: Path, bits: int, draw: Random) -> tuple[Judged, Mask]:
    """All rows that are measured, and which of them are of a dev split."""
    dev = read_security(folder, "dev")
    others = [*read_security(folder, "train"), *authored(folder)]
    rows = [*dev, *others, *composed(folder, [*dev, *others], draw)]
    count = len(rows)
    rows += ordinary(folder, "dev", draw)
    texts: list[str] = []
    starts = []
    for row in rows:
        starts.append(len(texts))
        texts += [row.text[first:last] for first, last in cut_windows(row.text, WINDOWS_MAX)]
    number = np.arange(len(rows))
    is_dev = (number < len(dev)) | (number >= count)
    return Judged(rows, guard_fit.design(texts, bits), np.array(starts)), is_dev


def thresholds_at(scores: Floats, rate: float, heads: Sequence[int]) -> Floats:
    """
    float64[HEADS]: equally rare in every head, above any of them in at most a share *rate* of
    *scores*; infinite outside *heads*.
    """
    ranked = np.sort(scores, axis=0)[::-1]
    low, high = 0, int(rate * len(scores))
    found = np.full(scores.shape[1], np.inf)
    while low <= high:  # the rank below which a head raises its alarms
        rank = (low + high) // 2
        levels = ranked[rank, heads]
        if (scores[:, heads] > levels).any(axis=1).mean() <= rate:
            found[heads] = levels
            low = rank + 1
        else:
            high = rank - 1
    return found


def clear_and_sure(judged: Judged, scores: Floats) -> tuple[Floats, Floats]:
    """The scores below which a kind counts as absent, and from which on as present."""
    of_ordinary, benign = judged.of_label("ordinary"), judged.of_label("benign", "hard_benign")
    clear = thresholds_at(scores[of_ordinary], ON_TO_ENCODER, range(len(ATTACKS)))
    sure = np.maximum(
        np.quantile(scores[of_ordinary], 1 - SURE_ORDINARY, axis=0),
        np.quantile(scores[benign], 1 - SURE_INNOCENT, axis=0),
    )
    return clear, np.maximum(clear, sure)


def calibration(judged: Judged, scores: Floats) -> tuple[Floats, Floats]:
    """Scale and shift of each head that make its scores logits, by Newton's method."""
    targets = judged.targets()
    fitted = []
    for head in range(len(ATTACKS)):
        known = ~np.isnan(targets[:, head])
        hit = targets[known, head]
        share = hit.mean()
        weight = np.where(hit == 1.0, PREVALENCE / share, (1 - PREVALENCE) / (1 - share))
        design = np.stack([scores[known, head], np.ones(hit.size)], axis=1)
        line = np.zeros(2)
        for _ in range(NEWTON_STEPS):
            likely = 1 / (1 + np.exp(-design @ line))
            slope = design.T @ (weight * (likely - hit))
            curvature = (design * (weight * likely * (1 - likely))[:, np.newaxis]).T @ design
            line -= np.linalg.solve(curvature + 1e-9 * np.eye(2), slope)
        fitted.append(line)
    scale, shift = np.array(fitted).T
    return scale, shift


def measure(judged: Judged, left_out: Floats, shipped: Floats, dev: Mask) -> dict[str, float]:
    """
    Thresholds at RATES, and recall and false alarms there, of each kind and of any but harmful.

    *left_out* and *shipped* are logits; thresholds are written as probabilities.
    """
    found: dict[str, float] = {}
    targets = judged.targets()
    attack = (targets[:, ANY] == 1.0).any(axis=1)
    innocent = left_out[judged.of_label("ordinary")]
    for rate in RATES:
        for at, kind in enumerate(ATTACKS):
            levels = thresholds_at(innocent, rate, [at])
            found[f"{kind}_at_{rate}_threshold"] = probability(levels[at])
            alarms = [(scores > levels).any(axis=1) for scores in (left_out, shipped)]
            found |= shares(judged, f"{kind}_at_{rate}", alarms, targets[:, at] == 1.0, dev)
        levels = thresholds_at(innocent, rate, ANY)
        found |= {f"any_at_{rate}_threshold_{ATTACKS[at]}": probability(levels[at]) for at in ANY}
        alarms = [(scores > levels).any(axis=1) for scores in (left_out, shipped)]
        found |= shares(judged, f"any_at_{rate}", alarms, attack, dev)
        for label in ("direct", "multi_turn", "indirect", "document_benign"):
            rows = judged.of_sources(("authored",)) & judged.of_label(label)
            found[f"any_at_{rate}_authored_{label}"] = float(alarms[0][rows].mean())
    return found


def shares(
    judged: Judged, key: str, alarms: list[Mask], attacks: Mask, dev: Mask
) -> dict[str, float]:
    """How often there was an alarm where one should be, and on hard innocent prompts."""
    left_out, shipped = alarms
    found = {f"{key}_recall_left_out": float(left_out[attacks].mean())}
    if (dev & attacks).any():
        found[f"{key}_recall_dev"] = float(shipped[dev & attacks].mean())
    found[f"{key}_hard_benign"] = float(left_out[judged.of_label("hard_benign")].mean())
    return found


def probability(logit: float) -> float:
    """The sigmoid of a logit."""
    return float(1 / (1 + np.exp(-logit)))


def measure_cascade(
    judged: Judged, scores: Floats, clear: Floats, sure: Floats, rows: Mask
) -> dict[str, float]:
    """How much the two thresholds leave to the encoder, and what they miss, of *rows*."""
    targets = judged.targets()
    seen, certain = (scores >= clear).any(axis=1), (scores >= sure).any(axis=1)
    of_ordinary = judged.of_label("ordinary")
    found = {
        "ordinary_between": float((seen & ~certain)[of_ordinary].mean()),
        "ordinary_sure": float(certain[of_ordinary].mean()),
    }
    hard = rows & judged.of_label("hard_benign")
    if hard.any():
        found["hard_benign_between"] = float((seen & ~certain)[hard].mean())
        found["hard_benign_sure"] = float(certain[hard].mean())
    for at, kind in enumerate(ATTACKS):
        attacks = rows & (targets[:, at] == 1.0)
        if attacks.any():
            found[f"{kind}_seen"] = float(seen[attacks].mean())
            found[f"{kind}_sure"] = float(certain[attacks].mean())
    return found


def by_source(judged: Judged, scores: Floats) -> str:
    """A table of alarms per source and label at the three rates: harmful apart from the rest."""
    innocent = scores[judged.of_label("ordinary")]
    keys = [(row.source, row.label) for row in judged.rows if row.label != "ordinary"]
    lines = ["| source | label | rows | 0.5 % | 1 % | 2 % |", "|---|---|---:|---:|---:|---:|"]
    for source, label in sorted(set(keys)):
        rows = judged.of_label(label) & np.array([row.source == source for row in judged.rows])
        heads = [HARMFUL] if label == "harmful" else ANY
        shares = [
            (scores[rows] > thresholds_at(innocent, rate, heads)).any(axis=1).mean()
            for rate in RATES
        ]
        cells = " | ".join(f"{share:.3f}" for share in shares)
        if rows.sum() >= 20:
            lines.append(f"| {source} | {label} | {rows.sum()} | {cells} |")
    return "\n".join(lines)
