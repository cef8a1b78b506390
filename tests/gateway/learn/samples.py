"""Judgements to learn from."""

from __future__ import annotations

from gateway.config.learn_schema import LearnSettings
from gateway.learn.matrix import Day, QualityMatrix, build_matrix
from gateway.record.rows import Judged

TODAY = 20_000  # days since the epoch


def judged(samples: int, score: float, **kind: str) -> Judged:
    """Judgements of gpt-4o-mini on easy summaries, less what *kind* says."""
    fields = {"model": "gpt-4o-mini", "task_type": "Summarization", "tier": "low"} | kind
    return Judged(samples=samples, score=score, **fields)


def day_of(*sums: Judged, age: int = 0) -> Day:
    """What came *age* days ago."""
    return Day(day=TODAY - age, sums=sums)


def matrix_of(*days: Day, **settings: float) -> QualityMatrix:
    """The matrix of today."""
    return build_matrix(days, LearnSettings(**settings), TODAY)
