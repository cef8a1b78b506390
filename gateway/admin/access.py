"""Who operates: admin keys, the first of them, and strangers who try too often."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import msgspec

from gateway.admin.roles import Operator
from gateway.config.secrets import Secret
from gateway.core.clock import Clock
from gateway.core.errors import Conflict, SwitchyardError, Unauthenticated, Unavailable
from gateway.state.fact_store import FactStore, Write
from gateway.state.facts import AdminKey, Facts, KeyHash
from gateway.state.key_secrets import MARKS, digest, new_secret, prefix_of

log = logging.getLogger("switchyard")

KIND = "admin_key"
FIRST = "first"  # id of the admin key that is made at the first start
STATED = "configuration"  # what the key of the configuration is called in the audit log
TRIES_MAX = 10  # failed ones of an address in TRIES_S
TRIES_S = 60.0
ADDRESSES_MAX = 10_000  # that are remembered
STALE_S = 5.0  # as for the keys of clients: so old, the facts may lack a key that is good
RETRY_S = 5.0


class Held(Protocol):
    """What is known of the facts."""

    @property
    def facts(self) -> Facts:
        """All of them."""

    @property
    def stale_s(self) -> float:
        """Seconds since they were last known to be current."""


class Throttled(SwitchyardError):
    """Too many failed tries from one address."""

    status = 429
    code = "too_many_tries"
    retry = True


class Tries:
    """
    Failed tries by address, in a table of a bounded size.

    The mutable state: for each address when its window ends, monotonic, and how many there were.
    """

    def __init__(self, clock: Clock, most: int = TRIES_MAX) -> None:
        self._clock = clock
        self._most = most
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises Throttled where *address* has failed too often."""
        until_s, count = self._failed.get(address, (0.0, 0))
        left_s = until_s - self._clock.monotonic()
        if left_s > 0 and count >= self._most:
            raise Throttled(
                f"{count} tries with a wrong key in {TRIES_S:g} s; wait.", retry_after_s=left_s
            )

    def note(self, address: str) -> None:
        """*address* has failed."""
        now_s = self._clock.monotonic()
        until_s, count = self._failed.pop(address, (0.0, 0))
        if until_s <= now_s:
            until_s, count = now_s + TRIES_S, 0
        self._failed[address] = (until_s, count + 1)
        while len(self._failed) > ADDRESSES_MAX:
            self._failed.popitem(last=False)


class Access:
    """
    Admin keys: those of the facts, and *stated*, that of the configuration.

    Keys that were made here are 256 random bits, which nobody guesses: they are never throttled, so
    that strangers behind the same proxy lock no operator out. *stated* may be a weaker one.
    """

    def __init__(
        self,
        held: Held,
        hashed: Callable[[str], str],
        clock: Clock,
        stated: Secret | None = None,
        tries: Tries | None = None,
    ) -> None:
        self._held = held
        self._hashed = hashed
        self._clock = clock
        self.stated = stated
        self._pepper = secrets.token_bytes(32)
        self._stated = None if stated is None else digest(stated, self._pepper)
        self._tries = tries or Tries(clock)

    def operator(self, secret: str, address: str) -> Operator:
        """
        Who *secret* belongs to; *address* is where it came from.

        Raises:
            Unauthenticated: nobody, or somebody whose key is over.
            Throttled: too many such tries from there.
            Unavailable: the facts are too old to tell.
        """
        found = self._made(secret)
        if found is not None:
            return found
        self._tries.check(address)
        guess = digest(secret, self._pepper)
        if self._stated is not None and hmac.compare_digest(guess, self._stated):
            return Operator(STATED, "admin")
        if self._held.stale_s > STALE_S and secret.startswith(MARKS[KIND]):
            raise Unavailable(
                "The database does not answer, so an admin key cannot be looked up.",
                retry_after_s=RETRY_S,
            )
        self._tries.note(address)
        raise Unauthenticated("Unknown admin key, or one that has expired or was revoked.")

    def known(self, id_: str) -> Operator | None:
        """The operator *id_* as it may act now, for sessions; None: no longer."""
        if id_ == STATED:
            return None if self._stated is None else Operator(STATED, "admin")
        fact = self._held.facts.of(KIND).get(id_)
        now_s = self._clock.wall()
        if not isinstance(fact, AdminKey) or not usable(fact, now_s):
            return None
        return Operator(id_, fact.role)

    def _made(self, secret: str) -> Operator | None:
        if not secret.startswith(MARKS[KIND]):
            return None
        guess, now_s = self._hashed(secret), self._clock.wall()
        for id_, fact in self._held.facts.of(KIND).items():
            if isinstance(fact, AdminKey) and usable(fact, now_s):
                for one in fact.hashes:
                    current = one.expires_s is None or one.expires_s > now_s
                    if current and hmac.compare_digest(one.digest, guess):
                        return Operator(id_, fact.role)
        return None


def usable(fact: AdminKey, now_s: float) -> bool:
    """Whether it is neither revoked nor expired."""
    return fact.revoked_s is None and (fact.expires_s is None or fact.expires_s > now_s)


def ensure_admin_key(
    store: FactStore,
    facts: Facts,
    hashed: Callable[[str], str],
    clock: Clock,
    stated: Secret | None,
) -> Secret | None:
    """
    Make the first admin key where there is none that works, neither *stated* nor among *facts*; log
    it, once, and return it. Of replicas that start at once one makes it. Blocks.

    Raises:
        Unavailable: the database does not answer.
    """
    now_s = clock.wall()
    admins = (one for one in facts.of(KIND).values() if isinstance(one, AdminKey))
    if stated is not None or any(one.role == "admin" and usable(one, now_s) for one in admins):
        return None
    secret = new_secret("admin_key")
    made = AdminKey(
        role="admin",
        hashes=(KeyHash(digest=hashed(secret)),),
        prefix=prefix_of(secret),
        name="made at the first start",
        created_s=now_s,
    )
    before = store.find(KIND, FIRST)
    if before is not None and before.payload is not None:
        there = msgspec.json.decode(before.payload, type=AdminKey)
        if there.role == "admin" and usable(there, now_s):
            return None  # another replica was first
    expected = 0 if before is None else before.version
    try:
        store.write([Write(KIND, FIRST, made, expected)], actor="switchyard", action="create")
    except Conflict:
        return None  # the same, in the same instant
    log.warning("admin key (shown once): %s", str(secret))
    return secret
