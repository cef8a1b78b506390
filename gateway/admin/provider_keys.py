"""Keys that tenants brought along for providers: sealed, and never shown again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.admin.checks import (
    check_name,
    known_of,
    leans_on,
    pairs,
    tenant_problems,
    url_problems,
)
from gateway.admin.drawer import Drawer, Item, refuse, wrong
from gateway.admin.roles import Operator, needs
from gateway.config.secrets import Secret
from gateway.config.section import Section
from gateway.execute.credentials import ProviderKey
from gateway.state.fact_store import Write
from gateway.state.facts import Name, ProviderKeyFact, Title
from gateway.state.key_secrets import provider_key_context

HINT_CHARS = 4
HINT_OF = 16  # characters a secret has at least, where any of them may be shown
Weight = Annotated[float, Meta(gt=0.0, le=1e6)]


class ProviderKeyDraft(Section, frozen=True):
    """
    What may be said of a provider key. *secret* None, in a change: the one that is kept.
    *base_url*: an endpoint of its own, https unless the operator lets its host be anything.
    *weight*: share of the traffic among the keys of the tenant for this provider.
    """

    provider: str
    tenant: Name = "default"
    secret: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    name: Title = ""
    base_url: Annotated[str, Meta(max_length=1024)] | None = None
    weight: Weight = 1.0
    disabled: bool = False


class ProviderKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A provider key as shown: *hint* is the end of its secret."""

    provider: str
    tenant: str
    name: str
    base_url: str | None
    weight: float
    disabled: bool
    hint: str
    created_s: float


class ProviderKeys(Drawer[ProviderKeyFact, ProviderKeyView]):
    """Keys of tenants for providers."""

    kind, noun = "provider_key", "provider key"

    def view(self, id_: str, fact: ProviderKeyFact) -> ProviderKeyView:
        """Without the secret."""
        shown = {name: getattr(fact, name) for name in ProviderKeyView.__struct_fields__}
        return ProviderKeyView(**shown)

    @needs("admin")
    async def create(
        self, who: Operator, value: ProviderKeyDraft, id_: str = ""
    ) -> Item[ProviderKeyView]:
        """
        Keep one, called *id_* or by a name of ours.

        Raises:
            Conflict: there is one of that id.
            InvalidRequest: no secret, an endpoint that is refused, a name of nothing.
            Unavailable.
        """
        id_ = id_ or f"{value.provider[:40]}-{secrets.token_hex(6)}"
        check_name(id_, self.noun)
        if value.secret is None:
            raise wrong("$.secret", "required, but missing")
        refuse(self._problems(id_, value))
        fact = ProviderKeyFact(
            tenant=value.tenant,
            provider=value.provider,
            sealed=self._sealed(id_, value, value.secret),
            hint=hint_of(value.secret),
            created_s=self._office.clock.wall(),
            **said(value),
        )
        refs = leans_on(self._office, value.tenant)
        version = await self._write(who, "create", Write(self.kind, id_, fact, 0), leans_on=refs)
        return Item(id_, version, self.view(id_, fact))

    @needs("admin")
    async def update(
        self, who: Operator, id_: str, value: ProviderKeyDraft, expected: int | None = None
    ) -> Item[ProviderKeyView]:
        """
        Replace its draft, but for tenant and provider. A new endpoint needs the secret again: else
        whoever may change a key could have it sent to a place of theirs.

        Raises as ``create``, NotFound.
        """

        def changed(fact: ProviderKeyFact) -> ProviderKeyFact:
            for name in ("tenant", "provider"):
                kept = getattr(fact, name)
                if getattr(value, name) != kept:
                    raise wrong(f"$.{name}", f"a provider key stays with its {name}, '{kept}'")
            if value.secret is None:
                if value.base_url != fact.base_url:
                    raise wrong("$.secret", "a new endpoint needs the secret again")
                return msgspec.structs.replace(fact, **said(value))
            return msgspec.structs.replace(
                fact,
                sealed=self._sealed(id_, value, value.secret),
                hint=hint_of(value.secret),
                **said(value),
            )

        refuse(self._problems(id_, value))
        return await self._change(who, id_, expected, changed, "update")

    @needs("admin")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Forget one. Raises Conflict, NotFound, Unavailable."""
        await self._write(who, "delete", Write(self.kind, id_, None, expected))

    def _sealed(self, id_: str, value: ProviderKeyDraft, secret: str) -> str:
        context = provider_key_context(id_, value.tenant, value.provider)
        return self._office.vault.seal(secret, context)

    def _problems(self, id_: str, value: ProviderKeyDraft) -> Iterator[tuple[str, str]]:
        yield from tenant_problems(self._office, value.tenant)
        yield from pairs(known_of(self._office).provider("$.provider", value.provider))
        try:
            ProviderKey(id_, value.tenant, value.provider, Secret(value.secret or "kept"))
        except ValueError as error:
            yield "$.secret", str(error)
        if value.base_url is not None:
            yield from url_problems(self._office, "$.base_url", value.base_url)


def said(value: ProviderKeyDraft) -> dict[str, Any]:
    """What a draft says that is kept as it is."""
    names = ("name", "base_url", "weight", "disabled")
    return {name: getattr(value, name) for name in names}


def hint_of(secret: str) -> str:
    """The end of *secret*, nothing of a short one."""
    return secret[-HINT_CHARS:] if len(secret) >= HINT_OF else ""
