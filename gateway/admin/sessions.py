"""
Sessions of the dashboard: a signed cookie, so that every replica knows them without being told.

A cookie says which admin key, or which group of a person, opened it and when it was last used; what
that may do is looked up anew for each request, so a key that is revoked or expired, or has another
secret, ends its sessions everywhere, and so does a group that has no role any more. Who is still in
a group is known to the identity provider alone, which is asked at each login.
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
    One login of *operator*: an admin key, or a person with the role of *group*. *mark* tells the
    secret of the key, or the identity provider, apart from others. Times are seconds since the
    epoch.
    """

    id: str
    operator: str
    mark: str
    opened_s: float
    used_s: float
    group: str | None = None

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

    def open(self, operator: str, digest: str, now_s: float, group: str | None = None) -> Session:
        """
        A new session of *operator*: an admin key whose secret has this keyed hash, or a member of
        *group* at the identity provider that *digest* stands for.
        """
        mark = self.mark(digest)
        return Session(secrets.token_urlsafe(24), operator, mark, now_s, now_s, group)

    def mark(self, digest: str) -> str:
        """What a session remembers of the keyed hash of a secret, or of a provider."""
        return packed(self._mac(b"secret", digest.encode())[:12])

    def write(self, session: Session) -> str:
        """The cookie of *session*."""
        return self.sign(b"cookie", msgspec.json.encode(session))

    def read(self, cookie: str, now_s: float) -> Session | None:
        """The session of *cookie*; None where we did not write it, or where it has ended."""
        try:
            session = DECODER.decode(self.signed(b"cookie", cookie))
        except msgspec.DecodeError:  # none of ours, or of another version of ours
            return None
        return None if session.ended(now_s) or session.id in self._closed else session

    def sign(self, purpose: bytes, payload: bytes) -> str:
        """*payload* as a cookie for *purpose*, readable by its owner."""
        return f"{packed(payload)}.{packed(self._mac(purpose, payload))}"

    def signed(self, purpose: bytes, cookie: str) -> bytes:
        """The payload of *cookie*; empty where we did not sign it for *purpose*."""
        payload_text, _, mac_text = cookie.partition(".")
        payload, mac = unpacked(payload_text), unpacked(mac_text)
        return payload if hmac.compare_digest(mac, self._mac(purpose, payload)) else b""

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
