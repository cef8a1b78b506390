"""How one deployment has been doing, as a decision sees it."""

from __future__ import annotations

import msgspec


class Health(msgspec.Struct, frozen=True):
    """
    Live measurements of one deployment over the last window. None means "not measured yet".

    *available*: an attempt may start now. *state*: closed, open or half_open of the breaker, or
    ``cooldown`` while the upstream has asked us to stay away.
    """

    available: bool = True
    state: str = "closed"
    requests: int = 0
    error_share: float = 0.0  # 0 to 1, of the requests
    ttft_s_p50: float | None = None
    ttft_s_p95: float | None = None
    tpot_s: float | None = None  # seconds per output token, median


FRESH = Health()
