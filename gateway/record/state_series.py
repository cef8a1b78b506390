"""What is told of facts, money and notices: names and labels as in gateway.record.metrics."""

from __future__ import annotations

import math

import msgspec

from gateway.record.series import Labels

STATE_COUNTERS: dict[str, tuple[str, Labels]] = {
    "switchyard_ledger_settled": ("Attempts that this process has billed", ()),
    "switchyard_ledger_lapsed": ("Reservations given back because nobody settled them", ()),
    "switchyard_ledger_set_aside": ("Lines of the journal that cannot be booked", ()),
    "switchyard_notices_lost": ("Notices that no webhook took; reason: full, refused", ("reason",)),
}
STATE_GAUGES: dict[str, tuple[str, Labels]] = {
    "switchyard_facts_version": ("Of the keys, rules and limits that are served by", ()),
    "switchyard_facts_stale_seconds": ("Since these were last known to be the newest", ()),
    "switchyard_journal_bytes": ("Of charges that are not in the ledger yet", ()),
    "switchyard_records_bytes": ("Of records on disk that the database may not have yet", ()),
    "switchyard_ledger_up": ("1 where the database took the last charges", ()),
    "switchyard_provider_keys_refused": ("Keys of tenants that their providers refuse now", ()),
    "switchyard_limits_stale_seconds": ("Since other replicas were last heard of; 0: now", ()),
}
NEVER_S = 1e9  # Prometheus draws no infinity


class StateFigures(msgspec.Struct, frozen=True):
    """One look at all of it. *facts_stale_s* is inf where the facts were never read."""

    settled: int = 0
    lapsed: int = 0
    set_aside: int = 0
    notices_dropped: int = 0
    notices_failed: int = 0
    facts_version: int = 0
    facts_stale_s: float = 0.0
    journal_bytes: int = 0
    records_bytes: int = 0
    ledger_up: bool = True
    provider_keys_refused: int = 0
    limits_stale_s: float = 0.0

    def counts(self) -> dict[str, dict[Labels, float]]:
        """Values of STATE_COUNTERS."""
        return {
            "switchyard_ledger_settled": {(): self.settled},
            "switchyard_ledger_lapsed": {(): self.lapsed},
            "switchyard_ledger_set_aside": {(): self.set_aside},
            "switchyard_notices_lost": {
                ("full",): self.notices_dropped,
                ("refused",): self.notices_failed,
            },
        }

    def values(self) -> dict[str, dict[Labels, float]]:
        """Values of STATE_GAUGES."""
        stale_s = self.facts_stale_s if math.isfinite(self.facts_stale_s) else NEVER_S
        return {
            "switchyard_facts_version": {(): self.facts_version},
            "switchyard_facts_stale_seconds": {(): stale_s},
            "switchyard_journal_bytes": {(): self.journal_bytes},
            "switchyard_records_bytes": {(): self.records_bytes},
            "switchyard_ledger_up": {(): int(self.ledger_up)},
            "switchyard_provider_keys_refused": {(): self.provider_keys_refused},
            "switchyard_limits_stale_seconds": {(): self.limits_stale_s},
        }
