"""
The facts as one replica holds them: read at the start, kept fresh from outside, never waited for.

Every ``poll_s`` seconds one cheap question asks the database whether anything has changed. While
it does not answer, the facts in hand hold, and they are also kept in a file of the replica's own,
so that one that starts meanwhile knows its keys.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.state.fact_store import FactStore
from gateway.state.facts import KINDS, Facts

log = logging.getLogger(__name__)

COPY = "facts.json"
COPY_S = 10.0  # between two writes of the copy: a thousand keys may be made in a minute
VOUCH_S = 60.0  # without a change it is written so often, to say how fresh it is


class Copy(msgspec.Struct, frozen=True):
    """The file beside the database."""

    version: int
    wall_s: float
    facts: dict[str, dict[str, msgspec.Raw]]


class FactReplica:
    """
    The mutable state: *facts*, swapped whole; *_fresh_wall_s*, when they were last known to be
    those of the database (None: never); *_uncopied*, whether the copy lacks a change. *changed* is
    called on the event loop after each swap.
    """

    def __init__(
        self,
        store: FactStore,
        clock: Clock,
        *,
        folder: Path,
        poll_s: float,
        changed: Callable[[Facts], None] = lambda facts: None,
    ) -> None:
        self.facts = Facts()
        self.changed = changed
        self._store = store
        self._clock = clock
        self._copy = folder / COPY
        self._copied_s = -VOUCH_S
        self._uncopied = False
        self.poll_s = poll_s
        self._fresh_wall_s: float | None = None
        self._failing = False
        self._one_at_a_time = asyncio.Lock()

    @property
    def stale_s(self) -> float:
        """Seconds since the facts were last known to be those of the database; inf: never."""
        if self._fresh_wall_s is None:
            return float("inf")
        return max(0.0, self._clock.wall() - self._fresh_wall_s)

    async def start(self) -> None:
        """Read all facts; of the copy where the database does not answer. Never raises for that."""
        try:
            await self.refresh()
        except Unavailable as error:
            self._note_failure(error)
            await asyncio.to_thread(self._read_copy)
            self.changed(self.facts)

    async def refresh(self) -> None:
        """
        See at once what has changed, such as what one has just written.

        Raises:
            Unavailable: the database does not answer; the facts stay as they are.
        """
        async with self._one_at_a_time:
            looked_s = self._clock.wall()
            facts = await asyncio.to_thread(self._look)
            self._fresh_wall_s = looked_s
            if self._failing:
                self._failing = False
                log.warning("the database answers again: facts are fresh")
            if facts is not self.facts:
                self.facts = facts
                self._uncopied = True
                self.changed(self.facts)
            if self._clock.monotonic() - self._copied_s >= (COPY_S if self._uncopied else VOUCH_S):
                await asyncio.to_thread(self._write_copy)

    async def run(self) -> None:
        """Keep the facts fresh until cancelled."""
        while True:
            await asyncio.sleep(self.poll_s)
            try:
                await self.refresh()
            except Unavailable as error:
                self._note_failure(error)
            except Exception:  # whatever it was, the next look may go well
                log.exception("facts could not be read")

    def _look(self) -> Facts:
        """The facts of now. Of a database that was set back, as by a backup, all are read again."""
        facts, version = self.facts, self._store.version()
        if version < facts.version:
            log.warning("the facts went back from version %d to %d", facts.version, version)
            facts = Facts()
        changes = self._store.since(facts.version) if version != facts.version else []
        return facts.after(changes) if changes else facts

    def _note_failure(self, error: Unavailable) -> None:
        if not self._failing:
            log.warning("%s The facts in hand hold: %s", error, error.__cause__)
        self._failing = True

    def _write_copy(self) -> None:
        """Beside the database, atomically. What cannot be written is no reason to fail."""
        self._copied_s, self._uncopied = self._clock.monotonic(), False
        encode = msgspec.json.encode
        facts = {
            kind: {name: msgspec.Raw(encode(fact)) for name, fact in found.items()}
            for kind, found in self.facts.by_kind.items()
        }
        payload = encode(Copy(self.facts.version, self._fresh_wall_s or 0.0, facts))
        partial = self._copy.with_suffix(f".{os.getpid()}")
        try:
            self._copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.touch(mode=0o600)
            partial.write_bytes(payload)
            partial.replace(self._copy)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._copy, error.strerror)

    def _read_copy(self) -> None:
        try:
            copy = msgspec.json.decode(self._copy.read_bytes(), type=Copy)
            by_kind = {
                kind: {
                    name: msgspec.json.decode(fact, type=KINDS[kind])
                    for name, fact in found.items()
                }
                for kind, found in copy.facts.items()
                if kind in KINDS
            }
        except (OSError, msgspec.DecodeError) as error:
            log.warning("no copy of the facts: %s", error)
            return
        self.facts = Facts(copy.version, by_kind)
        self._fresh_wall_s = copy.wall_s
        log.warning("facts of %s, %.0f s old", self._copy, self.stale_s)
