"""Operators hear of what they want to hear of: signed, once, and again where it was not taken."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

import msgspec
import pytest

from gateway import notices as notices_module
from gateway.core.health import Health
from gateway.core.transport import TransportError
from gateway.notices import WAITING_MAX, Notices, changed_providers
from gateway.state.facts import Facts, Webhook
from gateway.state.key_secrets import webhook_context
from gateway.state.vault import Vault
from tests.fakes.clock import ManualClock
from tests.gateway.record.records import fleet_of

VAULT = Vault(bytes(32))
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


class Reply:
    """An answer with a status."""

    def __init__(self, status):
        self.status = status

    def close(self):
        """Nothing to let go."""


class Line:
    """A transport that answers as it is told, and keeps what it was sent."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.sent = []

    async def send(self, method, url, headers, body, *, connect_s):
        """The next status; none left: 200."""
        self.sent.append((url, dict(headers), body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise TransportError("connect", "refused")
        return Reply(status)


def hooks(*events, **changes):
    """One webhook for these events."""
    sealed = VAULT.seal(SECRET, webhook_context("w1"))
    hook = Webhook(url="https://hooks.example/1", sealed=sealed, events=events, **changes)
    return Facts(1, {"webhook": {"w1": hook}})


async def told(line, facts, *tells, clock=None):
    """Send these notices until nothing waits."""
    notices = Notices(line, VAULT, clock or ManualClock())
    notices.use(facts)
    running = asyncio.create_task(notices.run())
    for tell in tells:
        notices.tell(*tell)
    while notices._waiting:  # noqa: ASYNC110 - only this test waits for an empty queue
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    running.cancel()
    return notices


BLOCKED = ("request.blocked", "acme/k1", {"code": "pii_detected"})


async def test_a_notice_is_signed_as_the_standard_has_it():
    """Anybody with the secret can tell that it is ours."""
    line = Line()
    await told(line, hooks(), BLOCKED)
    url, headers, body = line.sent[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.new(b"0123456789abcdef", signed, hashlib.sha256).digest()

    assert url == "https://hooks.example/1"
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert msgspec.json.decode(body) | {"id": 0} == {
        "id": 0,
        "type": "request.blocked",
        "wall_s": 1_700_000_000.0,
        "subject": "acme/k1",
        "count": 1,
        "data": {"code": "pii_detected"},
    }


async def test_only_who_wants_an_event_hears_of_it():
    """Others and disabled webhooks do not."""
    line = Line()
    await told(line, hooks("limit.reached"), BLOCKED)
    await told(line, hooks(disabled=True), BLOCKED)
    assert line.sent == []


async def test_a_test_is_for_one_webhook_each_time():
    """Whatever it listens to; others hear nothing, and the second one is sent as well."""
    line = Line()
    test = ("test", "w1", {})
    await told(line, hooks("limit.reached"), test, test, ("test", "w2", {}))
    assert [msgspec.json.decode(body)["type"] for _, _, body in line.sent] == ["test", "test"]


async def test_what_is_not_taken_is_sent_again(monkeypatch):
    """After an error, a refused connection, and then it is taken: the same notice, one id."""
    monkeypatch.setattr(notices_module, "PAUSES_S", (0.0, 0.0, 0.0))
    line = Line(500, None)
    notices = await told(line, hooks(), BLOCKED)

    assert len(line.sent) == 3
    assert len({headers["webhook-id"] for _, headers, _ in line.sent}) == 1
    assert notices.failed == 0


async def test_a_webhook_that_takes_nothing_is_given_up(monkeypatch):
    """And counted."""
    monkeypatch.setattr(notices_module, "PAUSES_S", (0.0,))
    notices = await told(Line(500, 500), hooks(), BLOCKED)
    assert notices.failed == 1


async def test_a_flood_is_one_notice_and_a_count():
    """The next one, a minute later, says how many there were."""
    clock, line = ManualClock(), Line()
    notices = Notices(line, VAULT, clock)
    notices.use(hooks())
    for _ in range(50):
        notices.tell(*BLOCKED)
    clock.advance(61)
    notices.tell(*BLOCKED)

    assert [notice.count for notice in notices._waiting["w1"]] == [1, 50]


async def test_without_room_notices_are_dropped_and_counted():
    """Memory is bounded."""
    notices = Notices(Line(), VAULT, ManualClock())
    notices.use(hooks())
    for number in range(WAITING_MAX + 5):
        notices.tell("request.blocked", str(number), {})
    assert (len(notices._waiting["w1"]), notices.dropped) == (WAITING_MAX, 5)


async def test_a_webhook_that_takes_nothing_delays_no_other(monkeypatch):
    """Not while it is tried again; and once it is deleted, it is not tried any more."""
    monkeypatch.setattr(notices_module, "PAUSES_S", (3600.0,))
    line, other = Line(500), "https://hooks.example/2"
    both = hooks().of("webhook")
    sealed = VAULT.seal(SECRET, webhook_context("w2"))
    both["w2"] = Webhook(url=other, sealed=sealed)
    notices = Notices(line, VAULT, ManualClock())
    notices.use(Facts(1, {"webhook": both}))
    running = asyncio.create_task(notices.run())
    for number in range(20):
        notices.tell("request.blocked", str(number), {})
    while len(line.sent) < 21:  # noqa: ASYNC110 - only this test waits
        await asyncio.sleep(0.001)
    running.cancel()

    assert len({url for url, _, _ in line.sent}) == 2
    assert list(notices._waiting) in (["w1"], ["w2"])


async def test_a_webhook_that_is_gone_is_told_nothing_more():
    """What waits for it is let go, and nothing has failed."""
    line = Line()
    notices = Notices(line, VAULT, ManualClock())
    notices.use(hooks())
    notices.tell(*BLOCKED)
    notices.use(Facts(2, {}))
    running = asyncio.create_task(notices.run())
    while notices._waiting:  # noqa: ASYNC110 - only this test waits for an empty queue
        await asyncio.sleep(0.001)
    running.cancel()

    assert (line.sent, notices.failed) == ([], 0)


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        ({}, {}, []),
        ({}, {"p/a": False}, []),
        ({}, {"p/a": False, "p/b": False}, [("provider.down", "p")]),
        ({"p/a": False, "p/b": False}, {"p/a": False}, [("provider.up", "p")]),
    ],
)
def test_a_provider_is_down_when_nothing_of_it_may_be_asked(before, after, events):
    """One deployment that is left keeps it up."""
    fleet = fleet_of("a", "b").deployments
    healths = [
        {name: Health(available=is_up) for name, is_up in one.items()} for one in (before, after)
    ]
    assert list(changed_providers(fleet, *healths)) == events
