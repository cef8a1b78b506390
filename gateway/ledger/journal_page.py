"""Lines of the journal, a page at a time. Whatever is in a file, reading it goes on."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.core.charges import Charge
from gateway.state.segments import read_lines

DECODER = msgspec.json.Decoder(Charge)


class Page(msgspec.Struct, frozen=True):
    """Whole lines from byte *start* to just before *end* of a segment, see Lines."""

    start: int
    end: int
    charges: list[Charge]
    corrupt: list[bytes]  # lines that cannot be read, in order

    @property
    def empty(self) -> bool:
        """There is no whole line from *start* on."""
        return self.start == self.end


def read_page(path: Path, start: int, lines_max: int) -> Page:
    """
    Up to *lines_max* lines of the segment at *path*, as far as they can be read. Raises OSError.
    """
    found = read_lines(path, start, lines_max)
    charges: list[Charge] = []
    corrupt: list[bytes] = []
    for line in found.lines:
        try:
            charges.append(DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            corrupt.append(line)
    return Page(start=start, end=found.end, charges=charges, corrupt=corrupt)
