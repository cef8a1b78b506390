"""How much of one limit is used and held, in a process that counts for itself alone."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.limits import Limit, LimitReached, MeterState, Span
from gateway.ledger.windows import Usage


class Meter:
    """
    The meter of one limit. What is used and what is held together never pass the limit, but for
    what is settled above what was held for it.

    The mutable state: *ever* is all that was ever booked, *held* what is promised; *ceiling* is
    what both may reach together, and moves with the window: ever + held <= ceiling is the whole
    check. *seedable*: the ledger tells what was booked before *made_s*; *seeded*: it has. *told*:
    operators know that little is left; None: nobody has looked.
    """

    __slots__ = (
        "ceiling",
        "ever",
        "held",
        "limit",
        "made_s",
        "seedable",
        "seeded",
        "told",
        "usage",
    )

    def __init__(self, limit: Limit, now_s: float, *, seedable: bool = False) -> None:
        self.limit = limit
        self.held = 0
        self.ever = 0
        self.ceiling = limit.most
        self.made_s = now_s
        self.seedable = seedable
        self.seeded = False
        self.told: bool | None = None
        self.usage = Usage(limit.window)

    def __repr__(self) -> str:
        return f"<Meter {self.limit.name}: {self.usage.used} used, {self.held} held>"

    @property
    def known(self) -> bool:
        """Whether what was booked before is counted, or nobody will tell it."""
        return self.seeded or not self.seedable

    def take(self, amount: int, now_s: float) -> bool:
        """Hold *amount* if it fits."""
        if not self.usage.back_s <= now_s < self.usage.rolls_s:
            self.roll(now_s)
        if self.ever + self.held + amount > self.ceiling:
            return False
        self.held += amount
        return True

    def roll(self, now_s: float) -> None:
        """Let the window move to *now_s*."""
        self.usage.roll(now_s)
        self.ceiling = self.ever + self.limit.most - self.usage.used

    def restore(self, amount: int) -> None:
        """Hold *amount* again, which was given back just now."""
        self.held += amount

    def give_back(self, amount: int) -> None:
        """*amount* is held no longer."""
        self.held -= amount

    def book(self, amount: int, now_s: float) -> None:
        """*amount* was used, whether or not it fits. A gauge forgets it."""
        if self.limit.window.span is Span.NOW:
            return
        self.usage.add(amount, now_s)
        self.ever += amount

    def adopt(self, limit: Limit) -> None:
        """The limit was raised or lowered; what is used and held stays."""
        self.ceiling += limit.most - self.limit.most
        self.limit = limit

    def seed(self, past: Iterable[tuple[float, int]], now_s: float) -> None:
        """Count what was used before this meter was made: instants and amounts. Only once."""
        if not self.seeded:
            self.seeded = True
            self.usage.merge(past, now_s)
            self.roll(now_s)

    def droppable(self, now_s: float) -> bool:
        """Whether nothing is lost by forgetting it: it counts nothing, or the ledger tells it."""
        self.roll(now_s)
        return not self.held and (self.seedable or not self.usage.used)

    def used(self, now_s: float) -> int:
        """What was used and counts at *now_s*."""
        if not self.usage.back_s <= now_s < self.usage.rolls_s:
            self.roll(now_s)
        return self.usage.used

    def remaining(self, now_s: float) -> int:
        """What of the limit is left at *now_s*, 0 or more."""
        return max(0, self.limit.most - self.used(now_s) - self.held)

    def state(self, now_s: float) -> MeterState:
        """Where it stands at *now_s*."""
        remaining, resets_s = self.remaining(now_s), self.usage.resets_s()
        return MeterState(
            limit=self.limit,
            used=self.usage.used,
            held=self.held,
            remaining=remaining,
            reset_s=None if resets_s is None else max(0.0, resets_s - now_s),
        )

    def reached(self, asked: int, now_s: float) -> LimitReached:
        """Why *asked* does not fit at *now_s*."""
        state = self.state(now_s)
        frees_s = self.usage.frees_s(state.used + self.held + asked - self.limit.most)
        return LimitReached(
            limit=self.limit,
            asked=asked,
            used=state.used,
            held=state.held,
            retry_after_s=max(0.0, frees_s - now_s)
            if frees_s and asked <= self.limit.most
            else None,
        )
