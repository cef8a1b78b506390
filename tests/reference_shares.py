"""The obvious way to share limits between replicas, all in one process. Imports nothing of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SHARE_S = 10.0
SHORT_S = 0.5


def window_end(span, rolling_s, at_s):
    """When what is used at *at_s* stops counting; None: never."""
    at = datetime.fromtimestamp(at_s, UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if span == "rolling":
        width_ms = -(-rolling_s * 1000 // 60)
        return (int(at_s * 1000) // width_ms + 1) * width_ms / 1000 + rolling_s
    ends = {
        "minute": at.replace(second=0, microsecond=0) + timedelta(minutes=1),
        "hour": at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1),
        "day": midnight + timedelta(days=1),
        "week": midnight + timedelta(days=7 - at.weekday()),
        "month": (midnight.replace(day=28) + timedelta(days=4)).replace(day=1),
    }
    return ends[span].timestamp() if span in ends else None


class ReferenceShares:
    """What all replicas share: amounts with the time they were used, and what each replica has."""

    def __init__(self, now):
        self.now = now  # a function
        self.used = {}  # limit: [(instant, amount)]
        self.had = {}  # limit: {replica: (used, ceiling, held, seen)}
        self.since = {}
        self.seeded = set()
        self.seen = {}
        self.short = {}

    def in_window(self, claim):
        """(When it leaves, amount) of what counts."""
        now_s = self.now()
        leaving = [
            (window_end(claim.window.span.value, claim.window.rolling_s, at_s), amount)
            for at_s, amount in self.used.get(claim.name, [])
        ]
        return sorted(
            ((end_s, n) for end_s, n in leaving if end_s is None or end_s > now_s),
            key=lambda entry: entry[0] or 0.0,
        )

    def exchange(self, replica, claims):
        """Answers to the claims of one replica, as dicts; the replicas; what is short."""
        now_s = self.now()
        self.seen[replica] = now_s
        self.seen = {name: at_s for name, at_s in self.seen.items() if at_s > now_s - SHARE_S}
        self.short = {name: at_s for name, at_s in self.short.items() if at_s > now_s - SHORT_S}
        return [self.grant(replica, claim) for claim in claims], len(self.seen), list(self.short)

    def grant(self, replica, claim):
        """The answer to one claim."""
        now_s = self.now()
        self.since.setdefault(claim.name, now_s)
        had = self.had.setdefault(claim.name, {})
        used = self.used.setdefault(claim.name, [])
        gauge = claim.window.span.value == "now"
        if claim.past is not None and claim.name not in self.seeded:
            self.seeded.add(claim.name)
            used += [(now_s - age_s, amount) for age_s, amount in claim.past]
        lost = replica not in had and claim.base > 0 and not claim.anew
        lack = free = 0
        ceiling = claim.keep
        live = [e for name, e in had.items() if name != replica and e[3] >= now_s - SHARE_S]
        others = sum(max(0, e[1] - e[0]) for e in live)
        spare = sum(max(0, e[1] - e[0] - e[2]) for e in live)
        if not lost:
            counted = had[replica][0] if replica in had else claim.base
            for age_s, ever in claim.points:
                if ever > counted and not gauge:
                    used.append((now_s - age_s, ever - counted))
                counted = max(counted, ever)
            total = sum(amount for _, amount in self.in_window(claim))
            free = claim.most - total - others - (claim.keep - claim.used)
            got = max(0, min(claim.need - claim.keep, free))
            lack, free, ceiling = claim.need - claim.keep - got, free - got, ceiling + got
            if lack:
                self.short[claim.name] = now_s
            elif free > 0 and claim.name not in self.short:
                comfort = max(0, min(claim.want - claim.need, free // (len(self.seen) + 1)))
                ceiling, free = ceiling + comfort, free - comfort
            had[replica] = (claim.used, ceiling, claim.held, now_s)
        counting = self.in_window(claim)
        return {
            "ceiling": ceiling,
            "used": sum(amount for _, amount in counting),
            "others": others,
            "spare": spare,
            "free": free,
            "lost": lost,
            "since_s": now_s - self.since[claim.name],
            "seeded": claim.name in self.seeded,
            "frees_s": frees(counting, lack - min(free, 0), now_s),
            "resets_s": resets(counting, now_s),
        }


def frees(counting, lack, now_s):
    """Seconds until *lack* has left; None where nothing is lacking."""
    if lack <= 0:
        return None
    for end_s, amount in counting:
        lack -= amount
        if lack <= 0:
            return None if end_s is None else end_s - now_s
    return None


def resets(counting, now_s):
    """Seconds until all has left."""
    ends = [end_s for end_s, amount in counting if amount]
    if not ends:
        return 0.0
    return None if ends[-1] is None else ends[-1] - now_s
