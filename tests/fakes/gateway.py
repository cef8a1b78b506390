"""A whole gateway in a thread of its own, so that blocking clients can call it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.app import App
from gateway.config.settings import read_settings

START_S = 60.0  # compiling kernels included
STOP_S = 30.0


class RunningGateway:
    """Where it listens, and the app behind it. Touch the app only from its own loop."""

    def __init__(self, app: App, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.url = url
        self.loop = loop

    @property
    def v1(self) -> str:
        """Base URL for OpenAI's SDK."""
        return f"{self.url}/v1"


@contextmanager
def running_gateway(
    config: str, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[RunningGateway]:
    """Run a gateway on the YAML text *config*, with its database in *folder*, on a free port."""
    path = folder / "switchyard.yaml"
    path.write_text(config)
    variables = {"SWITCHYARD_PORT": "0", **(environ or {})}
    ready: list[RunningGateway] = []
    problems: list[BaseException] = []
    started = threading.Event()
    stop: list[asyncio.Event] = []

    async def serve() -> None:
        app = App(read_settings(path, variables), path, variables)
        host, port = await app.start()
        ready.append(RunningGateway(app, f"http://{host}:{port}", asyncio.get_running_loop()))
        stop.append(asyncio.Event())
        started.set()
        await stop[0].wait()
        await app.stop()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as problem:  # noqa: BLE001 - raised by the test that waits
            problems.append(problem)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="gateway", daemon=True)
    thread.start()
    started.wait(START_S)
    if problems or not ready:
        raise AssertionError("the gateway did not start") from (problems or [None])[0]
    try:
        yield ready[0]
    finally:
        ready[0].loop.call_soon_threadsafe(stop[0].set)
        thread.join(STOP_S)
        assert not thread.is_alive(), "the gateway did not stop"
        if problems:
            raise problems[0]
