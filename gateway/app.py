"""The composition root: builds every part, keeps them fresh, and takes them down in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import signal
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from gateway.api.call import Service
from gateway.api.server import make_server
from gateway.config.load import ConfigErrors
from gateway.config.settings import Settings, read_settings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import Clock, SystemClock
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.execute.pool import Pool
from gateway.execute.upstreams import Upstreams
from gateway.pipeline import Gateway, Routing, choose, unsent
from gateway.record.metrics import Metrics
from gateway.record.recorder import Recorder
from gateway.record.store import Store
from gateway.simulated.transport import SimulatedTransport
from models.classifier import load_classifier

log = logging.getLogger("switchyard")

VERSION = "0.1.0"
# A request allocates some 300 containers that reference counting frees; collecting every 700, as
# Python does, costs 9 % of the time of a proxy.
GC_THRESHOLDS = (50_000, 50, 50)
RECORDER_CLOSE_S = 10.0  # to write what is queued when we leave
LAST_WORDS_S = 2.0  # for streams to end with an error event after the drain


class App:
    """One gateway process: start, run until a signal, stop."""

    def __init__(
        self,
        settings: Settings,
        path: Path | None,
        environ: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self._path = path
        self._environ = environ
        self._clock = clock or SystemClock()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> tuple[str, int]:
        """
        Build everything, warm it up and listen. Returns host and port.

        Raises:
            OSError: the address cannot be bound.
        """
        config, fleet, clock = self.settings.config, self.settings.fleet, self._clock
        self.metrics = Metrics(fleet, VERSION)
        store = Store(self.settings.database_url)
        self.recorder = Recorder(store, config.recording, clock, self.metrics.observe)
        self._pool = Pool(clock=clock)
        self.upstreams = Upstreams(
            fleet,
            real=self._pool,
            simulated=SimulatedTransport(config.simulation.speed),
            reliability=config.reliability,
            server=config.server,
            answer_model=config.routing.answer_model,
            clock=clock,
            random=random.random,
        )
        self.gateway = Gateway(
            load_classifier(),
            self._routing(self.settings),
            self.upstreams,
            self.recorder,
            clock,
            keep_text=config.recording.text,
        )
        self.service = Service(self.settings, self.gateway, self.metrics)
        self.metrics.in_flight = lambda: self.service.in_flight
        self.metrics.records_waiting = lambda: self.recorder.waiting
        self.metrics.records_dropped = lambda: self.recorder.dropped
        self._note_view()
        self.recorder.start()
        await self._warm_up()
        self._server = make_server(self.service)
        self._runner = web.ServerRunner(self._server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, config.server.host, config.server.port, shutdown_timeout=0)
        await site.start()
        self._tasks.append(asyncio.create_task(self._refresh_view()))
        host, port = self._runner.addresses[0][:2]
        return host, port

    def describe(self) -> str:
        """The classifier that is loaded, for a person."""
        return self.gateway.classifier.describe()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then stop. SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        await self._stopping.wait()
        await self.stop()

    def reload(self) -> None:
        """
        Read the configuration again. All of it takes effect between two requests, or none of it:
        where it has problems they are logged and the last good one stays. Address, database and
        limits of the server need a restart.
        """
        try:
            settings = read_settings(self._path, self._environ)
        except ConfigErrors as errors:
            for problem in errors.problems:
                log.error("configuration not reloaded: %s %s", problem.path, problem.message)
            return
        routing = self._routing(settings)
        self.upstreams.use(settings.fleet, settings.config.reliability)
        self.gateway.routing = routing
        self.service.use(settings)
        self.metrics.use_fleet(settings.fleet)
        self.settings = settings
        self._note_view()
        log.info("configuration reloaded: policy %s", routing.policies.version)

    async def stop(self) -> None:
        """Fail readiness, let requests finish for ``drain_s``, end the rest, write the records."""
        self.service.draining = True
        await self._drained(self.settings.config.server.drain_s)
        if self.service.in_flight:
            log.warning("%d requests are cut off after the drain", self.service.in_flight)
            self.service.overdue = True
            for task in tuple(self.service.streams):
                task.cancel()
            await self._drained(LAST_WORDS_S)
        for refresher in self._tasks:
            refresher.cancel()
        await self._runner.cleanup()
        await self._pool.close()
        lost = await asyncio.to_thread(self.recorder.close, RECORDER_CLOSE_S)
        if lost:
            log.error("%d records could not be written before the end", lost)

    async def _drained(self, timeout_s: float) -> None:
        """Wait until nothing is in flight, at most *timeout_s* seconds."""
        if self.service.in_flight:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.service.idle.wait(), timeout_s)

    def _routing(self, settings: Settings) -> Routing:
        health = self.upstreams.health()
        return Routing(
            compile_policies(settings.config, settings.fleet), fleet_view(settings.fleet, health)
        )

    async def _refresh_view(self) -> None:
        """Let decisions see the health of now, every ``view_s`` seconds."""
        while True:
            await asyncio.sleep(self.settings.config.reliability.view_s)
            routing = self.gateway.routing
            view = routing.view.with_health(self.upstreams.health())
            if view.version != routing.view.version:
                self.gateway.routing = Routing(routing.policies, view)
                self._note_view()

    def _note_view(self) -> None:
        health = self.upstreams.health()
        self.metrics.use_health(health)
        self.recorder.note_view(self.gateway.routing.view.version, health)

    async def _warm_up(self) -> None:
        """Decide once, so that the first client waits for no compiler; then quiet the collector."""
        chat = Chat(model="auto", turns=(Turn(Role.USER, (Text("Say hello in French."),)),))
        request = unsent(chat, self._clock)
        await choose(request, self.gateway.classifier, self.gateway.routing, self._clock)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
