"""What the HTTP front owes when a client, a web page or a provider does not behave."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from yarl import URL

from gateway.api import respond
from gateway.api.origins import is_loopback
from tests.fakes.upstream import raw, scripted, whole
from tests.scenarios.test_serving import ANSWER

TORN = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: text/plain\r\n\r\nhello"
END = b"\r\n\r\n"
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()


async def talk(scene, sent: bytes, until: bytes = b"") -> bytes:
    """What comes back on one connection until *until*, or all until it ends."""
    url = scene.http._base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(sent)
    try:
        reading = reader.readuntil(until) if until else reader.read()
        return await asyncio.wait_for(reading, 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_torn_answer_is_cut_off(play):
    """An error after the head of an answer ends the connection; its body stays what it was."""
    async with scripted(raw(TORN, close=True)) as upstream:
        scene = await play(upstream)
        got = await talk(scene, b"GET /v1/proxy/openai/files HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert got.count(b"HTTP/1.1") <= 1
    assert b"provider_error" not in got


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "rebound.example:8080"}, 403),
        ({"Host": "localhost:1"}, 200),
    ],
)
async def test_a_web_page_may_not_spend_the_operators_money(play, headers, status):
    """Without keys only this machine's own programs may call, and no page of another origin."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with scene.http.post("/v1/chat/completions", data=BODY, headers=headers) as reply:
            assert reply.status == status

    assert len(upstream.received) == (status == 200)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("localhost", True),
        ("example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
        ("[", False),
    ],
)
def test_loopback_hosts(host, ours):
    """Only what resolves to this machine whatever a name server says."""
    assert is_loopback(host) is ours


async def test_a_body_that_never_ends_is_given_up(play):
    """Who announces a body and does not send it gets a 408 after the time of a request."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        text = scene.path.read_text().replace("drain_s:", "request_timeout_s: 0.2, drain_s:")
        scene.path.write_text(text)
        await scene.app.reload()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        url = scene.http._base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(head + b"\r\n{")
        got = await asyncio.wait_for(reader.readuntil(b"}"), 10)
        writer.close()

    assert got.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in got


@pytest.mark.parametrize(
    ("path", "policy", "status"),
    [
        ("/v1/proxy/openai/files", "{}", 200),
        ("/v1/proxy/openai/files", "{denied_providers: [openai]}", 403),
        ("/v1/proxy/openai/files", "{denied_models: [gpt-4]}", 403),
        ("/v1/proxy/openai//chat/completions", "{}", 400),
        ("/v1/proxy/openai/files%3Fx=1", "{}", 400),
        ("/v1/proxy/openai/a%2F..%2Fb", "{}", 400),
        ("/v1/proxy/openai/%252e%252e/b", "{}", 400),
        ("/v1/proxy/%6fpenai/files", "{}", 400),
    ],
)
async def test_passed_paths_keep_to_the_policy(play, path, policy, status):
    """A path that nobody decides on reaches no provider that is denied, by no odd spelling."""
    async with scripted(whole(b"{}")) as upstream:
        scene = await play(upstream, more=f"policy: {policy}")
        url = URL(str(scene.http._base_url).rstrip("/") + path, encoded=True)
        async with scene.http.get(url) as reply:
            got = reply.status
        async with scene.http.post(url, data=BODY) as reply:
            assert reply.status == status

    if "chat" not in path:
        assert got == status


async def test_a_header_that_fits_no_line_is_left_out(play):
    """A trace header with letters of another script costs the header, not the request."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += "traceparent: ł\r\n".encode() + b"Content-Length: %d\r\n\r\n" % len(BODY)
        got = await talk(scene, head + BODY)

    assert got.startswith(b"HTTP/1.1 200")
    assert "traceparent" not in upstream.received[0].headers


async def test_many_large_bodies_are_shed(play):
    """Not only the number of requests is limited, but also what they bring."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        most = scene.app.settings.config.server.bodies_bytes_max
        scene.app.service.bodies_bytes += most
        async with await scene.chat() as shed:
            assert shed.status == 503
            assert shed.headers["x-should-retry"] == "true"
        scene.app.service.bodies_bytes -= most
        async with await scene.chat() as served:
            assert served.status == 200

    assert scene.app.service.bodies_bytes == 0


async def test_a_quoted_slash_stays_quoted(play):
    """An id with a slash in it is one segment for the provider, as it was for the client."""
    async with scripted(whole(b"{}")) as upstream:
        scene = await play(upstream)
        base = str(scene.http._base_url).rstrip("/")
        url = URL(f"{base}/v1/proxy/openai/v1/files/a%2Fb%20c?after=%2F", encoded=True)
        async with scene.http.get(url) as reply:
            assert reply.status == 200

    assert upstream.received[0].path == "/v1/files/a%2Fb%20c?after=%2F"


async def test_a_client_that_does_not_read_is_cut(play, monkeypatch):
    """Whoever asks for a large answer and leaves it in the socket holds it for a while, no more."""
    monkeypatch.setattr(respond, "SLOW_CLIENT_S", 0.1)
    large = ANSWER.replace(b"Bonjour", b"x" * 2**25)
    async with scripted(whole(large)) as upstream:
        scene = await play(upstream)
        text = scene.path.read_text().replace("drain_s:", "request_timeout_s: 2.0, drain_s:")
        scene.path.write_text(text)
        await scene.app.reload()
        url = scene.http._base_url
        reader, writer = await asyncio.open_connection(url.host, url.port, limit=2**10)
        head = (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        )
        writer.write(head % len(BODY) + BODY)
        await reader.readexactly(12)
        async with asyncio.timeout(10):
            while scene.app.service.in_flight:  # noqa: ASYNC110 - the service signals no end
                await asyncio.sleep(0.05)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(2**25), 10)
        writer.close()


@pytest.mark.parametrize(
    ("head", "status", "words"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: %b\r\n\r\n" % (b"s" * 40_000),
            431,
            b"limit",
        ),
        (b"sesame\r\n\r\n", 400, b"readable"),
    ],
)
async def test_a_head_that_cannot_be_read(play, caplog, head, status, words):
    """It is answered in JSON and logged in one line, without what the client sent."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            got = await talk(scene, head)

    assert got.startswith(b"HTTP/1.0 %d" % status)  # no version was read
    assert words in json.loads(got.partition(b"\r\n\r\n")[2])["error"]["message"].encode()
    assert [record.exc_info for record in caplog.records] == [None]
    assert "sss" not in caplog.text
    assert "sesame" not in caplog.text


async def test_a_chunked_body_counts_as_it_comes(play):
    """What announces no length is limited too, and a broken chunk is the client's fault."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        most = scene.app.settings.config.server.bodies_bytes_max
        scene.app.service.bodies_bytes += most - 10
        shed = await talk(scene, head + b"20\r\n" + b" " * 32 + b"\r\n", END)
        scene.app.service.bodies_bytes -= most - 10
        broken = await talk(scene, head + b"zz\r\n", END)

    assert shed.startswith(b"HTTP/1.1 503")
    assert broken.startswith(b"HTTP/1.0 400")  # the parser has seen it first
    assert scene.app.service.bodies_bytes == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1/chat/completions", 405, "POST, OPTIONS"),
        ("POST", "/v1/models", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/v1/models", 204, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    ],
)
async def test_the_methods_of_a_path_are_named(play, method, path, status, allow):
    """RFC 9110: a 405 says what would have been allowed."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with scene.http.request(method, path) as reply:
            assert (reply.status, reply.headers["Allow"]) == (status, allow)


@pytest.mark.parametrize("path", ["/messages", "/v1/v1/messages"])
async def test_a_wrong_anthropic_path_is_explained_to_anthropics_sdk(play, path):
    """In the shape of its errors, with the rule for its base URL."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with scene.http.post(path, data=b"{}") as reply:
            body = await reply.json()

    assert reply.status == 404
    assert (body["type"], body["error"]["type"]) == ("error", "not_found_error")
    assert "without /v1" in body["error"]["message"]


async def test_the_front_page_lists_what_there_is(play):
    """The list follows from the tables that requests are matched with."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with scene.http.get("/") as reply:
            listed = (await reply.json())["endpoints"]

    assert {"POST /v1/messages", "GET /healthz", "GET /v1/decisions/{id}"} <= set(listed)
    assert "POST /v1/proxy/{provider}/chat/completions" in listed


async def test_an_error_tells_its_attempts(play):
    """Also who gets no answer learns how often it was tried."""
    async with scripted(whole(b"{}", 400)) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            assert reply.status == 400
            assert reply.headers["X-Switchyard-Attempts"] == "1"
