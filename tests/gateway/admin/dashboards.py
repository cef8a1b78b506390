"""A whole gateway with its dashboard, in a thread, for browsers and other clients that block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.gateway import RunningGateway, running_gateway

ADMIN_KEY = "an-admin-key-of-the-configuration"
CONFIG = """
simulation: {enabled: "on", speed: 0}
state: {database_url: "sqlite:///FOLDER/switchyard.db", folder: "FOLDER", admin_key: "env:ADMIN"}
recording: {flush_s: 0.05}
server: {drain_s: 1}
"""


@contextmanager
def dashboard_running(folder: Path) -> Iterator[RunningGateway]:
    """A gateway with the built-in provider; its admin key is ADMIN_KEY."""
    config = CONFIG.replace("FOLDER", str(folder))
    with running_gateway(config, folder, {"ADMIN": ADMIN_KEY}) as gateway:
        yield gateway
