"""A whole gateway in the test's own loop, in front of providers that follow a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from gateway.app import App
from gateway.config.settings import read_settings
from tests.fakes.upstream import Upstream

CONFIG = """
providers:
  openai: {{api_key: "env:KEY", base_url: "{openai}/v1", models: [gpt-4, gpt-4o, gpt-4o-mini]}}
  anthropic: {{api_key: "env:KEY", base_url: "{anthropic}", models: [claude-sonnet-4-20250514]}}
server: {{port: 0, drain_s: {drain_s}, body_bytes_max: 100000, endpoint_hosts: [127.0.0.1]}}
reliability: {{backoff_s: 0.0, view_s: 0.05}}
state: {{database_url: "sqlite:///{folder}/records.db"}}
recording: {{flush_s: 0.02}}
{more}
"""


class Scene:
    """A started gateway: its *app*, a client of it, and where its configuration lies."""

    def __init__(self, app: App, http: aiohttp.ClientSession, path: Path) -> None:
        self.app = app
        self.http = http
        self.path = path

    async def chat(self, model: str = "gpt-4o", stream: bool = False, **headers: str):
        """One chat; returns the response, to be used as a context manager."""
        body = {"model": model, "messages": [{"role": "user", "content": "Say hello in French."}]}
        if stream:
            body["stream"] = True
        return await self.http.post("/v1/chat/completions", json=body, headers=headers)


Play = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    """Start a gateway in front of one or two scripted upstreams."""
    async with AsyncExitStack() as stack:

        async def start(
            openai: Upstream,
            anthropic: Upstream | None = None,
            *,
            more: str = "",
            drain_s: float = 1.0,
        ) -> Scene:
            path = tmp_path / "switchyard.yaml"
            other = (anthropic or openai).url
            path.write_text(
                CONFIG.format(
                    openai=openai.url, anthropic=other, folder=tmp_path, drain_s=drain_s, more=more
                )
            )
            environ = {"KEY": "sk-upstream", "CLIENT": "sk-client"}
            app = App(read_settings(path, environ), path, environ)
            host, port = await app.start()
            http = aiohttp.ClientSession(base_url=f"http://{host}:{port}")
            stack.push_async_callback(app.stop)
            await stack.enter_async_context(http)
            return Scene(app, http, path)

        yield start
