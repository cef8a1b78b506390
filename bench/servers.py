"""Start the measured processes, read their CPU time, and end them again."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_S = 90.0  # a first start compiles kernels
STOP_S = 10.0
LOG_CHARS_MAX = 2000  # of the end of a log, in an error
KEY = "bench-key"  # of the gateway; the fake upstream takes any
ADMIN = "sya_of-the-bench"
CONFIG = """\
server: {{host: 127.0.0.1, port: {port}}}
keys:
  - {{id: bench, secret: "env:BENCH_GATEWAY_KEY"}}
providers:
  openai: {{api_key: "env:BENCH_UPSTREAM_KEY", base_url: "http://127.0.0.1:{upstream}/v1"}}
{state}
simulation: {{enabled: "off"}}
"""


@dataclass(frozen=True)
class Server:
    """A process that answers on a port of the loopback interface."""

    pid: int
    port: int

    def cpu_s(self) -> float:
        """Seconds of CPU that all its threads have had; nanoseconds exact where Linux tells."""
        total_ns = 0
        try:
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                total_ns += int((task / "schedstat").read_text().split()[0])
        except OSError:  # no such file, or a thread that has just ended
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        return total_ns / 1e9

    def rss_mb(self) -> float:
        """Memory that it occupies, MB."""
        return float(psutil.Process(self.pid).memory_info().rss) / 1e6


@contextlib.contextmanager
def announced(folder: Path, module: str, *arguments: str) -> Iterator[Server]:
    """A process of ours that prints its port first; what else it says goes to *folder*."""
    log = folder / f"{module}.log"
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as out, _process(command, stdout=subprocess.PIPE, stderr=out) as process:
        assert process.stdout is not None
        announcement = b""
        if select.select([process.stdout], [], [], START_S)[0]:
            announcement = process.stdout.readline()
        if not announcement:
            raise RuntimeError(_not_ready(module, log))
        yield Server(process.pid, int(announcement))


@contextlib.contextmanager
def gateway(upstream_port: int, folder: Path, root: Path = ROOT) -> Iterator[Server]:
    """
    The gateway of the checkout at *root*, with the fake upstream as its only provider; its log and
    records in *folder*. ADMIN is its admin key. A checkout from before ``gateway/state``
    keeps its records alone.
    """
    port, log = free_port(), folder / "gateway.log"
    config = folder / "bench.yaml"
    database = f'database_url: "sqlite:///{folder}/bench.db"'
    state = f'state: {{{database}, admin_key: "env:BENCH_ADMIN"}}'
    if not (root / "gateway/state").is_dir():
        state = f"recording: {{{database}}}"
    config.write_text(CONFIG.format(port=port, upstream=upstream_port, state=state))
    environ = {
        **os.environ,
        "SWITCHYARD_CONFIG": str(config),
        "SWITCHYARD_HOST": "127.0.0.1",
        "SWITCHYARD_PORT": str(port),
        "BENCH_GATEWAY_KEY": KEY,
        "BENCH_UPSTREAM_KEY": "upstream-key",
        "BENCH_ADMIN": ADMIN,
    }
    command = [sys.executable, "-m", "gateway", "serve"]
    with (
        log.open("wb") as out,
        _process(command, root, stdout=out, stderr=out, env=environ) as process,
    ):
        if not _ready(process, port):
            raise RuntimeError(_not_ready("The gateway", log))
        yield Server(process.pid, port)


def _not_ready(name: str, log: Path) -> str:
    end = log.read_text(errors="replace")[-LOG_CHARS_MAX:]
    return f"{name} ended, or was not ready within {START_S:.0f} s:\n{end}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Ask until it is ready; False when it ended, or takes too long."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


@contextlib.contextmanager
def _process(
    command: list[str], root: Path = ROOT, **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A child that does not outlive the block."""
    with subprocess.Popen(command, cwd=root, **options) as process:  # type: ignore[call-overload]  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
