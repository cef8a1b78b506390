"""
Real servers: PostgreSQL and Redis, each started on a free port of loopback and stopped at the end.

They can be stopped and started again in the middle, and run as root in a container: what pytest's
plugins for either cannot do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

START_S = 20.0
POSTGRES_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NO_POSTGRES = "PostgreSQL is not installed: apt-get install postgresql"
NO_REDIS = "Redis is not installed: apt-get install redis-server"


class NotInstalledError(Exception):
    """A server's program is missing; the message says what to install."""


class RedisServer:
    """A Redis on a free port of loopback, without persistence but for a restart by ``stop``."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises NotInstalledError."""
        program = shutil.which("redis-server")
        if program is None:
            raise NotInstalledError(NO_REDIS)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--appendonly", "yes"]
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [program, *options, "--dir", str(self._folder), "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        wait_for(self.port)

    def stop(self) -> None:
        """Stop it; what was written is there after the next start."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None


class PostgresServer:
    """
    A PostgreSQL on a free port of loopback. It refuses to run as root, so root runs it as the
    system's user postgres.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy with psycopg."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new empty database; its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", database)
        return self.url(database)

    def start(self) -> None:
        """
        Start it, making the cluster at the first time, and wait until it answers.

        Raises:
            NotInstalledError: there are no programs of it.
        """
        if not POSTGRES_BIN:
            raise NotInstalledError(NO_POSTGRES)
        data = self._folder / "data"
        if not data.exists():
            if os.geteuid() == 0:
                shutil.chown(self._folder, "postgres")
            self._run("initdb", "-D", str(data), "-U", "postgres", "--auth", "trust", "-N")
        options = ["-D", str(data), "-p", str(self.port), "-k", str(self._folder)]
        options += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [*as_postgres(), str(POSTGRES_BIN[-1] / "postgres"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.port)
        wait_until(self._answers)

    def stop(self) -> None:
        """Stop it at once, as a crash would; what was committed is there after the next start."""
        if self._process is not None:
            pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
            self._process.wait(START_S)
            self._process = None

    def _answers(self) -> bool:
        ready = POSTGRES_BIN[-1] / "pg_isready"
        command = [str(ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own

    def _run(self, program: str, *arguments: str) -> None:
        command = [*as_postgres(), str(POSTGRES_BIN[-1] / program), *arguments]
        subprocess.run(  # noqa: S603 - our own
            command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder
        )


def as_postgres() -> list[str]:
    """What makes a command run as another user, where this one is root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until somebody listens on *port*."""
    wait_until(lambda: _connects(port))


def wait_until(ready: Callable[[], object]) -> None:
    """Until *ready* returns true, at most START_S seconds. Raises TimeoutError."""
    end = time.monotonic() + START_S
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("a server did not start")
        time.sleep(0.02)


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A short-named folder that other users can enter; sockets have paths of 107 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="sy", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
