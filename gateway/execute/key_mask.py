"""Some upstreams quote the key that they were asked with when they refuse it: clients see stars."""

from __future__ import annotations

from typing import Final

KEY_CHARS_MIN: Final = 8  # a shorter one is no secret, but what a server without keys is given


class KeyMask:
    """
    Hides one key in error texts. As many stars as it had characters, so that lengths stay true.

    The mutable state: the end of a body that might be the beginning of the key.
    """

    def __init__(self, api_key: str | None) -> None:
        known = api_key is not None and len(api_key) >= KEY_CHARS_MIN
        self._key = (api_key or "").encode() if known else b""
        self._stars = b"*" * len(self._key)
        self._held = b""

    def text(self, text: str) -> str:
        """*text* without the key."""
        return text.replace(self._key.decode(), self._stars.decode()) if self._key else text

    def whole(self, body: bytes) -> bytes:
        """*body* without the key."""
        return body.replace(self._key, self._stars) if self._key else body

    def piece(self, piece: bytes) -> bytes:
        """What can be shown of a body after *piece*; the empty one, at its end, gives the rest."""
        shown = self.whole(self._held + piece)
        kept = self._kept(shown) if piece else 0
        self._held = shown[len(shown) - kept :]
        return shown[: len(shown) - kept]

    def _kept(self, shown: bytes) -> int:
        """How many bytes at the end of *shown* the key may begin with."""
        most = min(len(self._key) - 1, len(shown))
        return next((n for n in range(most, 0, -1) if self._key.startswith(shown[-n:])), 0)
