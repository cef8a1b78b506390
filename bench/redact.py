"""Time of redacting bodies without and with findings, beside the search itself."""

from __future__ import annotations

import json
import re
import time
import timeit

from gateway.core.findings import Finding, Severity
from gateway.scan.redact import redact_body

EMAIL = re.compile(r"[\w.]{1,30}@\w{1,30}\.org")


def find_none(_: str) -> tuple[Finding, ...]:
    """A search that costs nothing."""
    return ()


def find_emails(text: str) -> list[Finding]:
    """A cheap search."""
    return [
        Finding("EMAIL_ADDRESS", "email", Severity.MEDIUM, *match.span())
        for match in EMAIL.finditer(text)
    ]


def chat(chars: int) -> bytes:
    """A body of three turns."""
    words = ("Please write to ann@example.org about it.\n" * (chars // 42))[: chars // 3]
    roles = ("system", "user", "assistant")
    return json.dumps(
        {"model": "m", "messages": [{"role": r, "content": words} for r in roles]}
    ).encode()


def tools(chars: int) -> bytes:
    """A body that is mostly schemas."""
    prop = {"type": "string", "description": "The address of the customer."}
    names = ("street", "city", "zip", "country", "phone")
    tool = {
        "name": "f",
        "input_schema": {"type": "object", "properties": dict.fromkeys(names, prop)},
    }
    count = chars // len(json.dumps(tool))
    return json.dumps({"model": "m", "messages": [], "tools": [tool] * count}).encode()


def microseconds(body: bytes, find: object) -> float:
    """The fastest of twenty rounds."""
    timer = timeit.Timer(lambda: redact_body(body, find), timer=time.process_time)  # type: ignore[arg-type]
    return min(timer.repeat(50, 20)) / 20 * 1e6


if __name__ == "__main__":
    for name, body in (("chat, 4 KB", chat(4_000)), ("tools, 4 KB", tools(4_000))):
        print(f"{name}: {microseconds(body, find_none):.1f} us without findings")
    print(f"chat, 4 KB: {microseconds(chat(4_000), find_emails):.1f} us with 93 e-mail addresses")
