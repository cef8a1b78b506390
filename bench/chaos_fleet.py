"""What is shaken: two gateways over one PostgreSQL and one Redis, started and ended at will."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos_upstream import MODEL, NANO_USD_IN, NANO_USD_OUT
from bench.real_servers import PostgresServer, RedisServer
from bench.servers import ROOT, START_S, announced, free_port

API = "/admin/api/v1"
ADMIN = "sya_of-the-chaos"
SECRETS = {
    "CHAOS_ADMIN": ADMIN,
    "CHAOS_MASTER": base64.b64encode(bytes(range(32))).decode(),
    "CHAOS_UPSTREAM": "of-the-upstream",
}
REQUEST_S = 10.0  # of one request; a minute after it what it reserved lapses
ON_THEIR_WAY_S = 0.1  # from the choice of a gateway until the request is there
STOP_S = 40.0  # to drain, and to write what waits
CONFIG = f"""\
server: {{{{host: 127.0.0.1, port: {{port}}, require_key: true, drain_s: 10,
  request_timeout_s: {REQUEST_S}}}}}
providers:
  openai: {{{{api_key: "env:CHAOS_UPSTREAM", base_url: "http://127.0.0.1:{{upstream}}/v1",
    models: [{MODEL}]}}}}
models:
  {MODEL}: {{{{price: {{{{input: {NANO_USD_IN / 1000}, output: {NANO_USD_OUT / 1000}}}}}}}}}
reliability: {{{{breaker_failures: 1000, breaker_error_share: 1.0, retry_floor_per_s: 1000}}}}
state: {{{{database_url: "{{database}}", redis_url: "{{redis}}", folder: "{{folder}}",
  master_key: "env:CHAOS_MASTER", admin_key: "env:CHAOS_ADMIN"}}}}
simulation: {{{{enabled: "off"}}}}
classifier: {{{{enabled: false}}}}
scan: {{{{enabled: false}}}}
"""


class Gateway:
    """
    One gateway and its folder, which outlives its processes. *up*: whether a load balancer would
    send anything here; *killed*: processes that died by SIGKILL.
    """

    def __init__(self, name: str, folder: Path, upstream: int, database: str, redis: str) -> None:
        self.name = name
        self.port = free_port()
        self.pid = 0  # of the process that runs, or ran last
        self.killed: list[int] = []
        self.up = False
        self.folder = folder / name
        self._log = folder / f"{name}.log"
        self._config = folder / f"{name}.yaml"
        self._process: subprocess.Popen[bytes] | None = None
        self._config.write_text(
            CONFIG.format(
                port=self.port,
                upstream=upstream,
                database=database,
                redis=redis,
                folder=self.folder,
            )
        )

    def start(self) -> None:
        """Start it and wait until it is ready. Raises RuntimeError: it is not."""
        environ = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
        environ |= SECRETS | {"SWITCHYARD_CONFIG": str(self._config)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve"],
                stdout=log,
                stderr=log,
                env=environ,
                cwd=ROOT,
            )
        self.pid = self._process.pid
        end_s = time.monotonic() + START_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > end_s:
                raise RuntimeError(f"{self.name} did not start:\n{self.log()[-2000:]}")
            time.sleep(0.05)
        self.up = True

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.killed.append(self.pid)
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a deployment does: no new requests, a moment for those on their way, then SIGTERM."""
        self.up = False
        time.sleep(ON_THEIR_WAY_S)
        self._end(signal.SIGTERM)

    def log(self) -> str:
        """All that its processes have said."""
        return self._log.read_text(errors="replace")

    def is_ready(self) -> bool:
        """What a load balancer is told."""
        with contextlib.suppress(urllib.error.URLError, OSError):
            url = f"http://127.0.0.1:{self.port}/readyz"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        return False

    def admin(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and answer of the admin API at *path*."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{API}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {ADMIN}",
                "Content-Type": "application/json",
                "Idempotency-Key": os.urandom(8).hex(),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - loopback
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def make(self, path: str, body: object = None) -> Any:
        """What the admin API has made. Raises RuntimeError: it has not."""
        status, answer = self.admin("POST", path, body)
        if status not in (200, 201):
            raise RuntimeError(f"POST {path} answered {status}: {answer}")
        return answer

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_S)
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process = None


@dataclass
class Fleet:
    """Everything that runs. *calls* is the log of the upstream."""

    postgres: PostgresServer
    redis: RedisServer
    database: str
    gateways: list[Gateway]
    calls: Path

    @property
    def killed(self) -> set[int]:
        """All processes that died by SIGKILL."""
        return {pid for gateway in self.gateways for pid in gateway.killed}

    def truth(self) -> list[tuple[int, str, int]]:
        """The calls that the upstream saw: number, what became of it, its cost in nano-dollars."""
        return [tuple(json.loads(line)) for line in self.calls.read_text().splitlines()]


@contextlib.contextmanager
def running(folder: Path, gateways: int = 2) -> Iterator[Fleet]:
    """A fleet in *folder*, ended with the block. Raises NotInstalledError, RuntimeError."""
    calls = folder / "calls.jsonl"
    calls.touch()
    with contextlib.ExitStack() as stack:
        stores = []
        for name, kind in (("postgres", PostgresServer), ("redis", RedisServer)):
            place = folder / name
            place.mkdir()
            store = kind(place)
            store.start()
            stack.callback(store.stop)
            stores.append(store)
        postgres, redis = stores
        assert isinstance(postgres, PostgresServer)
        assert isinstance(redis, RedisServer)
        upstream = stack.enter_context(announced(folder, "bench.chaos_upstream", str(calls)))
        database = postgres.create("chaos")
        fleet = Fleet(postgres, redis, database, [], calls)
        for number in range(gateways):
            one = Gateway(f"gateway-{number}", folder, upstream.port, database, redis.url)
            stack.callback(one.kill)
            fleet.gateways.append(one)
            one.start()
        yield fleet
