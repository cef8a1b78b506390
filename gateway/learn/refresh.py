"""Read the judgements that are kept into a quality matrix."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gateway.config.learn_schema import LearnSettings
from gateway.learn.matrix import NO_MATRIX, Day, QualityMatrix, build_matrix
from gateway.record.rows import Judged
from gateway.record.store import Store

SECONDS_PER_DAY = 86_400
HALF_LIVES_MAX = 10  # older judgements count less than a thousandth


class PastDay(msgspec.Struct, frozen=True):
    """The *sums* of a day that is over, while *count* judgements of it are kept."""

    count: int
    projects: tuple[str, ...]
    sums: tuple[Judged, ...]


Past = dict[int, PastDay]


def refresh(
    store: Store, settings: LearnSettings, now_s: float, past: Past | None = None
) -> QualityMatrix:
    """
    The matrix of *now_s*, seconds since the epoch; an empty one where learning is off. Blocks: some
    short queries for each day on which there may be judgements, and no judgement comes here alone.

    *past* is a caller's own and kept by this function: days that are over are summed up once, and
    again where their number of judgements has changed (one that is replaced counts from then on).

    Raises:
        Unavailable: the database does not answer; what was learnt before still holds.
    """
    if not settings.enabled:
        return NO_MATRIX
    today = int(now_s // SECONDS_PER_DAY)
    days = judged_days(store, settings, today, {} if past is None else past)
    return build_matrix(days, settings, today)


def judged_days(store: Store, settings: LearnSettings, today: int, past: Past) -> Iterator[Day]:
    """The days that count, oldest first."""
    oldest_s = store.oldest_feedback_s()
    if oldest_s is None:
        return
    first = max(
        int(oldest_s // SECONDS_PER_DAY), today - int(HALF_LIVES_MAX * settings.half_life_days)
    )
    for day in [day for day in past if day < first]:
        del past[day]
    for day in range(first, today + 1):
        sums = sums_of(store, settings.projects, day, past)
        if sums:
            yield Day(day=day, sums=sums)
    past.pop(today, None)  # more may come


def sums_of(store: Store, projects: tuple[str, ...], day: int, past: Past) -> tuple[Judged, ...]:
    """The sums of one day, from *past* where nothing has changed."""
    begin_s, end_s = day * SECONDS_PER_DAY, (day + 1) * SECONDS_PER_DAY
    count, known = store.count_feedback(begin_s, end_s), past.get(day)
    if known is None or (known.count, known.projects) != (count, projects):
        known = PastDay(count, projects, tuple(store.sum_feedback(begin_s, end_s, projects)))
        past[day] = known
    return known.sums
