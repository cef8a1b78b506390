"""
Sessions of the dashboard: a signed cookie, so that every replica knows them without being told.

A cookie says which admin key opened it and when it was last used; what that key may do is looked up
anew for each request, so a key that is revoked or expired, or has another secret, ends its sessions
everywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict

import msgspec

COOKIE = "switchyard_session"
IDLE_S = 8 * 3600.0  # a session ends when nothing was done for so long,
LIFE_S = 7 * 86_400.0  # and after so long in any case
RENEW_S = 60.0  # a cookie is written anew when it is so old
CLOSED_MAX = 4096  # sessions that were closed here and are remembered as such
PURPOSE = "sessions"  # of the key that signs, for ``Vault.derive``


class Session(msgspec.Struct, frozen=True):
    """
    One login, of the admin key *operator* with the secret that *mark* tells apart from others.
    Times are seconds since the epoch.
    """

    id: str
    operator: str
    mark: str
    opened_s: float
    used_s: float

    def ended(self, now_s: float) -> bool:
        """Whether it has been idle or open for too long."""
        return now_s - self.used_s > IDLE_S or now_s - self.opened_s > LIFE_S


DECODER = msgspec.json.Decoder(Session)


class Sessions:
    """
    Opens, reads and closes sessions with one *key* of 32 bytes.

    The mutable state is bounded: ids of sessions that were closed here. Other replicas forget a
    closed session when its browser does, which deletes the cookie, or when it has been idle.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._closed: OrderedDict[str, None] = OrderedDict()

    def open(self, operator: str, digest: str, now_s: float) -> Session:
        """A new session of the admin key *operator*, whose secret has this keyed hash."""
        return Session(secrets.token_urlsafe(24), operator, self.mark(digest), now_s, now_s)

    def mark(self, digest: str) -> str:
        """What a session remembers of the keyed hash of a secret."""
        return packed(self._mac(b"secret", digest.encode())[:12])

    def write(self, session: Session) -> str:
        """The cookie of *session*."""
        payload = msgspec.json.encode(session)
        return f"{packed(payload)}.{packed(self._mac(b'cookie', payload))}"

    def read(self, cookie: str, now_s: float) -> Session | None:
        """The session of *cookie*; None where we did not write it, or where it has ended."""
        payload_text, _, mac_text = cookie.partition(".")
        payload, mac = unpacked(payload_text), unpacked(mac_text)
        if not hmac.compare_digest(mac, self._mac(b"cookie", payload)):
            return None
        try:
            session = DECODER.decode(payload)
        except msgspec.DecodeError:  # of another version of ours
            return None
        return None if session.ended(now_s) or session.id in self._closed else session

    def close(self, session: Session) -> None:
        """Let *session* open nothing any more."""
        self._closed[session.id] = None
        if len(self._closed) > CLOSED_MAX:
            self._closed.popitem(last=False)

    def form_token(self, session: Session) -> str:
        """What every form of *session* has to bring back, and no other site can know."""
        return packed(self._mac(b"form", session.id.encode()))

    def is_form_token(self, session: Session, token: str) -> bool:
        """Whether *token* is that of *session*."""
        return hmac.compare_digest(token.encode(), self.form_token(session).encode())

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + message, hashlib.sha256)


def packed(data: bytes) -> str:
    """*data* as base64 that a cookie may hold."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    """The bytes of ``packed``; none for anything else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
