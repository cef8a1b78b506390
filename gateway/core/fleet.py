"""What can serve a request: models, deployments and their prices."""

from __future__ import annotations

import enum

import msgspec


class ModelClass(enum.StrEnum):
    """How able a model is, as the operator or our catalogue ranks it. The prompt has a tier."""

    EFFICIENT = "efficient"
    BALANCED = "balanced"
    PREMIUM = "premium"


class Capability(enum.IntFlag):
    """What a deployment can do. A request's needs are the same bits."""

    NONE = 0
    TOOLS = 1
    VISION = 2
    JSON = 4  # JSON mode or a JSON schema
    STREAM = 8
    CHAT = 16
    EMBEDDINGS = 32
    COMPLETIONS = 64  # the legacy endpoint


class Price(msgspec.Struct, frozen=True):
    """
    Pico-dollars per token. Above *long_context_tokens* of input the ``long_*`` prices hold for the
    whole request; 0 there means that there is no such step. Audio has no long price of its own.
    """

    input: int
    output: int
    cache_read: int
    cache_write: int
    long_context_tokens: int = 0
    long_input: int = 0
    long_output: int = 0
    long_cache_read: int = 0
    long_cache_write: int = 0
    request_nano_usd: int = 0  # for each request besides its tokens (search models); nano-dollars
    audio_in: int = 0  # 0: as input
    audio_out: int = 0  # 0: as output
    cache_write_1h: int = 0  # what is kept for an hour; 0: as cache_write
    long_cache_write_1h: int = 0  # 0: as long_cache_write
    web_search_nano_usd: int = 0  # for each search that the provider runs; nano-dollars
    date: str = ""  # ISO date at which the price was known to hold
    source: str = ""  # "genai-prices 0.2.3", CONFIGURED or "unknown"


CONFIGURED = "configuration"  # the source of a price that the operator states
UNKNOWN_PRICE = Price(input=0, output=0, cache_read=0, cache_write=0, source="unknown")
UNLISTED = "*"  # as a model: whatever the client names


class Timeouts(msgspec.Struct, frozen=True):
    """
    Seconds an attempt may take. Each bounds one silence, *total_s* the whole. An answer in one
    piece is silent until it is done, headers included, so *first_token_s* does not bound it.
    """

    connect_s: float = 5.0
    first_token_s: float = 60.0
    inter_token_s: float = 30.0
    total_s: float = 600.0


class Deployment(msgspec.Struct, frozen=True):
    """
    One place that serves a model: provider, endpoint, account and limits. The unit of health, load
    and price. *id* is unique in the fleet and stable over reloads; it appears in records.
    """

    id: str
    model: str  # our name of the model, which clients ask for
    provider: str
    upstream_model: str  # the name that the provider knows
    dialect: str  # key of gateway.wire.registry.DIALECTS
    base_url: str
    api_key: str | None  # secret, resolved; None: the provider needs none
    model_class: ModelClass
    capabilities: Capability
    context_tokens: int
    output_tokens_max: int
    price: Price
    region: str = ""
    weight: float = 1.0  # share of the traffic among equals; 0: only when no other can
    timeouts: Timeouts = Timeouts()
    simulated: bool = False
    brought: bool = False  # the operator has no key for it: only tenants with one of their own
    headers: dict[str, str] = {}  # sent with every attempt
    omit: tuple[str, ...] = ()  # body members this provider rejects

    def __repr__(self) -> str:
        return f"Deployment({self.id})"

    @property
    def unlisted(self) -> bool:
        """Whether it serves what the catalogue does not know: only it knows what is there."""
        return self.price == UNKNOWN_PRICE

    def serving(self, model: str) -> Deployment:
        """Itself; a place for UNLISTED models as the place of *model*."""
        if not self.unlisted:
            return self
        return msgspec.structs.replace(self, model=model, upstream_model=model)


class Model(msgspec.Struct, frozen=True):
    """A named capability. *aliases* are other names that clients use for it."""

    name: str
    model_class: ModelClass
    aliases: tuple[str, ...] = ()
    family: str = ""  # thinking signatures are portable inside a family only


class Reference(msgspec.Struct, frozen=True):
    """What a model costs, for comparison only: it need not be served by anybody any more."""

    model: str
    price: Price
    output_tokens_max: int


class Fleet(msgspec.Struct, frozen=True):
    """
    All deployments, in order of catalogue, the models that they serve, and those that costs are
    compared with, by the name they are asked for. *unlisted*, at most one of each provider, serve
    what the catalogue does not know; they are never chosen. *version* is a hash of everything but
    secrets.
    """

    deployments: tuple[Deployment, ...]
    models: dict[str, Model]
    version: str
    references: dict[str, Reference] = {}
    unlisted: tuple[Deployment, ...] = ()
