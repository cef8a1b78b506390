"""Where events are told to."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.admin.checks import check_name, url_problems
from gateway.admin.drawer import Drawer, Item, Made, members, refuse
from gateway.admin.roles import Operator, needs
from gateway.config.section import Section
from gateway.core.errors import Conflict, Unavailable
from gateway.state.fact_store import Write
from gateway.state.facts import Event, Title, Webhook
from gateway.state.key_secrets import webhook_context

SECRET_MARK = "whsec_"  # noqa: S105 - how secrets of webhooks begin, a habit of others too


class WebhookDraft(Section, frozen=True):
    """What may be said of a webhook. *events*: empty for all."""

    url: Annotated[str, Meta(min_length=1, max_length=1024)]
    events: tuple[Event, ...] = ()
    name: Title = ""
    disabled: bool = False


class Webhooks(Drawer[Webhook, WebhookDraft]):
    """Webhooks. The secret that signs what they are told is shown when it is made."""

    kind, noun = "webhook", "webhook"

    def view(self, id_: str, fact: Webhook) -> WebhookDraft:
        """Without the secret."""
        return WebhookDraft(
            url=fact.url, events=fact.events, name=fact.name, disabled=fact.disabled
        )

    @needs("operator")
    async def create(self, who: Operator, value: WebhookDraft, id_: str = "") -> Made[WebhookDraft]:
        """Make one, called *id_* or by a name of ours. Raises Conflict, InvalidRequest."""
        id_ = id_ or f"webhook-{secrets.token_hex(6)}"
        check_name(id_, self.noun)
        refuse(url_problems(self._office, "$.url", value.url))
        secret = new_webhook_secret()
        sealed = self._office.vault.seal(secret, webhook_context(id_))
        fact = Webhook(**members(value), sealed=sealed)
        version = await self._write(who, "create", Write(self.kind, id_, fact, 0))
        return Made(id_, version, value, secret)

    @needs("operator")
    async def update(
        self, who: Operator, id_: str, value: WebhookDraft, expected: int | None = None
    ) -> Item[WebhookDraft]:
        """Replace its draft; the secret stays. Raises Conflict, InvalidRequest, NotFound."""
        refuse(url_problems(self._office, "$.url", value.url))
        return await self._change(
            who,
            id_,
            expected,
            lambda fact: msgspec.structs.replace(fact, **members(value)),
            "update",
        )

    @needs("operator")
    async def rotate(
        self, who: Operator, id_: str, expected: int | None = None
    ) -> Made[WebhookDraft]:
        """Sign with a new secret from now on. Raises Conflict, NotFound, Unavailable."""
        secret = new_webhook_secret()
        sealed = self._office.vault.seal(secret, webhook_context(id_))
        item = await self._change(
            who, id_, expected, lambda fact: msgspec.structs.replace(fact, sealed=sealed), "rotate"
        )
        return Made(item.id, item.version, item.value, secret)

    @needs("operator")
    async def test(self, who: Operator, id_: str) -> None:
        """
        Send it a test event, whatever else it wants to hear of.

        Raises:
            Conflict: it is disabled.
            NotFound, Unavailable.
        """
        _, fact = await self._find(id_)
        if fact.disabled:
            raise Conflict(f"The webhook '{id_}' is disabled.")
        if self._office.tell is None:
            raise Unavailable("No gateway runs in this process.")
        self._office.tell("test", id_, {"webhook": id_, "by": who.id})

    @needs("operator")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Forget one. Raises Conflict, NotFound, Unavailable."""
        await self._write(who, "delete", Write(self.kind, id_, None, expected))


def new_webhook_secret() -> str:
    """A new secret to sign with: 256 random bits as Standard Webhooks writes them."""
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()
