"""What of a long excerpt the encoder reads: both ends of the ask, and the end of what precedes."""

from __future__ import annotations

PRIOR_SHARE = 4  # the turns before may take a quarter of the room beside a long ask
HEAD_OF = (5, 8)  # of a long ask: five parts of eight from its beginning, the rest from its end


def truncate(ids: list[int], limit: int, mark: int) -> list[int]:
    """
    At most *limit* of the token *ids* (without the two ends), those of the ask before all.

    *mark* is the token that stands between the turns before and the ask. Of the turns before the
    last tokens stay, for they end on the offer or question that the ask answers.
    """
    if len(ids) <= limit:
        return ids
    at = ids.index(mark) + 1 if mark in ids else 0
    prior, ask = ids[:at], ids[at:]
    room = min(len(prior), max(limit // PRIOR_SHARE, limit - len(ask)))
    prior = prior[len(prior) - room :]
    room = limit - room
    if len(ask) > room:
        head = room * HEAD_OF[0] // HEAD_OF[1]
        ask = ask[:head] + ask[len(ask) - (room - head) :]
    return prior + ask
