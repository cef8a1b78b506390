"""Lines of the journal, a page at a time. Whatever is in a file, reading it goes on."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from gateway.core.charges import Charge

PAGE_BYTES = 256 * 1024  # at least a thousand lines
DECODER = msgspec.json.Decoder(Charge)


class Page(msgspec.Struct, frozen=True):
    """
    Whole lines from byte *start* to just before *end* of a segment. What is behind the last
    newline is not there yet, or was torn off when its process died.
    """

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
    Up to *lines_max* lines of the segment at *path*. Bytes without any newline in them, more than
    a line can have, count as one corrupt line. Raises OSError.
    """
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), PAGE_BYTES, start)
    if len(data) == PAGE_BYTES and b"\n" not in data:
        return Page(start=start, end=start + len(data), charges=[], corrupt=[data])
    lines = data.split(b"\n")[:-1][:lines_max]
    charges: list[Charge] = []
    corrupt: list[bytes] = []
    for line in lines:
        try:
            charges.append(DECODER.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            corrupt.append(line)
    end = start + sum(map(len, lines)) + len(lines)
    return Page(start=start, end=end, charges=charges, corrupt=corrupt)
