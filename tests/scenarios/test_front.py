"""What the HTTP front owes when a client, a web page or a provider does not behave."""

from __future__ import annotations

import asyncio
import json

import pytest
from yarl import URL

from gateway.api.origins import is_loopback
from tests.fakes.upstream import raw, scripted, whole
from tests.scenarios.test_serving import ANSWER

TORN = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: text/plain\r\n\r\nhello"
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()


async def talk(scene, sent: bytes) -> bytes:
    """Everything that comes back on one connection until it ends."""
    url = scene.http._base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 10)
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
