"""Who is calling: gateway keys, compared without telling how much of one was right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Forbidden, Unauthenticated, Unavailable
from gateway.core.request import Principal
from gateway.state.facts import Facts, GatewayKey, Tenant

# Where SDKs put the key, in the order they are believed.
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
KEY_START = "sy_"  # of every key that the gateway makes
STALE_S = 5.0  # so old may facts be until an unknown key could be one that was just made
RETRY_S = 5.0


class Bearer(msgspec.Struct, frozen=True):
    """
    Who sent a request, by which *key* of the facts (None: of the configuration, or none at all),
    which opens the door until *expires_s*, on the wall clock.
    """

    principal: Principal
    key: GatewayKey | None = None
    expires_s: float | None = None


ANONYMOUS = Bearer(Principal())


class Keyring:
    """
    The keys that may call. None at all: everybody may, unless one is *required*; the configuration
    sees to it that this is so on loopback only.

    Keys are known as keyed hashes and looked up by hash: an attacker who measures time learns about
    the hash of a guess under a secret of ours, which tells nothing about a key. Immutable, but for
    how old the facts are, which it asks.
    """

    def __init__(
        self,
        keys: Iterable[tuple[str, Principal]],
        facts: Facts,
        digest: Callable[[str], str],
        clock: Clock,
        *,
        required: bool = False,
    ) -> None:
        self._digest = digest
        self._clock = clock
        self._bearers = {self._digest(secret): Bearer(principal) for secret, principal in keys}
        self._tenants: dict[str, Tenant] = facts.of("tenant")  # type: ignore[assignment]
        made: dict[str, GatewayKey] = facts.of("key")  # type: ignore[assignment]
        self.open = not required and not self._bearers and not made
        for name, key in made.items():
            principal = Principal(project=key.project, key_id=name, tenant=key.tenant)
            for one in key.hashes:
                self._bearers[one.digest] = Bearer(principal, key, earliest(one.expires_s, key))

    def bearer(self, headers: Mapping[str, str], stale_s: float, grace_s: float) -> Bearer:
        """
        Who sent *headers* (case-insensitive), when the facts are *stale_s* seconds old.

        Raises:
            Unauthenticated: no key, one we do not know, or one that is over.
            Forbidden: its tenant is disabled.
            Unavailable: the facts are too old to tell.
        """
        if self.open:
            return ANONYMOUS
        secret = presented_key(headers)
        if secret is None:
            raise Unauthenticated(
                "No API key. Send one as 'Authorization: Bearer KEY' or 'x-api-key: KEY'."
            )
        bearer = self._bearers.get(self._digest(secret))
        if bearer is None:
            if stale_s > STALE_S and secret.startswith(KEY_START):
                raise Unavailable(
                    "The database does not answer, so a key that is not known cannot be looked up.",
                    retry_after_s=RETRY_S,
                )
            raise Unauthenticated("Unknown API key. Use one of the keys of this gateway.")
        if bearer.key is not None:
            self._check(bearer, bearer.key, stale_s, grace_s)
        return bearer

    def _check(self, bearer: Bearer, key: GatewayKey, stale_s: float, grace_s: float) -> None:
        """Hold a *key* of the facts against the time and its tenant. Raises as ``bearer``."""
        if key.revoked_s is not None:
            raise Unauthenticated("This API key was revoked.")
        if bearer.expires_s is not None and self._clock.wall() >= bearer.expires_s:
            raise Unauthenticated("This API key has expired.")
        tenant = self._tenants.get(key.tenant)
        if tenant is not None and tenant.disabled:
            raise Forbidden(f"The tenant '{key.tenant}' is disabled.")
        if stale_s > grace_s:
            raise Unavailable(
                f"The database has not answered for {stale_s:.0f} s, longer than keys are trusted "
                "without it.",
                retry_after_s=RETRY_S,
            )


def earliest(expires_s: float | None, key: GatewayKey) -> float | None:
    """When a hash of *key* stops to open the door: with its overlap, or with the key."""
    ends = [end for end in (expires_s, key.expires_s) if end is not None]
    return min(ends, default=None)


def check_route(key: GatewayKey | None, path: str) -> None:
    """
    Hold what *key* may call against *path*.

    Raises:
        Forbidden: it may call others only.
    """
    if key is not None and key.allowed_routes and not path.startswith(key.allowed_routes):
        raise Forbidden(f"This API key may call {', '.join(key.allowed_routes)} only.")


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in *headers*, None without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for name in KEY_HEADERS:
        if key := headers.get(name):
            return key
    return None
