"""One kept answer."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from gateway.core.chat import Finish, Usage

# Beside its bytes an entry costs its key, its objects, and its place in a dictionary that doubles
# when it is full: 500 to 541 bytes (bench/cache.py), and the allocator rounds up.
OVERHEAD_BYTES: Final = 600


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    An answer as its client got it: *body* whole, or all events of a stream one after the other.

    *model* answered, at *deployment*. *usage* and *cost_nano_usd* are those of the answer when it
    was made. *warnings* name what a translation lost. Times are seconds since the epoch.
    """

    body: bytes
    content_type: str
    stream: bool
    model: str
    deployment: str
    finish: Finish | None
    usage: Usage
    cost_nano_usd: int
    warnings: tuple[str, ...]
    stored_s: float
    until_s: float

    @property
    def size(self) -> int:
        """Bytes of memory that keeping it takes, its key included."""
        texts = (self.content_type, self.model, self.deployment, *self.warnings)
        return OVERHEAD_BYTES + len(self.body) + sum(map(sys.getsizeof, texts))

    def fresh(self, now_s: float, ttl_s: float) -> bool:
        """
        Whether it may be given at *now_s* to who wants nothing older than *ttl_s*. One from the
        future, of a replica whose clock is ahead, is new.
        """
        return now_s < self.until_s and now_s - self.stored_s < ttl_s
