"""The composition root: builds every part, keeps them fresh, and takes them down in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import random
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.api.call import Service
from gateway.api.server import make_server
from gateway.config.changes import needing_restart, refusal
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.schema import ClassifierSettings
from gateway.config.settings import Settings, read_settings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import Clock, SystemClock
from gateway.core.errors import SwitchyardError
from gateway.core.health import Health
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.execute.pool import Pool
from gateway.execute.upstreams import Upstreams
from gateway.pipeline import Gateway, Routing, choose, unsent
from gateway.reading import Readers
from gateway.record.metrics import Metrics
from gateway.record.recorder import Recorder
from gateway.record.store import Store
from gateway.scan.scanner import Engines, Scanner, load_engines
from gateway.simulated.transport import SimulatedTransport
from models.classifier import load_classifier
from models.options import Options

log = logging.getLogger("switchyard")

VERSION = "0.1.0"
# A request allocates some 300 containers that reference counting frees; collecting every 700, as
# Python does, costs 9 % of the time of a proxy.
GC_THRESHOLDS = (50_000, 50, 50)
# While another thread computes, the event loop waits for up to this long: with Python's own 5 ms a
# thousand records a second made it 4 to 6 ms late at the 99th percentile, with this not at all.
SWITCH_INTERVAL_S = 0.0005
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
        self._started_with = settings
        self._path = path
        self._environ = environ
        self._clock = clock or SystemClock()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()

    async def start(self) -> tuple[str, int]:
        """
        Build everything, warm it up and listen. Returns host and port.

        Raises:
            OSError: the address cannot be bound.
            ConfigErrors: a content policy or an entry of the allow list is wrong.
            Unavailable: there is no such kind of database, or its driver is not installed.
        """
        config, fleet, clock = self.settings.config, self.settings.fleet, self._clock
        self.metrics = Metrics(fleet, VERSION)
        self._store = Store(self.settings.database_url)
        self.recorder = Recorder(self._store, config.recording, clock, self.metrics.observe)
        self._pool = Pool(
            clock=clock,
            limits=connection_limits(self.settings),
            connections_max=config.server.requests_max,
        )
        self._simulated = SimulatedTransport(config.simulation.speed)
        self.upstreams = Upstreams(
            fleet,
            real=self._pool,
            simulated=self._simulated,
            reliability=config.reliability,
            server=config.server,
            answer_model=config.routing.answer_model,
            clock=clock,
            random=random.random,
        )
        health = self.upstreams.health()
        self._engines = await asyncio.to_thread(load_engines) if config.scan.enabled else None
        self.gateway = Gateway(
            Readers(
                load_classifier(classifier_options(config.classifier)),
                scanner_of(self.settings, self._engines),
                clock,
            ),
            routing_of(self.settings, health),
            self.upstreams,
            self.recorder,
            keep_text=config.recording.text,
        )
        self.service = Service(self.settings, self.gateway, self.metrics)
        self.metrics.in_flight = lambda: self.service.in_flight
        self.metrics.records_waiting = lambda: self.recorder.waiting
        self.metrics.classifier_load = lambda: self.gateway.classifier.load
        self.metrics.records_dropped = lambda: self.recorder.dropped
        self._note_view(health)
        self.recorder.start()
        await self._warm_up()
        self._server = make_server(self.service)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=LAST_WORDS_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, config.server.host, config.server.port)
        await site.start()
        self._keep(self._refresh_view())
        host, port = self._runner.addresses[0][:2]
        return host, port

    def describe(self) -> str:
        """The classifier and the scanner that are loaded, for a person."""
        scanner = self.gateway.readers.scanner
        scan = "off" if scanner is None else scanner.describe()
        return f"{self.gateway.classifier.describe()}; scan: {scan}"

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then stop. SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._keep(self.reload()))
        await self._stopping.wait()
        await self.stop()

    async def reload(self) -> None:
        """
        Read the configuration again. All of it takes effect between two requests, or none of it:
        where it has problems, or would open the door, the log says so and the last good one stays.
        What needs a restart is named in the log.
        """
        async with self._reloading:
            try:
                settings, routing, scanner = await asyncio.to_thread(self._read_again)
            except ConfigErrors as errors:
                problems = "; ".join(f"{p.path}: {p.message}" for p in errors.problems)
                log.warning("configuration not reloaded, the last one stays: %s", problems)
                return
            except Exception:  # a fault of ours must not end what runs well
                log.exception("configuration not reloaded, the last one stays")
                return
            if reason := refusal(self.settings, settings):
                log.warning("configuration not reloaded, the last one stays: %s", reason)
                return
            for name in needing_restart(self._started_with, settings):
                log.warning("%s changed: needs a restart", name)
            self._use(settings, routing, scanner)
            log.info("configuration reloaded: policy %s", routing.policies.version)

    def _read_again(self) -> tuple[Settings, Routing, Scanner | None]:
        """The configuration and all that is compiled of it, for any thread; keeps the engines."""
        settings = read_settings(self._path, self._environ)
        if settings.config.scan.enabled and self._engines is None:
            self._engines = load_engines()
        return settings, routing_of(settings, {}), scanner_of(settings, self._engines)

    def _use(self, settings: Settings, routing: Routing, scanner: Scanner | None) -> None:
        """Swap everything at once; nothing here waits or fails."""
        config = settings.config
        self.upstreams.use(settings.fleet, config.reliability)
        self.upstreams.server = config.server
        self.upstreams.show_asked = config.routing.answer_model == "asked"
        self._simulated.speed = config.simulation.speed
        health = self.upstreams.health()
        self.gateway.routing = Routing(routing.policies, routing.view.with_health(health))
        self.gateway.readers = msgspec.structs.replace(self.gateway.readers, scanner=scanner)
        self.gateway.keep_text = config.recording.text
        self.recorder.use(config.recording)
        self.service.use(settings)
        self.metrics.use_fleet(settings.fleet)
        self.settings = settings
        self._note_view(health)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Run *work* beside the requests until it ends or we stop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Fail readiness, let requests finish for ``drain_s``, end the rest, write the records."""
        self.service.draining = True
        in_flight, most_s = self.service.in_flight, self.settings.config.server.drain_s
        log.info("draining: %d requests in flight, at most %g s", in_flight, most_s)
        await self._drained(most_s)
        if self.service.in_flight:
            log.warning("%d requests are cut off after the drain", self.service.in_flight)
            self.service.overdue = True
            for stream in tuple(self.service.streams):
                stream.cancel()
            await self._drained(LAST_WORDS_S)
        log.info("draining is over")
        for task in tuple(self._tasks):
            task.cancel()
        await self._runner.cleanup()
        await self._pool.close()
        self.gateway.classifier.close()
        lost = await asyncio.to_thread(self.recorder.close, RECORDER_CLOSE_S)
        if lost:
            log.error("%d records could not be written before the end", lost)
        self._store.close()

    async def _drained(self, timeout_s: float) -> None:
        """Wait until nothing is in flight, at most *timeout_s* seconds."""
        if self.service.in_flight:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.service.idle.wait(), timeout_s)

    async def _refresh_view(self) -> None:
        """Let decisions see the health of now, every ``view_s`` seconds."""
        while True:
            await asyncio.sleep(self.settings.config.reliability.view_s)
            routing, health = self.gateway.routing, self.upstreams.health()
            view = routing.view.with_health(health)
            if view.version != routing.view.version:
                self.gateway.routing = Routing(routing.policies, view)
                self._note_view(health)

    def _note_view(self, health: dict[str, Health]) -> None:
        """Tell those who show or keep it that decisions now see *health*."""
        self.metrics.use_health(health)
        self.recorder.note_view(self.gateway.routing.view.version, health)

    async def _warm_up(self) -> None:
        """Decide once, so that the first client waits for no compiler; then tune the process."""
        chat = Chat(model="auto", turns=(Turn(Role.USER, (Text("Say hello in French."),)),))
        request = unsent(chat, self._clock)
        with contextlib.suppress(SwitchyardError):  # nothing called auto, or a limit below its cost
            await choose(request, self.gateway.readers, self.gateway.routing)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)


def connection_limits(settings: Settings) -> dict[str, int]:
    """Most connections by base URL, where the operator set one."""
    providers = settings.config.providers
    return {
        deployment.base_url: limit
        for deployment in settings.fleet.deployments
        if not deployment.simulated and deployment.provider in providers
        for limit in (providers[deployment.provider].connections_max,)
        if limit is not None
    }


def classifier_options(settings: ClassifierSettings) -> Options:
    """What the classifier is run with."""
    return Options(
        enabled=settings.enabled,
        deadline_s=settings.deadline_ms / 1e3,
        threads=settings.threads,
        queue_entries_max=settings.queue_entries_max,
        queue_bytes_max=settings.queue_bytes_max,
        memory_bytes_max=settings.memory_bytes_max,
        socket=None if settings.socket is None else Path(settings.socket),
    )


def scanner_of(settings: Settings, engines: Engines | None) -> Scanner | None:
    """
    The scanner under *settings*, None where nothing is to be scanned.

    Raises:
        ConfigErrors: a content policy or an entry of the allow list is wrong.
    """
    config = settings.config
    if not config.scan.enabled or engines is None:
        return None
    projects = {name: project.scan for name, project in config.projects.items()}
    try:
        return Scanner(engines, config.scan, projects)
    except ValueError as error:
        raise ConfigErrors([Problem("$.scan", str(error))]) from None


def routing_of(settings: Settings, health: Mapping[str, Health]) -> Routing:
    """What decisions read under *settings* while the fleet is in *health*."""
    policies = compile_policies(settings.config, settings.fleet)
    return Routing(policies, fleet_view(settings.fleet, health))
