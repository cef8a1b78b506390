"""What is decided on: the part of a request that routing reads, without its text."""

from __future__ import annotations

import msgspec

from gateway.core.request import UNBOUND, Controls, Grant, Kind


class Question(msgspec.Struct, frozen=True):
    """
    Together with signals and scores all that ``decide`` reads of a request; recorded, so that the
    decision can be made again without the text.
    """

    kind: Kind
    dialect: str  # key of gateway.wire.registry.DIALECTS
    model: str  # as the client named it, virtual names included
    provider: str | None  # pinned by the path /v1/proxy/{provider}
    controls: Controls
    project: str
    thinking_signed: bool  # the history holds signed reasoning, which one model family reads
    seed: int  # orders equals: 0 to 2**31 - 1, from the request id
    client_retry: int = 0  # the SDK's own n-th retry
    grant: Grant = UNBOUND
