"""No secret of the configuration or the vault is in anything that the gateway emits."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.state.fact_store import Write
from gateway.state.facts import ProviderKeyFact
from gateway.state.key_secrets import provider_key_context
from tests.fakes.gateway import RunningGateway, running_gateway
from tests.fakes.upstream import (
    DONE,
    ROLE,
    Cut,
    Scene,
    Upstream,
    chat_answer,
    chat_event,
    hang_up,
    scripted,
    stream,
    whole,
)

MASTER = base64.b64encode(bytes(range(100, 132))).decode()
ENVIRON = {
    "OPERATOR": "sk-operator-zq81hx72kd90",
    "CLAUDE": "sk-ant-operator-ty55rn31vw",
    "HEADER": "header-secret-pl46gm08bq",
    "CLIENT": "sk-client-of-shop-ud93ej57",
    "MASTER": MASTER,
    "ADMIN": "sya_admin-secret-oc27ak64ns",
}
TENANT_KEY = "sk-tenant-own-wf19yb83ti"
KEYS = 40  # of the tenant, all with this secret
WRONG = "sk-wrong-guess-hx70qe42mz"  # perhaps the key of another gateway
LITERAL = "sk-literal-in-the-file-rk38"
SECRETS = (*ENVIRON.values(), TENANT_KEY, WRONG, LITERAL)

CONFIG = """
providers:
  openai:
    api_key: "env:OPERATOR"
    base_url: "UPSTREAM/v1"
    models: [gpt-4o, gpt-4o-mini]
    headers: {x-operator: "env:HEADER"}
  anthropic: {api_key: "env:CLAUDE", base_url: "UPSTREAM", models: [claude-sonnet-4-20250514]}
projects: {shop: {}}
keys: [{id: mine, secret: "env:CLIENT", project: shop}]
server: {drain_s: 1}
reliability: {backoff_s: 0, breaker_failures: 1000, breaker_requests_min: 100000,
  cooldown_s: 0.001, cooldown_s_max: 0.001, retry_floor_per_s: 1000}
classifier: {enabled: false}
state: {database_url: "sqlite:///FOLDER/gateway.db", folder: "FOLDER", poll_s: 0.05,
  master_key: "env:MASTER", admin_key: "env:ADMIN"}
recording: {flush_s: 0.02, text: true}
"""
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello in French."}]}
MESSAGE = {**CHAT, "model": "claude-sonnet-4-20250514", "max_tokens": 50}
KEY = {"Authorization": f"Bearer {ENVIRON['CLIENT']}"}
STREAMED = stream(ROLE, chat_event("Bonjour"), chat_event(finish="stop"), DONE)
LOOKS = (
    "/", "/healthz", "/readyz", "/metrics", "/v1/models", "/v1/models/gpt-4o",
    "/v1/providers/health", "/v1/decisions/unknown", "/admin", "/admin/api",
    f"/v1/models?key={ENVIRON['CLIENT']}",
)  # fmt: skip


def quoting(status: int, key: str, kind: str = "invalid_request_error") -> Scene:
    """An upstream that repeats the key that it was asked with."""
    body = b'{"error":{"message":"Not with %b","type":"%b"}}' % (key.encode(), kind.encode())
    return whole(body, status)


class Emitted:
    """Everything that came out of the gateway, by where it came out."""

    def __init__(self) -> None:
        self.by_place: list[tuple[str, bytes]] = []

    def add(self, place: str, data: str | bytes) -> None:
        """Keep what came out at *place*."""
        self.by_place.append((place, data if isinstance(data, bytes) else data.encode()))

    def leaks(self) -> list[str]:
        """Which secret is where, plainly or as base64 or hexadecimal digits."""
        forms = {
            secret: (
                secret.encode(),
                base64.b64encode(secret.encode()),
                secret.encode().hex().encode(),
            )
            for secret in SECRETS
        }
        forms[MASTER] += (base64.b64decode(MASTER), base64.b64decode(MASTER).hex().encode())
        return [
            f"{secret} at {place}"
            for place, data in self.by_place
            for secret, written in forms.items()
            if any(form in data for form in written)
        ]


class Client:
    """Asks the gateway, and keeps every byte of its answers."""

    def __init__(self, http: httpx.AsyncClient, upstream: Upstream, emitted: Emitted) -> None:
        self._http = http
        self._upstream = upstream
        self._emitted = emitted

    async def ask(
        self, path: str, json: object = None, scene: Scene | None = None, **headers: str
    ) -> httpx.Response | None:
        """The answer, None where it broke off."""
        if scene is not None:
            self._upstream.scenes[:] = [scene]
        method = "GET" if json is None else "POST"
        with contextlib.suppress(httpx.RemoteProtocolError):
            reply = await self._http.request(method, path, json=json, headers=KEY | headers)
            self._emitted.add(f"{method} {path}: headers", repr(reply.headers.raw))
            self._emitted.add(f"{method} {path}: {reply.status_code}", reply.content)
            return reply
        return None

    async def meet(self, scene: Scene, path: str, json: object = None) -> None:
        """Ask, and make sure that *scene* was met with."""
        before = len(self._upstream.received)
        await self.ask(path, json, scene)
        assert len(self._upstream.received) > before, f"{path} did not reach the upstream"


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every line of every logger at every level, with tracebacks."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(("httpx", "httpcore")):  # our client, not the gateway
                lines.append(self.format(record))

    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@contextlib.asynccontextmanager
async def asking(url: str, upstream: Upstream, emitted: Emitted) -> AsyncIterator[Client]:
    """A client of the gateway at *url*."""
    async with httpx.AsyncClient(base_url=url, timeout=20.0) as http:
        yield Client(http, upstream, emitted)


async def answered(client: Client) -> None:
    """Requests that succeed, and what can be read of them afterwards."""
    reply = await client.ask("/v1/chat/completions", CHAT, whole(chat_answer()))
    assert reply is not None
    assert reply.status_code == 200
    await client.ask(f"/v1/decisions/{reply.headers['x-switchyard-request-id']}")
    await client.ask("/v1/chat/completions", CHAT | {"stream": True}, STREAMED)
    await client.ask("/v1/messages", MESSAGE)
    for path in ("/v1/route", "/v1/route/explain"):
        await client.ask(path, CHAT)
    await client.ask("/v1/scan", {"input": "Say hello."})
    await client.ask("/v1/proxy/openai/v1/files", scene=whole(b"{}"), Cookie=f"k={WRONG}")
    await client.ask("/v1/messages/count_tokens", MESSAGE, whole(b'{"input_tokens":3}'))
    for path in LOOKS:
        await client.ask(path)


async def failed(client: Client, key: str) -> None:
    """Requests that upstreams refuse, in words with the *key* that they were asked with."""
    streamed = CHAT | {"stream": True}
    error = b'data: {"error":{"message":"%b","type":"invalid_request_error"}}\n\n' % key.encode()
    for status in (400, 401, 403, 404, 422, 429, 500, 503):
        for body in (CHAT, streamed):
            await client.meet(quoting(status, key), "/v1/chat/completions", body)
        await client.meet(quoting(status, key), "/v1/proxy/openai/v1/files")
        for path in ("/v1/messages", "/v1/messages/count_tokens"):
            await client.meet(quoting(status, ENVIRON["CLAUDE"]), path, MESSAGE)
    for scene in (
        quoting(200, key),
        stream(error),
        whole(f"no JSON, but {key}".encode()),
        stream(ROLE, chat_event("Bon"), Cut),
        hang_up(),
    ):
        for body in (CHAT, streamed):
            await client.meet(scene, "/v1/chat/completions", body)


async def refused(client: Client) -> None:
    """Requests that the gateway itself refuses."""
    wrong = {"Authorization": f"Bearer {WRONG}"}
    await client.ask("/v1/chat/completions", CHAT, **wrong)
    await client.ask(f"/v1/models?key={WRONG}", **wrong)
    for header in ("x-api-key", "api-key", "Authorization"):
        await client.ask("/v1/models", **({"Authorization": ""} | {header: WRONG}))
    for body in ({}, {"model": "no-such"}, CHAT | {"messages": "x"}, CHAT | {"model": "no-such"}):
        await client.ask("/v1/chat/completions", body)
    for path in ("/v1/nothing", "/v1/proxy/nobody/v1/x", "/v1/proxy/openai/../x"):
        await client.ask(path)


async def reload(gateway: RunningGateway, folder: Path, text: str) -> None:
    """Read *text* as the configuration, in the gateway's own loop."""
    (folder / "switchyard.yaml").write_text(text)
    done = asyncio.run_coroutine_threadsafe(gateway.app.reload(), gateway.loop)
    await asyncio.wrap_future(done)
    (folder / "switchyard.yaml").unlink()


def store(gateway: RunningGateway) -> None:
    """Give the tenant of the client keys of its own, enough that some are left when others rest."""
    foundation = gateway.app.foundation
    writes = []
    for at in range(KEYS):
        context = provider_key_context(f"own{at}", "default", "openai")
        sealed = foundation.vault.seal(TENANT_KEY, context)
        fact = ProviderKeyFact(tenant="default", provider="openai", sealed=sealed)
        writes.append(Write("provider_key", f"own{at}", fact))
    foundation.fact_store.write(writes, actor="test", action="test")


async def stored(client: Client, upstream: Upstream) -> None:
    """Wait until the gateway asks with the key of the tenant."""
    until_s = time.monotonic() + 10.0
    while TENANT_KEY not in upstream.received[-1].headers.get("authorization", ""):
        assert time.monotonic() < until_s, "the key of the tenant is not used"
        await asyncio.sleep(0.05)
        await client.ask("/v1/chat/completions", CHAT, whole(chat_answer()))


def files_in(folder: Path) -> dict[str, bytes]:
    """What the gateway has written."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_secrets_never_leave(
    tmp_path: Path, log: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """They go to the upstream they are for, and are in no reply, log line, metric or file."""
    emitted = Emitted()
    async with scripted(whole(chat_answer())) as upstream:
        config = CONFIG.replace("UPSTREAM", upstream.url).replace("FOLDER", str(tmp_path))
        with running_gateway(config, tmp_path, ENVIRON) as gateway:
            async with asking(gateway.url, upstream, emitted) as client:
                await answered(client)
                await failed(client, ENVIRON["OPERATOR"])
                await refused(client)
                await asyncio.to_thread(store, gateway)
                await stored(client, upstream)
                await answered(client)
                await failed(client, TENANT_KEY)
                literal = config.replace("env:OPERATOR", LITERAL).replace("env:CLIENT", LITERAL)
                await reload(gateway, tmp_path, literal)
                await reload(gateway, tmp_path, f"{config}\nunknown: {LITERAL}\n")
                for path in LOOKS:
                    await client.ask(path)
            emitted.add("repr", repr((gateway.app.upstreams.credentials, gateway.app.settings)))
    written = files_in(tmp_path)
    for name, content in written.items():
        emitted.add(name, content)
    emitted.add("log", "\n".join(log))
    emitted.add("stdout and stderr", "".join(capfd.readouterr()))

    assert emitted.leaks() == []
    sent = [value for one in upstream.received for value in one.headers.values()]
    arrived = {secret for secret in SECRETS if any(secret in value for value in sent)}
    assert arrived == {*(ENVIRON[name] for name in ("OPERATOR", "CLAUDE", "HEADER")), TENANT_KEY}
    assert "gateway.db" in written
    assert any(b"Say hello in French." in data for _, data in emitted.by_place)  # it does look
    assert any("switchyard" in line or "configuration" in line for line in log)
