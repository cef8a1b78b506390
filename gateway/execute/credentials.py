"""The provider keys that tenants brought: which of them may be asked with, and in what order."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from gateway.config.secrets import Secret
from gateway.core.errors import UpstreamUnavailable
from gateway.core.fleet import Deployment
from gateway.core.header_value import fits_header
from gateway.core.outcome import Failure

log = logging.getLogger("switchyard")

REFUSED_S: Final = 300.0  # a refused key rests; refused again when it comes back, twice as long
REFUSED_S_MAX: Final = 4 * 3600.0
THROTTLED_S: Final = 30.0  # without a word of the provider on when to return
THROTTLED_S_MAX: Final = 600.0

KEYS_REST: Final = (
    "No key of yours is left for this request: the providers that may serve it have refused them,"
    " or asked them to wait."
)
HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# What frames a request: on a connection that others use too, it could smuggle another one in.
FRAMING: Final = frozenset({
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip


class ProviderKey(msgspec.Struct, frozen=True):
    """
    A key of *tenant* for *provider*, opened. *base_url*: an endpoint of its own instead of the
    provider's. *weight*: share of the attempts among the tenant's keys, 0: only when no other can.
    *headers* go with it instead of the operator's, which may be credentials of the operator.
    """

    id: str
    tenant: str
    provider: str
    secret: Secret
    base_url: str | None = None
    weight: float = 1.0
    headers: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be sent; the message holds no secret."""
        if not self.secret or not fits_header(self.secret):
            raise ValueError("A provider key is printable ASCII, and not empty.")
        if not 0.0 <= self.weight <= 1e6:
            raise ValueError("The weight of a provider key is 0 to 1,000,000.")
        for name, value in self.headers.items():
            if not HEADER_NAME.fullmatch(name) or not fits_header(value):
                raise ValueError("A header is a name of HTTP and a value of printable ASCII.")
            if name.lower() in FRAMING:
                raise ValueError(f"The header {name.lower()} is not for a provider key to set.")

    def __repr__(self) -> str:
        return f"ProviderKey({self.id})"

    @property
    def guarded(self) -> bool:
        """It leads to an endpoint that the tenant named, and that no one may trust."""
        return self.base_url is not None

    def reach(self, deployment: Deployment) -> Deployment:
        """*deployment* as this key reaches it: nothing of the operator's account goes along."""
        return msgspec.structs.replace(
            deployment,
            api_key=self.secret,
            base_url=self.base_url or deployment.base_url,
            headers=self.headers,
        )


class Rest(msgspec.Struct, frozen=True):
    """
    A key is not asked with *until_s*, monotonic. *refusals* in a row make the next longer.
    *denied*: it was the provider's no, and not that it asked us to wait.
    """

    until_s: float
    refusals: int = 0
    denied: bool = False


Place = tuple[str, str]  # tenant and provider


class Credentials:
    """
    The keys of all tenants, held in memory, and how they stand. A tenant that has a key for a
    provider never uses the operator's there, also while all of its own are resting: what they
    refuse, nobody else pays.

    The mutable state: the table, swapped whole, and the rest of each key by id. Belongs to one
    event loop.
    """

    def __init__(self, keys: Iterable[ProviderKey] = ()) -> None:
        self._keys: dict[str, ProviderKey] = {}
        self._places: dict[Place, tuple[ProviderKey, ...]] = {}
        self._providers: dict[str, tuple[str, ...]] = {}
        self._rests: dict[str, Rest] = {}
        self.use(keys)

    def __repr__(self) -> str:
        return f"<Credentials {len(self._keys)} keys, {len(self._rests)} have rested>"

    def use(self, keys: Iterable[ProviderKey]) -> None:
        """Go on with *keys*. One that stays as it was keeps its rest; a new secret is fresh."""
        before = self._keys
        self._keys = {key.id: key for key in keys}
        places: dict[Place, list[ProviderKey]] = {}
        for key in sorted(self._keys.values(), key=lambda key: (-key.weight, key.id)):
            places.setdefault((key.tenant, key.provider), []).append(key)
        self._places = {place: tuple(those) for place, those in places.items()}
        providers: dict[str, list[str]] = {}
        for tenant, provider in self._places:
            providers.setdefault(tenant, []).append(provider)
        self._providers = {tenant: tuple(those) for tenant, those in providers.items()}
        self._rests = {
            id_: rest for id_, rest in self._rests.items() if before[id_] == self._keys.get(id_)
        }

    def providers(self, tenant: str) -> tuple[str, ...]:
        """Where *tenant* has keys, resting or not."""
        return self._providers.get(tenant, ())

    def has(self, tenant: str, provider: str) -> bool:
        """Whether *tenant* has a key for *provider*, resting or not."""
        return (tenant, provider) in self._places

    def ready(self, tenant: str, provider: str, now_s: float) -> tuple[ProviderKey, ...]:
        """The keys of *tenant* for *provider* that may be asked with now, heaviest first."""
        keys = self._places.get((tenant, provider), ())
        if not self._rests:
            return keys
        return tuple(key for key in keys if self._until_s(key) <= now_s)

    def wait_s(self, tenant: str, provider: str, now_s: float) -> float:
        """Seconds until one of them is ready; infinite where there is none."""
        keys = self._places.get((tenant, provider), ())
        soonest = min(map(self._until_s, keys), default=math.inf)
        return max(0.0, soonest - now_s)

    def denied(self, tenant: str, provider: str, now_s: float) -> tuple[ProviderKey, ...]:
        """The keys of *tenant* for *provider*, where it has refused all of them; else none."""
        keys = self._places.get((tenant, provider), ())
        return keys if all(self._is_denied(key, now_s) for key in keys) else ()

    def denied_count(self, now_s: float) -> int:
        """How many keys of all tenants rest now because their providers have refused them."""
        return sum(self._is_denied(key, now_s) for key in self._keys.values())

    def refused(
        self, key: ProviderKey, failure: Failure, retry_after_s: float | None, now_s: float
    ) -> None:
        """
        The provider would not serve *key*. DENIED: set aside for REFUSED_S, twice as long each
        time in a row. Anything else: it rests for *retry_after_s*, bounded.
        """
        if self._keys.get(key.id) != key:
            return  # a reload has removed or replaced it
        rest = self._rests.get(key.id, Rest(0.0))
        refusals = rest.refusals
        if failure is not Failure.DENIED:
            wait_s = THROTTLED_S if retry_after_s is None else retry_after_s
            until_s = now_s + min(wait_s, THROTTLED_S_MAX)
        elif rest.until_s > now_s:  # of requests that were on their way together, one counts
            until_s = max(rest.until_s, now_s + REFUSED_S)
            refusals = max(1, refusals)
        else:
            wait_s = min(REFUSED_S * 2 ** min(refusals, 10), REFUSED_S_MAX)
            until_s = now_s + wait_s
            refusals += 1
            words = "%s refuses the provider key %s of tenant %s: it rests for %.0f s."
            log.warning(words, key.provider, key.id, key.tenant, wait_s)
        denied = failure is Failure.DENIED or (rest.denied and rest.until_s > until_s)
        self._rests[key.id] = Rest(max(rest.until_s, until_s), refusals, denied)

    def worked(self, key: ProviderKey) -> None:
        """The provider has served *key*; a rest that began meanwhile stays."""
        rest = self._rests.get(key.id)
        if rest is not None and rest.refusals:
            self._rests[key.id] = Rest(rest.until_s, denied=rest.denied)

    def _until_s(self, key: ProviderKey) -> float:
        rest = self._rests.get(key.id)
        return -math.inf if rest is None else rest.until_s

    def _is_denied(self, key: ProviderKey, now_s: float) -> bool:
        rest = self._rests.get(key.id)
        return rest is not None and rest.denied and rest.until_s > now_s


def keys_refused(keys: Sequence[ProviderKey], said: str = "") -> UpstreamUnavailable:
    """What a tenant is told whose own *keys* their providers refuse; *said*: how, by status."""
    named = ", ".join(f"{key.id} ({key.provider})" for key in keys)
    return UpstreamUnavailable(
        f"Your own provider key was refused by the provider: {named}{said and f': {said}'}. "
        "Replace it, which helps at once, or see there what it may do; it is tried again later.",
        code="provider_key_refused",
    )


def ordered(
    keys: Sequence[ProviderKey | None], random: Callable[[], float]
) -> Sequence[ProviderKey | None]:
    """
    *keys* in the order to try: each next one is drawn by its weight among those that are left.
    *random* gives 0 to below 1.

    Sorting by an exponential time over the weight is that draw (Efraimidis and Spirakis, 2006).
    """
    if len(keys) < 2:
        return keys
    return sorted(keys, key=lambda key: _turn(1.0 if key is None else key.weight, random()))


def _turn(weight: float, draw: float) -> tuple[bool, float]:
    """When it is the turn of a key; those without weight come after all others."""
    return (False, -math.log(1.0 - draw) / weight) if weight else (True, draw)
