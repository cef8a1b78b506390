"""What the desk works with. The app fills it; the command line fills less of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from gateway.admin.access import Access
from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.errors import SwitchyardError, Unavailable
from gateway.learn.matrix import QualityMatrix
from gateway.pipeline import Gateway
from gateway.record.recent import Recent
from gateway.record.store import Store
from gateway.state.effective import effective
from gateway.state.fact_store import FactStore
from gateway.state.facts import Facts, Tell
from gateway.state.ledger_store import LedgerStore
from gateway.state.vault import Vault

log = logging.getLogger(__name__)


class Replica(Protocol):
    """The facts as this process holds them, see gateway.state.replica."""

    @property
    def facts(self) -> Facts:
        """All of them."""

    @property
    def stale_s(self) -> float:
        """Seconds since they were last known to be current; inf: never."""

    async def refresh(self) -> None:
        """Read what has changed. Raises Unavailable."""


class Office(msgspec.Struct, frozen=True):
    """
    Everything that front ends of the operator need. *settings* are those of the file, without the
    facts. *digest* is the keyed hash that keys are known by. On the command line no *gateway* runs;
    without *matrix* the judgements are summed up when somebody asks. *tell* reaches webhooks;
    *refresh_balances* has the gateway see what tenants were given.
    """

    fact_store: FactStore
    replica: Replica
    records: Store
    ledger: LedgerStore
    settings: Callable[[], Settings]
    clock: Clock
    vault: Vault
    digest: Callable[[str], str]
    access: Access
    gateway: Gateway | None = None
    matrix: Callable[[], QualityMatrix] | None = None
    recent: Recent | None = None
    tell: Tell | None = None
    refresh_balances: Callable[[], Awaitable[None]] | None = None

    def running(self) -> Gateway:
        """The gateway. Raises Unavailable where none runs here."""
        if self.gateway is None:
            raise Unavailable("No gateway runs in this process.")
        return self.gateway

    def completed(self) -> Settings:
        """The settings with what operators have decided at run time."""
        settings = self.settings()
        config = effective(settings.config, self.replica.facts)
        return msgspec.structs.replace(settings, config=config)

    async def refresh(self) -> None:
        """Have this process see what was just written; a fault waits for the replica's own turn."""
        try:
            await self.replica.refresh()
            if self.refresh_balances is not None:
                await self.refresh_balances()
        except SwitchyardError as error:
            log.warning("a change is written, but not seen here yet: %s", error.message)
