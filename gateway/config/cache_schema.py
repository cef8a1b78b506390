"""The settings of the response cache: which answers are kept, for how long, and how many."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gateway.config.section import NotNegative, Section

DAY_S = 86_400


class CacheSettings(Section, frozen=True):
    """
    Answers to identical requests of one tenant. A request that must not be answered twice alike is
    never kept, whatever its client says; what counts as such is below.
    """

    enabled: bool = True  # nobody is answered from it who did not ask, see *default*
    # asked: a header, a body member or LockLLM's protocol, whose clients expect a cache; always:
    # everybody who does not say no
    default: Literal["asked", "always"] = "asked"
    ttl_s: Annotated[int, Meta(ge=1, le=DAY_S)] = 3600  # of who names none; LockLLM's default
    ttl_s_max: Annotated[int, Meta(ge=1, le=DAY_S)] = DAY_S  # a longer wish is cut to this
    memory_bytes_max: Annotated[int, Meta(ge=2**20)] = 64 * 2**20  # 15,000 answers of 4 KB
    entry_bytes_max: Annotated[int, Meta(ge=1024)] = 2**20  # one answer; a long stream has 300 KB
    # Above it a client wants another answer each time. 1 is what OpenAI and Anthropic take where a
    # request says nothing, so a lower limit admits only those that say how much they want.
    temperature_max: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    tools: bool = False  # also requests with tools: a call may have effects, a search grows old
    # Also prompts that hold some. Otherwise it is looked for before an answer is kept, and with the
    # scan off, which is what looks, no answer is.
    personal_data: bool = False
    shared: bool = True  # over replicas, where state.redis_url is set; a change needs a restart
    # How long a request that wants the cache may wait for Redis, from when it was asked, beside the
    # classification. 0: not at all, and then only what the encoder reads leaves it enough time.
    shared_wait_ms: NotNegative = 2.0
