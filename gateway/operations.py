"""What operators reach while the gateway runs: admin API, dashboard, and their first key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

from gateway.accounting import Accounting
from gateway.admin.access import Access, ensure_admin_key
from gateway.admin.api import AdminApi
from gateway.admin.office import Office
from gateway.admin.pages import Dashboard
from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.foundation import Foundation
from gateway.learn.matrix import QualityMatrix
from gateway.notices import Notices
from gateway.pipeline import Gateway
from gateway.record.recent import Recent
from gateway.record.state_series import StateFigures
from gateway.record.store import Store
from gateway.state.facts import Tell

log = logging.getLogger("switchyard")

API = "/admin/api"


class Operations:
    """One per process, over all its parts."""

    def __init__(
        self,
        foundation: Foundation,
        accounting: Accounting,
        *,
        gateway: Gateway,
        records: Store,
        recent: Recent,
        matrix: Callable[[], QualityMatrix],
        tell: Tell,
        settings: Callable[[], Settings],
        clock: Clock,
    ) -> None:
        self._foundation = foundation
        self._accounting = accounting
        self._recorder = gateway.recorder
        self._credentials = gateway.upstreams.credentials
        self._clock = clock
        self._admin_key = settings().state.admin_key
        access = Access(foundation.replica, foundation.digest, clock, self._admin_key)
        self.office = Office(
            fact_store=foundation.fact_store,
            replica=foundation.replica,
            records=records,
            ledger=accounting.ledger,
            settings=settings,
            clock=clock,
            vault=foundation.vault,
            digest=foundation.lasting_digest,
            tell=tell,
            access=access,
            gateway=gateway,
            recent=recent,
            matrix=matrix,
            refresh_balances=accounting.refresh_balances,
        )
        self._api = AdminApi(self.office)
        self._dashboard = Dashboard(self.office)

    async def start(self) -> None:
        """Make the first admin key where there is none; without a database at the next start."""
        foundation = self._foundation
        try:
            made = await asyncio.to_thread(
                ensure_admin_key,
                foundation.fact_store,
                foundation.replica.facts,
                foundation.lasting_digest,
                self._clock,
                self._admin_key,
            )
            if made is not None:
                await foundation.replica.refresh()
        except Unavailable as error:
            log.warning("%s No admin key could be made.", error)

    def figures(self, notices: Notices) -> StateFigures:
        """How facts, money and *notices* stand."""
        replica, accounting = self._foundation.replica, self._accounting
        bookkeeper = accounting.bookkeeper
        stale_since_s = accounting.charging.meters.stale_since_s
        return StateFigures(
            settled=bookkeeper.settled,
            lapsed=bookkeeper.lapsed,
            set_aside=bookkeeper.set_aside,
            notices_dropped=notices.dropped,
            notices_failed=notices.failed,
            facts_version=replica.facts.version,
            facts_stale_s=replica.stale_s,
            journal_bytes=bookkeeper.waiting_bytes,
            records_bytes=self._recorder.waiting_bytes,
            ledger_up=bookkeeper.answers,
            provider_keys_refused=self._credentials.denied_count(self._clock.monotonic()),
            limits_stale_s=0.0 if stale_since_s is None else self._clock.wall() - stale_since_s,
        )

    async def answer(self, http: web.BaseRequest) -> web.StreamResponse:
        """Whatever is asked below /admin."""
        if http.path == API or http.path.startswith(API + "/"):
            return await self._api.answer(http)
        return await self._dashboard.answer(http)
