"""The meter of one limit that replicas share: it counts down a share of what is left."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from gateway.core.limits import Limit, LimitReached, MeterState, Span
from gateway.ledger.meter import Meter
from gateway.ledger.windows import Usage, bucket_of
from gateway.state.shares import SHARE_S, Claim, Share

TRUST_S: Final = 0.8 * SHARE_S  # a share that was not renewed for so long is given up
RENEW_S: Final = 0.3 * SHARE_S
NEWS_S: Final = 0.5  # whoever looks at a state hears what others used, so long after it
IDLE_S: Final = 60.0  # without a request for so long, a meter keeps no share
FULL_S: Final = 0.02  # an answer "nothing is left" holds for so long
PACE_KEPT: Final = 0.8  # of the pace, from one report to the next
EDGE_S: Final = 0.001  # a bucket's last instant, as Redis counts time
PACES: Final = 3  # a comfortable share lasts for so many reports
ASKS: Final = 2  # and for so many requests like the last at least


Point = tuple[float, float, int]  # when its bucket ends, when something was booked, ever then


class Sharing(Protocol):
    """What a meter must know of the exchange with the other replicas."""

    stale_since_s: float | None
    replicas: int

    def note(self, meter: SharedMeter) -> None:
        """*meter* has something to report."""


class SharedMeter(Meter):
    """
    A meter whose *ceiling* is its share: ever + held <= ceiling, as with one process, but the
    ceiling comes from the exchange. While that is stale, the meter goes on with an estimate.

    The mutable state besides that of a meter: *acked* of *ever* is known to the others, and
    *_points* is the rest. *_lease* is the ceiling that the others know of. *asked* is what
    waiting requests need. *dirty*: something is to be reported. *_share* is the last answer,
    which came for what was sent at *_sent_s*. *past*: what the ledger knows, not counted yet.
    """

    __slots__ = (
        "_anew",
        "_in_flight",
        "_last_ask",
        "_lease",
        "_pace",
        "_points",
        "_sent_s",
        "_share",
        "_sharing",
        "_taken",
        "_taken_s",
        "acked",
        "asked",
        "dirty",
        "past",
        "short",
    )

    def __init__(
        self, limit: Limit, now_s: float, sharing: Sharing, *, seedable: bool = False
    ) -> None:
        super().__init__(limit, now_s, seedable=seedable)
        self.ceiling = 0
        self.acked = 0
        self.asked = 0
        self.dirty = False
        self.past: Sequence[tuple[float, int]] | None = None
        self._sharing = sharing
        self._share: Share | None = None
        self._sent_s = -math.inf
        self._lease = 0
        self._anew = False
        self._in_flight = False  # what is claimed may be on its way back
        self._points: deque[Point] = deque()
        self.short = False  # some replica needs what this one has to spare
        self._taken = 0  # since the last report
        self._taken_s = now_s
        self._pace = 0.0
        self._last_ask = 0

    def take(self, amount: int, now_s: float) -> bool:
        """Hold *amount* if it fits the share in hand; while stale, if it fits the estimate."""
        if self.ever + self.held + amount > self.ceiling or self._age_s(now_s) > TRUST_S:
            self._reconsider(now_s)
            if self.ever + self.held + amount > self.ceiling:
                return False
        self.held += amount
        self._taken += amount
        self._taken_s = now_s
        self._last_ask = amount
        self._note()
        return True

    def restore(self, amount: int) -> None:
        """Hold *amount* again, which was given back just now."""
        self.held += amount
        self._note()

    def give_back(self, amount: int) -> None:
        """*amount* is held no longer."""
        self.held -= amount
        self._note()

    def book(self, amount: int, now_s: float) -> None:
        """*amount* was used, whether or not it fits. A gauge forgets it."""
        if self.limit.window.span is not Span.NOW and amount:
            self.usage.roll(now_s)
            self.usage.add(amount, now_s)
            self.ever += amount
            if self._points and self._points[-1][0] == self.usage.end_s:
                self._points[-1] = (self.usage.end_s, now_s, self.ever)
            else:
                self._points.append((self.usage.end_s, now_s, self.ever))
                # Of what has left the window only the sum matters, and the next one has it.
                while len(self._points) > 1 and self._left(self._points[1], now_s):
                    self._points.popleft()
        self._note()

    def _left(self, point: Point, now_s: float) -> bool:
        return point[0] + self.limit.window.rolling_s <= now_s

    def adopt(self, limit: Limit) -> None:
        """The limit was raised or lowered; the next exchange moves the share."""
        self.limit = limit
        self._note()

    def seed(self, past: Iterable[tuple[float, int]], now_s: float) -> None:
        """Count what was used before anybody counted: instants and amounts, at the next report."""
        del now_s
        if not self.seeded:
            self.past = tuple(past)
            self._note()

    def roll(self, now_s: float) -> None:
        """Let the own window move; the ceiling comes from the exchange."""
        self.usage.roll(now_s)

    def droppable(self, now_s: float) -> bool:
        """Whether nothing is lost by forgetting it: the others know all, and it has no share."""
        idle = now_s > self._taken_s + IDLE_S
        return idle and not (self.held or self.asked or self.dirty or self.spare)

    @property
    def spare(self) -> int:
        """What of the share no request holds."""
        return max(0, self.ceiling - self.ever - self.held)

    @property
    def weight(self) -> int:
        """How much there is to report: one, and what was used when."""
        return 1 + len(self._points) + len(self.past or ())

    @property
    def known(self) -> bool:
        """As of any meter; while others are heard, ``take`` waits for what they know."""
        return super().known or self.past is not None or self._sharing.stale_since_s is None

    @property
    def wants_seed(self) -> bool:
        """Whether nobody has counted what was booked before, and the ledger was not asked yet."""
        return self.seedable and not self.seeded and self.past is None and self._share is not None

    def hopeless(self, amount: int, now_s: float) -> bool:
        """Whether asking the others for *amount* would be in vain, or was just now."""
        if self._sharing.stale_since_s is not None or amount > self.limit.most:
            return True
        if self._share is None or self._in_flight or self._age_s(now_s) >= FULL_S:
            return False
        return amount > max(0, self._share.free) + self._share.spare + self.spare

    def claim(self, now_s: float) -> Claim:
        """
        What to report and to ask for. From now on the meter keeps to what it claims to keep, so
        that nothing is held meanwhile that others may be given; while stale, it goes on.
        """
        held = self.ever + self.held
        comfort = self._comfort(now_s)
        stale = self._sharing.stale_since_s is not None
        trusted = not (stale or self._anew) and self._age_s(now_s) <= TRUST_S
        passed = self._share is not None and self._share.free < 0
        kept = 0 if passed else self.asked + comfort
        keep = max(held, min(self.ceiling, held + kept)) if trusted else held
        if not stale:
            self.ceiling = self._lease = keep
        need = max(keep, held + self.asked)
        self.dirty = False
        self._in_flight = True
        return Claim(
            name=self.limit.name,
            most=self.limit.most,
            window=self.limit.window,
            used=self.ever,
            keep=keep,
            need=need,
            want=max(need, held + self.asked + comfort),
            held=self.held,
            base=self.acked,
            anew=self._anew,
            points=tuple((max(0.0, now_s - at_s), ever) for _, at_s, ever in self._points),
            past=None if self.past is None else tuple((now_s - at_s, n) for at_s, n in self.past),
        )

    def _comfort(self, now_s: float) -> int:
        kept = PACE_KEPT ** max(0.0, now_s - self._sent_s)
        self._pace = max(float(self._taken), kept * self._pace)
        self._taken = 0
        idle = now_s > self._taken_s + IDLE_S and not self.asked
        # After an outage the others have much to tell before anybody knows what is left.
        unsure = self._anew or self._sharing.stale_since_s is not None
        if self.short or idle or unsure:
            return 0
        return max(int(PACES * self._pace), ASKS * self._last_ask, self.asked)

    def accept(self, claim: Claim, share: Share, sent_s: float, *, short: bool) -> None:
        """What was claimed at *sent_s* is granted; *short*: some replica needs more than it got."""
        self._in_flight = False
        if share.lost:
            self._tell_again(sent_s)
            return
        self._share = share
        self._sent_s = sent_s
        self.ceiling = self._lease = share.ceiling
        self.short = short or share.free < 0  # the limit was passed, or lowered
        if self.short and self.spare:
            self._note()
        self._anew = False
        self.acked = claim.used
        while self._points and self._points[0][2] <= self.acked:
            self._points.popleft()
        self.seeded = share.seeded
        if share.seeded:
            self.past = None
        self.made_s = sent_s - share.since_s

    def _tell_again(self, sent_s: float) -> None:
        """
        The others have lost their count: a Redis that keeps nothing was started again. Report
        what this replica used in the window once more, unless the ledger tells it anyway.
        """
        self.usage.roll(sent_s)
        self._share = None
        self._anew = True
        self._points.clear()
        self.acked = self.ever
        if not self.seedable:
            self.acked -= self.usage.used
            ever = self.acked
            for leaves_s, amount in self.usage.buckets():
                ever += amount
                end_s = leaves_s - self.limit.window.rolling_s
                self._points.append((end_s, min(sent_s, end_s - EDGE_S), ever))
        self._note()

    def renewable(self, now_s: float) -> bool:
        """Whether the share would lapse unless it is claimed again soon."""
        return self._age_s(now_s) > RENEW_S

    def _age_s(self, now_s: float) -> float:
        """How old the last answer is; a clock that goes back makes it old, too."""
        return abs(now_s - self._sent_s)

    def _note(self) -> None:
        if not self.dirty:
            self.dirty = True
            self._sharing.note(self)

    def _reconsider(self, now_s: float) -> None:
        """The share does not do, or is old: estimate while stale, else give it up when old."""
        if self._sharing.stale_since_s is not None:
            self.ceiling = self._estimate(now_s)
        elif self._age_s(now_s) > TRUST_S:
            self.ceiling = min(self.ceiling, self.ever + self.held)

    def _estimate(self, now_s: float) -> int:
        """
        The ceiling while nobody is heard: the share in hand, and an equal part of what was free
        when they last were. Rounded up, so that a limit of one still lets one through.
        """
        share = self._share
        lease = max(0, self._lease - self.acked)
        taken = self._used_before(now_s)
        if share is not None:
            taken = share.others + self._used_then(share, now_s)
        free = max(0, self.limit.most - taken - lease)
        return self._gone(now_s) + lease - (-free // self._sharing.replicas)

    def _gone(self, now_s: float) -> int:
        """What of *ever* the others know, or has left the window since."""
        gone = self.acked
        for point in self._points:
            if not self._left(point, now_s):
                break
            gone = point[2]
        return gone

    def _used_then(self, share: Share, now_s: float) -> int:
        """
        What of the use that the others told of still counts: what a rolling window holds leaves
        it evenly, as far as anybody knows; a calendar's leaves at its end.
        """
        window = self.limit.window
        if window.span is Span.ROLLING:
            age_s = now_s - self._sent_s
            left = age_s / window.rolling_s if age_s > TRUST_S else 0.0
            return int(share.used * max(0.0, 1.0 - left))
        return share.used if now_s < bucket_of(window, self._sent_s).leaves_s else 0

    def _used_before(self, now_s: float) -> int:
        """What the ledger told and nobody else has counted yet."""
        if not self.past:
            return 0
        before = Usage(self.limit.window)
        before.merge(self.past, now_s)
        return before.used

    def used(self, now_s: float) -> int:
        """What all replicas have used, as far as is known, and soon will be known again."""
        self.usage.roll(now_s)
        if self._age_s(now_s) > NEWS_S:
            self._note()
        share = self._share
        if share is None:
            return self.usage.used + self._used_before(now_s)
        return self._used_then(share, now_s) + self.ever - self._gone(now_s)

    def remaining(self, now_s: float) -> int:
        """What is left of the limit over all replicas, 0 or more."""
        others_held = 0 if self._share is None else self._share.others - self._share.spare
        return max(0, self.limit.most - self.used(now_s) - self.held - others_held)

    def state(self, now_s: float) -> MeterState:
        """Where the limit stands over all replicas; *held* is this one's."""
        share, resets_s = self._share, self.usage.resets_s()
        if share is not None and resets_s is not None:
            theirs_s = share.resets_s
            resets_s = None if theirs_s is None else max(resets_s, self._sent_s + theirs_s)
        return MeterState(
            limit=self.limit,
            used=self.used(now_s),
            held=self.held,
            remaining=self.remaining(now_s),
            reset_s=None if resets_s is None else max(0.0, resets_s - now_s),
            stale_since_s=self._sharing.stale_since_s,
        )

    def reached(self, asked: int, now_s: float) -> LimitReached:
        """Why *asked* does not fit at *now_s*."""
        state = self.state(now_s)
        frees_s = self.usage.frees_s(asked)
        if self._share is not None and self._share.frees_s is not None:
            frees_s = self._sent_s + self._share.frees_s
        return LimitReached(
            limit=self.limit,
            asked=asked,
            used=state.used,
            held=state.held,
            retry_after_s=max(0.0, frees_s - now_s)
            if frees_s and asked <= self.limit.most
            else None,
        )
