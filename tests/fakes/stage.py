"""One gateway for many tests, in front of a provider that follows a script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app import App
from gateway.config.settings import read_settings
from tests.fakes.upstream import Upstream, chat_answer, scripted, stream, whole
from tests.scenarios.conftest import CONFIG

GPT, CLAUDE = "gpt-4o", "claude-sonnet-4-20250514"
NEVER_LATE_MS = 5000  # whatever else the machine does: findings must not depend on it
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": CLAUDE,
    "content": [{"type": "text", "text": "I wrote to <EMAIL_1>."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 7},
}
Answer = aiohttp.ClientResponse
Members = dict[str, Any]  # of a JSON object


def event(kind: str, **members: object) -> bytes:
    """One event of Anthropic's stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def anthropic_stream(*deltas: str) -> tuple[bytes, ...]:
    """A whole stream of Anthropic's that says *deltas*."""
    return (
        event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            event("content_block_delta", index=0, delta={"type": "text_delta", "text": delta})
            for delta in deltas
        ),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7}),
        event("message_stop"),
    )


def dump(value: object) -> bytes:
    """*value* as JSON."""
    return json.dumps(value).encode()


def events_of(text: str) -> list[Members]:
    """The events of a stream, but for the last word of OpenAI's."""
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def choices_of(text: str) -> list[Members]:
    """The choices in the events of a stream of OpenAI's."""
    return [choice for event in events_of(text) for choice in event["choices"]]


class Stage:
    """A gateway, a client of it, and its upstream; ``set`` is a reload."""

    def __init__(
        self,
        app: App,
        http: aiohttp.ClientSession,
        upstream: Upstream,
        write: Callable[..., None],
    ) -> None:
        self.app = app
        self.http = http
        self.upstream = upstream
        self.write = write  # the configuration

    async def set(self, more: str = "", *, text: str = "false") -> None:
        """Configure the gateway anew, as SIGHUP does."""
        before = self.app.settings
        self.write(more, text)
        await self.app.reload()
        assert self.app.settings is not before, "not reloaded"

    def play(self, *pieces: bytes, whole_body: bytes | None = None) -> None:
        """What the upstream answers from now on: a stream of *pieces*, or one body."""
        scene = stream(*pieces) if whole_body is None else whole(whole_body)
        self.upstream.scenes[:] = [scene]

    async def post(self, path: str, body: object, **headers: str) -> tuple[Answer, str]:
        """The response to *body*, and its text."""
        async with self.http.post(path, json=body, headers=headers) as reply:
            return reply, await reply.text()

    async def chat(
        self, *turns: object, model: str = GPT, more: Members | None = None, **headers: str
    ) -> tuple[Answer, str]:
        """The response to an OpenAI chat, and its text. A string is a turn of the user."""
        messages = [{"role": "user", "content": t} if isinstance(t, str) else t for t in turns]
        body = {"model": model, "messages": messages, **(more or {})}
        return await self.post("/v1/chat/completions", body, **headers)

    async def message(
        self, *turns: object, system: str = "", more: Members | None = None, **headers: str
    ) -> tuple[Answer, str]:
        """The response to an Anthropic message, and its text."""
        messages = [{"role": "user", "content": t} if isinstance(t, str) else t for t in turns]
        body: Members = {"model": CLAUDE, "max_tokens": 100, "messages": messages, **(more or {})}
        if system:
            body["system"] = system
        return await self.post("/v1/messages", body, **headers)

    @property
    def sent(self) -> str:
        """The last body that the upstream received."""
        return self.upstream.received[-1].body.decode()

    async def record(self, reply: Answer) -> Members:
        """The record of a request, as a client reads it."""
        path = f"/v1/decisions/{reply.headers['X-Switchyard-Request-Id']}"
        async with self.http.get(path) as found:
            record: Members = (await found.json())["record"]
        return record


@asynccontextmanager
async def running_stage(folder: Path) -> AsyncIterator[Stage]:
    """A gateway with its files in *folder*; starting it takes two seconds."""
    path = folder / "switchyard.yaml"
    environ = {"KEY": "sk-upstream"}
    async with scripted(whole(chat_answer())) as upstream:

        def write(more: str = "", text: str = "false") -> None:
            places = {"openai": upstream.url, "anthropic": upstream.url, "folder": folder}
            config = CONFIG.format(**places, drain_s=1.0, more=more)
            config = config.replace("recording: {", f"recording: {{text: {text}, ")
            path.write_text(f"{config}\nclassifier: {{deadline_ms: {NEVER_LATE_MS}}}\n")

        write()
        app = App(read_settings(path, environ), path, environ)
        host, port = await app.start()
        try:
            async with aiohttp.ClientSession(base_url=f"http://{host}:{port}") as http:
                yield Stage(app, http, upstream, write)
        finally:
            await app.stop()
