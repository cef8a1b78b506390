"""The headers that tell what the scan found: LockLLM's words, and the short form of our own."""

from __future__ import annotations

import base64
from collections import Counter

import msgspec

from gateway.api.header_text import header_text
from gateway.compress.compress import CompressionSummary
from gateway.scan.enforce import abuse_detail, percent, violated
from gateway.scan.verdict import Verdict

Headers = list[tuple[str, str]]

THEIRS = "X-LockLLM-"
OURS = "X-Switchyard-"
LOCKLLM_SCAN_NAMES = (
    "Safe",
    "Sensitivity",
    "Label",
    "Policy-Confidence",
    "Blocked",
    "Scan-Warning",
    "Injection-Score",
    "Confidence",
    "Scan-Detail",
    "Policy-Warnings",
    "Warning-Count",
    "Warning-Detail",
    "Abuse-Detected",
    "Abuse-Confidence",
    "Abuse-Types",
    "Abuse-Detail",
    "PII-Detected",
    "PII-Types",
    "PII-Count",
    "PII-Action",
    "Compression-Method",
    "Compression-Applied",
    "Compression-Ratio",
)
OUR_SCAN_NAMES = ("Safe", "Findings", "Redacted", "Scan-Truncated", "Compression-Ratio")
FINDINGS_MAX = 20  # in a detail; a header line has its limits


def our_scan_headers(verdict: Verdict, compression: CompressionSummary | None) -> Headers:
    """Whether the prompt is safe, and what was found: kinds and counts, never words."""
    headers = [(OURS + "Safe", "unknown" if verdict.missing else boolean(verdict.safe))]
    kinds = Counter(one.kind for one in (*verdict.findings, *verdict.personal))
    kinds.update(f"policy:{one.policy}" for one in verdict.violations)
    if verdict.abuse is not None and verdict.abuse.detected:
        kinds.update(f"abuse:{kind}" for kind in verdict.abuse.types)
    if verdict.attacked:
        kinds[verdict.attack] = max(kinds[verdict.attack], 1)
    if kinds:
        listed = ", ".join(f"{kind}={count}" for kind, count in kinds.most_common(FINDINGS_MAX))
        headers.append((OURS + "Findings", header_text(listed)))
    if verdict.stripped:
        headers.append((OURS + "Redacted", str(len(verdict.personal))))
    if verdict.truncated:
        headers.append((OURS + "Scan-Truncated", f"the newest {verdict.chars} characters"))
    if compression is not None:
        headers.append((OURS + "Compression-Ratio", f"{compression.ratio:.3f}"))
    return headers


def lockllm_scan_headers(
    verdict: Verdict | None, compression: CompressionSummary | None, *, blocked: bool
) -> Headers:
    """LockLLM's groups about the scan; no verdict on anything where nothing was scanned."""
    headers = [(THEIRS + "Scanned", boolean(verdict is not None and not verdict.missing))]
    if verdict is not None and not verdict.missing:
        headers += _core(verdict)
        headers += _warnings(verdict)
        headers += _abuse(verdict)
        headers += _personal(verdict)
    if blocked:
        headers.append((THEIRS + "Blocked", "true"))
    if compression is not None:
        headers += [
            (THEIRS + "Compression-Method", compression.method),
            (THEIRS + "Compression-Applied", boolean(compression.applied)),
            (THEIRS + "Compression-Ratio", f"{compression.ratio:.3f}"),
        ]
    return headers


def _core(verdict: Verdict) -> Headers:
    headers = [
        (THEIRS + "Safe", boolean(verdict.safe)),
        ("X-Scan-Mode", verdict.wishes.mode),
        (THEIRS + "Sensitivity", verdict.wishes.sensitivity),
        (THEIRS + "Label", "0" if verdict.safe else "1"),
    ]
    if verdict.wishes.policies:
        headers.append((THEIRS + "Policy-Confidence", f"{percent(verdict.policy_confidence):g}"))
    return headers


def _warnings(verdict: Verdict) -> Headers:
    headers: Headers = []
    if verdict.attacked:
        detail = {
            "message": f"The prompt looks like an attack on the model: {verdict.attack}.",
            "injection_score": percent(verdict.risk),
            "confidence": percent(verdict.confidence),
            "label": 1,
            "scores": {kind: percent(score) for kind, score in verdict.scores.items()},
            "findings": [
                {"kind": one.kind, "id": one.id, "severity": one.severity}
                for one in verdict.findings[:FINDINGS_MAX]
            ],
        }
        headers += [
            (THEIRS + "Scan-Warning", "true"),
            (THEIRS + "Injection-Score", f"{percent(verdict.risk):g}"),
            (THEIRS + "Confidence", f"{percent(verdict.confidence):g}"),
            (THEIRS + "Scan-Detail", encoded(detail)),
        ]
    if verdict.violations:
        policies = violated(verdict.violations)
        headers += [
            (THEIRS + "Policy-Warnings", "true"),
            (THEIRS + "Warning-Count", str(len(policies))),
            (THEIRS + "Warning-Detail", encoded(policies[:FINDINGS_MAX])),
        ]
    return headers


def _abuse(verdict: Verdict) -> Headers:
    abuse = verdict.abuse
    if abuse is None or not abuse.detected:
        return []
    return [
        (THEIRS + "Abuse-Detected", "true"),
        (THEIRS + "Abuse-Confidence", f"{abuse.confidence:g}"),
        (THEIRS + "Abuse-Types", ",".join(abuse.types)),
        (THEIRS + "Abuse-Detail", encoded(abuse_detail(abuse))),
    ]


def _personal(verdict: Verdict) -> Headers:
    action = verdict.wishes.personal_action
    if action is None:
        return []
    headers = [
        (THEIRS + "PII-Detected", boolean(bool(verdict.personal))),
        (THEIRS + "PII-Action", action),
        (THEIRS + "PII-Count", str(len(verdict.personal))),
    ]
    if verdict.personal:
        kinds = sorted({one.kind for one in verdict.personal})
        headers.append((THEIRS + "PII-Types", ",".join(kinds)))
    return headers


def boolean(value: bool) -> str:  # noqa: FBT001 - the value is the whole of it
    """As LockLLM writes it."""
    return "true" if value else "false"


def encoded(detail: object) -> str:
    """JSON in base64: a header can hold any of it."""
    return base64.b64encode(msgspec.json.encode(detail)).decode()
