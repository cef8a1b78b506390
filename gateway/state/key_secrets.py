"""Secrets of keys: made once, shown once, and kept as keyed hashes only."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Literal

from gateway.config.secrets import Secret

SECRET_BYTES = 32
PREFIX_CHARS = 10  # shown, to recognise a key by: its mark, and six or seven random ones
MARKS: dict[str, str] = {"key": "sy_", "admin_key": "sya_"}


def new_secret(kind: Literal["key", "admin_key"]) -> Secret:
    """A new secret: ``sy_`` or ``sya_`` and 43 characters of A-Z a-z 0-9 - _ (256 random bits)."""
    random = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=")
    return Secret(MARKS[kind] + random.decode())


def digest(secret: str, pepper: bytes) -> str:
    """
    What is kept of *secret*: 64 hexadecimal digits, worth nothing without *pepper* (1 to 64 bytes).
    """
    encoded = secret.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(encoded, key=pepper, digest_size=32).hexdigest()


def prefix_of(secret: str) -> str:
    """The beginning of *secret*, which may be shown."""
    return secret[:PREFIX_CHARS]


def provider_key_context(id_: str, tenant: str, provider: str) -> tuple[str, ...]:
    """What the sealed secret of a provider key is bound to: nobody else's row can hold it."""
    return ("provider_key", id_, tenant, provider)


def webhook_context(id_: str) -> tuple[str, ...]:
    """What the sealed secret of a webhook is bound to."""
    return ("webhook", id_)
