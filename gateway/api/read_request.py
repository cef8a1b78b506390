"""Turn an HTTP request into a Request: the only place where a body is parsed."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.client_headers import client_retry, client_timeout_s, forwarded
from gateway.api.controls import own_members
from gateway.core.chat import Chat
from gateway.core.errors import BodyTooLarge, InvalidRequest, RequestTimeout
from gateway.core.request import Controls, Kind, Request
from gateway.state.facts import GatewayKey
from gateway.wire.members import edit

KINDS = {
    "openai_chat": Kind.CHAT,
    "anthropic_messages": Kind.CHAT,
    "openai_completions": Kind.COMPLETION,
    "openai_embeddings": Kind.EMBEDDING,
}
ANSWER_EARLY_S = 0.5  # before the client gives up, not at the same moment


async def read_body(call: Call) -> bytes:
    """
    The whole body.

    Raises:
        BodyTooLarge: above ``server.body_bytes_max``.
        InvalidRequest: it came with a content encoding, which nobody undid.
        RequestTimeout: it took longer than ``server.request_timeout_s``.
        Overloaded: see ``Call.hold``.
    """
    server = call.service.settings.config.server
    limit, timeout_s = server.body_bytes_max, server.request_timeout_s
    announced = call.http.content_length
    if announced is not None and announced > limit:
        raise BodyTooLarge(f"The body has {announced} bytes; the limit is {limit}.")
    if encoding := call.http.headers.get("content-encoding"):
        raise InvalidRequest(f"Content-Encoding {encoding[:40]!a} is not supported: send JSON.")
    try:
        if call.http.content.is_eof():  # all of it is here, as of most requests: no timer
            return await call.http.read()
        async with asyncio.timeout(timeout_s):
            return await (call.http.read() if announced is not None else _read_chunked(call))
    except TimeoutError:
        message = f"The body did not arrive within {timeout_s:g} s."
        raise RequestTimeout(message) from None
    except web.RequestPayloadError:
        raise InvalidRequest("The body is not properly encoded for its transfer.") from None
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(f"The body has more than {limit} bytes, the limit.") from None


async def _read_chunked(call: Call) -> bytes:
    """A body of unknown length, counted as it comes."""
    body = bytearray()
    limit = call.service.settings.config.server.body_bytes_max
    async for piece in call.http.content.iter_any():
        call.hold(len(piece))
        body += piece
        if len(body) > limit:
            raise BodyTooLarge(f"The body has more than {limit} bytes, the limit.")
    return bytes(body)


async def read_request(call: Call) -> Request:
    """
    Read the request of an endpoint that speaks the call's dialect.

    Raises:
        InvalidRequest: malformed body or an unknown control value; ``param`` names it.
        BodyTooLarge: see ``read_body``.
    """
    body = await read_body(call)
    return request_of(call, body, call.dialect.read(body))


def with_defaults(controls: Controls, key: GatewayKey) -> Controls:
    """What the client left open, as its *key* has it: as if the client had said so."""
    action = key.action if controls.action is None else controls.action
    mode = key.mode if controls.mode is None else controls.mode
    if (action, mode) == (controls.action, controls.mode):
        return controls
    return msgspec.structs.replace(controls, action=action, mode=mode)


def request_of(call: Call, body: bytes, chat: Chat) -> Request:
    """The request of a *body* that has been read as *chat*; members that are ours leave it."""
    headers, extra, spoken = call.http.headers, chat.extra, call.spoken
    controls = call.service.controls.read(headers, extra, spoken)
    call.spoken = controls.families  # an error speaks them too
    if call.key is not None:
        controls = with_defaults(controls, call.key)
    if extra and (ours := own_members(extra, spoken)):
        body = edit(body, dict.fromkeys(ours))
        kept = {name: value for name, value in extra.items() if name not in ours}
        chat = msgspec.structs.replace(chat, extra=kept)
    timeout_s = call.service.settings.config.server.request_timeout_s
    wish_s = client_timeout_s(headers)
    if wish_s is not None:
        timeout_s = min(timeout_s, max(wish_s - ANSWER_EARLY_S, wish_s / 2))
    return Request(
        id=call.id,
        kind=KINDS[call.dialect.name],
        dialect=call.dialect.name,
        path=call.http.path,
        body=body,
        chat=chat,
        controls=controls,
        principal=call.principal,
        provider=call.provider,
        headers=forwarded(headers, call.dialect.family),
        arrived_s=call.arrived_s,
        deadline_s=call.arrived_s + timeout_s,
        client_retry=client_retry(headers),
        grant=call.service.gateway.charging.grant(call.principal),
    )
