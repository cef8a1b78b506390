"""How the classifier is run. The gateway's configuration says why each default is what it is."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Options(msgspec.Struct, frozen=True):
    """*deadline_s* None: patient, every prompt that needs the encoder gets it."""

    enabled: bool = True  # the encoder; the first stage always answers
    deadline_s: float | None = 0.012
    threads: int = 1
    queue_entries_max: int = 256
    queue_bytes_max: int = 1 << 20
    memory_bytes_max: int = 8 << 20
    socket: Path | None = None  # of a classifier process that several gateways share


DEFAULTS = Options()
PATIENT = Options(deadline_s=None)
