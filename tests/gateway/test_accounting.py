"""Limits in money and the ledger they are told by, while the database is slower than requests."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from gateway.accounting import Accounting
from gateway.core.errors import Unavailable
from gateway.execute.credentials import Credentials
from gateway.foundation import Foundation
from gateway.state.facts import Facts, GatewayKey, Limits, SpendLimit, Tenant
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import settings_of
from tests.gateway.ledger.ledgers import settle
from tests.gateway.test_charging import ASKED, EXPECTED, PLACE, WHO, answered

LIMITS = Limits(spend=(SpendLimit(usd=1.0, window="day"), SpendLimit(usd=1.0, window="rolling 1h")))
KEY = GatewayKey(tenant="acme", project="shop", hashes=(), prefix="", limits=LIMITS)


@pytest.fixture
def accounting(tmp_path):
    """The money of a process that has started, whose tenant pays from credits."""
    settings, clock = settings_of(tmp_path), ManualClock()
    foundation = Foundation(settings, clock)
    made = Accounting(settings, foundation, Credentials(), clock)
    made.clock = clock
    facts = {"key": {"k1": KEY}, "tenant": {"acme": Tenant(credits=True)}}
    made.charging.use(Facts(1, facts))
    yield made
    made.bookkeeper.close(1.0)
    foundation.close()


async def test_what_was_booked_before_the_ledger_is_asked_counts_once(accounting):
    """By the meter that has seen it; the ledger tells what came before the meter was made."""
    charging, clock = accounting.charging, accounting.clock
    accounting.ledger.top_up("acme", 10**9, note="", by="ann", idempotency_key="k")
    await accounting.refresh_balances()
    spent = settle(1, wall_s=clock.wall() - 300.0, cost_nano_usd=1000, fee_nano_usd=0)
    accounting.journal.append(spent)
    charging.grant(WHO)
    clock.advance(120.0)
    bill = charging.bill(WHO)
    bill.expect(ASKED, EXPECTED, 0)
    await bill.attempt(PLACE, own_key=False)
    bill.settle(answered(20, 10), "m", fee_nano_usd=0, savings_nano_usd=0)
    assert accounting.bookkeeper.flush()

    limits = [*bill.terms.money, charging.balance("acme")]
    task = asyncio.create_task(charging.meters.run())
    async with asyncio.timeout(15):
        while charging.meters._unseeded:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [charging.meters.state(limit).used for limit in limits] == [31_000] * 3


async def test_the_ledger_is_not_asked_while_it_is_behind(accounting, monkeypatch):
    """What waits in the journal would be forgotten: the process before this one has left it."""

    def refuse(*_):
        raise Unavailable("down")

    limit = accounting.charging.terms(WHO).money[0]
    accounting.journal.append(settle(1))
    with monkeypatch.context() as down:
        down.setattr(accounting.ledger, "read_bytes", refuse)
        assert not accounting.bookkeeper.flush()
    with pytest.raises(Unavailable, match="behind the journal"):
        await accounting._history(limit, accounting.clock.wall())

    assert accounting.bookkeeper.flush()
    now_s = accounting.clock.wall()
    assert await accounting._history(limit, now_s) == [(now_s, 72_500_000)]
