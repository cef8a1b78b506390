"""POST /v1/scan: the scan alone, of one text; nobody is called and nothing routed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.error_response import error_response, request_ids
from gateway.api.read_request import read_body, request_of
from gateway.api.respond import json_response
from gateway.api.scan_headers import lockllm_scan_headers
from gateway.compress.compress import compress_text
from gateway.core.chat import Chat, Role, Text
from gateway.core.errors import ContentError, NotFound, Unscanned
from gateway.core.request import Request
from gateway.reading import Scanning
from gateway.record.scan_series import ALONE
from gateway.scan.enforce import abuse_detail, blocked, percent, scan_result, violated
from gateway.scan.verdict import Verdict
from gateway.signals.read import read_signals
from gateway.wire import openai_chat
from gateway.wire.decode import decode

RATE = 0.5  # of compact, unless the client says otherwise
OFF = "Nothing is scanned here: the operator has set scan.enabled to false."


class Ask(msgspec.Struct):
    """The body of the request."""

    input: Annotated[str, msgspec.Meta(min_length=1)]
    sensitivity: Literal["low", "medium", "high"] | None = None


ASK = msgspec.json.Decoder(Ask)


async def scan(call: Call) -> web.StreamResponse:
    """What there is to say of ``input``; an error where the client wants such input blocked."""
    readers = call.service.gateway.readers
    if readers.scanner is None:
        raise NotFound(OFF)
    ask = decode(ASK, await read_body(call))
    request = _request(call, ask)
    scanning = Scanning(readers, request)
    await scanning.strip()
    scanning.begin()
    begun_s = readers.clock.monotonic()
    verdict = await scanning.verdict(read_signals(request.chat, request.kind, None))
    inference_s = readers.clock.monotonic() - begun_s
    if verdict is None or verdict.missing:
        if verdict is not None:
            call.service.metrics.count_scan(ALONE, verdict, Unscanned.code)
        raise Unscanned("The input could not be scanned.")
    error = blocked(verdict, readers.scanner.refused(request.controls))
    call.service.metrics.count_scan(ALONE, verdict, "" if error is None else error.code)
    if error is not None:
        return _refusal(call, error, verdict)
    answer = _answer(call, ask, verdict) | _extras(request, scanning, verdict)
    answer["debug"] = {
        "duration_ms": round(1e3 * (readers.clock.monotonic() - call.arrived_s)),
        "inference_ms": round(1e3 * inference_s),
        "mode": "chunked" if verdict.windows > 1 else "single",
        "windows": verdict.windows,
        "truncated": verdict.truncated,
    }
    return json_response(call, answer)


def _refusal(call: Call, error: ContentError, verdict: Verdict) -> web.Response:
    """The error, with the headers that LockLLM's clients read of a refusal on its proxy."""
    headers = request_ids(call) | dict(lockllm_scan_headers(verdict, None, blocked=True))
    response = error_response(call, error, headers)
    call.service.metrics.count_refused(call.dialect.name, response.status)
    return response


def _request(call: Call, ask: Ask) -> Request:
    """The input as a chat of one turn, which nobody will send."""
    body = msgspec.json.encode(
        {
            "model": "scan",
            "messages": [{"role": "user", "content": ask.input}],
        }
    )
    request = request_of(call, body, openai_chat.read(body))
    if ask.sensitivity is None or request.controls.sensitivity is not None:
        return request
    controls = msgspec.structs.replace(request.controls, sensitivity=ask.sensitivity)
    return msgspec.structs.replace(request, controls=controls)


def _answer(call: Call, ask: Ask, verdict: Verdict) -> dict[str, object]:
    return {
        "request_id": request_ids(call)["x-request-id"],
        **scan_result(verdict),
        "scores": {kind: percent(score) for kind, score in verdict.scores.items()},
        "usage": {"requests": verdict.encoded, "input_chars": len(ask.input)},
        "findings": [
            {
                "kind": one.kind,
                "id": one.id,
                "severity": one.severity,
                "start": one.start,
                "end": one.end,
            }
            for one in (*verdict.findings, *verdict.personal)
        ],
    }


def _extras(request: Request, scanning: Scanning, verdict: Verdict) -> dict[str, object]:
    """What only some scans have; of a stripped input what is left of it."""
    text = said(scanning.request.chat)
    extras: dict[str, object] = {}
    if verdict.wishes.policies:
        extras["policy_confidence"] = percent(verdict.policy_confidence)
    if verdict.violations:
        extras["policy_warnings"] = _with_text(verdict, text)
    if verdict.attacked:
        extras["scan_warning"] = {
            "message": f"The input looks like an attack on the model: {verdict.attack}.",
            "injection_score": percent(verdict.risk),
            "confidence": percent(verdict.confidence),
            "label": 1,
        }
    if verdict.abuse is not None and verdict.abuse.detected:
        extras["abuse_warnings"] = abuse_detail(verdict.abuse)
    if verdict.wishes.personal_action is not None:
        extras["pii_result"] = _personal(text, verdict)
    controls = request.controls
    if controls.compression is not None:
        rate = RATE if controls.compression_rate is None else controls.compression_rate
        done = compress_text(text, controls.compression, rate)
        extras["compression_result"] = {
            "method": done.method,
            "compressed_input": done.text,
            "original_length": done.original_length,
            "compressed_length": done.compressed_length,
            "compression_ratio": round(done.ratio, 4),
        }
    return extras


def _with_text(verdict: Verdict, text: str) -> list[dict[str, object]]:
    """The violations, each with the words that triggered it: the client's own."""
    listed = violated(verdict.violations)
    spans = {one.policy: (one.start, one.end) for one in reversed(verdict.violations)}
    for policy in listed:
        start, end = spans[str(policy["policy_name"])]
        policy["violation_details"] = text[start:end]
    return listed


def _personal(text: str, verdict: Verdict) -> dict[str, object]:
    result: dict[str, object] = {
        "detected": bool(verdict.personal),
        "entity_types": sorted({one.kind for one in verdict.personal}),
        "entity_count": len(verdict.personal),
    }
    if verdict.wishes.personal_action == "strip":
        result["redacted_input"] = text
    return result


def said(chat: Chat) -> str:
    """The text of a chat of one turn."""
    (turn,) = (turn for turn in chat.turns if turn.role is Role.USER)
    return "".join(part.text for part in turn.parts if isinstance(part, Text))
