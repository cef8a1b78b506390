"""
Every setting, with unit, default and the reason for the default.

One YAML file is decoded into :class:`Config`; unknown keys are errors with their path. Secrets are
never written here: a field marked *secret* holds ``env:NAME`` or ``file:PATH``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.config.admin_schema import AdminSettings
from gateway.config.cache_schema import CacheSettings
from gateway.config.learn_schema import LearnSettings
from gateway.config.scan_schema import ProjectScan, ScanSettings
from gateway.config.section import Count, NotNegative, Positive, Section, Share
from gateway.core.fleet import ModelClass
from gateway.core.request import RouteAction

Tier = Literal["low", "medium", "high"]


class Server(Section, frozen=True):
    """Where we listen, and how much we take in."""

    host: str = "127.0.0.1"  # loopback: without keys nobody else may reach us
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080  # 0: any free port
    body_bytes_max: Annotated[int, Meta(ge=1024)] = 32 * 2**20  # as Anthropic's Messages API
    header_bytes_max: Annotated[int, Meta(ge=1024)] = 16 * 2**10  # nginx: 4 x 8 KiB, node: 16 KiB
    answer_bytes_max: Annotated[int, Meta(ge=1024)] = 64 * 2**20  # an unstreamed answer, in memory
    event_bytes_max: Annotated[int, Meta(ge=1024)] = 8 * 2**20  # one SSE event: inline images
    requests_max: Annotated[int, Meta(ge=1)] = 2000  # in flight; above it requests are shed
    # Of all bodies in flight, as announced, or as they come: 2000 of 32 MiB would be 64 GB.
    bodies_bytes_max: Annotated[int, Meta(ge=1024)] = 2**30
    request_timeout_s: Positive = 600.0  # the default of the OpenAI and Anthropic SDKs
    drain_s: NotNegative = 30.0  # Kubernetes kills after 30 s by default
    require_key: bool = False  # also while there is none: to listen to others, keys made later
    # Hosts that the endpoints of tenants may have though they are private, or speak plain HTTP.
    endpoint_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()  # browsers on these origins may call us and read headers


class Key(Section, frozen=True):
    """A gateway key: who may call."""

    id: str  # shown in records; never the secret
    secret: str  # secret
    project: str = "default"


class TimeoutSettings(Section, frozen=True):
    """Seconds an attempt may take, each bounding one silence and *total_s* the whole."""

    connect_s: Positive = 5.0  # several lost SYNs, or a far region
    first_token_s: Positive = 60.0  # reasoning models think before they speak
    inter_token_s: Positive = 30.0  # a stream that pauses longer has broken
    total_s: Positive = 600.0  # as server.request_timeout_s


class SpendLimit(Section, frozen=True):
    """
    USD that may be spent in a *window*: ``minute``, ``hour``, ``day``, ``week``, ``month`` (of the
    calendar, UTC), ``lifetime``, or ``rolling 3600`` (the last so many seconds).
    """

    usd: NotNegative
    window: str = "month"


class ProviderSettings(Section, frozen=True):
    """A provider with credentials. Known names bring their defaults, see providers.py."""

    api_key: str | None = None  # secret
    base_url: str | None = None  # OpenAI dialect: with /v1; Anthropic dialect: without
    dialect: Literal["openai", "anthropic"] | None = None
    region: str | None = None
    headers: dict[str, str] = {}  # values may be secrets
    timeouts: TimeoutSettings = TimeoutSettings()
    connections_max: Annotated[int, Meta(ge=1)] | None = None  # None: as server.requests_max
    omit: tuple[str, ...] | None = None  # body members this provider rejects
    simulated: bool = False  # answer from the built-in simulated provider instead
    models: tuple[str, ...] | None = None  # of our catalogue; None: those known to be there
    spend: tuple[SpendLimit, ...] = ()  # of everybody together, at this provider


class PriceSettings(Section, frozen=True):
    """USD per million tokens, overriding the price list."""

    input: NotNegative
    output: NotNegative
    cache_read: NotNegative | None = None  # None: as input
    cache_write: NotNegative | None = None  # None: as input
    long_context_tokens: Count = 0  # above so much input the long_* prices hold; 0: never
    long_input: NotNegative | None = None
    long_output: NotNegative | None = None
    long_cache_read: NotNegative | None = None  # None: as long_input
    long_cache_write: NotNegative | None = None  # None: as long_input
    request_usd: NotNegative = 0.0  # USD for each request besides its tokens
    audio_in: NotNegative | None = None  # None: as input
    audio_out: NotNegative | None = None  # None: as output
    cache_write_1h: NotNegative | None = None  # what is kept for an hour; None: as cache_write
    long_cache_write_1h: NotNegative | None = None  # None: as long_cache_write
    web_search_usd: NotNegative = 0.0  # USD for each search that the provider runs
    date: str = ""  # ISO date at which you looked it up


class ModelSettings(Section, frozen=True):
    """A model that clients may name. Known names bring their defaults, see catalogue.py."""

    model_class: ModelClass | None = msgspec.field(name="class", default=None)
    aliases: tuple[str, ...] = ()
    family: str | None = None
    context_tokens: Annotated[int, Meta(ge=1)] | None = None
    output_tokens_max: Annotated[int, Meta(ge=1)] | None = None
    tools: bool | None = None
    vision: bool | None = None
    json: bool | None = None
    kind: Literal["chat", "embedding", "completion"] | None = None
    price: PriceSettings | None = None


class DeploymentSettings(Section, frozen=True):
    """One more place that serves a model, beside those that the providers bring."""

    model: str
    provider: str
    id: str | None = None  # None: provider/model
    upstream_model: str | None = None  # None: the model's own name
    region: str | None = None
    weight: Positive = 1.0  # share of the traffic among equals
    price: PriceSettings | None = None


class Floors(Section, frozen=True):
    """The quality a model must promise for a prompt of each tier."""

    low: Share
    medium: Share
    high: Share


class Mode(Section, frozen=True):
    """
    A named trade-off. Among the models that promise the floor of the prompt's tier, the one with
    the highest ``quality_weight * quality - usd_weight * USD - s_weight * seconds`` is taken.
    """

    floors: Floors
    quality_weight: NotNegative = 0.0
    usd_weight: NotNegative = 0.0  # per USD of this request
    s_weight: NotNegative = 0.0  # per second to the last token
    may_cost_more: bool = False  # than the model the client named
    keep_high: bool = True  # a high-tier prompt keeps the client's own model


# Floors sit between the class priors below, so balanced means low -> efficient, medium -> balanced,
# high -> premium; eco takes one class less above low, sport and quality take the best there is.
MODES: dict[str, Mode] = {
    "balanced": Mode(floors=Floors(low=0.85, medium=0.80, high=0.85), usd_weight=1.0),
    "eco": Mode(floors=Floors(low=0.80, medium=0.60, high=0.65), usd_weight=1.0, keep_high=False),
    "sport": Mode(
        floors=Floors(low=0.85, medium=0.80, high=0.85),
        quality_weight=1.0,
        s_weight=0.02,
        may_cost_more=True,
        keep_high=False,
    ),
    "speed": Mode(
        floors=Floors(low=0.80, medium=0.60, high=0.65),
        s_weight=1.0,
        may_cost_more=True,
        keep_high=False,
    ),
    "quality": Mode(
        floors=Floors(low=0.85, medium=0.80, high=0.85),
        quality_weight=1.0,
        usd_weight=0.01,
        may_cost_more=True,
        keep_high=False,
    ),
}
MODE_ALIASES = {"cost": "eco", "auto": "balanced", "fast": "speed", "max-quality": "quality"}

# Expected quality of a class on a prompt of a tier: assumptions to start from, not measurements.
# Feedback and audits replace them; an operator who knows better overrides them per model and task.
CLASS_QUALITY: dict[ModelClass, Floors] = {
    ModelClass.EFFICIENT: Floors(low=0.90, medium=0.70, high=0.45),
    ModelClass.BALANCED: Floors(low=0.94, medium=0.86, high=0.70),
    ModelClass.PREMIUM: Floors(low=0.96, medium=0.93, high=0.88),
}


# Names that clients may ask for instead of a model -> the mode that chooses one.
VIRTUAL_MODELS = {
    "auto": "balanced",
    "switchyard-auto": "balanced",
    "claude-auto": "balanced",  # pickers that list only names with claude in them
    "neural-router-v2": "balanced",
    "eco": "eco",
    "balanced": "balanced",
    "sport": "sport",
    "cost": "eco",
    "speed": "speed",
    "quality": "quality",
}


class QualityOverride(Section, frozen=True):
    """What you know of a model on a task: replaces the class prior for the tiers it names."""

    model: str
    task_type: str | None = None  # None: every task
    low: Share | None = None
    medium: Share | None = None
    high: Share | None = None


class Range(Section, frozen=True):
    """A number strictly between *gt* and *lt*; a missing bound does not bind."""

    gt: float | None = None
    lt: float | None = None


class Condition(Section, frozen=True):
    """When a rule matches: every member that is given must hold. An empty one always matches."""

    task_types: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    tokens_in: Range | None = None
    complexity: Range | None = None
    cost_usd: Range | None = None  # estimated cost on the model the client named
    system_prompt_chars: Range | None = None
    has_tools: bool | None = None
    has_vision: bool | None = None
    requires_json: bool | None = None
    has_code: bool | None = None
    has_math: bool | None = None
    labels: tuple[str, ...] = ()  # the client's task hint
    models: tuple[str, ...] = ()  # that the client named
    languages: tuple[str, ...] = ()
    metadata: dict[str, str] = {}  # of the request; * matches any value


class Target(Section, frozen=True):
    """
    Where a matching rule sends the request: a model (at any provider, or at the named one), a mode
    to choose by, the best model within a cost, or the client's own model (*keep*).
    """

    model: str | None = None
    provider: str | None = None
    mode: str | None = None
    best_within_usd: Positive | None = None
    keep: bool = False
    own_key: bool = False  # only where the provider has a key here, else the client's own model


class Rule(Section, frozen=True):
    """Condition -> target. Rules are tried by falling priority, then in file order."""

    id: str
    then: Target
    when: Condition = Condition()
    reason: str = ""
    priority: int = 0


class Policy(Section, frozen=True):
    """What holds over every strategy, also for rules, pins and failover."""

    denied_models: tuple[str, ...] = ()
    allowed_models: tuple[str, ...] = ()  # empty: all
    denied_providers: tuple[str, ...] = ()
    forced_models: dict[str, str] = {}  # task type -> model
    regions: tuple[str, ...] = ()  # empty: all
    cost_usd_max: Positive | None = None  # of one request
    quality_min: Share | None = None


class Project(Section, frozen=True):
    """Defaults and limits of the keys of one project."""

    action: RouteAction | None = None  # for requests that name a real model; None: as routing
    mode: str | None = None
    policy: Policy = Policy()
    rules: tuple[Rule, ...] = ()  # before the common ones
    scan: ProjectScan = ProjectScan()


class Routing(Section, frozen=True):
    """How decisions are made."""

    action: RouteAction = RouteAction.DISABLED  # for a named model: never reroute unasked
    mode: str = "balanced"
    uncertain: Literal["keep", "complexity"] = "keep"  # a doubtful task type: keep, or tier alone
    high_tier: Literal["own", "premium"] = "own"  # a high prompt whose client named a model
    baseline_model: str = "gpt-4"  # what savings are counted against where no model was named
    virtual_models: dict[str, str] = {}  # added to, or replacing, the built-in ones
    modes: dict[str, Mode] = {}  # added to, or replacing, the built-in ones
    class_quality: dict[ModelClass, Floors] = {}
    quality: tuple[QualityOverride, ...] = ()
    fee_rate: Share = 0.05  # of the estimated savings, only when the chosen model is cheaper
    answer_model: Literal["served", "asked"] = "served"  # the `model` of the reply's body

    def __post_init__(self) -> None:
        """Put the built-in virtual models before those of the file."""
        stated = {name.lower() for name in self.virtual_models}
        kept = {name: mode for name, mode in VIRTUAL_MODELS.items() if name not in stated}
        msgspec.structs.force_setattr(self, "virtual_models", {**kept, **self.virtual_models})


class Reliability(Section, frozen=True):
    """When to try again, and when to stay away."""

    attempts_max: Annotated[int, Meta(ge=1)] = 4  # per request, over all deployments
    retry_share: Share = 0.2  # extra attempts per request, as a share of traffic
    retry_floor_per_s: NotNegative = 2.0  # extra attempts that are always allowed
    backoff_s: NotNegative = 0.05  # before a retry of the same deployment, jittered
    breaker_failures: Annotated[int, Meta(ge=1)] = 5  # in a row, or ...
    breaker_error_share: Share = 0.5  # ... this share of the last window_s ...
    breaker_requests_min: Annotated[int, Meta(ge=1)] = 10  # ... with at least so many requests
    breaker_open_s: Positive = 5.0  # first pause; doubles while probes fail
    breaker_open_s_max: Positive = 120.0
    cooldown_s: Positive = 10.0  # after a 429 without Retry-After
    cooldown_s_max: Positive = 300.0
    window_s: Positive = 30.0  # error rates and percentiles look back this far
    view_s: Positive = 1.0  # how often decisions see fresh health
    precommit_bytes_max: Annotated[int, Meta(ge=1)] = 65536  # held before the first content


class StateSettings(Section, frozen=True):
    """Where facts, money and shared counters are kept. Changes need a restart."""

    database_url: str = "sqlite:///var/switchyard.db"  # any SQLAlchemy URL; may be a secret
    redis_url: str | None = None  # may be a secret; what replicas share: limits, cache, news
    master_key: str | None = None  # secret, 32 bytes as base64; None: made in *folder* once
    old_master_keys: tuple[str, ...] = ()  # secrets; while what they sealed is sealed again
    admin_key: str | None = None  # secret; of the first operator, None: made and shown once
    folder: str | None = None  # journal, records, master key; None: beside the SQLite file, or var
    journal_bytes_max: Annotated[int, Meta(ge=2**20)] = 256 * 2**20  # half a million requests
    poll_s: Positive = 1.0  # how often replicas look for changes; 2 s stale are promised
    grace_s: NotNegative = 3600.0  # known keys keep working so long without the database


class Recording(Section, frozen=True):
    """What is kept of a request."""

    queue_max: Annotated[int, Meta(ge=1)] = 10_000  # records in memory, waiting for the writer
    spool_bytes_max: Annotated[int, Meta(ge=2**20)] = 256 * 2**20  # in state.folder; 100k records
    batch_max: Annotated[int, Meta(ge=1)] = 500
    flush_s: Positive = 0.5
    keep_days: Positive = 30.0
    text: bool = False  # store the classified excerpt: off, because it is personal


class Simulation(Section, frozen=True):
    """The built-in provider that answers in the name of well-known models."""

    enabled: Literal["auto", "on", "off"] = "auto"  # auto: only while no real provider is there
    speed: NotNegative = 1.0  # 1: as fast as such models are; 0: without any pause


class ClassifierSettings(Section, frozen=True):
    """The encoder that reads a prompt where the first stage is in doubt. Changes need a restart."""

    enabled: bool = True  # off: the first stage alone, 0.1 ms a prompt and less often right
    deadline_ms: Positive = 12.0  # then the first stage answers: 20 ms are promised for everything
    threads: Annotated[int, Meta(ge=1)] = 1  # two would take the core of the event loop
    queue_entries_max: Annotated[int, Meta(ge=1)] = 256  # the deadline refuses sooner, but on a GPU
    queue_bytes_max: Annotated[int, Meta(ge=1024)] = 2**20  # an excerpt is some 3 KB at most
    memory_bytes_max: Count = 8 * 2**20  # 14,000 prompts: a retry, a prompt of every user's session
    socket: str | None = None  # of a classifier process that several gateways share


class Config(Section, frozen=True):
    """The whole file."""

    server: Server = Server()
    keys: tuple[Key, ...] = ()
    projects: dict[str, Project] = {}
    providers: dict[str, ProviderSettings] = {}
    models: dict[str, ModelSettings] = {}
    deployments: tuple[DeploymentSettings, ...] = ()
    routing: Routing = Routing()
    rules: tuple[Rule, ...] = ()
    policy: Policy = Policy()
    reliability: Reliability = Reliability()
    state: StateSettings = StateSettings()
    admin: AdminSettings = AdminSettings()
    cache: CacheSettings = CacheSettings()
    recording: Recording = Recording()
    simulation: Simulation = Simulation()
    classifier: ClassifierSettings = ClassifierSettings()
    scan: ScanSettings = ScanSettings()
    learn: LearnSettings = LearnSettings()
