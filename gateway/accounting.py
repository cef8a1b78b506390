"""The money of one process: limits, journal, bookkeeper and ledger, kept running together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from gateway.charging import Charging
from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.errors import SwitchyardError, Unavailable
from gateway.core.limits import Limit, Span
from gateway.execute.credentials import Credentials
from gateway.foundation import Foundation
from gateway.ledger.bookkeeper import Bookkeeper
from gateway.ledger.journal import Journal
from gateway.ledger.meters import Meters
from gateway.ledger.terms import BALANCE, provider_limits, scope_of
from gateway.ledger.windows import SLOTS, bucket_of
from gateway.state.ledger_store import LedgerStore
from gateway.state.shares import Shares

log = logging.getLogger(__name__)

BALANCES_S = 1.0  # between two looks for top-ups
MINUTE_S = 60  # the finest step of the ledger's sums


class Accounting:
    """
    Built after the *foundation* at the start. ``run`` keeps limits and balances fresh.

    Raises:
        Unavailable: the folder of the journal cannot be written, or Redis cannot be used.
    """

    def __init__(
        self, settings: Settings, foundation: Foundation, credentials: Credentials, clock: Clock
    ) -> None:
        state = settings.state
        self.ledger = LedgerStore(foundation.engine, clock)
        self.journal = Journal(state.folder, settings.config.state.journal_bytes_max)
        self.bookkeeper = Bookkeeper(self.ledger, self.journal, state.folder, clock)
        self.shares: Shares | None = None
        if state.redis_url is not None:
            from gateway.state.redis_shares import connect  # here: Redis is an extra

            self.shares = connect(state.redis_url)
        meters = Meters(clock, self.shares, self._history)
        self.charging = Charging(meters, self.journal, clock, credentials.providers)
        self.charging.use(foundation.replica.facts)
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go on with other settings: the limits of providers."""
        providers = settings.config.providers
        spend = {name: provider.spend for name, provider in providers.items() if provider.spend}
        self.charging.provider_limits = provider_limits(spend)

    async def start(self) -> None:
        """Book what a process before us has left, so that limits know it; then go on booking."""
        await asyncio.to_thread(self.bookkeeper.flush)
        self.bookkeeper.start()

    async def run(self) -> None:
        """Keep limits and balances fresh, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.charging.meters.run())
            tasks.create_task(self._watch_balances())

    async def close(self, timeout_s: float) -> None:
        """Book what waits; what is left stays on disk for the next process."""
        await asyncio.to_thread(self.bookkeeper.close, timeout_s)
        if self.shares is not None:
            await self.shares.close()

    async def refresh_balances(self) -> None:
        """See what tenants were given. Raises Unavailable."""
        balances = await asyncio.to_thread(self.ledger.balances)
        given = {tenant: balance.given_nano_usd for tenant, balance in balances.items()}
        self.charging.use_given(given)

    async def _watch_balances(self) -> None:
        failing = False
        while True:
            try:
                await self.refresh_balances()
                failing = False
            except SwitchyardError as error:
                if not failing:
                    log.warning("balances stay as they were: %s", error)
                failing = True
            await asyncio.sleep(BALANCES_S)

    async def _history(self, limit: Limit, before_s: float) -> Iterable[tuple[float, int]]:
        """
        What was spent of *limit* to the end of the minute of *before_s*: what came later is counted
        here, and of that minute some may count twice.

        Raises:
            Unavailable: not all is in the ledger that was there at the start.
        """
        if not self.bookkeeper.answers:
            raise Unavailable("The ledger is behind the journal.")
        return await asyncio.to_thread(self._spent, limit, before_s)

    def _spent(self, limit: Limit, before_s: float) -> list[tuple[float, int]]:
        scope, name = scope_of(limit)
        if scope == BALANCE:
            return [(before_s, self.ledger.credits_used(name, before_s))]
        window = limit.window
        rolling = window.span is Span.ROLLING
        step_s = max(window.rolling_s // SLOTS // MINUTE_S, 1) * MINUTE_S
        since_s = before_s - window.rolling_s if rolling else bucket_of(window, before_s).start_s
        found = self.ledger.spend_between(
            scope,  # type: ignore[arg-type]
            name,
            since_s,
            before_s,
            bucket_s=step_s,
        )
        if rolling:
            return [(float(at_s), spent) for at_s, spent in found]
        return [(before_s, sum(spent for _, spent in found))]
