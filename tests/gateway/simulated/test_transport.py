"""Tests of gateway.simulated.transport."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.core.transport import Transport, TransportError, UpstreamResponse
from gateway.simulated.pace import pace_of
from gateway.simulated.transport import SimulatedTransport
from gateway.wire import openai_chat

MODEL = "gpt-4"
PACE = pace_of("openai", MODEL)


class StoppedClock:
    """It is always the same time."""

    def monotonic(self) -> float:
        """Zero."""
        return 0.0

    def wall(self) -> float:
        """Seventeen and a half."""
        return 17.5


class Naps:
    """Stands in for asyncio.sleep: takes no time and remembers how long it should have been."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, duration_s: float) -> None:
        """Take a nap."""
        self.taken.append(duration_s)


async def sent(transport: Transport, path: str = "/chat/completions", **members: object):
    """The response to a chat."""
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    body = json.dumps(chat | members).encode()
    return await transport.send("POST", f"simulated://openai{path}", (), body, connect_s=1.0)


async def all_of(response: UpstreamResponse) -> list[bytes]:
    """Every piece up to the end."""
    pieces = []
    while piece := await response.read():
        pieces.append(piece)
    return pieces


async def test_whole_answer() -> None:
    """A whole answer is one piece, marked as simulated, at the time of the clock."""
    response = await sent(SimulatedTransport(0, StoppedClock()))
    pieces = await all_of(response)

    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-simulated"] == "true"
    assert len(pieces) == 1
    assert openai_chat.read_answer(pieces[0]).created_s == 17


async def test_whole_answer_takes_the_time_of_its_tokens() -> None:
    """Headers come when all tokens would have been written; twice the speed is half the time."""
    naps = Naps()

    await all_of(await sent(SimulatedTransport(2, sleep=naps)))

    assert naps.taken == [pytest.approx((PACE.ttft_s + 5 * PACE.pause_s) / 2)]


async def test_stream_takes_its_time_between_tokens() -> None:
    """Headers come at once, the first token after its time, each other after the pause."""
    naps = Naps()
    response = await sent(SimulatedTransport(1, sleep=naps), stream=True)
    assert naps.taken == []

    pieces = await all_of(response)

    assert response.headers["content-type"].startswith("text/event-stream")
    assert len(pieces) == 6  # five tokens and the end
    assert naps.taken == [PACE.ttft_s, *[PACE.pause_s] * 5]


@pytest.mark.parametrize("stream", [False, True])
async def test_no_speed_is_no_pause(stream: bool) -> None:
    """Speed 0 never waits."""
    naps = Naps()

    await all_of(await sent(SimulatedTransport(0, sleep=naps), stream=stream))

    assert naps.taken == []


async def test_refusals_are_answers_at_once() -> None:
    """An error of the provider is a response like any other, without a pause."""
    naps = Naps()
    response = await sent(SimulatedTransport(1, sleep=naps), "/nothing")

    assert response.status == 404
    assert json.loads((await all_of(response))[0])["error"]["code"] == "not_found"
    assert naps.taken == []


async def test_same_request_same_answer() -> None:
    """Answers and their ids depend on the request alone."""
    transport = SimulatedTransport(0, StoppedClock())
    first, second = await sent(transport, stream=True), await sent(transport, stream=True)

    assert await all_of(first) == await all_of(second)
    assert first.headers == second.headers


async def test_close_ends_a_stream() -> None:
    """After close there is nothing to read, however often it was closed."""
    response = await sent(SimulatedTransport(0), stream=True)
    await response.read()

    response.close()
    response.close()

    with pytest.raises(TransportError) as caught:
        await response.read()
    assert caught.value.kind == "lost"


async def test_close_wakes_a_read() -> None:
    """A read that waits for its token ends at once when the response is closed."""
    waiting = asyncio.Event()

    async def endless(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    response = await sent(SimulatedTransport(1, sleep=endless), stream=True)
    reading = asyncio.ensure_future(response.read())
    await waiting.wait()

    response.close()

    with pytest.raises(TransportError):
        await reading


async def test_cancelling_a_read_leaves_nothing_behind() -> None:
    """Who cancels a read gets its cancellation, and the pause does not go on alone."""
    waiting, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(_: float) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    response = await sent(SimulatedTransport(1, sleep=endless), stream=True)
    reading = asyncio.ensure_future(response.read())
    await waiting.wait()

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await cancelled.wait()
