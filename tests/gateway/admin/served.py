"""The admin API behind a real HTTP server, in the test's own loop or in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import ClientSession, web

from gateway.admin.api import AdminApi
from gateway.admin.office import Office

START_S = 20.0


async def start(office: Office) -> tuple[web.ServerRunner, str]:
    """A server on a free port, and its URL."""
    runner = web.ServerRunner(web.Server(AdminApi(office).answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}"


@asynccontextmanager
async def served(office: Office, secret: str | None) -> AsyncIterator[ClientSession]:
    """A client of the API that sends *secret*."""
    runner, url = await start(office)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    async with ClientSession(f"{url}/admin/api/v1/", headers=headers) as client:
        yield client
    await runner.cleanup()


@contextmanager
def running(office: Office) -> Iterator[str]:
    """The URL of the API in a thread of its own, for clients that block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, url = asyncio.run_coroutine_threadsafe(start(office), loop).result(START_S)
    yield url
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(START_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
