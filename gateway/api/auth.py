"""Who is calling: gateway keys, compared without telling how much of one was right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping

from gateway.core.errors import Unauthenticated
from gateway.core.request import Principal

# Where SDKs put the key, in the order they are believed.
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
ANONYMOUS = Principal()


class Keyring:
    """
    The keys that may call. None at all: everybody may, which the configuration allows on loopback
    only.

    Keys are kept as keyed hashes and looked up by hash: an attacker who measures time learns about
    the hash of a guess under a secret of this process, which tells nothing about a key.
    """

    def __init__(self, keys: Iterable[tuple[str, Principal]]) -> None:
        self._pepper = os.urandom(32)
        self._principals = {self._hash(secret): principal for secret, principal in keys}

    @property
    def open(self) -> bool:
        """Whether no key is asked for."""
        return not self._principals

    def principal(self, headers: Mapping[str, str]) -> Principal:
        """
        Who sent *headers* (case-insensitive).

        Raises:
            Unauthenticated: no key, or one we do not know.
        """
        if not self._principals:
            return ANONYMOUS
        secret = presented_key(headers)
        if secret is None:
            raise Unauthenticated(
                "No API key. Send one as 'Authorization: Bearer KEY' or 'x-api-key: KEY'."
            )
        principal = self._principals.get(self._hash(secret))
        if principal is None:
            raise Unauthenticated("Unknown API key. Use one of the keys of this gateway.")
        return principal

    def _hash(self, secret: str) -> bytes:
        encoded = secret.encode("utf-8", "surrogateescape")
        return hashlib.blake2b(encoded, key=self._pepper, digest_size=32).digest()


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in *headers*, None without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for name in KEY_HEADERS:
        if key := headers.get(name):
            return key
    return None
