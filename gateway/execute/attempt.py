"""One upstream call, up to the point where the client would get its first byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, TypeVar

from gateway.core.errors import UpstreamError
from gateway.core.outcome import Failure
from gateway.core.transport import Transport, TransportError, UpstreamResponse
from gateway.execute.call import Call
from gateway.execute.failures import Failed, failed_status, failed_stream, failed_transport
from gateway.execute.feeds import Feed
from gateway.execute.key_mask import KeyMask
from gateway.execute.silence import Silence

ERROR_BYTES_MAX: Final = 64 * 2**10  # of an error body that is passed on; a longer one is cut

T = TypeVar("T")
Use = Callable[[UpstreamResponse], Awaitable[T]]


async def attempt(
    call: Call,
    transport: Transport,
    limit_s: float,
    wall_s: float,
    use: Use[T],
) -> T:
    """
    Send *call* and hand an answer with a status of success to *use*, all within *limit_s*.

    Whatever happens, an answer that *use* does not return with is closed. *wall_s* is now.

    Raises:
        Failed: no answer, or *use* had reason to raise it.
    """
    response: UpstreamResponse | None = None

    async def converse() -> T:
        nonlocal response
        response = await transport.send(
            "POST",
            call.url,
            call.headers,
            call.body,
            connect_s=call.deployment.timeouts.connect_s,
        )
        if not 200 <= response.status < 300:
            await _refuse(call, response, wall_s)
        return await use(response)

    patience = Silence(limit_s, limit_s)
    try:
        return await patience.wait(converse())
    except BaseException as error:
        status = None
        if response is not None:
            response.close()
            status = response.status
        if isinstance(error, TimeoutError):
            words = f"Nothing for the client within {limit_s:.3g} s."
            raise Failed(Failure.LATE, words, status=status) from None
        if isinstance(error, TransportError):
            failed = failed_transport(error)
            failed.status = status
            raise failed from None
        if isinstance(error, Failed):
            error.hide(KeyMask(call.deployment.api_key))
        raise
    finally:
        patience.stop()


async def begin(response: UpstreamResponse, feed: Feed, precommit_bytes_max: int) -> bytes:
    """
    What the client gets first: read until the answer has begun, so that until then another
    deployment can answer instead. Above *precommit_bytes_max* the wait is over: nobody may make
    us hold more.

    Raises:
        Failed: an error event, a malformed one, or the end, before the first content.
        TransportError: the connection broke.
    """
    held: list[bytes] = []
    held_bytes = 0
    while not feed.committed and held_bytes <= precommit_bytes_max:
        chunk = await response.read()
        try:
            piece = feed.take(chunk) if chunk else feed.close()
        except UpstreamError as error:
            raise Failed(Failure.BROKEN, error.message, status=200, error=error) from None
        if feed.problem is not None:  # also behind content: nobody has seen that yet
            raise failed_stream(feed.problem)
        if feed.unfinished:
            raise Failed(Failure.BROKEN, feed.unfinished, status=response.status)
        held.append(piece)
        held_bytes += len(piece)
    return b"".join(held)


async def _refuse(call: Call, response: UpstreamResponse, wall_s: float) -> NoReturn:
    """Raise the failure that *response* is. A body that breaks off is what came of it."""
    pieces: list[bytes] = []
    size = 0
    try:
        while size < ERROR_BYTES_MAX and (piece := await response.read()):
            pieces.append(piece)
            size += len(piece)
    except TransportError:
        pass
    body = b"".join(pieces)
    problem = call.upstream.read_error(response.status, body)
    failed = failed_status(response.status, response.headers, problem, body, wall_s)
    if response.status == 404 and call.deployment.unlisted:
        failed.failure = Failure.REFUSED  # the client's own name for a model: the place is fine
    raise failed
