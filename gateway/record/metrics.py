"""
What Prometheus reads. COUNTERS, HISTOGRAMS and GAUGES are the whole list of names and labels.

Labels are bounded: deployments and models of the fleet, and names of our own; all else is
``other``. Money is in USD, time in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from gateway.cache.cache import ResponseCache
from gateway.core.chat import Usage
from gateway.core.fleet import Fleet
from gateway.core.health import Health
from gateway.core.money import NANO_USD_PER_USD
from gateway.core.outcome import Attempt
from gateway.decide.ask import UNCLASSIFIED
from gateway.record.record import Record
from gateway.record.scan_series import (
    REQUESTS,
    SCAN_COUNTERS,
    SCAN_HISTOGRAMS,
    count_scan,
    scan_info,
)
from gateway.record.series import Counter, Histogram, Labels
from gateway.record.state_series import STATE_COUNTERS, STATE_GAUGES, StateFigures
from gateway.scan.scanner import Scanner
from gateway.scan.verdict import Verdict
from gateway.wire.registry import DIALECTS
from models.scores import TASK_TYPES, TIERS
from models.worker import Load

ROUTE = ("task_type", "tier", "model")
# The target is 20 ms at the 99th percentile, so the buckets are dense there.
ADDED_BOUNDS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)
UPSTREAM_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
TTFT_BOUNDS_S = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)

# Name without ``_total`` -> what it means, its labels.
COUNTERS: dict[str, tuple[str, Labels]] = {
    "switchyard_requests": (
        "Requests that were decided; ending: how the client saw it",
        ("dialect", "status", "ending"),
    ),
    "switchyard_refused": ("Requests that were not decided", ("dialect", "status")),
    "switchyard_decisions": (
        "Decisions; model: that was decided on; task_type and tier: none without a classifier",
        ROUTE,
    ),
    "switchyard_scores": ("Which classifier answered", ("stage", "uncertain")),
    "switchyard_attempts": ("Upstream calls; result: ok, or the failure", ("deployment", "result")),
    "switchyard_tokens": ("Billed; kind: in, out, and parts of them", ("model", "kind")),
    "switchyard_cost_usd": ("Billed; model: that answered", ROUTE),
    "switchyard_savings_usd": ("At the actual usage, of answers that became cheaper", ROUTE),
    "switchyard_extra_cost_usd": ("The same, of answers that became dearer", ROUTE),
    "switchyard_fee_usd": ("Routing fees, settled on the actual usage", ()),
    "switchyard_cache_lookups": (
        "In the response cache; result: hit, miss, or bypass where nothing may be kept",
        ("result",),
    ),
    "switchyard_cache_stored": ("Answers that were kept", ()),
    "switchyard_cache_evicted": ("Answers that made room for others", ()),
    "switchyard_cache_shared": (
        "Of the cache that replicas share; operation: read, write",
        ("operation", "result"),
    ),
    "switchyard_cache_saved_tokens": ("Of answers from the cache, when they were made", ()),
    "switchyard_cache_saved_usd": ("What these cost then", ()),
    "switchyard_encoder_prompts": ("Prompts that the encoder has read", ()),
    "switchyard_encoder_batches": ("Batches that it read them in", ()),
    "switchyard_records_dropped": ("Records and feedback that were never stored", ()),
    **SCAN_COUNTERS,
    **STATE_COUNTERS,
}
HISTOGRAMS: dict[str, tuple[str, Labels, tuple[float, ...]]] = {
    "switchyard_added_seconds": ("Arrival to dispatch", (), ADDED_BOUNDS_S),
    "switchyard_stage_seconds": (
        "Its parts: accept, signals, classify, decide",
        ("stage",),
        ADDED_BOUNDS_S,
    ),
    "switchyard_upstream_seconds": (
        "Upstream calls to their end",
        ("deployment",),
        UPSTREAM_BOUNDS_S,
    ),
    "switchyard_upstream_ttft_seconds": (
        "Upstream calls to their first content",
        ("deployment",),
        TTFT_BOUNDS_S,
    ),
    **SCAN_HISTOGRAMS,
}
GAUGES: dict[str, tuple[str, Labels]] = {
    "switchyard_breaker_state": (
        "0 closed, 1 half open, 2 cooldown, 3 open",
        ("deployment",),
    ),
    "switchyard_in_flight": ("Admitted requests", ()),
    "switchyard_records_waiting": ("Records that are not stored yet", ()),
    "switchyard_cache_bytes": ("That kept answers take in this process", ()),
    "switchyard_cache_entries": ("Answers that are kept in this process", ()),
    "switchyard_encoder_waiting": ("Prompts before the encoder", ()),
    "switchyard_encoder_info": (
        "1 where there is an encoder; device: that it runs on",
        ("device",),
    ),
    "switchyard_scan_info": ("1 where there is a scan; engine: of its patterns", ("engine",)),
    "switchyard_build_info": ("Always 1", ("version",)),
    **STATE_GAUGES,
}

OTHER = "other"
NONE = "none"  # of a prompt that nobody classified
SCORE_STAGES = frozenset(
    {"encoder", "first-stage", "memory", "deadline", "overload", "none", "off"}
)
BREAKER_STATES = {"closed": 0, "half_open": 1, "cooldown": 2, "open": 3}
PLAIN_STATUSES = frozenset(
    {200, 400, 401, 402, 403, 404, 408, 413, 422, 429, 499, 500, 502, 503, 504}
)


class Metrics:
    """
    All metrics of one process.

    *in_flight*, *records_waiting*, *records_dropped*, *classifier_load*, *cache*, *scanner* and
    *state* are asked when metrics are read; the application sets them. All else comes from
    records, counted by the recorder's thread, and from ``count_refused`` and ``count_scan``, for
    the event loop.
    """

    def __init__(self, fleet: Fleet, version: str) -> None:
        self.in_flight: Callable[[], int] = int
        self.records_waiting: Callable[[], int] = int
        self.records_dropped: Callable[[], int] = int
        self.classifier_load: Callable[[], Load] = Load
        self.cache: ResponseCache | None = None
        self.scanner: Callable[[], Scanner | None] = lambda: None
        self.state: Callable[[], StateFigures] = StateFigures
        self._version = version
        self._health: Mapping[str, Health] = {}
        self._counters = {
            name: Counter(name, text, labels) for name, (text, labels) in COUNTERS.items()
        }
        self._histograms = {
            name: Histogram(name, text, labels, bounds)
            for name, (text, labels, bounds) in HISTOGRAMS.items()
        }
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._fleet = fleet
        self._learn(fleet)

    def use_fleet(self, fleet: Fleet) -> None:
        """From the next record on, only *fleet* gives labels; series of what has left it end."""
        self._fleet = fleet

    def use_health(self, health: Mapping[str, Health]) -> None:
        """What the breaker states are read from."""
        self._health = health

    def count_refused(self, dialect: str, status: int) -> None:
        """Count a request that ended before it was decided."""
        labels = (dialect if dialect in DIALECTS else OTHER, status_label(status))
        self._counters["switchyard_refused"].add(labels)

    def observe(self, records: Sequence[Record]) -> None:
        """Count *records*. Not for several threads at once."""
        if self._fleet is not self._learned:
            self._learn(self._fleet)
        for record in records:
            self._observe_decision(record)
            if record.verdict is not None:
                self.count_scan(REQUESTS, record.verdict, record.outcome.error)
            for attempt in record.outcome.attempts:
                self._observe_attempt(attempt)
            if record.outcome.usage is not None:
                self._observe_usage(record, record.outcome.usage)

    def count_scan(self, endpoint: str, verdict: Verdict, error: str) -> None:
        """Count a scan; the series of an *endpoint* are written by one thread, see ``Counter``."""
        count_scan(self._counters, self._histograms, endpoint, verdict, error)

    def render(self) -> bytes:
        """The text exposition. Takes milliseconds for a large fleet: call it in a thread."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Called by the client library for each exposition."""
        load, state = self.classifier_load(), self.state()
        for name, sums in state.counts().items():
            self._counters[name].sums.update(sums)
        for name, count in (
            ("switchyard_records_dropped", self.records_dropped()),
            ("switchyard_encoder_prompts", load.rows),
            ("switchyard_encoder_batches", load.batches),
        ):
            self._counters[name].sums[()] = count
        if self.cache is not None:
            self._read_cache(self.cache)
        for series in self._series():
            yield series.family()
        values: dict[str, dict[Labels, float]] = {
            "switchyard_breaker_state": {
                (name,): BREAKER_STATES.get(health.state, BREAKER_STATES["open"])
                for name, health in self._health.items()
                if name in self._deployments
            },
            "switchyard_in_flight": {(): self.in_flight()},
            "switchyard_records_waiting": {(): self.records_waiting()},
            "switchyard_cache_bytes": {(): self.cache.memory.size if self.cache else 0},
            "switchyard_cache_entries": {(): len(self.cache.memory) if self.cache else 0},
            "switchyard_encoder_waiting": {(): load.waiting},
            "switchyard_encoder_info": {(load.device,): 1} if load.device else {},
            "switchyard_scan_info": scan_info(self.scanner()),
            "switchyard_build_info": {(self._version,): 1},
            **state.values(),
        }
        for name, (text, labels) in GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=labels)
            for label_values, value in values[name].items():
                family.add_metric(label_values, value)
            yield family

    def _read_cache(self, cache: ResponseCache) -> None:
        """Take over what *cache* has counted."""
        counters = self._counters
        for status, count in tuple(cache.lookups.items()):
            counters["switchyard_cache_lookups"].sums[(status.value.lower(),)] = count
        counters["switchyard_cache_stored"].sums[()] = cache.stored
        counters["switchyard_cache_evicted"].sums[()] = cache.memory.evicted
        if cache.shared is not None:
            for labels, count in tuple(cache.shared.counts.items()):
                counters["switchyard_cache_shared"].sums[labels] = count

    def _series(self) -> Iterator[Counter | Histogram]:
        yield from self._counters.values()
        yield from self._histograms.values()

    def _learn(self, fleet: Fleet) -> None:
        self._learned = fleet
        self._models = frozenset(deployment.model for deployment in fleet.deployments)
        everywhere = (*fleet.deployments, *fleet.unlisted)
        self._deployments = frozenset(deployment.id for deployment in everywhere)
        for series in self._series():
            for label, known in (("model", self._models), ("deployment", self._deployments)):
                if label in series.labels:
                    series.keep_only(series.labels.index(label), known | {OTHER})

    def _observe_decision(self, record: Record) -> None:
        counters, decision, outcome = self._counters, record.decision, record.outcome
        task = tier = NONE
        if decision.stage not in UNCLASSIFIED:
            task = decision.task_type if decision.task_type in TASK_TYPES else OTHER
            tier = decision.tier if decision.tier in TIERS else OTHER
        dialect = record.question.dialect if record.question.dialect in DIALECTS else OTHER
        status = status_label(outcome.status)
        counters["switchyard_requests"].add((dialect, status, outcome.ending.value))
        counters["switchyard_decisions"].add((task, tier, self._model(decision.model)))
        stage = record.scores.stage if record.scores.stage in SCORE_STAGES else OTHER
        counters["switchyard_scores"].add((stage, "true" if record.scores.uncertain else "false"))
        stages, parts = record.stages, self._histograms["switchyard_stage_seconds"]
        self._histograms["switchyard_added_seconds"].observe((), stages.added_s)
        parts.observe(("accept",), stages.accept_s)
        parts.observe(("signals",), stages.signals_s)
        parts.observe(("classify",), stages.classify_s)
        parts.observe(("decide",), stages.decide_s)
        route = (task, tier, self._model(record.model))
        if record.cost_nano_usd:
            counters["switchyard_cost_usd"].add(route, record.cost_nano_usd / NANO_USD_PER_USD)
        saved_usd = record.savings_nano_usd / NANO_USD_PER_USD
        if saved_usd > 0:
            counters["switchyard_savings_usd"].add(route, saved_usd)
        elif saved_usd < 0:
            counters["switchyard_extra_cost_usd"].add(route, -saved_usd)
        if (saved := record.outcome.saved) is not None:
            counters["switchyard_cache_saved_tokens"].add((), saved.tokens)
            counters["switchyard_cache_saved_usd"].add((), saved.cost_nano_usd / NANO_USD_PER_USD)
        if record.fee_settled_nano_usd:
            counters["switchyard_fee_usd"].add((), record.fee_settled_nano_usd / NANO_USD_PER_USD)

    def _observe_attempt(self, attempt: Attempt) -> None:
        name = attempt.deployment if attempt.deployment in self._deployments else OTHER
        result = attempt.failure.value if attempt.failure else "ok"
        self._counters["switchyard_attempts"].add((name, result))
        self._histograms["switchyard_upstream_seconds"].observe((name,), attempt.duration_s)
        if attempt.ttft_s is not None:
            self._histograms["switchyard_upstream_ttft_seconds"].observe((name,), attempt.ttft_s)

    def _observe_usage(self, record: Record, usage: Usage) -> None:
        tokens, model = self._counters["switchyard_tokens"], self._model(record.model)
        for kind, count in (
            ("in", usage.tokens_in),
            ("out", usage.tokens_out),
            ("cache_read", usage.tokens_cache_read),
            ("cache_write", usage.tokens_cache_write),
            ("cache_write_1h", usage.tokens_cache_write_1h),
            ("reasoning", usage.tokens_reasoning),
            ("audio_in", usage.tokens_audio_in),
            ("audio_out", usage.tokens_audio_out),
        ):
            if count:
                tokens.add((model, kind), count)

    def _model(self, name: str) -> str:
        return name if name in self._models else OTHER


def status_label(status: int) -> str:
    """*status* where it is a usual one, else its class, such as ``4xx``."""
    return str(status) if status in PLAIN_STATUSES else f"{status // 100 % 10}xx"
