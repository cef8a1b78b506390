"""The composition root: builds every part, keeps them fresh, and takes them down in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from gateway.accounting import Accounting
from gateway.api.auth import Keyring
from gateway.api.call import Service
from gateway.api.server import make_server
from gateway.build import (
    Compiled,
    classifier_options,
    compiled,
    connection_limits,
    decisive,
    shared_cache,
)
from gateway.cache.cache import ResponseCache
from gateway.choosing import Routing, choose, unsent
from gateway.config.changes import needing_restart, refusal
from gateway.config.problem import ConfigErrors
from gateway.config.schema import Recording
from gateway.config.settings import Settings, read_settings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import Clock, SystemClock
from gateway.core.errors import SwitchyardError
from gateway.core.health import Health
from gateway.execute.endpoint_guard import EndpointGuard
from gateway.execute.pool import Pool
from gateway.execute.upstreams import Upstreams
from gateway.foundation import Foundation
from gateway.learn.learner import Learner
from gateway.notices import Notices, changed_providers
from gateway.operations import Operations
from gateway.pipeline import Gateway
from gateway.reading import Readers
from gateway.record.metrics import Metrics
from gateway.record.recent import Recent
from gateway.record.record import Record
from gateway.record.recorder import Recorder
from gateway.record.spool import Spool
from gateway.record.store import Store
from gateway.scan.scanner import Engines, load_engines
from gateway.simulated.transport import SimulatedTransport
from gateway.state.facts import Facts
from models.classifier import load_classifier

log = logging.getLogger("switchyard")

VERSION = "0.1.0"
# A request allocates some 300 containers that reference counting frees; collecting every 700, as
# Python does, costs 9 % of the time of a proxy.
GC_THRESHOLDS = (50_000, 50, 50)
# While another thread computes, the event loop waits for up to this long: with Python's own 5 ms a
# thousand records a second made it 4 to 6 ms late at the 99th percentile, with this not at all.
SWITCH_INTERVAL_S = 0.0005
RECORDER_CLOSE_S = 10.0  # to write what is queued when we leave
LEDGER_CLOSE_S = 10.0  # to book what is in the journal; the rest stays there for the next start
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
        self._engines: Engines | None = None
        self._health: dict[str, Health] = {}

    async def start(self) -> tuple[str, int]:
        """
        Build everything, warm it up and listen. Returns host and port.

        Raises:
            OSError: the address cannot be bound.
            ConfigErrors: a content policy or an entry of the allow list is wrong.
            Unavailable: there is no such kind of database, or its driver is not installed.
        """
        self.foundation = Foundation(self.settings, self._clock)
        await self.foundation.start()
        self._store = Store(self.settings.database_url)
        self._learner = Learner(self._store, self._clock, self._recompile)
        self._read = decisive(self.foundation.replica.facts)
        made = await asyncio.to_thread(self._compile, lambda: self.settings)
        self._fleet = made.completed.fleet
        self._build_upstreams(made.completed)
        self.accounting = Accounting(
            made.completed, self.foundation, self.upstreams.credentials, self._clock
        )
        await self.accounting.start()
        self._build_service(made)
        self.foundation.replica.changed = self._facts_changed
        self._facts_changed(self.foundation.replica.facts)
        await self.operations.start()
        self._note_view(self.upstreams.health())
        self.recorder.start()
        await self._warm_up()
        return await self._listen()

    def _build_upstreams(self, settings: Settings) -> None:
        """Everything on the side of the providers."""
        config, clock = settings.config, self._clock
        self._pool = Pool(
            clock=clock,
            limits=connection_limits(settings),
            connections_max=config.server.requests_max,
        )
        self._guarded = Pool(
            clock=clock,
            connections_max=config.server.requests_max,
            guard=EndpointGuard(config.server.endpoint_hosts),
        )
        self._simulated = SimulatedTransport(config.simulation.speed)
        self.upstreams = Upstreams(
            settings.fleet,
            real=self._pool,
            simulated=self._simulated,
            guarded=self._guarded,
            reliability=config.reliability,
            server=config.server,
            answer_model=config.routing.answer_model,
            clock=clock,
            random=random.random,
        )

    def _build_service(self, made: Compiled) -> None:
        """Everything between the upstreams and the network."""
        config, clock = made.completed.config, self._clock
        self.metrics = Metrics(made.completed.fleet, VERSION)
        self._recent = Recent()
        self.recorder = self._make_recorder(config.recording)
        classifier = load_classifier(classifier_options(config.classifier))
        self.gateway = Gateway(
            Readers(classifier, made.scanner, clock),
            made.routing,
            self.upstreams,
            self.recorder,
            charging=self.accounting.charging,
            keep_text=config.recording.text,
            cache=ResponseCache(config.cache, clock, shared_cache(self.settings, clock)),
        )
        self.notices = Notices(self._guarded, self.foundation.vault, clock)
        self.service = Service(
            made.completed,
            self.gateway,
            self.metrics,
            self._keyring(),
            lambda: self.foundation.replica.stale_s,
        )
        self.operations = Operations(
            self.foundation,
            self.accounting,
            gateway=self.gateway,
            records=self._store,
            recent=self._recent,
            matrix=lambda: self._learner.matrix,
            tell=self.notices.tell,
            settings=lambda: self.settings,
            clock=clock,
        )
        self.service.operators = self.operations.answer
        self.service.tell = self.accounting.charging.tell = self.notices.tell
        self.metrics.in_flight = lambda: self.service.in_flight
        self.metrics.records_waiting = lambda: self.recorder.waiting
        self.metrics.classifier_load = lambda: self.gateway.classifier.load
        self.metrics.records_dropped = lambda: self.recorder.dropped
        self.metrics.cache = self.gateway.cache
        self.metrics.state = lambda: self.operations.figures(self.notices)
        self.metrics.scanner = lambda: self.gateway.readers.scanner

    def _make_recorder(self, settings: Recording) -> Recorder:
        """With a spool, unless nobody could find what it holds after us."""
        folder = self.settings.state.folder if self._store.lasting else None
        spool = Spool(folder, settings.spool_bytes_max)
        return Recorder(self._store, settings, self._clock, self._observe, spool)

    async def _listen(self) -> tuple[str, int]:
        """Open the door, and keep fresh what is kept fresh beside the requests."""
        server = self.settings.config.server
        self._server = make_server(self.service)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=LAST_WORDS_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, server.host, server.port).start()
        self._keep(self._refresh_view())
        self._keep(self.foundation.run())
        self._keep(self.accounting.run())
        self._keep(self._learner.run(lambda: self.settings.config.learn))
        self._keep(self.notices.run())
        host, port = self._runner.addresses[0][:2]
        return host, port

    def describe(self) -> str:
        """The classifier and the scanner that are loaded, for a person."""
        scanner = self.gateway.readers.scanner
        scan = "off" if scanner is None else scanner.describe()
        return f"{self.gateway.classifier.describe()}; scan: {scan}"

    def _observe(self, records: Sequence[Record]) -> None:
        """See *records* before they are stored; called by the recorder's thread."""
        self.metrics.observe(records)
        self._recent.observe(records)

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
        await self._go_on_with(lambda: read_settings(self._path, self._environ))

    async def _recompile(self) -> None:
        """Serve by what operators have decided and what was learnt since."""
        await self._go_on_with(lambda: self.settings)

    async def _go_on_with(self, read: Callable[[], Settings]) -> None:
        """What ``reload`` does, with the configuration that *read* returns or raises for."""
        async with self._reloading:
            try:
                made = await asyncio.to_thread(self._compile, read)
            except ConfigErrors as errors:
                problems = "; ".join(f"{p.path}: {p.message}" for p in errors.problems)
                log.warning("configuration not reloaded, the last one stays: %s", problems)
                return
            except Exception:  # a fault of ours must not end what runs well
                log.exception("configuration not reloaded, the last one stays")
                return
            if reason := refusal(self.settings, made.settings):
                log.warning("configuration not reloaded, the last one stays: %s", reason)
                return
            for name in needing_restart(self._started_with, made.settings):
                log.warning("%s changed: needs a restart", name)
            self._use(made)
            log.info("serving by policy %s", made.routing.policies.version)

    def _compile(self, read: Callable[[], Settings]) -> Compiled:
        """The configuration and all that is made of it, for any thread; keeps the engines."""
        settings = read()
        if settings.config.scan.enabled and self._engines is None:
            self._engines = load_engines()
        facts = self.foundation.replica.facts
        return compiled(settings, facts, self._environ, self._engines, self._learner.matrix)

    def _keyring(self) -> Keyring:
        """The keys of the configuration and of the facts."""
        foundation, settings = self.foundation, self.settings
        facts, unknown = foundation.replica.facts, foundation.replica.stale_s == math.inf
        return Keyring(
            settings.keys,
            facts,
            foundation.digest,
            self._clock,
            required=settings.config.server.require_key or unknown,
        )

    def _facts_changed(self, facts: Facts) -> None:
        """Serve by *facts*: keys at once, what decisions read as soon as it is compiled."""
        self.service.keyring = self._keyring()
        self.upstreams.credentials.use(self.foundation.provider_keys(facts))
        self.accounting.charging.use(facts)
        self.notices.use(facts)
        read = decisive(facts)
        if read != self._read:
            self._read = read
            self._keep(self._recompile())

    def _use(self, made: Compiled) -> None:
        """Swap everything at once; nothing here waits or fails."""
        settings, routing = made.completed, made.routing
        config = settings.config
        self.upstreams.use(settings.fleet, config.reliability)
        self.upstreams.server = config.server
        self.upstreams.show_asked = config.routing.answer_model == "asked"
        self._simulated.speed = config.simulation.speed
        health = self.upstreams.health()
        self.gateway.routing = Routing(routing.policies, routing.view.with_health(health))
        self.gateway.readers = msgspec.structs.replace(self.gateway.readers, scanner=made.scanner)
        self.gateway.keep_text = config.recording.text
        if self.gateway.cache is not None:
            self.gateway.cache.use(config.cache)
        self.recorder.use(config.recording)
        self.accounting.use(settings)
        self.service.use(settings)
        self.service.keyring = self._keyring()
        self.metrics.use_fleet(settings.fleet)
        self.settings, self._fleet = made.settings, settings.fleet
        self._note_view(health)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Run *work* beside the requests until it ends or we stop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.critical("work beside the requests has ended: restart the gateway", exc_info=fault)

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
        await self._guarded.close()
        if self.gateway.cache is not None:
            await self.gateway.cache.close()
        self.gateway.classifier.close()
        lost = await asyncio.to_thread(self.recorder.close, RECORDER_CLOSE_S)
        if lost:
            log.error("%d records could not be written before the end", lost)
        self._store.close()
        await self.accounting.close(LEDGER_CLOSE_S)
        self.foundation.close()

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
        places = self._fleet.deployments
        for event, provider in changed_providers(places, self._health, health):
            self.notices.tell(event, provider, {"provider": provider})
        self._health = health
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
