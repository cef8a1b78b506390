"""Keys of clients: made, shown once, rotated with an overlap, revoked at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.admin.checks import (
    check_name,
    expiry_problems,
    known_of,
    leans_on,
    limit_problems,
    pairs,
    project_problems,
    route_problems,
    tenant_problems,
)
from gateway.admin.drawer import Drawer, Item, Made, members, refuse, wrong
from gateway.admin.roles import Operator, needs
from gateway.config.section import NotNegative, Section
from gateway.core.errors import Conflict
from gateway.core.request import RouteAction
from gateway.state.fact_store import Write
from gateway.state.facts import GatewayKey, KeyHash, Limits, Name, Title
from gateway.state.key_secrets import new_secret, prefix_of

OVERLAP_S_MAX = 90 * 86400.0
Overlap = Annotated[float, Meta(ge=0.0, le=OVERLAP_S_MAX)]


class KeyDraft(Section, frozen=True):
    """
    What may be said of a key. *expires_s*: seconds since the epoch, None: never.
    *allowed_models*: empty for all. *allowed_routes*: beginnings of paths, empty for all.
    *action* and *mode*: None as the project has them. *priority* low: shed first.
    """

    tenant: Name = "default"
    project: Name = "default"
    name: Title = ""
    expires_s: NotNegative | None = None
    allowed_models: tuple[str, ...] = ()
    allowed_routes: tuple[str, ...] = ()
    action: RouteAction | None = None
    mode: str | None = None
    priority: Literal["normal", "low"] = "normal"
    limits: Limits = Limits()


class KeyView(KeyDraft, frozen=True, kw_only=True):
    """A key as shown: *prefix* is the beginning of its secret."""

    prefix: str
    created_s: float
    revoked_s: float | None
    older_until_s: float | None  # an older secret works until then


SHOWN = [name for name in KeyView.__struct_fields__ if name != "older_until_s"]


class Keys(Drawer[GatewayKey, KeyView]):
    """Keys that open the clients' API."""

    kind, noun = "key", "key"

    def view(self, id_: str, fact: GatewayKey) -> KeyView:
        """Without the hashes."""
        shown = {name: getattr(fact, name) for name in SHOWN}
        return KeyView(**shown, older_until_s=older_until_s(fact.hashes))

    @needs("operator")
    async def create(self, who: Operator, value: KeyDraft, id_: str = "") -> Made[KeyView]:
        """
        Make one, called *id_* or by a name of ours. Its secret is in the answer, and nowhere else.

        Raises:
            Conflict: there is one of that id, here or in the configuration.
            InvalidRequest, Unavailable.
        """
        id_ = id_ or f"key-{secrets.token_hex(6)}"
        check_name(id_, self.noun)
        config = self._office.settings().config
        if id_ == "anonymous" or any(key.id == id_ for key in config.keys):
            raise Conflict(f"The key '{id_}' exists already, in the configuration.")
        self._check(value)
        now_s = self._office.clock.wall()
        refuse(expiry_problems(value.expires_s, now_s))
        secret = new_secret("key")
        fact = GatewayKey(
            **members(value),
            hashes=(KeyHash(digest=self._office.digest(secret)),),
            prefix=prefix_of(secret),
            created_s=now_s,
        )
        refs = leans_on(self._office, value.tenant, value.project)
        version = await self._write(who, "create", Write(self.kind, id_, fact, 0), leans_on=refs)
        return Made(id_, version, self.view(id_, fact), str(secret))

    @needs("operator")
    async def update(
        self, who: Operator, id_: str, value: KeyDraft, expected: int | None = None
    ) -> Item[KeyView]:
        """Replace all of its draft, but for its tenant. Raises as ``create``, NotFound."""
        now_s = self._office.clock.wall()

        def changed(fact: GatewayKey) -> GatewayKey:
            if value.tenant != fact.tenant:
                raise wrong("$.tenant", f"a key stays with its tenant, '{fact.tenant}'")
            self._check(value)
            if value.expires_s != fact.expires_s:
                refuse(expiry_problems(value.expires_s, now_s))
            return msgspec.structs.replace(fact, **members(value))

        refs = leans_on(self._office, value.tenant, value.project)
        return await self._change(who, id_, expected, changed, "update", leans_on=refs)

    @needs("operator")
    async def rotate(
        self, who: Operator, id_: str, overlap_s: Overlap = 0.0, expected: int | None = None
    ) -> Made[KeyView]:
        """
        Give it a new secret; those before work for *overlap_s* more seconds at most.

        Raises:
            Conflict: it is revoked, or was changed meanwhile.
            InvalidRequest, NotFound, Unavailable.
        """
        secret = new_secret("key")
        made = self._office.digest(secret)
        now_s = self._office.clock.wall()

        def changed(fact: GatewayKey) -> GatewayKey:
            if fact.revoked_s is not None:
                raise Conflict(f"The key '{id_}' is revoked; make a new one.")
            hashes = rotated(fact.hashes, made, now_s, overlap_s)
            return msgspec.structs.replace(fact, hashes=hashes, prefix=prefix_of(secret))

        item = await self._change(who, id_, expected, changed, "rotate")
        return Made(item.id, item.version, item.value, str(secret))

    @needs("operator")
    async def revoke(self, who: Operator, id_: str) -> Item[KeyView]:
        """End it now, for good; once more changes nothing. Raises NotFound, Unavailable."""
        now_s = self._office.clock.wall()

        def changed(fact: GatewayKey) -> GatewayKey:
            return fact if fact.revoked_s else msgspec.structs.replace(fact, revoked_s=now_s)

        return await self._change(who, id_, None, changed, "revoke")

    @needs("operator")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Forget one that is revoked or expired. Raises Conflict, NotFound, Unavailable."""
        version, fact = await self._find(id_)
        now_s = self._office.clock.wall()
        if fact.revoked_s is None and (fact.expires_s is None or fact.expires_s > now_s):
            raise Conflict(f"The key '{id_}' still works; revoke it first.")
        seen = version if expected is None else expected
        await self._write(who, "delete", Write(self.kind, id_, None, seen))

    def _check(self, value: KeyDraft) -> None:
        refuse(self._problems(value))

    def _problems(self, value: KeyDraft) -> Iterator[tuple[str, str]]:
        office = self._office
        yield from tenant_problems(office, value.tenant)
        yield from project_problems(office, value.tenant, value.project)
        yield from limit_problems("$.limits", value.limits)
        yield from route_problems(value.allowed_routes)
        if value.mode is None and not value.allowed_models:
            return
        known = known_of(office)
        if value.mode is not None:
            yield from pairs(known.mode("$.mode", value.mode))
        for index, model in enumerate(value.allowed_models):
            yield from pairs(known.named_by_client(f"$.allowed_models[{index}]", model))


def older_until_s(hashes: tuple[KeyHash, ...]) -> float | None:
    """Until when a secret works that is not the newest; None: there is none."""
    return max((known.expires_s or 0.0 for known in hashes[:-1]), default=None)


def rotated(
    hashes: tuple[KeyHash, ...], made: str, now_s: float, overlap_s: float
) -> tuple[KeyHash, ...]:
    """*hashes* with that of a new secret as the last; those before end after *overlap_s*."""
    if not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise wrong("$.overlap_s", f"expected seconds from 0 to {OVERLAP_S_MAX:g}")
    end_s = now_s + overlap_s
    older = [
        KeyHash(
            digest=known.digest,
            expires_s=end_s if known.expires_s is None else min(known.expires_s, end_s),
        )
        for known in hashes
        if overlap_s and (known.expires_s is None or known.expires_s > now_s)
    ]
    return (*older, KeyHash(digest=made))
