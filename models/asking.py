"""Ask the encoder behind a door, within a deadline, and each text once while it is in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from models.batching import Entry, Refusal, tokens_of
from models.opinion import Opinion
from models.worker import Load

T = TypeVar("T")


class Door(Protocol):
    """Where prompts wait for an encoder: a Worker, or one in another process."""

    @property
    def tokens_max(self) -> int: ...

    @property
    def is_failing(self) -> bool: ...

    @property
    def load(self) -> Load: ...

    def submit(self, entry: Entry, budget_s: float | None) -> Refusal | None: ...

    def describe(self) -> str: ...

    def close(self) -> None: ...


class Asking:
    """
    Asks an encoder on behalf of callers on one event loop. The classifier and the scan of one
    request often ask for the same text, one right after the other: then one pass serves both.
    """

    def __init__(self, door: Door, deadline_s: float | None) -> None:
        self.door = door
        self._deadline_s = deadline_s
        self._latest: InHand | None = None

    def ask(
        self,
        text: str,
        answer: asyncio.Future[T],
        word: Callable[[Opinion | None], T],
        late: T,
    ) -> Refusal | None:
        """
        Let *answer* be the *word* on the encoder's opinion of *text*, or *late* after the deadline.
        A refusal is returned at once, and *answer* is then the caller's to give.
        """
        timer: asyncio.TimerHandle | None = None

        def settle(said: Opinion | None) -> None:
            if timer is not None:
                timer.cancel()
            give(answer, word(said))

        if (refusal := self._submit(text, answer.done, settle)) is not None:
            return refusal
        if self._deadline_s is not None:
            timer = answer.get_loop().call_later(self._deadline_s, give, answer, late)
        return None

    def _submit(
        self, text: str, gone: Callable[[], bool], settle: Callable[[Opinion | None], None]
    ) -> Refusal | None:
        latest = self._latest
        if latest is not None and latest.text == text and not latest.gone():
            latest.callers.append((gone, settle))
            return None
        held = InHand(text)
        held.callers.append((gone, settle))
        size = len(text.encode("utf-8", "replace"))
        tokens = tokens_of(size, self.door.tokens_max)
        entry = Entry(text, size, tokens, held.gone, held.settle)
        refusal = self.door.submit(entry, self._deadline_s)
        self._latest = held if refusal is None else None
        return refusal


class InHand:
    """A text that the encoder has, and everybody who waits for its opinion."""

    __slots__ = ("callers", "settled", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.callers: list[tuple[Callable[[], bool], Callable[[Opinion | None], None]]] = []
        self.settled = False

    def gone(self) -> bool:
        """Whether nobody waits any more."""
        return self.settled or all(gone() for gone, _ in self.callers)

    def settle(self, said: Opinion | None) -> None:
        """Tell everybody, those who have gone too: what was found is worth remembering."""
        self.settled = True
        callers, self.callers = self.callers, []
        for _, settle in callers:
            settle(said)


def give(answer: asyncio.Future[T], value: T) -> None:
    """Answer, unless that was done or the caller has gone."""
    if not answer.done():
        answer.set_result(value)
