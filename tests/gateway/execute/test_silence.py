"""The timer of a stream."""

from __future__ import annotations

import asyncio

import pytest

from gateway.execute.silence import Silence


class Pieces:
    """They come when the test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        return await self.queue.get()


async def test_silence_reads() -> None:
    """What comes in time is what is read."""
    pieces = Pieces()
    silence = Silence(5.0, 5.0)
    for piece in (b"a", b"b"):
        pieces.queue.put_nowait(piece)
        assert await silence.wait(pieces.read()) == piece
    silence.stop()


@pytest.mark.parametrize(("silence_s", "s_left"), [(0.05, 5.0), (5.0, 0.05)])
async def test_silence_is_bounded(silence_s: float, s_left: float) -> None:
    """By itself and by the end of the whole, and the task goes on uncancelled."""
    silence = Silence(silence_s, s_left)

    with pytest.raises(TimeoutError):
        await silence.wait(Pieces().read())

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_silence_counts_each_piece_anew() -> None:
    """The timer that was started for one piece must not hit a later one."""
    pieces = Pieces()
    silence = Silence(60.0, 60.0)
    pieces.queue.put_nowait(b"a")
    await silence.wait(pieces.read())
    later = asyncio.create_task(silence.wait(pieces.read()))
    await asyncio.sleep(0)

    silence._check()  # as the timer of the first piece does
    pieces.queue.put_nowait(b"b")

    assert await later == b"b"
    silence.stop()


async def test_silence_does_not_count_a_slow_reader() -> None:
    """While nobody reads the upstream is not silent."""
    pieces = Pieces()
    pieces.queue.put_nowait(b"a")
    silence = Silence(0.05, 5.0)
    await silence.wait(pieces.read())
    elapsed = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, elapsed.set)
    await elapsed.wait()

    pieces.queue.put_nowait(b"b")
    assert await silence.wait(pieces.read()) == b"b"
    silence.stop()


async def test_silence_leaves_other_cancellations_alone() -> None:
    """A client that leaves is not a silent upstream."""
    silence = Silence(5.0, 5.0)
    task = asyncio.create_task(silence.wait(Pieces().read()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    silence.stop()
