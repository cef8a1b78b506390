"""
The quality matrix: what the answers of a model turned out to be worth, by task type and tier.

Evidence is a number of judgements, each a score from 0 to 1 that counts ``2 ** (-age / half_life)``
when it is *age* days old: exponential forgetting, as Raj and Kalyani discount the Beta counts of a
model that changes (https://arxiv.org/abs/1707.09727). What its class promises joins as
``prior_samples`` judgements more, so with *n* judgements of sum *s* the expected quality is

    (prior_samples * promise + s) / (prior_samples + n)

and this replaces the promise once *n* reaches ``samples_min``. Days are whole ones of UTC, so that
the matrix is a function of the judgements and the day.

Worked example, promise 0.90 worth 5 judgements, 30 thumbs down today: 4.5 / 35 = 0.13. After a
half-life they count as 15, fewer than 20: the model gets another chance.

Failed and truncated answers are no evidence here: ``decide`` multiplies promises by the share of
requests that get an answer, and they would count twice.
"""

from __future__ import annotations

import enum
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from gateway.config.learn_schema import LearnSettings
from gateway.record.rows import Judged
from models.scores import TASK_TYPES, TIERS


class Evidence(enum.StrEnum):
    """Who judged. Each kind has a weight in WEIGHTS."""

    FEEDBACK = "feedback"  # a client, by POST /v1/feedback


WEIGHTS: dict[Evidence, float] = {Evidence.FEEDBACK: 1.0}  # judgements that one of a kind is worth


class Cell(msgspec.Struct, frozen=True):
    """What is known of a *model* on prompts of one kind. *samples* and *score* are decayed."""

    model: str
    task_type: str
    tier: str
    judged: int  # judgements that are kept
    samples: float
    score: float  # sum of the scores, 0 to *samples*


class QualityMatrix(msgspec.Struct, frozen=True):
    """
    The evidence of one *day* (since the epoch, UTC), cells in order of their names. *version* is a
    hash of all that promises depend on.
    """

    cells: tuple[Cell, ...] = ()
    samples_min: float = LearnSettings().samples_min
    prior_samples: float = LearnSettings().prior_samples
    day: int = 0
    version: str = ""

    def is_trusted(self, cell: Cell) -> bool:
        """Whether *cell* holds enough to replace what the class promises."""
        return cell.samples >= self.samples_min


NO_MATRIX = QualityMatrix()


class Day(msgspec.Struct, frozen=True):
    """Judgements of one kind that came on one *day* (since the epoch, UTC)."""

    day: int
    sums: tuple[Judged, ...]
    kind: Evidence = Evidence.FEEDBACK


def decay(age_days: float, half_life_days: float) -> float:
    """What a judgement counts at that age, 1 for one of today: ``2 ** (-age / half_life)``."""
    return math.exp2(-max(age_days, 0.0) / half_life_days)


def build_matrix(days: Iterable[Day], settings: LearnSettings, today: int) -> QualityMatrix:
    """
    Sum up *days*, in any order, as they count on the day *today*. Task types and tiers that this
    version does not know are left out.
    """
    found: dict[tuple[str, str, str], list[tuple[int, float, float]]] = defaultdict(list)
    for one in days:
        weight = WEIGHTS[one.kind] * decay(today - one.day, settings.half_life_days)
        for sums in one.sums:
            if sums.task_type in TASK_TYPES and sums.tier in TIERS:
                counted = (sums.samples, weight * sums.samples, weight * sums.score)
                found[sums.model, sums.task_type, sums.tier].append(counted)
    cells = tuple(
        Cell(
            *key,
            judged=sum(judged for judged, _, _ in counts),
            samples=math.fsum(samples for _, samples, _ in counts),  # exact, so in any order
            score=math.fsum(score for _, _, score in counts),
        )
        for key, counts in sorted(found.items())
    )
    decisive = (cells, settings.samples_min, settings.prior_samples)
    digest = hashlib.blake2b(msgspec.json.encode(decisive), digest_size=8)
    return QualityMatrix(
        cells=cells,
        samples_min=settings.samples_min,
        prior_samples=settings.prior_samples,
        day=today,
        version=digest.hexdigest(),
    )
