"""A request as the API hands it to the pipeline."""

from __future__ import annotations

import enum

import msgspec

from gateway.core.chat import Chat


class RouteAction(enum.StrEnum):
    """What the client asks of routing."""

    DISABLED = "disabled"
    AUTO = "auto"
    CUSTOM = "custom"
    OBSERVE = "observe"


class Kind(enum.StrEnum):
    """What is asked for; one per endpoint family."""

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"


class Controls(msgspec.Struct, frozen=True):
    """
    What the client said about routing and scanning, whatever header family or body member said it.
    None means that it said nothing. *families* are the header families it spoke: the reply speaks
    them too.
    """

    action: RouteAction | None = None
    mode: str | None = None  # a key of the configured modes
    prefer_model: str | None = None
    task_hint: str | None = None  # free label, or the name of a task type
    cost_usd_max: float | None = None
    quality_min: float | None = None  # 0 to 1
    regions: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    session_id: str | None = None
    scan_mode: str | None = None  # normal, policy_only or combined
    scan_action: str | None = None  # block or allow_with_warning, like those of policies and abuse
    policy_action: str | None = None
    abuse_action: str | None = None
    personal_action: str | None = None  # strip, block or allow_with_warning
    sensitivity: str | None = None  # low, medium or high
    chunk: bool | None = None  # read long texts in windows
    compression: str | None = None  # toon, compact or combined
    compression_rate: float | None = None  # 0.3 to 0.7: the share that compact keeps
    cache: bool | None = None  # neither read from the response cache nor written where False
    cache_ttl_s: int | None = None  # 0 to 86,400; 0 as cache = False
    families: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Principal(msgspec.Struct, frozen=True):
    """Who is calling, and which tenant pays. *key_id* names the key without being it."""

    project: str = "default"
    key_id: str = "anonymous"
    tenant: str = "default"


class Grant(msgspec.Struct, frozen=True):
    """
    What the caller may use, beside the policy of its project. *models* empty: all. Its tenant has
    keys of its own at *own_providers*; *own_only*: it may use no others. *spend_left_nano_usd*:
    what spend limits leave, None where there are none; *cheaper*: a model that fits in may answer
    instead of the one it named.
    """

    models: tuple[str, ...] = ()
    own_providers: tuple[str, ...] = ()
    own_only: bool = False
    spend_left_nano_usd: int | None = None
    cheaper: bool = False


UNBOUND = Grant()


class Request(msgspec.Struct, frozen=True):
    """
    One admitted request. *body* is what the client sent, byte for byte, less the members that are
    ours; *chat* is the canonical reading of it (for an embedding: its input as one user turn).
    """

    id: str
    kind: Kind
    dialect: str  # that the client speaks
    path: str  # as asked, for the record
    body: bytes
    chat: Chat
    controls: Controls
    principal: Principal
    provider: str | None  # pinned by the path /v1/proxy/{provider}
    headers: tuple[tuple[str, str], ...]  # to forward
    arrived_s: float  # monotonic
    deadline_s: float  # monotonic
    client_retry: int = 0  # the SDK's own n-th retry of this request
    grant: Grant = UNBOUND
