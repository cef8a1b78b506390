"""Take personal data and secrets out of a request before anybody reads on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from gateway.core.findings import Finding
from gateway.core.request import Request
from gateway.scan.placeholders import Placeholders
from gateway.scan.redact import redact_body
from gateway.wire.registry import DIALECTS


class Stripped(msgspec.Struct, frozen=True):
    """
    The request with placeholders, what was found in it, and what each placeholder stands for,
    which never leaves memory.
    """

    request: Request
    findings: tuple[Finding, ...]
    placeholders: Placeholders


def strip(request: Request, find: Callable[[str], Sequence[Finding]]) -> Stripped | None:
    """
    The *request* without what *find* finds in any text that a model would read; None where it
    finds nothing.

    Raises:
        InvalidRequest: the body is nested too deeply.
    """
    redaction = redact_body(request.body, find)
    if redaction is None:
        return None
    chat = DIALECTS[request.dialect].read(redaction.body)
    clean = msgspec.structs.replace(request, body=redaction.body, chat=chat)
    return Stripped(clean, redaction.findings, redaction.placeholders)
