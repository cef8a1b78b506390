"""
What the gateway stands on: the database, the master key, the facts, and what is made of them.

One per process, also where only the command line runs. Everything that decisions and keys need is
in memory; the database is read and written beside the requests.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from pathlib import Path

from sqlalchemy import Engine

from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.execute.credentials import ProviderKey
from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore
from gateway.state.facts import Facts, ProviderKeyFact
from gateway.state.key_secrets import digest, provider_key_context
from gateway.state.master_key import MasterKeyError, master_key
from gateway.state.replica import FactReplica
from gateway.state.sealing import pepper_of, settle_master
from gateway.state.vault import Vault, VaultError

log = logging.getLogger(__name__)


class Foundation:
    """
    Built at the start, before anything serves; ``start`` reads the facts.

    Raises:
        Unavailable: there is no such kind of database, or its driver is not installed.
        MasterKeyError: no usable master key.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        state = settings.state
        self.folder: Path = state.folder
        self.engine: Engine = open_engine(settings.database_url)
        self.fact_store = FactStore(self.engine, clock)
        master = master_key(state.master_key, state.folder)
        old = tuple(master_key(one, state.folder) for one in state.old_master_keys)
        self.vault = Vault(master, old)
        self.replica = FactReplica(
            self.fact_store, clock, folder=state.folder, poll_s=settings.config.state.poll_s
        )
        self._pepper = secrets.token_bytes(32)  # what keys are hashed with ...
        self._lasting = False  # ... as the facts say; until then it finds keys of the file alone
        self._stored_keys: dict[str, ProviderKeyFact] = {}
        self._opened_keys: list[ProviderKey] = []

    async def start(self) -> None:
        """
        Read the facts; a database that does not answer is no reason not to start.

        Raises:
            MasterKeyError: the database belongs to another master key.
        """
        try:
            await asyncio.to_thread(settle_master, self.fact_store, self.vault)
        except Unavailable as error:
            log.warning("%s Starting without it.", error)
        await self.replica.start()
        self._learn_pepper()

    async def run(self) -> None:
        """Keep the facts fresh, until cancelled; make the pepper of a database that comes late."""
        while not self._lasting:
            await asyncio.sleep(self.replica.poll_s)
            try:
                await asyncio.to_thread(settle_master, self.fact_store, self.vault)
                await self.replica.refresh()
                self._learn_pepper()
            except Unavailable:
                continue
            except MasterKeyError as error:
                log.critical("facts are not used any more: %s", error)
                return
            self.replica.changed(self.replica.facts)  # by whom keys were hashed without it
        await self.replica.run()

    def digest(self, secret: str) -> str:
        """The keyed hash that *secret* is looked up by."""
        return digest(secret, self._pepper)

    def lasting_digest(self, secret: str) -> str:
        """
        The same, to be kept.

        Raises:
            Unavailable: the database has never been read, so nobody knows what it is hashed with.
        """
        if not self._lasting:
            raise Unavailable("The database has not answered yet, so no key can be made.")
        return self.digest(secret)

    def _learn_pepper(self) -> None:
        """Raises MasterKeyError, see ``start``."""
        pepper = pepper_of(self.replica.facts, self.vault)
        if pepper is not None:
            self._pepper, self._lasting = pepper, True

    def provider_keys(self, facts: Facts) -> list[ProviderKey]:
        """The provider keys of all tenants, opened. One that cannot be is left out, loudly."""
        stored: dict[str, ProviderKeyFact] = facts.of("provider_key")  # type: ignore[assignment]
        if stored is self._stored_keys:  # other facts change more often
            return self._opened_keys
        opened = []
        for name, fact in stored.items():
            if fact.disabled:
                continue
            try:
                opened.append(
                    ProviderKey(
                        id=name,
                        tenant=fact.tenant,
                        provider=fact.provider,
                        secret=self.vault.open(
                            fact.sealed, provider_key_context(name, fact.tenant, fact.provider)
                        ),
                        base_url=fact.base_url,
                        weight=fact.weight,
                    )
                )
            except (VaultError, ValueError) as error:
                log.error("provider key %s cannot be used: %s", name, error)  # noqa: TRY400
        self._stored_keys, self._opened_keys = stored, opened
        return opened

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
