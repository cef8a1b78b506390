"""What the API writes to the client, and where it came from."""

from __future__ import annotations

import msgspec

from gateway.core.fleet import Deployment
from gateway.core.outcome import Attempt
from gateway.core.pieces import Pieces
from gateway.execute.call import Headers


class Reply(msgspec.Struct, frozen=True):
    """
    An answer: *body* whole, or *stream*, which must be closed (``aclose``) whatever happens.

    *attempts* are those that ended before this was made: with a stream, the failed ones.
    *warnings* name what a translation lost, as ``severity;reason;field``.
    """

    status: int
    content_type: str
    headers: Headers
    deployment: Deployment
    attempts: tuple[Attempt, ...]
    body: bytes | None = None
    stream: Pieces | None = None
    warnings: tuple[str, ...] = ()
