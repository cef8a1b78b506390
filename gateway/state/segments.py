"""
Lines on disk that wait for the database, and outlive the process that wrote them.

Every process has a folder of its own, locked as long as it lives, with segments
``00000001.jsonl``, ``00000002.jsonl`` and so on: one line for each event, appended by one
unbuffered write, so that a process which is killed loses nothing (the machine's page cache keeps
it; a power cut may take the last seconds). The folder of a dead process is adopted by another one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

LOCK = "lock"
PAGE_BYTES = 256 * 1024  # that are read at once, and more than a line can have


class Segments:
    """The folder of one process, held by its lock: nobody else reads or removes it meanwhile."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self._lock = lock

    @property
    def id(self) -> str:
        """Its name, unique among all processes of all machines."""
        return self.folder.name

    def numbers(self) -> list[int]:
        """Of the segments that are there, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.jsonl"))

    def path(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{number:08d}.jsonl"

    def size_bytes(self) -> int:
        """Of all segments."""
        return sum(self.path(number).stat().st_size for number in self.numbers())

    def discard(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def close(self) -> None:
        """Let go of the folder; what is in it is adopted by another process."""
        os.close(self._lock)


class Appender:
    """
    Writes the segments of this process, in a new folder under *root*, each up to about
    *segment_bytes_max*. Not for two threads at once. Raises OSError.
    """

    def __init__(self, root: Path, segment_bytes_max: int) -> None:
        self.segments = make_segments(root)
        self.appended = 0  # bytes in all
        self._segment_bytes_max = segment_bytes_max
        self._segment_bytes = 0
        self._number = 0
        self._file: int | None = None

    @property
    def current(self) -> int:
        """The segment of the next line; those below are finished."""
        return self._number + (self._file is None)

    def write(self, line: bytes) -> None:
        """
        One line, whole; raises OSError. After a failure a new segment begins: a torn line ends
        the old one.
        """
        file = self.open() if self._file is None else self._file
        try:
            written = os.write(file, line)
        except OSError:
            self.finish()
            raise
        self.appended += written
        self._segment_bytes += written
        if written < len(line):
            self.finish()
            raise OSError(f"only {written} of {len(line)} bytes could be written")
        if self._segment_bytes >= self._segment_bytes_max:
            self.finish()

    def finish(self) -> None:
        """Go on in a new segment, unless nothing is in this one."""
        if self._segment_bytes:
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        file, self._file, self._segment_bytes = self._file, None, 0
        if file is not None:
            os.close(file)

    def open(self) -> int:
        """Begin the next segment. Raises OSError."""
        path = self.segments.path(self._number + 1)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._number += 1
        return self._file


class Lines(msgspec.Struct, frozen=True):
    """
    Whole lines from byte *start* to just before *end* of a segment. What is behind the last
    newline is not there yet, or was torn off when its process died.
    """

    start: int
    end: int
    lines: list[bytes]

    @property
    def empty(self) -> bool:
        """There is no whole line from *start* on."""
        return self.start == self.end


def read_lines(path: Path, start: int, lines_max: int) -> Lines:
    """
    Up to *lines_max* lines, and PAGE_BYTES, of the segment at *path*. Bytes without any newline in
    them, more than a line can have, count as one line. Raises OSError.
    """
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), PAGE_BYTES, start)
    if len(data) == PAGE_BYTES and b"\n" not in data:
        return Lines(start, start + len(data), [data])
    lines = data.split(b"\n")[:-1][:lines_max]
    return Lines(start, start + sum(map(len, lines)) + len(lines), lines)


def make_segments(root: Path) -> Segments:
    """
    A new folder under *root*, locked before it has the name under which others look for dead
    ones. Raises OSError.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = os.urandom(8).hex()
    unborn = root / f".{name}"
    unborn.mkdir(mode=0o700)
    lock = lock_of(unborn)
    if lock is None:
        raise OSError(f"{unborn} is locked by somebody else")
    folder = root / name
    unborn.rename(folder)
    return Segments(folder, lock)


def adopt_dead(root: Path) -> Iterator[Segments]:
    """The folders under *root* whose processes are dead, now held by this one."""
    for path in sorted(root.glob("[!.]*")):
        lock = lock_of(path) if path.is_dir() else None
        if lock is not None:
            yield Segments(path, lock)


def lock_of(folder: Path) -> int | None:
    """The lock of *folder* as an open file, None where somebody has it or the folder is gone."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if not folder.exists():  # removed by its last owner while we waited to be let in
        os.close(lock)
        return None
    return lock
