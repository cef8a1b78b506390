"""An office on a database of its own, without a gateway."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.admin.access import Access, Tries
from gateway.admin.office import Office
from gateway.admin.roles import Operator
from gateway.choosing import Routing
from gateway.config.secrets import Secret
from gateway.config.settings import Settings, read_settings
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.execute.upstreams import Upstreams
from gateway.pipeline import Gateway
from gateway.reading import Readers
from gateway.record.recorder import Recorder
from gateway.record.store import Store
from gateway.simulated.transport import SimulatedTransport
from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore
from gateway.state.key_secrets import digest
from gateway.state.ledger_store import LedgerStore
from gateway.state.replica import FactReplica
from gateway.state.vault import Vault
from models.classifier import load_classifier
from models.options import Options
from tests.fakes.clock import ManualClock

ADMIN = Operator("root", "admin")
OPERATOR = Operator("olga", "operator")
VIEWER = Operator("vera", "viewer")
MASTER = bytes(range(32))
CONFIG = """
providers: {openai: {simulated: true}, anthropic: {simulated: true}}
simulation: {enabled: "off"}
projects: {configured: {mode: eco}}
keys: [{id: in-file, secret: "env:CLIENT"}]
"""


def settings_of(folder: Path, more: str = "", url: str | None = None) -> Settings:
    """Settings with a database in *folder*, or at *url*."""
    path = folder / "switchyard.yaml"
    url = url or f"sqlite:///{folder}/switchyard.db"
    path.write_text(f"{CONFIG}\nstate: {{database_url: '{url}', folder: '{folder}'}}\n{more}")
    return read_settings(path, {"CLIENT": "sk-client"})


def office_of(
    folder: Path,
    clock: ManualClock | None = None,
    more: str = "",
    stated: Secret | None = None,
    tries: int = 10,
    url: str | None = None,
) -> Office:
    """An office whose database is in *folder*, or at *url*."""
    clock = clock or ManualClock()
    settings = settings_of(folder, more, url)
    engine = open_engine(settings.database_url)
    store = FactStore(engine, clock)
    replica = FactReplica(store, clock, folder=folder, poll_s=1.0)

    def hashed(secret: str) -> str:
        return digest(secret, b"pepper")

    return Office(
        fact_store=store,
        replica=replica,
        records=Store(settings.database_url),
        ledger=LedgerStore(engine, clock),
        settings=lambda: settings,
        clock=clock,
        vault=Vault(MASTER),
        digest=hashed,
        access=Access(replica, hashed, clock, stated, Tries(clock, tries)),
    )


def with_gateway(office: Office) -> Office:
    """The same with a gateway that answers by simulation and is never asked to."""
    settings, clock = office.settings(), office.clock
    transport = SimulatedTransport(0.0)
    upstreams = Upstreams(
        settings.fleet,
        real=transport,
        simulated=transport,
        reliability=settings.config.reliability,
        server=settings.config.server,
        clock=clock,
        random=lambda: 0.5,
    )
    readers = Readers(load_classifier(Options(enabled=False)), None, clock)
    recorder = Recorder(office.records, settings.config.recording, clock, lambda records: None)
    policies = compile_policies(settings.config, settings.fleet)
    routing = Routing(policies, fleet_view(settings.fleet, {}))
    gateway = Gateway(readers, routing, upstreams, recorder, charging=None)
    return msgspec.structs.replace(office, gateway=gateway)


def close(office: Office) -> None:
    """Close its databases."""
    office.records.close()
    office.fact_store._engine.dispose()
