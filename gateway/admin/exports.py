"""All records that somebody wants, as one file that is sent while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Literal

from aiohttp import web

from gateway.admin.pages_visit import write
from gateway.core.errors import SwitchyardError

ExportForm = Literal["csv", "jsonl"]
MEDIA: dict[ExportForm, str] = {"csv": "text/csv", "jsonl": "application/jsonl"}


async def send_export(
    http: web.BaseRequest,
    form: ExportForm,
    pieces: Iterator[bytes],
    headers: Mapping[str, str],
    heavy: asyncio.Semaphore,
) -> web.StreamResponse:
    """
    Answer *http* with the *pieces* of a file; one is read at a time, within *heavy*.

    Raises:
        SwitchyardError: nothing was sent yet.
        ConnectionError: the client has gone, or the rest cannot be read.
    """

    async def following() -> bytes | None:
        async with heavy:
            return await asyncio.to_thread(next, pieces, None)

    piece = await following()  # before the head: it may raise
    response = web.StreamResponse(
        headers={
            **headers,
            "Content-Type": f"{MEDIA[form]}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="activity.{form}"',
        }
    )
    await response.prepare(http)
    while piece is not None and http.method != "HEAD":
        await write(response, piece)
        try:
            piece = await following()
        except SwitchyardError as error:
            raise ConnectionResetError(error.message) from None
    await response.write_eof()
    return response
