"""Measure predictions for prompts that were left out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from models.scores import TASK_TYPES, tier_of
from models.train.data import Row

Floats = NDArray[np.float64]
BINS = 15  # of the calibration error


class Predictions(msgspec.Struct, frozen=True):
    """What a model says of *rows*, one entry for each."""

    rows: list[Row]
    labels: NDArray[np.int64]
    confidence: Floats
    complexity: Floats

    def only(self, chosen: NDArray[np.bool_]) -> Predictions:
        """Those of the chosen rows."""
        rows = [row for row, keep in zip(self.rows, chosen, strict=True) if keep]
        return Predictions(
            rows, self.labels[chosen], self.confidence[chosen], self.complexity[chosen]
        )

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each label is the given one."""
        return np.equal(self.labels, [row.label for row in self.rows])


def macro_f1(found: NDArray[np.int64], given: NDArray[np.int64], classes: int) -> float:
    """Mean F1 of the classes that occur."""
    scores = []
    for k in range(classes):
        hits = float(((found == k) & (given == k)).sum())
        all_of_k = float((found == k).sum() + (given == k).sum())
        if all_of_k:
            scores.append(2 * hits / all_of_k)
    return float(np.mean(scores))


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error: mean distance of confidence and share of right answers."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == k].mean() - right[bins == k].mean()) * (bins == k).mean()
        for k in range(BINS)
        if (bins == k).any()
    ]
    return float(np.sum(gaps))


def rank_correlation(a: Floats, b: Floats, fixed: Floats | None = None) -> float:
    """Spearman's; with *fixed* the partial one that holds it fixed."""
    ranks = np.corrcoef([rankdata(x) for x in (a, b, *(() if fixed is None else (fixed,)))])
    if fixed is None:
        return float(ranks[0, 1])
    ab, ac, bc = ranks[0, 1], ranks[0, 2], ranks[1, 2]
    return float((ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2)))


def measure(found: Predictions) -> dict[str, float]:
    """All measures of one set of rows. The measures of complexity need rows that are judged."""
    given = np.array([row.label for row in found.rows])
    judged = np.array([row.complexity for row in found.rows], dtype=np.float64)
    length = np.log([len(row.text) + 1.0 for row in found.rows])
    tiers = np.array([tier_of(x) for x in judged]) == [tier_of(x) for x in found.complexity]
    return {
        "rows": float(len(found.rows)),
        "accuracy": float(found.right.mean()),
        "macro_f1": macro_f1(found.labels, given, len(TASK_TYPES)),
        "calibration_error": calibration_error(found.confidence, found.right),
        "complexity_rank": rank_correlation(judged, found.complexity),
        "complexity_rank_length_fixed": rank_correlation(judged, found.complexity, length),
        "complexity_error": float(np.abs(judged - found.complexity).mean()),
        "tier_accuracy": float(tiers.mean()),
    }


def slices(found: Predictions) -> Iterator[tuple[str, Predictions]]:
    """All rows, and the four kinds that must not be averaged: written or real, English or not."""
    written = np.array([row.written for row in found.rows])
    english = np.array([row.lang == "en" for row in found.rows])
    yield "all", found
    yield "written, English", found.only(written & english)
    yield "written, other languages", found.only(written & ~english)
    yield "real, English", found.only(~written & english)
    yield "real, other languages", found.only(~written & ~english)


def confusion(found: Predictions) -> str:
    """A Markdown table: in each row the prompts of one task type, in each column what they got."""
    given = np.array([row.label for row in found.rows])
    counts = np.zeros((len(TASK_TYPES), len(TASK_TYPES)), dtype=np.int64)
    np.add.at(counts, (given, found.labels), 1)
    lines = [
        "| is, and is called | " + " | ".join(TASK_TYPES) + " |",
        "|---" * (len(TASK_TYPES) + 1) + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(map(str, row)) + " |"
        for name, row in zip(TASK_TYPES, counts.tolist(), strict=True)
    ]
    return "\n".join(lines)


def report(found: Predictions, rows_min: int = 30) -> str:
    """A Markdown table of all slices, then accuracy by group, language and task type."""
    lines: list[str] = []
    for name, part in slices(found):
        measures = measure(part)
        if not lines:
            lines += ["| rows left out | " + " | ".join(measures) + " |"]
            lines += ["|---" * (len(measures) + 1) + "|"]
        numbers = [f"{measures.pop('rows'):.0f}", *(f"{x:.3f}" for x in measures.values())]
        lines.append(f"| {name} | " + " | ".join(numbers) + " |")
    for kind, keys in (
        ("group", [row.group for row in found.rows]),
        ("language", [row.lang for row in found.rows]),
        ("task type", [TASK_TYPES[row.label] for row in found.rows]),
    ):
        names, counts = np.unique(keys, return_counts=True)
        shares = [
            f"{name} {found.right[np.array(keys) == name].mean():.2f} ({count})"
            for name, count in sorted(zip(names, counts, strict=True), key=lambda x: -x[1])
            if count >= rows_min
        ]
        lines += ["", f"Accuracy by {kind} (rows): " + ", ".join(shares)]
    return "\n".join(lines)
