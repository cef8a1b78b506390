"""The 32 bytes that every stored secret hangs on: stated, or made once and kept in a file."""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
import stat
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
FILE: Final = "master.key"

log = logging.getLogger("switchyard")


class MasterKeyError(Exception):
    """No usable master key. The message says what to do and never holds the key."""


def master_key(stated: str | None, folder: Path) -> bytes:
    """
    The master key: *stated*, resolved and as base64, else that of the file in *folder*, which is
    made when it is missing. Processes that start at once end up with the same one. Blocks.

    Raises:
        MasterKeyError: not 32 bytes as base64, or a file that cannot be read or made.
    """
    if stated is not None:
        return decoded(stated, "state.master_key")
    path = folder / FILE
    try:
        if not path.exists():
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            log.warning("%s can be read by others than its owner: chmod 600", path)
        text = path.read_text("ascii", "replace")
    except OSError as error:
        raise MasterKeyError(
            f"{path} cannot be read or made: {error.strerror}; state.master_key may name another"
        ) from None
    return decoded(text, str(path))


def decoded(text: str, where: str) -> bytes:
    """
    The key that *text* is in base64, of either alphabet and with or without padding.

    Raises:
        MasterKeyError: it is no such thing; *where* it stands is named.
    """
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise MasterKeyError(
            f"{where} is not {KEY_BYTES} bytes as base64; `openssl rand -base64 32` makes them"
        )
    return key


def _make(path: Path) -> None:
    """
    Put a new key at *path*, unless somebody else does so first. It appears there whole or not at
    all: a link to a finished file cannot replace another, as a rename could.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # a secret must not outlive the key that opens it
    finally:
        os.close(folder)
    log.info("made a master key: %s; back it up, without it no stored secret can be read", path)
