"""What was answered lately: the same excerpt gets the same scores without another look."""

from __future__ import annotations

from hashlib import blake2b

from models.scores import Scores

KEY_BYTES = 16  # of 2**128 keys no two texts share one
# A key, a Scores with its numbers and the slots of the table: measured 250, and some for a table
# that has just grown. Strings are shared.
ENTRY_BYTES = 300


def key_of(text: str) -> bytes:
    """Stands for a text without holding a word of it."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=KEY_BYTES).digest()


class Memory:
    """Scores by key, at most *bytes_max* bytes of them; those asked for longest ago go first."""

    def __init__(self, bytes_max: int) -> None:
        self._entries_max = bytes_max // ENTRY_BYTES
        self._scores: dict[bytes, Scores] = {}

    def __len__(self) -> int:
        return len(self._scores)

    def get(self, key: bytes) -> Scores | None:
        """What was put under *key*, if it is still there."""
        scores = self._scores.pop(key, None)
        if scores is not None:
            self._scores[key] = scores
        return scores

    def put(self, key: bytes, scores: Scores) -> None:
        """Remember *scores*, and forget the oldest where there is no room."""
        self._scores.pop(key, None)
        self._scores[key] = scores
        if len(self._scores) > self._entries_max:
            del self._scores[next(iter(self._scores))]
