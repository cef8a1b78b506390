"""What the gateway stands on, where the database comes later than the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from gateway.admin.access import ensure_admin_key
from gateway.api.auth import Keyring
from gateway.config.secrets import Secret
from gateway.core.errors import Unavailable
from gateway.foundation import Foundation
from tests.fakes.clock import ManualClock
from tests.gateway.admin.offices import settings_of

SHOWN = {"x-api-key": "sk-client"}


async def test_keys_of_the_file_outlive_the_late_database(tmp_path, monkeypatch):
    """They are hashed anew with its pepper, and open the door before and after."""
    settings, clock = settings_of(tmp_path), ManualClock()
    foundation = Foundation(settings, clock)
    foundation.replica.poll_s = 0.01
    rings = []

    def changed(facts):
        rings.append(Keyring(settings.keys, facts, foundation.digest, clock, required=True))

    def refuse(*_):
        raise Unavailable("down")

    with monkeypatch.context() as down:
        down.setattr(foundation.fact_store, "since", refuse)
        down.setattr(foundation.fact_store, "version", refuse)
        await foundation.start()
    foundation.replica.changed = changed
    changed(foundation.replica.facts)
    assert rings[-1].bearer(SHOWN, 0.0, 1.0).principal.key_id == "in-file"

    task = asyncio.create_task(foundation.run())
    async with asyncio.timeout(15):
        while not foundation.replica.facts.of("master_key") or len(rings) < 3:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert rings[-1].bearer(SHOWN, 0.0, 1.0).principal.key_id == "in-file"
    foundation.close()


def test_replicas_start_together_on_a_new_database(tmp_path, postgres_server):
    """None fails, all hash with the same pepper, and one of them makes the admin key."""
    settings = settings_of(tmp_path, url=postgres_server.create("together"))
    clock, ready = ManualClock(), threading.Barrier(4)

    async def start(foundation: Foundation) -> tuple[str, Secret | None]:
        await foundation.start()
        facts = foundation.replica.facts
        made = ensure_admin_key(
            foundation.fact_store, facts, foundation.lasting_digest, clock, None
        )
        return foundation.lasting_digest("sk-client"), made

    def replica(_: int) -> tuple[str, Secret | None]:
        foundation = Foundation(settings, clock)
        ready.wait()
        with contextlib.closing(foundation):
            return asyncio.run(start(foundation))

    with ThreadPoolExecutor(ready.parties) as threads:
        started = list(threads.map(replica, range(ready.parties)))

    assert len({digest for digest, _ in started}) == 1
    assert len([made for _, made in started if made is not None]) == 1
