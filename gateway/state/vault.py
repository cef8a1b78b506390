"""
Secrets as the database holds them: sealed under the master key, and bound to where they belong.

An envelope: each secret has a random data key of its own, and only that is wrapped by the master
key. A new master key wraps the data keys again and touches no secret.

    v1.<id of the master key>.<wrapped data key>.<sealed secret>

Both parts are a nonce of 12 bytes and what AES-256-GCM made, as base64url without padding.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.config.secrets import Secret

VERSION: Final = "v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # random: a wrapping key is good for 2**32 secrets (NIST SP 800-38D, 8.3)
ID_CHARS: Final = 8
WRAPPING: Final = "vault: wrap data keys"

Context = tuple[str, ...]  # e.g. tenant, provider and id of the row


class VaultError(Exception):
    """A secret that cannot be opened. The message holds nothing of it."""


class Envelope(msgspec.Struct, frozen=True):
    """A sealed secret, taken apart."""

    master_id: str
    wrapped: bytes
    sealed: bytes

    @classmethod
    def read(cls, text: str) -> Envelope:
        """
        Take *text* apart.

        Raises:
            VaultError: not what ``write`` makes, to the last bit.
        """
        try:
            version, master_id, wrapped, sealed = text.split(".")
            envelope = cls(master_id, _bytes(wrapped), _bytes(sealed))
        except (ValueError, binascii.Error):
            raise VaultError("Not a sealed secret.") from None
        if version != VERSION or envelope.write() != text:
            raise VaultError(f"Not a sealed secret of version {VERSION}.")
        return envelope

    def write(self) -> str:
        """As the database holds it."""
        return f"{VERSION}.{self.master_id}.{_text(self.wrapped)}.{_text(self.sealed)}"


class Vault:
    """
    Seals under *master*, opens also what is sealed under one of the *old* master keys; 32 bytes
    each. Immutable, for any thread.

    Whoever holds the database and not the master key can neither read a secret nor move it to
    another tenant, provider or row: the context is authenticated with it.
    """

    def __init__(self, master: bytes, old: tuple[bytes, ...] = ()) -> None:
        if any(len(key) != KEY_BYTES for key in (master, *old)):
            raise VaultError(f"A master key has {KEY_BYTES} bytes.")
        self._master = master
        self._wrapping = {id_of(key): AESGCM(derived(key, WRAPPING)) for key in (master, *old)}
        self.master_id = id_of(master)

    def __repr__(self) -> str:
        return f"<Vault {' '.join(self._wrapping)}>"

    def seal(self, plaintext: str, context: Context) -> str:
        """*plaintext* so that only this vault opens it, and only for *context*."""
        data_key = secrets.token_bytes(KEY_BYTES)
        sealed = _encrypt(AESGCM(data_key), plaintext.encode(), _bound("secret", context))
        return Envelope(self.master_id, self._wrap(data_key, context), sealed).write()

    def open(self, sealed: str, context: Context) -> Secret:
        """
        The secret in *sealed*.

        Raises:
            VaultError: damaged, of another context, or of a master key that is not here.
        """
        envelope = Envelope.read(sealed)
        cipher = AESGCM(self._unwrap(envelope, context))
        return Secret(_decrypt(cipher, envelope.sealed, _bound("secret", context)).decode())

    def rewrap(self, sealed: str, context: Context) -> str:
        """
        The same secret under the master key of now; unchanged where it is so already.

        Raises:
            VaultError: as ``open``, as far as it shows without opening the secret itself.
        """
        envelope = Envelope.read(sealed)
        data_key = self._unwrap(envelope, context)
        if envelope.master_id == self.master_id:
            return sealed
        return Envelope(self.master_id, self._wrap(data_key, context), envelope.sealed).write()

    def is_current(self, sealed: str) -> bool:
        """Whether *sealed* hangs on the master key of now. Raises VaultError."""
        return Envelope.read(sealed).master_id == self.master_id

    def derive(self, purpose: str) -> bytes:
        """32 bytes for *purpose* alone, always the same under one master key."""
        return derived(self._master, purpose)

    def _wrap(self, data_key: bytes, context: Context) -> bytes:
        return _encrypt(self._wrapping[self.master_id], data_key, _bound("data key", context))

    def _unwrap(self, envelope: Envelope, context: Context) -> bytes:
        wrapping = self._wrapping.get(envelope.master_id)
        if wrapping is None:
            raise VaultError(
                f"A secret is sealed under the master key {envelope.master_id}, which is not here; "
                f"those that are: {', '.join(self._wrapping)}."
            )
        return _decrypt(wrapping, envelope.wrapped, _bound("data key", context))


def id_of(master: bytes) -> str:
    """What a master key is called in envelopes and messages; tells nothing of the key itself."""
    return hashlib.sha256(b"switchyard master key" + master).hexdigest()[:ID_CHARS]


def derived(master: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 of *master* (already uniform, so without salt) for *purpose*; 32 bytes."""
    return HKDF(SHA256(), KEY_BYTES, None, f"switchyard {purpose}".encode()).derive(master)


def _bound(part: str, context: Context) -> bytes:
    """What is authenticated besides the bytes; JSON, so that no two contexts look alike."""
    return msgspec.json.encode((VERSION, part, *context))


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
        raise VaultError("A sealed secret is damaged, or belongs somewhere else.") from None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
