"""Fixtures for tests of the whole gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.gateway import RunningGateway, running_gateway
from tests.servers import postgres_server, redis_server  # noqa: F401 - fixtures

SIMULATED = """
simulation: {enabled: "on", speed: 0}
state: {database_url: "sqlite:///DATABASE"}
recording: {flush_s: 0.05}
server: {drain_s: 2}
"""


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway as a newcomer has it: no keys, every provider simulated, without pauses."""
    folder = tmp_path_factory.mktemp("simulated")
    config = SIMULATED.replace("DATABASE", str(folder / "records.db"))
    with running_gateway(config, folder) as gateway:
        yield gateway
