"""
Real servers for tests: PostgreSQL and Redis, see bench/real_servers.py.

A machine without their programs skips the tests that need them; the reason says what to install.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import real_servers
from bench.real_servers import free_port, scratch, wait_until

__all__ = ["PostgresServer", "RedisServer", "free_port", "scratch", "wait_until"]


class RedisServer(real_servers.RedisServer):
    """A Redis; a machine without it skips whoever starts it."""

    def start(self) -> None:
        """Start it, or skip the test."""
        try:
            super().start()
        except real_servers.NotInstalledError as error:
            pytest.skip(str(error))


class PostgresServer(real_servers.PostgresServer):
    """A PostgreSQL; a machine without it skips whoever starts it."""

    def start(self) -> None:
        """Start it, or skip the test."""
        try:
            super().start()
        except real_servers.NotInstalledError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for the session; tests use names of their own in it."""
    with scratch() as folder:
        server = RedisServer(folder)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session; tests create databases of their own in it."""
    with scratch() as folder:
        server = PostgresServer(folder)
        server.start()
        yield server
        server.stop()
