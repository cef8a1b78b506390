"""
What the gateway adds: latency and CPU against the upstream alone and a bare passthrough.

    python -m bench.overhead [--rounds 3] [--seconds 5] [--targets bare,disabled,auto]

Everything runs on this machine in one go, each target in turn and the rounds interleaved, because
only figures of one run can be compared. bench/README.md says how to read them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from bench import open_loop, prompts, servers
from bench.report import BARE, DIRECT, Sample, Samples, chats_table, streams_table

RESULTS = Path(__file__).parent / "results"
RATES_PER_S = (50, 200, 500)
STREAMS_PER_S = 40  # half a second each: 20 open at a time, 2000 events per second
WARM_S = 2.0  # unmeasured, before the first round
ACTIONS = {"disabled": "", "auto": "X-Switchyard-Route-Action: auto\r\n"}
TARGETS = (BARE, *ACTIONS)


@dataclass(frozen=True)
class Target:
    """A server, and what it is asked."""

    name: str
    server: servers.Server
    headers: str = ""


def main() -> None:
    """Start everything, measure, print, write, and end everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument(
        "--targets", default=",".join(TARGETS), help="some of the default, by comma"
    )
    asked = parser.parse_args()
    names = asked.targets.split(",")
    if unknown := set(names) - set(TARGETS):
        parser.error(f"unknown targets: {', '.join(sorted(unknown))}")
    console = Console()
    try:
        with ExitStack() as stack:
            targets = start(stack, names, console)
            samples = measure(targets, asked.rounds, asked.seconds, console)
            rss_mb = {target.name: round(target.server.rss_mb()) for target in targets}
    except RuntimeError as problem:  # a server that did not start, or does not answer
        raise SystemExit(str(problem)) from None
    console.print(chats_table(Samples(samples)))
    console.print(streams_table(Samples(samples)))
    console.print(f"Memory, MB: {', '.join(f'{name} {mb}' for name, mb in rss_mb.items())}")
    path = write(samples, rss_mb)
    console.print(f"All samples: {path}")


def start(stack: ExitStack, names: Sequence[str], console: Console) -> list[Target]:
    """The upstream alone, called direct, and the targets of *names*; *stack* ends them."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchyard-bench-")))
    with console.status("Starting the servers"):
        upstream = stack.enter_context(servers.announced(folder, "bench.fake_upstream"))
        targets = [Target(DIRECT, upstream)]
        if BARE in names:
            passthrough = servers.announced(folder, "bench.passthrough", str(upstream.port))
            targets.append(Target(BARE, stack.enter_context(passthrough)))
        actions = [name for name in ACTIONS if name in names]
        if actions:
            gateway = stack.enter_context(servers.gateway(upstream.port, folder))
            targets += [Target(name, gateway, ACTIONS[name]) for name in actions]
    return targets


def measure(
    targets: Sequence[Target], rounds: int, seconds: float, console: Console
) -> list[Sample]:
    """Every target at every rate, in *rounds* rounds; the first target changes with the round."""
    samples = []
    plan = [(rate, False) for rate in RATES_PER_S] + [(STREAMS_PER_S, True)]
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Measuring", total=rounds * len(plan) * len(targets))
        for target in targets:
            sample(target, RATES_PER_S[0], WARM_S, stream=False, row=-1)
            sample(target, STREAMS_PER_S // 4, WARM_S, stream=True, row=-1)
        for row in range(rounds):
            turned = [*targets[row % len(targets) :], *targets[: row % len(targets)]]
            for rate, stream in plan:
                for target in turned:
                    samples.append(sample(target, rate, seconds, stream=stream, row=row))
                    progress.advance(task)
    return samples


def sample(target: Target, rate_per_s: int, seconds: float, *, stream: bool, row: int) -> Sample:
    """Load *target* once."""
    asked = prompts.requests(stream=stream, headers=target.headers)
    before_s = target.server.cpu_s()
    seen = open_loop.run(target.server.port, asked, rate_per_s, seconds)
    cpu_s = target.server.cpu_s() - before_s
    requests = len(seen.latencies_s) + seen.failed
    if not seen.latencies_s:
        raise RuntimeError(f"{target.name} has answered none of {requests} requests.")
    return Sample(
        target=target.name,
        stream=stream,
        rate_per_s=rate_per_s,
        round=row,
        requests=requests,
        failed=seen.failed,
        latency_s_p50=percentile(seen.latencies_s, 50),
        latency_s_p99=percentile(seen.latencies_s, 99),
        ttfb_s_p50=percentile(seen.ttfb_s, 50),
        ttfb_s_p99=percentile(seen.ttfb_s, 99),
        event_s_p50=percentile(seen.events_s, 50),
        event_s_p99=percentile(seen.events_s, 99),
        cpu_s=cpu_s / max(requests, 1),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """0 of nothing: answers that are no streams have no events."""
    return float(np.percentile(values, share)) if values else 0.0


def write(samples: Sequence[Sample], rss_mb: dict[str, int]) -> Path:
    """All samples and the machine as JSON, under a name that sorts by time."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("overhead-%Y%m%dT%H%M%SZ.json", time.gmtime())
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_1min": os.getloadavg()[0],
    }
    found = {"machine": machine, "rss_mb": rss_mb, "samples": [asdict(s) for s in samples]}
    path.write_text(json.dumps(found, indent=1))
    return path


if __name__ == "__main__":
    main()
