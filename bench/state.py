"""
CPU that keys, limits and money cost a request, on the embedded default.

    python -m bench.state [--rounds 5] [--seconds 4] [--rate 200] [--before FOLDER]

One gateway and one provider that answers at once, asked in turn with a key of the configuration
and with a key of a tenant that has four limits and prepaid credits. ``--before`` names a checkout
from before there was any of this (for one, ``git worktree add FOLDER c5744d1``): then its gateway
is asked in the same turn, and the whole state layer is what the others take beyond it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import open_loop, prompts, servers

API = "/admin/api/v1"
BEFORE, CONFIGURED, TENANT = "before", "key of the configuration", "tenant, limits, credits"
WARM_S = 3.0
TARGET_US = 60.0  # beyond *before*
PLENTY = 10**9
LIMITS = {
    "requests_per_minute": PLENTY,
    "tokens_per_minute": PLENTY,
    "concurrent": PLENTY,
    "spend": [{"usd": 1e6, "window": "month"}],
}


@dataclass
class Asked:
    """A gateway, the key it is asked with, and what each round took, µs of CPU per request."""

    name: str
    server: servers.Server
    key: str
    cpu_us: list[float] = field(default_factory=list)

    def ask(self, rate_per_s: int, seconds: float) -> float:
        """
        CPU per request, microseconds. Raises RuntimeError: not all were answered.
        """
        asked = [one.replace(servers.KEY.encode(), self.key.encode()) for one in prompts.requests()]
        before_s = self.server.cpu_s()
        seen = open_loop.run(self.server.port, asked, rate_per_s, seconds)
        if seen.failed or not seen.latencies_s:
            raise RuntimeError(f"{self.name}: {seen.failed} requests failed.")
        return (self.server.cpu_s() - before_s) / len(seen.latencies_s) * 1e6


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rate", type=int, default=200, help="requests per second")
    parser.add_argument("--before", type=Path, help="a checkout from before the state layer")
    options = parser.parse_args()
    console = Console()
    with ExitStack() as stack:
        try:
            asked = start(stack, options.before)
            for row in range(-1, options.rounds):
                for one in (*asked[row % len(asked) :], *asked[: row % len(asked)]):
                    cpu_us = one.ask(options.rate, options.seconds if row >= 0 else WARM_S)
                    one.cpu_us += [cpu_us] if row >= 0 else []
        except RuntimeError as problem:
            raise SystemExit(str(problem)) from None
    console.print(table_of(asked))
    console.print(f"Load of the machine in the last minute: {os.getloadavg()[0]:.1f}")


def start(stack: ExitStack, before: Path | None) -> list[Asked]:
    """The gateways, ended with *stack*. Raises RuntimeError: one did not start."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchyard-bench-")))
    upstream = stack.enter_context(servers.announced(folder, "bench.fake_upstream"))
    now = stack.enter_context(servers.gateway(upstream.port, folder))
    asked = [Asked(CONFIGURED, now, servers.KEY), Asked(TENANT, now, key_of_tenant(now.port))]
    if before is not None:
        (folder / "before").mkdir()
        then = servers.gateway(upstream.port, folder / "before", before.resolve())
        asked.insert(0, Asked(BEFORE, stack.enter_context(then), servers.KEY))
    return asked


def key_of_tenant(port: int) -> str:
    """A new tenant's key, with all limits that there are, and credits."""
    make(port, "/tenants", {"id": "bench", "value": {"credits": True}})
    make(port, "/tenants/bench/top-ups", {"nano_usd": 10**15})
    make(port, "/projects", {"id": "bench", "value": {"tenant": "bench"}})
    value = {"tenant": "bench", "project": "bench", "limits": LIMITS}
    return str(make(port, "/keys", {"value": value})["secret"])


def make(port: int, path: str, body: object) -> Any:
    """What the admin API answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{API}{path}",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {servers.ADMIN}",
            "Content-Type": "application/json",
            "Idempotency-Key": os.urandom(8).hex(),
        },
    )
    with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - loopback
        return json.loads(answer.read())


def table_of(asked: list[Asked]) -> Table:
    """Medians, and the median of the differences of each round to the first."""
    table = Table(title="CPU of the gateway, µs per request")
    for name in ("asked with", "median", f"beyond {asked[0].name}", "of the rounds", "target"):
        table.add_column(name, justify="left" if name == "asked with" else "right")
    for one in asked:
        beyond = [mine - first for mine, first in zip(one.cpu_us, asked[0].cpu_us, strict=True)]
        judged = asked[0].name == BEFORE and one is not asked[0]
        table.add_row(
            one.name,
            f"{statistics.median(one.cpu_us):.0f}",
            f"{statistics.median(beyond):+.0f}",
            f"{min(beyond):+.0f} to {max(beyond):+.0f}",
            f"≤ {TARGET_US:.0f}" if judged else "",
        )
    return table


if __name__ == "__main__":
    main()
