"""What was chosen, and the order of failover behind it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.decide.case import RANKING_MAX, Case, ranked
from gateway.decide.policy import UNLIMITED_NANO_USD


class Choice(msgspec.Struct, frozen=True):
    """
    Rows of the fleet view, best first, and why. *floor* and *cap_nano_usd* are what was asked of
    every other model; *notes* are warnings for the client.
    """

    ranking: tuple[int, ...]
    why: str
    mode_name: str
    rule: str | None = None
    floor: float = 0.0
    cap_nano_usd: int = UNLIMITED_NANO_USD
    notes: tuple[str, ...] = ()


def line_up(case: Case, winner: int, others: Iterable[int], cap_nano_usd: int) -> tuple[int, ...]:
    """
    *winner*, then its model elsewhere for at most *cap_nano_usd*, then *others* in their order.
    """
    same = case.view.rows.models[winner]
    elsewhere: list[int] = []
    if same.size > 1:
        elsewhere = ranked(case, same, case.ask.mode, cap_nano_usd=cap_nano_usd)
    return tuple(dict.fromkeys((winner, *elsewhere, *others)))[:RANKING_MAX]
