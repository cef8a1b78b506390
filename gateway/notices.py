"""
Notices to the operator's webhooks: blocked requests, limits, balances, providers that go down.

Signed as Standard Webhooks has it (https://www.standardwebhooks.com): ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature``, which is HMAC-SHA256 of ``id.timestamp.body`` under
the webhook's secret, as base64. What is not taken is sent again, with growing pauses, a few times;
a webhook that takes nothing delays no other. Nothing here keeps a request waiting: a notice that
finds no room is dropped and counted.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from gateway.core.clock import Clock
from gateway.core.fleet import Deployment
from gateway.core.health import FRESH, Health
from gateway.core.transport import Transport, TransportError
from gateway.state.facts import Event, Facts, Webhook
from gateway.state.key_secrets import webhook_context
from gateway.state.vault import Vault, VaultError

log = logging.getLogger(__name__)

WAITING_MAX = 1000  # notices that wait to be sent to one webhook
PAUSES_S = (1.0, 5.0, 25.0, 125.0)  # before the second try, the third, ...
TIMEOUT_S = 10.0
QUIET_S = 60.0  # of one event and subject one notice in so long; it says how many there were
SUBJECTS_MAX = 10_000


class Notice(msgspec.Struct, frozen=True):
    """What a webhook is told. *count*: how many of its kind since the last notice of it."""

    id: str
    type: Event
    wall_s: float
    subject: str
    count: int
    data: dict[str, object]


class Receiver(msgspec.Struct, frozen=True):
    """A webhook with its secret opened."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...]


class Notices:
    """
    For the event loop. The mutable state: the *_receivers* by id, swapped whole; the notices that
    are *_waiting* for each of them, and which are *_busy* with theirs; and when each event and
    subject was last told of, with what has been kept back since.
    """

    def __init__(self, transport: Transport, vault: Vault, clock: Clock) -> None:
        self.dropped = 0
        self.failed = 0  # that no try could deliver
        self._transport = transport
        self._vault = vault
        self._clock = clock
        self._receivers: dict[str, Receiver] = {}
        self._waiting: dict[str, deque[Notice]] = {}
        self._busy: set[str] = set()
        self._some = asyncio.Event()
        self._told: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def use(self, facts: Facts) -> None:
        """Tell the webhooks of *facts* from now on."""
        hooks: dict[str, Webhook] = facts.of("webhook")  # type: ignore[assignment]
        found = {}
        for name, hook in hooks.items():
            if hook.disabled:
                continue
            try:
                secret = self._vault.open(hook.sealed, webhook_context(name))
            except VaultError as error:
                log.error("webhook %s cannot be used: %s", name, error)  # noqa: TRY400
                continue
            found[name] = Receiver(name, hook.url, secret, hook.events)
        self._receivers = found

    def tell(self, event: Event, subject: str, data: Mapping[str, object]) -> None:
        """
        Let everybody know who wants to. *subject* is what the event is about; about the same one
        there is one notice in QUIET_S. A test is for the webhook *subject* alone, each time. *data*
        holds no prompt, key or personal data.
        """
        wanted = [one for one in self._receivers.values() if is_for(one, event, subject)]
        if not wanted:
            return
        count = 1 if event == "test" else self._counted(event, subject)
        if not count:
            return
        now_s = self._clock.wall()
        notice = Notice(f"msg_{secrets.token_hex(12)}", event, now_s, subject, count, dict(data))
        for receiver in wanted:
            waiting = self._waiting.setdefault(receiver.id, deque())
            if len(waiting) < WAITING_MAX:
                waiting.append(notice)
            else:
                self.dropped += 1
        self._some.set()

    async def run(self) -> None:
        """Send what waits, to each webhook by itself, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for id_ in self._waiting.keys() - self._busy:
                    self._busy.add(id_)
                    tasks.create_task(self._send_all(id_))
                self._some.clear()
                await self._some.wait()

    def _counted(self, event: str, subject: str) -> int:
        """How many to tell of now: 0 while the last notice of this is fresh."""
        now_s = self._clock.monotonic()
        last_s, kept_back = self._told.pop((event, subject), (-QUIET_S, 0))
        fresh = now_s - last_s < QUIET_S
        self._told[event, subject] = (last_s, kept_back + 1) if fresh else (now_s, 0)
        if len(self._told) > SUBJECTS_MAX:
            self._told.popitem(last=False)
        return 0 if fresh else kept_back + 1

    async def _send_all(self, id_: str) -> None:
        """Send what waits for the webhook *id_*, in order."""
        waiting = self._waiting[id_]
        while waiting:
            notice = waiting.popleft()
            if not await self._deliver(id_, notice):
                self.failed += 1
                log.warning("webhook %s did not take a notice of %s", id_, notice.type)
        del self._waiting[id_]
        self._busy.discard(id_)

    async def _deliver(self, id_: str, notice: Notice) -> bool:
        """Try until it is taken, or nobody is there any more to take it; False at the end."""
        body = msgspec.json.encode(notice)
        for pause_s in (*PAUSES_S, None):
            receiver = self._receivers.get(id_)  # as it is now: its address and secret may change
            if receiver is None or await self._take(receiver, notice, body):
                return True
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        return False

    async def _take(self, receiver: Receiver, notice: Notice, body: bytes) -> bool:
        """Whether the receiver took it, with a status of success."""
        headers = signed(receiver.secret, notice.id, int(self._clock.wall()), body)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                response = await self._transport.send(
                    "POST", receiver.url, headers, body, connect_s=TIMEOUT_S
                )
                try:
                    return 200 <= response.status < 300
                finally:
                    response.close()
        except (TransportError, TimeoutError, ValueError):
            return False
        except (
            Exception
        ):  # a fault of ours with one webhook is no reason to tell the others nothing
            log.exception("a notice could not be sent")
            return False


def is_for(receiver: Receiver, event: Event, subject: str) -> bool:
    """Whether *receiver* is to hear of *event*."""
    if event == "test":
        return receiver.id == subject
    return not receiver.events or event in receiver.events


def changed_providers(
    deployments: Iterable[Deployment], before: Mapping[str, Health], after: Mapping[str, Health]
) -> Iterator[tuple[Event, str]]:
    """Providers none of whose deployments may be asked any more, and those that came back."""
    up: dict[str, list[bool]] = {}
    for place in deployments:
        both = up.setdefault(place.provider, [False, False])
        for k, health in enumerate((before, after)):
            both[k] |= health.get(place.id, FRESH).available
    for provider, (was, now) in up.items():
        if was != now:
            yield ("provider.up" if now else "provider.down"), provider


def signed(secret: str, id_: str, wall_s: int, body: bytes) -> tuple[tuple[str, str], ...]:
    """The headers of a notice. A secret ``whsec_...`` is base64 after that; any other is text."""
    start, text = secret[:6], secret[6:]
    key = base64.b64decode(text + "=" * (-len(text) % 4)) if start == "whsec_" else secret.encode()
    mac = hmac.digest(key, f"{id_}.{wall_s}.".encode() + body, hashlib.sha256)
    return (
        ("content-type", "application/json"),
        ("webhook-id", id_),
        ("webhook-timestamp", str(wall_s)),
        ("webhook-signature", f"v1,{base64.b64encode(mac).decode()}"),
    )
