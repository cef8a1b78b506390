"""A stream of an answer as the API reads it, whoever makes it."""

from __future__ import annotations

from typing import Protocol


class Pieces(Protocol):
    """
    Iterate it, and ``aclose`` it in any case, also unstarted. Each piece is whole events, to be
    written and flushed at once.
    """

    def __aiter__(self) -> Pieces:
        """It can be read once."""

    async def __anext__(self) -> bytes:
        """The next whole events."""

    async def aclose(self, *, draining: bool = False) -> None:
        """Nobody reads on; *draining*: we have cut it off. Again, or after the end: no effect."""
