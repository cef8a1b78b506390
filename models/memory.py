"""What was answered lately: the same excerpt gets the same answer without another look."""

from __future__ import annotations

from hashlib import blake2b
from typing import Generic, TypeVar

KEY_BYTES = 16  # of 2**128 keys no two texts share one
# A key, a Scores with its numbers and the slots of the table: measured 250, and some for a table
# that has just grown. Strings are shared.
ENTRY_BYTES = 300

T = TypeVar("T")


def key_of(text: str) -> bytes:
    """Stands for a text without holding a word of it."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=KEY_BYTES).digest()


class Memory(Generic[T]):
    """Answers by key, at most *bytes_max* bytes of them; those asked for longest ago go first."""

    def __init__(self, bytes_max: int) -> None:
        self._entries_max = bytes_max // ENTRY_BYTES
        self._answers: dict[bytes, T] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: bytes) -> T | None:
        """What was put under *key*, if it is still there."""
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._answers[key] = answer
        return answer

    def put(self, key: bytes, answer: T) -> None:
        """Remember *answer*, and forget the oldest where there is no room."""
        self._answers.pop(key, None)
        self._answers[key] = answer
        if len(self._answers) > self._entries_max:
            del self._answers[next(iter(self._answers))]
