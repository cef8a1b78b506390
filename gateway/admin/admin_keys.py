"""Keys of operators. Only an admin may touch them, and one admin always remains."""

from __future__ import annotations

import secrets

import msgspec

from gateway.admin.access import STATED, usable
from gateway.admin.checks import check_name, expiry_problems
from gateway.admin.drawer import Drawer, Item, Made, members, refuse
from gateway.admin.keys import Overlap, older_until_s, rotated
from gateway.admin.roles import Operator, needs
from gateway.config.section import NotNegative, Section
from gateway.core.errors import Conflict
from gateway.state.fact_store import Write
from gateway.state.facts import AdminKey, KeyHash, Role, Title
from gateway.state.key_secrets import new_secret, prefix_of


class AdminKeyDraft(Section, frozen=True):
    """What may be said of an admin key. *expires_s*: seconds since the epoch, None: never."""

    role: Role
    name: Title = ""
    expires_s: NotNegative | None = None


class AdminKeyView(AdminKeyDraft, frozen=True, kw_only=True):
    """An admin key as shown: *prefix* is the beginning of its secret."""

    prefix: str
    created_s: float
    revoked_s: float | None
    older_until_s: float | None  # an older secret works until then


class AdminKeys(Drawer[AdminKey, AdminKeyView]):
    """Keys that open this desk."""

    kind, noun = "admin_key", "admin key"

    def view(self, id_: str, fact: AdminKey) -> AdminKeyView:
        """Without the hashes."""
        return AdminKeyView(
            role=fact.role,
            name=fact.name,
            expires_s=fact.expires_s,
            prefix=fact.prefix,
            created_s=fact.created_s,
            revoked_s=fact.revoked_s,
            older_until_s=older_until_s(fact.hashes),
        )

    @needs("admin")
    async def create(
        self, who: Operator, value: AdminKeyDraft, id_: str = ""
    ) -> Made[AdminKeyView]:
        """
        Make one, called *id_* or by a name of ours. Its secret is in the answer, and nowhere else.

        Raises:
            Conflict: there is one of that id.
            InvalidRequest, Unavailable.
        """
        id_ = id_ or f"{value.role}-{secrets.token_hex(6)}"
        check_name(id_, self.noun)
        if id_ == STATED:
            raise Conflict(f"'{STATED}' is what the admin key of the configuration is called.")
        now_s = self._office.clock.wall()
        refuse(expiry_problems(value.expires_s, now_s))
        secret = new_secret("admin_key")
        fact = AdminKey(
            **members(value),
            hashes=(KeyHash(digest=self._office.digest(secret)),),
            prefix=prefix_of(secret),
            created_s=now_s,
        )
        version = await self._write(who, "create", Write(self.kind, id_, fact, 0))
        return Made(id_, version, self.view(id_, fact), str(secret))

    @needs("admin")
    async def update(
        self, who: Operator, id_: str, value: AdminKeyDraft, expected: int | None = None
    ) -> Item[AdminKeyView]:
        """Replace its draft. Raises Conflict for the last admin, InvalidRequest, NotFound."""
        now_s = self._office.clock.wall()

        def changed(fact: AdminKey) -> AdminKey:
            if value.expires_s != fact.expires_s:
                refuse(expiry_problems(value.expires_s, now_s))
            if value.role != "admin" or value.expires_s is not None:
                self._check_others(id_, fact)
            return msgspec.structs.replace(fact, **members(value))

        return await self._change(who, id_, expected, changed, "update", alone=True)

    @needs("admin")
    async def rotate(
        self, who: Operator, id_: str, overlap_s: Overlap = 0.0, expected: int | None = None
    ) -> Made[AdminKeyView]:
        """Give it a new secret; as ``Keys.rotate``."""
        secret = new_secret("admin_key")
        made, now_s = self._office.digest(secret), self._office.clock.wall()

        def changed(fact: AdminKey) -> AdminKey:
            if fact.revoked_s is not None:
                raise Conflict(f"The admin key '{id_}' is revoked; make a new one.")
            hashes = rotated(fact.hashes, made, now_s, overlap_s)
            return msgspec.structs.replace(fact, hashes=hashes, prefix=prefix_of(secret))

        item = await self._change(who, id_, expected, changed, "rotate")
        return Made(item.id, item.version, item.value, str(secret))

    @needs("admin")
    async def revoke(self, who: Operator, id_: str) -> Item[AdminKeyView]:
        """End it now, for good. Raises Conflict for the last admin, NotFound, Unavailable."""
        now_s = self._office.clock.wall()

        def changed(fact: AdminKey) -> AdminKey:
            if fact.revoked_s is not None:
                return fact
            self._check_others(id_, fact)
            return msgspec.structs.replace(fact, revoked_s=now_s)

        return await self._change(who, id_, None, changed, "revoke", alone=True)

    @needs("admin")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Forget one that is revoked or expired. Raises Conflict, NotFound, Unavailable."""
        version, fact = await self._find(id_)
        if usable(fact, self._office.clock.wall()):
            raise Conflict(f"The admin key '{id_}' still works; revoke it first.")
        seen = version if expected is None else expected
        await self._write(who, "delete", Write(self.kind, id_, None, seen))

    def _check_others(self, id_: str, fact: AdminKey) -> None:
        """Raises Conflict where nobody else could make another admin for good."""
        now_s = self._office.clock.wall()
        if fact.role != "admin" or not usable(fact, now_s):
            return
        others = (
            one
            for name, one in self._held().items()
            if name != id_ and one.role == "admin" and one.expires_s is None
        )
        stated = self._office.access.known(STATED) is not None
        if not stated and not any(usable(one, now_s) for one in others):
            raise Conflict(
                f"'{id_}' is the last admin key that does not expire; make another one first."
            )
