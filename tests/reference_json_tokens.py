"""Naive twin of kernels/json_tokens.py: written while walking the value, token by token."""

from __future__ import annotations

import json

from kernels.json_tokens import DIGITS_MIN, NAME, NUMBER, OBJECT, STRING


class Writer:
    """Writes a value as JSON and notes each token on the way."""

    def __init__(self, comma: str, colon: str, *, ascii_only: bool) -> None:
        self.text = ""
        self.rows: list[list[int]] = []
        self._comma = comma
        self._colon = colon
        self._ascii_only = ascii_only

    def write(self, value: object, owner: int = -1, name: int = -1) -> None:
        """Append *value*, which stands under *name* in *owner*."""
        if isinstance(value, dict):
            self._token(OBJECT, "{", owner, name)
            here = len(self.rows) - 1
            for n, (key, inner) in enumerate(value.items()):
                self.text += self._comma if n else ""
                self._token(NAME, json.dumps(key, ensure_ascii=self._ascii_only), here, -1)
                row = len(self.rows) - 1
                self.text += self._colon
                self.write(inner, here, row)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for n, inner in enumerate(value):
                self.text += self._comma if n else ""
                self.write(inner, owner, name)
            self.text += "]"
        else:
            self._scalar(value, owner, name)

    def _scalar(self, value: object, owner: int, name: int) -> None:
        said = json.dumps(value, ensure_ascii=self._ascii_only)
        if isinstance(value, str):
            self._token(STRING, said, owner, name)
        elif isinstance(value, bool | None) or len(said) < DIGITS_MIN:
            self.text += said
        else:
            self._token(NUMBER, said, owner, name)

    def _token(self, kind: int, said: str, owner: int, name: int) -> None:
        start = len(self.text.encode())
        self.text += said
        self.rows.append([kind, start, start + len(said.encode()), owner, name])
