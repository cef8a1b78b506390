"""The HTTP client, against real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.clock import Clock, SystemClock
from gateway.core.transport import TransportError, UpstreamResponse
from gateway.execute.endpoint_guard import EndpointGuard
from gateway.execute.pool import Pool, address_of, head_of, origin_of
from tests.fakes.clock import ManualClock
from tests.fakes.upstream import Cut, Stall, Wait, hang_up, raw, scripted, silence, stream, whole
from tests.gateway.execute.samples import soon

PEM = Path(__file__).parents[2] / "fakes" / "localhost.pem"
BIG = b"x" * 3_000_000


@asynccontextmanager
async def pooled(clock: Clock | None = None, **settings: object) -> AsyncIterator[Pool]:
    pool = Pool(clock=clock or SystemClock(), **settings)
    try:
        yield pool
    finally:
        await pool.close()
        assert pool.open == 0


async def send(
    pool: Pool, url: str, method: str = "POST", body: bytes = b"{}", connect_s: float = 2.0
) -> UpstreamResponse:
    return await pool.send(method, url, (("x-test", "1"),), body, connect_s=connect_s)


async def read_all(response: UpstreamResponse) -> bytes:
    pieces = []
    while piece := await response.read():
        pieces.append(piece)
    return b"".join(pieces)


async def test_pool_sends_a_request_and_reads_the_answer() -> None:
    """Method, path, headers and body arrive; status, headers and body come back."""
    async with scripted(whole(b'{"a":1}', 201, X_Two="2")) as upstream, pooled() as pool:
        response = await send(pool, f"{upstream.url}/v1/x?q=1", body=b"hello")

        assert response.status == 201
        assert response.headers["x-two"] == "2"
        assert await read_all(response) == b'{"a":1}'
        received = upstream.received[0]
        assert (received.method, received.path, received.body) == ("POST", "/v1/x?q=1", b"hello")
        assert received.headers["x-test"] == "1"
        assert received.headers["accept-encoding"] == "identity"
        assert received.headers["host"] == upstream.url.removeprefix("http://")


async def test_pool_keeps_connections() -> None:
    """A second request takes the same connection, if the first was read to its end."""
    async with scripted(whole(b"{}")) as upstream, pooled() as pool:
        for _ in range(3):
            await read_all(await send(pool, upstream.url))

        assert len({received.peer for received in upstream.received}) == 1
        assert (pool.open, pool.idle) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "body", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", b"abc", 1),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", 1),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", b"", 1),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc", b"abc", 0),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", b"abc", 0),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            b"abcde",
            1,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", b"x", 1),
        (b"HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 204 No\r\n\r\n", b"", 1),
        # A second answer that nobody asked for must not become that of the next request.
        (b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", b"", 0),
    ],
)
async def test_pool_reads_every_kind_of_body(answer: bytes, body: bytes, kept: int) -> None:
    """Bodies end where HTTP says, and the connection is kept exactly when that is sure."""
    async with scripted(raw(answer)) as upstream, pooled() as pool:
        assert await read_all(await send(pool, upstream.url)) == body
        assert pool.idle == pool.open == kept


async def test_pool_reads_a_body_that_ends_with_the_connection() -> None:
    """Without length or chunks the end of the connection is the end of the body."""
    answer = raw(b"HTTP/1.1 200 OK\r\n\r\nabc", close=True)
    async with scripted(answer) as upstream, pooled() as pool:
        assert await read_all(await send(pool, upstream.url)) == b"abc"
        assert pool.open == 0


async def test_pool_reads_no_body_of_head() -> None:
    """An answer to HEAD has headers of a body and none."""
    async with scripted(whole(b"12345")) as upstream, pooled() as pool:
        response = await send(pool, upstream.url, "HEAD", b"")

        assert response.headers["content-length"] == "5"
        assert await response.read() == b""
        assert pool.idle == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000 + b"\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n", "malformed"),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "malformed"),
    ],
)
async def test_pool_refuses_what_is_no_answer(answer: bytes, kind: str) -> None:
    """Nonsense, and heads above our limits, close the connection."""
    async with scripted(raw(answer)) as upstream, pooled() as pool:
        with pytest.raises(TransportError) as caught:
            await send(pool, upstream.url)

        assert caught.value.kind == kind
        assert pool.open == 0


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", close=True),
        raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", close=True),
        stream(b"abc", Cut),
    ],
)
async def test_pool_tells_a_body_that_broke_off(answer: object) -> None:
    """What came before the cut is read first; then it raises, and never ends properly."""
    async with scripted(answer) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)

        assert await response.read() == b"abc"
        for _ in range(2):
            with pytest.raises(TransportError) as caught:
                await response.read()
            assert caught.value.kind == "lost"
        assert pool.open == 0


async def test_pool_tells_a_malformed_chunk() -> None:
    """Chunks that are none break the body off."""
    go_on = asyncio.Event()
    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
    scene = raw(answer, Wait(go_on), b"ZZ\r\n")
    async with scripted(scene) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)

        assert await response.read() == b"abc"
        go_on.set()
        with pytest.raises(TransportError) as caught:
            await response.read()
        assert caught.value.kind == "malformed"


async def test_pool_sends_again_on_a_stale_connection() -> None:
    """An idle connection that the upstream closes under our request costs no request."""
    async with scripted(whole(b"1"), hang_up(), whole(b"2")) as upstream, pooled() as pool:
        assert await read_all(await send(pool, upstream.url)) == b"1"
        assert await read_all(await send(pool, upstream.url)) == b"2"
        assert len(upstream.received) == 3


async def test_pool_forgets_a_connection_that_closed_while_idle() -> None:
    """An upstream may close between two requests: the next one has a new connection."""
    answer = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", close=True)
    async with scripted(answer) as upstream, pooled() as pool:
        for _ in range(2):
            assert await read_all(await send(pool, upstream.url)) == b"abc"
            await soon(upstream.received[-1].gone)

        assert len({received.peer for received in upstream.received}) == 2


async def test_pool_sends_once_on_a_new_connection() -> None:
    """On a connection that was never idle a loss is a loss: the request may have been served."""
    async with scripted(hang_up()) as upstream, pooled() as pool:
        with pytest.raises(TransportError) as caught:
            await send(pool, upstream.url)

        assert caught.value.kind == "lost"
        assert len(upstream.received) == 1


async def test_pool_sends_no_third_time() -> None:
    """The second connection is new; when it breaks too the caller hears of it."""
    async with scripted(whole(b"1"), hang_up()) as upstream, pooled() as pool:
        await read_all(await send(pool, upstream.url))
        with pytest.raises(TransportError):
            await send(pool, upstream.url)

        assert len(upstream.received) == 3


async def test_pool_does_not_send_again_once_the_answer_began() -> None:
    """A status line is proof that the request was read."""
    half = raw(b"HTTP/1.1 200 O", close=True)
    async with scripted(whole(b"1"), half) as upstream, pooled() as pool:
        await read_all(await send(pool, upstream.url))
        with pytest.raises(TransportError):
            await send(pool, upstream.url)

        assert len(upstream.received) == 2


async def test_pool_closes_idle_connections_in_time() -> None:
    """Upstreams close idle connections after a minute: we do so first."""
    clock = ManualClock()
    async with scripted(whole(b"1")) as upstream, pooled(clock, idle_s=55.0) as pool:
        await read_all(await send(pool, upstream.url))
        clock.advance(54.0)
        pool.expire()
        assert pool.idle == 1

        clock.advance(2.0)
        pool.expire()
        assert pool.open == 0


async def test_pool_takes_no_expired_connection() -> None:
    """Also between two sweeps."""
    clock = ManualClock()
    async with scripted(whole(b"1")) as upstream, pooled(clock, idle_s=55.0) as pool:
        await read_all(await send(pool, upstream.url))
        clock.advance(56.0)
        await read_all(await send(pool, upstream.url))

        assert len({received.peer for received in upstream.received}) == 2


async def test_pool_limits_connections_and_lets_others_wait() -> None:
    """Above the limit requests wait for a connection, and get it when one is given back."""
    async with scripted(whole(b"1")) as upstream, pooled(connections_max=2) as pool:
        first = [await send(pool, upstream.url) for _ in range(2)]
        waiting = [asyncio.create_task(send(pool, upstream.url)) for _ in range(3)]
        await asyncio.sleep(0)
        assert "2 waiting" in repr(pool) or "3 waiting" in repr(pool)
        for response in first:
            await read_all(response)
        for task in waiting:
            await read_all(await task)

        assert pool.open == pool.idle == 2
        assert len({received.peer for received in upstream.received}) == 2


async def test_pool_limits_one_origin() -> None:
    """A limit by origin overrides the common one, however its URL is written."""
    async with scripted(whole(b"1")) as upstream, pooled(limits={upstream.url + "/v1": 1}) as pool:
        response = await send(pool, upstream.url)
        with pytest.raises(TransportError) as caught:
            await send(pool, upstream.url, connect_s=0.05)

        assert caught.value.kind == "busy"
        assert str(caught.value).startswith("No connection became free in 0.05 s: <127.0.0.1:")
        await read_all(response)


async def test_pool_gives_a_closed_slot_to_who_waits() -> None:
    """An answer that is closed early frees its place too."""
    async with scripted(stream(b"a", Stall)) as upstream, pooled(connections_max=1) as pool:
        first = await send(pool, upstream.url)
        waiting = asyncio.create_task(send(pool, upstream.url))
        await asyncio.sleep(0)
        first.close()
        second = await waiting
        second.close()

        assert pool.open == 0


async def test_pool_forgets_who_stopped_waiting() -> None:
    """A cancelled waiter neither keeps a place nor loses one."""
    async with scripted(whole(b"1")) as upstream, pooled(connections_max=1) as pool:
        first = await send(pool, upstream.url)
        waiting = [asyncio.create_task(send(pool, upstream.url)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await read_all(first)
        await read_all(await waiting[1])

        assert "1 open, 1 idle, 0 waiting" in repr(pool)


async def test_pool_passes_on_what_comes_too_late() -> None:
    """A connection given to a waiter that is cancelled at that moment goes to the next."""
    async with scripted(whole(b"1")) as upstream, pooled(connections_max=1) as pool:
        first = await send(pool, upstream.url)
        waiting = [asyncio.create_task(send(pool, upstream.url)) for _ in range(2)]
        await asyncio.sleep(0)
        await read_all(first)  # wakes the first waiter
        waiting[0].cancel()
        await read_all(await waiting[1])

        assert "1 open, 1 idle, 0 waiting" in repr(pool)


async def test_pool_closes_a_cancelled_exchange() -> None:
    """Who stops waiting for an answer ends the upstream's work."""
    async with scripted(silence()) as upstream, pooled() as pool:
        task = asyncio.create_task(send(pool, upstream.url))
        await soon(upstream.arrived)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await soon(upstream.received[0].gone)
        assert pool.open == 0


async def test_pool_reading_after_a_cancelled_read() -> None:
    """A cancelled read loses nothing; the next one goes on."""
    go_on = asyncio.Event()
    async with scripted(stream(b"a", Wait(go_on), b"b")) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)
        assert await response.read() == b"a"
        task = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

        assert await read_all(response) == b"b"


async def test_pool_reading_after_close() -> None:
    """What was closed has no proper end, and never reads another answer's bytes."""
    async with scripted(stream(b"a", Stall)) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)
        response.close()
        response.close()

        with pytest.raises(TransportError, match="closed by us"):
            await response.read()


async def test_pool_gives_back_an_answer_that_has_arrived() -> None:
    """Closing without reading keeps the connection when the whole answer is there."""
    answer = raw(b"HTTP/1.1 429 Wait\r\ncontent-length: 3\r\n\r\nabc")
    async with scripted(answer) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)
        response.close()

        assert pool.idle == 1


async def test_pool_holds_back_an_upstream_that_is_too_fast() -> None:
    """Unread bytes are bounded; reading goes on to the last of them."""
    async with scripted(whole(BIG)) as upstream, pooled() as pool:
        response = await send(pool, upstream.url)
        first = await response.read()
        for _ in range(200):  # as much as the upstream could push meanwhile
            await asyncio.sleep(0)
        second = await response.read()

        assert len(second) < 1_000_000
        assert first + second + await read_all(response) == BIG


async def test_pool_tells_a_refused_connection() -> None:
    """Nobody listens: nothing was sent."""
    async with scripted(whole()) as upstream:
        url = upstream.url
    async with pooled() as pool:
        with pytest.raises(TransportError) as caught:
            await send(pool, url)

        assert caught.value.kind == "connect"
        assert "0 open" in repr(pool)


async def test_pool_tells_a_late_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer at all costs *connect_s*."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(30.0)

    async with pooled() as pool:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
        with pytest.raises(TransportError) as caught:
            await send(pool, "http://127.0.0.1:9", connect_s=0.05)

        assert caught.value.kind == "late"
        assert "0 open" in repr(pool)


async def test_pool_speaks_tls() -> None:
    """The certificate is verified against the name that was asked for."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PEM)
    trusting = ssl.create_default_context(cafile=str(PEM))
    async with scripted(whole(b"1"), tls=server) as upstream, pooled(tls=trusting) as pool:
        assert await read_all(await send(pool, upstream.url)) == b"1"
        assert pool.idle == 1


async def test_pool_trusts_no_unknown_certificate() -> None:
    """By default the authorities of the system decide."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PEM)
    async with scripted(whole(b"1"), tls=server) as upstream, pooled() as pool:
        with pytest.raises(TransportError) as caught:
            await send(pool, upstream.url)

        assert caught.value.kind == "connect"


def guarded(*found: str, allow: str = "") -> EndpointGuard:
    """A guard for which every name leads to the addresses *found*."""
    return EndpointGuard((allow,), lambda host, port: list(found))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "api.example.com", "127.1"])
async def test_pool_with_a_guard_dials_nothing_inside(host: str) -> None:
    """Neither an address of ours nor a name that leads to one; nothing arrives there."""
    async with scripted(whole(b"1")) as upstream, pooled(guard=guarded("127.0.0.1")) as pool:
        port = upstream.url.rpartition(":")[2]
        with pytest.raises(TransportError) as caught:
            await send(pool, f"https://{host}:{port}/v1")

        assert caught.value.kind == "forbidden"
        assert not upstream.arrived.is_set()
        assert "0 open" in repr(pool)


async def test_pool_with_a_guard_asks_dns_once() -> None:
    """A name that leads elsewhere at each look-up is refused by what is dialled, not by luck."""
    answers = [["127.0.0.1"], ["8.8.8.8"], ["8.8.8.8"]]
    guard = EndpointGuard((), lambda host, port: answers.pop(0))
    async with scripted(whole(b"1")) as upstream, pooled(guard=guard) as pool:
        port = upstream.url.rpartition(":")[2]
        with pytest.raises(TransportError, match="leads to an address"):
            await send(pool, f"https://rebinding.example.com:{port}")

        assert len(answers) == 2
        assert not upstream.arrived.is_set()


async def test_pool_with_a_guard_dials_the_address_that_was_judged() -> None:
    """The name, which DNS does not know, is only said; the next address is tried if one is dead."""
    guard = guarded("127.0.0.2", "127.0.0.1", allow="pinned.example")
    async with scripted(whole(b"1")) as upstream, pooled(guard=guard) as pool:
        port = upstream.url.rpartition(":")[2]

        assert await read_all(await send(pool, f"http://pinned.example:{port}/v1")) == b"1"
        assert upstream.received[0].headers["host"] == f"pinned.example:{port}"


@pytest.mark.parametrize("name", ["localhost", "pinned.example"])
async def test_pool_with_a_guard_verifies_the_name(name: str) -> None:
    """TLS is with the host that the URL names, whatever address was dialled."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(PEM)
    tls = ssl.create_default_context(cafile=str(PEM))
    guard = guarded("127.0.0.1", allow=name)
    async with scripted(whole(b"1"), tls=server) as upstream, pooled(tls=tls, guard=guard) as pool:
        port = upstream.url.rpartition(":")[2]
        if name == "localhost":
            assert await read_all(await send(pool, f"https://{name}:{port}")) == b"1"
        else:
            with pytest.raises(TransportError, match="certificate"):
                await send(pool, f"https://{name}:{port}")


async def test_pool_with_a_guard_forgets_what_is_unused() -> None:
    """Names that tenants made up do not stay in memory."""
    async with pooled(guard=guarded("127.0.0.1")) as pool:
        for at in range(20):
            with pytest.raises(TransportError):
                await send(pool, f"https://n{at}.example.com")

        assert repr(pool).count("max 256") == 1


async def test_pool_follows_no_redirect() -> None:
    """A redirect is an answer: what it points to was judged by nobody."""
    async with scripted(whole(b"1")) as inside:
        scene = whole(b"", 302, Location=inside.url)
        async with scripted(scene) as upstream, pooled() as pool:
            response = await send(pool, upstream.url)

            assert response.status == 302
            await read_all(response)
            assert not inside.arrived.is_set()


async def test_pool_sends_nothing_after_close() -> None:
    """Shutting down ends what waits and refuses what comes."""
    async with scripted(whole(b"1")) as upstream:
        pool = Pool(clock=SystemClock(), connections_max=1)
        held = await send(pool, upstream.url)
        waiting = asyncio.create_task(send(pool, upstream.url))
        await asyncio.sleep(0)
        await pool.close()
        held.close()

        for call in (waiting, send(pool, upstream.url)):
            with pytest.raises(TransportError, match="shutting down"):
                await call


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "header"),
    [
        ("http://a", "a", 80, False, "a"),
        ("https://a/v1", "a", 443, True, "a"),
        ("https://a:8443", "a", 8443, True, "a:8443"),
        ("http://[::1]:90/x", "::1", 90, False, "[::1]:90"),
    ],
)
def test_address_of(url: str, host: str, port: int, tls: bool, header: str) -> None:
    """The default port is not named in the host header; IPv6 is bracketed there only."""
    address = address_of(url)

    assert (address.host, address.port, address.tls) == (host, port, tls)
    assert address.host_header == header


@pytest.mark.parametrize("url", ["ftp://a", "a/b", "http://", "http://user:secret@a"])
def test_address_of_no_upstream(url: str) -> None:
    """Other schemes, and credentials in a URL, are refused."""
    with pytest.raises(ValueError, match="http:// or https://"):
        address_of(url)


def test_origin_of() -> None:
    """One origin has one name."""
    assert origin_of("HTTPS://A/v1") == origin_of("https://a:443") == "https://a:443"


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b"])
def test_head_of_refuses_line_breaks(value: str) -> None:
    """A header cannot smuggle another one, or a request."""
    with pytest.raises(ValueError, match="line break"):
        head_of("GET", "/", "a", (("x", value),), 0)


def test_head_of_a_request() -> None:
    """Only what may have a body tells its length."""
    assert head_of("GET", "/x", "a:1", (("b", "c"),), 0) == (
        b"GET /x HTTP/1.1\r\nhost: a:1\r\naccept-encoding: identity\r\nb: c\r\n\r\n"
    )
    assert b"content-length: 0\r\n" in head_of("POST", "/", "a", (), 0)
