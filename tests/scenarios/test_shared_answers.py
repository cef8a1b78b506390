"""Two replicas that share a Redis answer from each other's cache; without it each from its own."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.gateway import RunningGateway, running_gateway

CONFIG = """
simulation: {{enabled: "on", speed: 0}}
state: {{database_url: "sqlite:///{folder}/{name}.db", redis_url: "{redis}"}}
recording: {{flush_s: 0.05}}
server: {{drain_s: 1}}
cache: {{shared_wait_ms: 1000}}
"""


@pytest.fixture(scope="module")
def replicas(redis_server, tmp_path_factory) -> Iterator[list[RunningGateway]]:
    """Two of them."""
    with ExitStack() as stack:
        gateways = []
        for name in ("one", "two"):
            folder: Path = tmp_path_factory.mktemp(name)
            config = CONFIG.format(folder=folder, name=name, redis=redis_server.url)
            gateways.append(stack.enter_context(running_gateway(config, folder)))
        yield gateways


def ask(gateway: RunningGateway, name: str) -> tuple[str, bytes]:
    """What a chat about *name* is told of the cache, and its answer."""
    turns = [{"role": "user", "content": f"Write a short poem about {name} and the sea."}]
    request = urllib.request.Request(
        f"{gateway.v1}/chat/completions",
        data=json.dumps({"model": "gpt-4", "messages": turns}).encode(),
        headers={
            "Content-Type": "application/json",
            "X-Switchyard-Cache": "true",
            "X-Switchyard-Route-Action": "auto",
        },
    )
    with urllib.request.urlopen(request) as reply:
        return reply.headers["X-Switchyard-Cache-Status"], reply.read()


def shared(gateway: RunningGateway, operation: str, result: str) -> float:
    """A counter of *gateway*."""
    start = f'switchyard_cache_shared_total{{operation="{operation}",result="{result}"}} '
    with urllib.request.urlopen(f"{gateway.url}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def test_one_answers_what_the_other_was_asked(replicas):
    """The very same bytes; Redis was asked while the request was decided on."""
    one, two = replicas
    first, made = ask(one, "an island")
    second, again = ask(two, "an island")

    assert (first, second) == ("MISS", "HIT")
    assert again == made
    assert shared(one, "write", "ok") == 1
    assert shared(two, "read", "hit") == 1


def test_without_redis_each_has_its_own(replicas, redis_server):
    """Nobody gets an error, and what is in memory is given all the same."""
    one, _ = replicas
    redis_server.stop()
    try:
        said = [ask(one, "a lighthouse")[0] for _ in range(2)]
    finally:
        redis_server.start()

    assert said == ["MISS", "HIT"]
    assert shared(one, "read", "failed") >= 1
