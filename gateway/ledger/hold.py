"""What one request has been promised of its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.core.clock import Clock
from gateway.core.limits import Limit, Unit
from gateway.ledger.meter import Meter

Ask = tuple[Limit, int]  # how much of which limit


class Hold:
    """
    Amounts held until ``settle`` or ``release``, whichever is first; what comes later does
    nothing. Every hold must end, or its amounts stay held.

    The mutable state: *held*, the meters with their amounts; empty once it has ended.
    """

    __slots__ = ("_clock", "ended", "held")

    def __init__(self, held: list[tuple[Meter, int]], clock: Clock) -> None:
        self.held = held
        self.ended = False
        self._clock = clock

    def __repr__(self) -> str:
        return (
            f"<Hold {', '.join(f'{amount} of {meter.limit.name}' for meter, amount in self.held)}>"
        )

    def settle(self, actual: Mapping[Unit, int]) -> None:
        """
        What was held is used: as much as *actual* says, more or less than was held; of a unit
        that it does not name, what was held.
        """
        self.settle_each(
            [actual.get(meter.limit.unit, amount) for meter, amount in self.held]
            if actual
            else [amount for _, amount in self.held]
        )

    def settle_each(self, amounts: Sequence[int]) -> None:
        """The same by *amounts*, one for each that is held, in order."""
        if self.ended:
            return
        self.ended = True
        now_s = self._clock.wall()
        for (meter, amount), used in zip(self.held, amounts, strict=True):
            meter.give_back(amount)
            meter.book(used, now_s)
        self.held = []

    def release(self) -> None:
        """Nothing of it was used."""
        if self.ended:
            return
        self.ended = True
        for meter, amount in self.held:
            meter.give_back(amount)
        self.held = []


class Refused(Exception):
    """*meter* has no room for *amount*."""

    def __init__(self, meter: Meter, amount: int) -> None:
        super().__init__(meter, amount)
        self.meter = meter
        self.amount = amount


def take_all(wanted: Sequence[tuple[Meter, int]], now_s: float) -> None:
    """
    Hold every amount of *wanted*, or none.

    Raises:
        Refused: by the first meter without room.
    """
    for place, (meter, amount) in enumerate(wanted):
        if not meter.take(amount, now_s):
            for earlier, held in wanted[:place]:
                earlier.give_back(held)
            raise Refused(meter, amount)
