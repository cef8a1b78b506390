"""What talks to sockets here is tested on the gateway's own event loop and on the standard one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loops, by the name that tests are shown under."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
