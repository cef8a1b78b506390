"""One upstream call, ready to send: address, headers and body. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.core.errors import InvalidRequest
from gateway.core.fleet import Deployment
from gateway.core.request import Kind, Request
from gateway.wire.dialect import Dialect
from gateway.wire.registry import DIALECTS

Headers = tuple[tuple[str, str], ...]

USER_AGENT: Final = "switchyard"  # some providers turn away requests without any

# Never forwarded, whoever let them through: they say who the client is to us, or belong to one
# connection.
WITHHELD: Final = frozenset({
    "authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization",
    "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
    "upgrade", "expect", "content-length", "accept-encoding",
})  # fmt: skip

# Headers that only one family understands; others are forwarded to every upstream.
FAMILY_PREFIXES: Final = {"anthropic-": "anthropic", "openai-": "openai"}


class Call(msgspec.Struct, frozen=True):
    """
    What goes to *deployment*. *upstream* and *client* are the dialects of both sides; where they
    are one the bytes pass through. *drop_usage*: we asked for usage in the stream, the client did
    not. *losses* of a translation, see ``wire.dialect.Losses``.
    """

    deployment: Deployment
    upstream: Dialect
    client: Dialect
    url: str
    headers: Headers
    body: bytes
    drop_usage: bool = False
    losses: tuple[str, ...] = ()

    @property
    def translated(self) -> bool:
        """The upstream speaks another dialect than the client."""
        return self.upstream is not self.client


def prepare(request: Request, deployment: Deployment, *, keep_thinking: bool = True) -> Call:
    """
    The call for *request* to *deployment*. A deployment of the client's own family serves the
    client's endpoint; any other gets a translation.

    Raises:
        InvalidRequest: the request has no translation.
    """
    client = DIALECTS[request.dialect]
    upstream = DIALECTS[deployment.dialect]
    drop_usage = False
    losses: tuple[str, ...] = ()
    if upstream.family == client.family:
        upstream = client
        drop_usage = request.chat.stream and not request.chat.include_usage
        same = keep_thinking and request.chat.model == deployment.upstream_model
        body = request.body
        if not same or drop_usage or deployment.omit:
            body = client.forward(
                body,
                model=deployment.upstream_model,
                include_usage=drop_usage,
                omit=deployment.omit,
                keep_thinking=keep_thinking,
            )
    elif request.kind is not Kind.CHAT:
        raise InvalidRequest(
            f"A request of {client.name} is not translated, and {deployment.id} does not speak it."
        )
    else:
        body, losses = upstream.write(
            request.chat,
            model=deployment.upstream_model,
            max_tokens=deployment.output_tokens_max,
            omit=deployment.omit,
        )
    return Call(
        deployment=deployment,
        upstream=upstream,
        client=client,
        url=deployment.base_url.rstrip("/") + upstream.path,
        headers=headers_for(deployment, upstream, request.headers, stream=request.chat.stream),
        body=body,
        drop_usage=drop_usage,
        losses=losses,
    )


def headers_for(
    deployment: Deployment, upstream: Dialect, forwarded: Headers, *, stream: bool
) -> Headers:
    """
    Ours, over them the client's (its ``anthropic-version`` is what its body is written in), over
    them the operator's. Credentials and the body's type are never the client's to say.
    """
    headers = {"user-agent": USER_AGENT}
    headers |= dict(upstream.credentials(deployment.api_key))
    for name, value in forwarded:
        name = name.lower()
        if name not in WITHHELD and understood(name, upstream.family):
            headers[name] = value
    headers["content-type"] = "application/json"
    headers["accept"] = "text/event-stream" if stream else "application/json"
    headers |= {name.lower(): value for name, value in deployment.headers.items()}
    return tuple(headers.items())


def understood(name: str, family: str) -> bool:
    """Whether an upstream of *family* may know the header *name*."""
    for prefix, owner in FAMILY_PREFIXES.items():
        if name.startswith(prefix):
            return owner == family
    return True
