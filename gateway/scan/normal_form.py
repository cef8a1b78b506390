"""The noun that disguises end in: a text to scan, and where it stands in what was sent."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray


class Form(msgspec.Struct, frozen=True):
    """
    One form of a text to be scanned: as it was written, or with a disguise undone.

    *how* is "" for the text as sent, "normal" for one whose characters were made plain, or the
    path of codes that were undone, outermost first: "base64", "base64/url". *start* and *end*
    bound the form in the original, in characters. ``at[i]`` is where the character i of *text*
    began in the original, with one entry more for the end; None means that offsets are those of
    the original plus *start* where *how* is "", and that the whole run stands for any part of the
    text where it was decoded.
    """

    text: str  # what is scanned
    how: str
    at: NDArray[np.int32] | None
    start: int
    end: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """
        Characters of the original, end exclusive, that *start* to *end* of the text came from.

        Offsets outside the text are taken as its ends; an empty span may grow to the character
        it stands in.
        """
        size = len(self.text)
        first = min(max(start, 0), size)
        last = min(max(end, first), size)
        if self.at is None:
            if self.how:
                return self.start, self.end
            return self.start + first, self.start + last
        left = int(self.at[first])
        if last == first:
            return left, left
        # Several characters may have come from one (ligatures), so a span is never empty.
        return left, max(int(self.at[last]), int(self.at[last - 1]) + 1)
