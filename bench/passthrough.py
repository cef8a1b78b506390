"""
The least that an aiohttp gateway costs: bytes in, the same bytes out, nothing looked at.

    python -m bench.passthrough UPSTREAM_PORT

Prints its port, and runs until it is killed.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

FORWARDED = ("Content-Type", "Authorization")


async def main(upstream_port: int) -> None:
    """Listen on a free port of the loopback interface."""
    upstream = f"http://127.0.0.1:{upstream_port}"
    connector = TCPConnector(limit=1000)
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=60)) as session:

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            headers = {name: request.headers[name] for name in FORWARDED}
            body = await request.read()
            async with session.post(upstream + request.path, data=body, headers=headers) as answer:
                if answer.content_type != "text/event-stream":
                    whole = await answer.read()
                    return web.Response(
                        status=answer.status, body=whole, content_type=answer.content_type
                    )
                response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                await response.prepare(request)
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
                return response

        runner = web.ServerRunner(web.Server(handle))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
