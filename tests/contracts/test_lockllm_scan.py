"""LockLLM's own scan clients against POST /v1/scan: every option, every answer, every error."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import lockllm
import pytest
from lockllm import AsyncLockLLM, LockLLM, ScanOptions, parse_proxy_metadata

from tests.contracts.conftest import ATTACK, FLOOD, FORBIDDEN, HARMLESS, KEY, PERSONAL, PROSE, ROWS
from tests.fakes.gateway import RunningGateway


@pytest.fixture
def client(guarded: RunningGateway) -> Iterator[LockLLM]:
    """The scan client as its documentation makes one."""
    client = LockLLM(api_key=KEY, base_url=guarded.url, max_retries=0)
    yield client
    client._http.close()


def test_scan_of_an_attack(client):
    """An attack is unsafe, with a warning, percentages, counts and an id."""
    result = client.scan(ATTACK)

    assert (result.safe, result.label, result.sensitivity) == (False, 1, "medium")
    assert 50 < result.injection <= 100
    assert 50 < result.confidence <= 100
    assert result.request_id
    assert result.usage.input_chars == len(ATTACK)
    assert result.scan_warning.label == 1
    assert result.scan_warning.message
    assert result.scan_warning.injection_score == result.injection
    assert result.debug.mode == "single"
    assert result.debug.duration_ms >= 0
    assert result.policy_warnings is None
    assert result.routing is None
    assert result.pii_result is None
    assert result.abuse_warnings is None
    assert result.compression_result is None


def test_scan_of_something_harmless(client):
    """What is safe has label 0, a low score, and no warning."""
    result = client.scan(HARMLESS)

    assert (result.safe, result.label) == (True, 0)
    assert result.injection < 50 < result.confidence
    assert result.scan_warning is None
    assert 0 <= result.policy_confidence <= 100


@pytest.mark.parametrize("sensitivity", ["low", "medium", "high"])
def test_every_sensitivity(client, sensitivity):
    """The sensitivity comes back as it was asked."""
    assert client.scan(HARMLESS, sensitivity=sensitivity).sensitivity == sensitivity


def test_policy_only_judges_no_attack(client):
    """Without the core scan there is no score, and an attack is safe."""
    result = client.scan(ATTACK, scan_mode="policy_only")

    assert result.safe
    assert result.confidence is None
    assert result.injection is None
    assert result.policy_confidence is not None


def test_normal_judges_no_policy(client):
    """In the mode normal a policy is not looked at."""
    result = client.scan(FORBIDDEN, scan_mode="normal")

    assert result.safe
    assert result.policy_warnings is None
    assert result.policy_confidence is None


def test_policy_warning(client):
    """A violation names policy, categories and the words that triggered it."""
    (violation,) = client.scan(FORBIDDEN, scan_mode="combined").policy_warnings

    assert violation.policy_name == "Unannounced projects"
    assert [one.name for one in violation.violated_categories] == ["Confidential"]
    assert violation.violated_categories[0].description == "Not for the public."
    assert violation.violation_details == "project bluebird"


def test_personal_data_is_stripped(client):
    """The input comes back with placeholders, and with the types of what was taken out."""
    found = client.scan(PERSONAL, pii_action="strip").pii_result

    assert found.detected
    assert {"EMAIL_ADDRESS", "PHONE_NUMBER"} <= set(found.entity_types)
    assert found.entity_count == 2
    assert found.redacted_input == "Please write to <EMAIL_1> or call <PHONE_1>."


def test_personal_data_is_reported(client):
    """With a warning alone, the input is not sent back."""
    found = client.scan(PERSONAL, pii_action="allow_with_warning").pii_result

    assert found.detected
    assert found.redacted_input is None


def test_no_personal_data(client):
    """Nothing found is said too, and the input comes back whole."""
    found = client.scan(HARMLESS, pii_action="strip").pii_result

    assert not found.detected
    assert found.entity_types == []
    assert found.redacted_input == HARMLESS


def test_abuse_warning(client):
    """A text that repeats itself is abuse, with the scores it is made of."""
    found = client.scan(FLOOD, abuse_action="allow_with_warning").abuse_warnings

    assert found.detected
    assert 50 <= found.confidence <= 100
    assert "repetition" in found.abuse_types
    assert max(found.indicators.values()) <= 100
    assert found.recommendation


@pytest.mark.parametrize(
    ("method", "text"), [("toon", ROWS), ("compact", PROSE), ("combined", ROWS)]
)
def test_every_compression(client, method, text):
    """The compressed input is shorter, and its ratio is that of the lengths."""
    done = client.scan(text, compression=method, compression_rate=0.6).compression_result

    assert done.method == method
    assert done.original_length == len(text)
    assert done.compressed_length == len(done.compressed_input) < len(text)
    assert done.compression_ratio == pytest.approx(len(done.compressed_input) / len(text), abs=1e-3)


def test_chunks(client):
    """A long text is read in chunks, and the worst decides wherever it stands."""
    filler = "The garden was quiet, and the rain had stopped an hour ago. " * 120
    result = client.scan(f"{filler}{ATTACK} {filler}", chunk=True)

    assert not result.safe
    assert result.debug.mode == "chunked"
    assert client.scan(filler, chunk=False).debug.mode == "single"


def test_scan_options_object(client):
    """All members of ScanOptions at once; a keyword goes before them."""
    options = ScanOptions(
        scan_mode="combined",
        scan_action="allow_with_warning",
        policy_action="allow_with_warning",
        abuse_action="allow_with_warning",
        chunk=True,
        pii_action="strip",
        compression="compact",
        compression_rate=0.4,
    )
    result = client.scan(PERSONAL, sensitivity="high", scan_options=options, scan_mode="normal")

    assert result.sensitivity == "high"
    assert result.policy_confidence is None
    assert result.pii_result.entity_count == 2
    assert result.compression_result.method == "compact"


async def test_async_scan(guarded):
    """The async client reads the same answer, and raises the same errors."""
    async with AsyncLockLLM(api_key=KEY, base_url=guarded.url, max_retries=0) as client:
        assert (await client.scan(HARMLESS)).safe
        found = await client.scan(PERSONAL, pii_action="strip", sensitivity="low")
        assert found.pii_result.redacted_input == "Please write to <EMAIL_1> or call <PHONE_1>."
        with pytest.raises(lockllm.PromptInjectionError) as caught:
            await client.scan(ATTACK, scan_action="block")
    assert caught.value.scan_result.label == 1


def test_injection_error(client):
    """A blocked attack raises the error with the result of the scan."""
    with pytest.raises(lockllm.PromptInjectionError) as caught:
        client.scan(ATTACK, scan_action="block")
    error = caught.value

    assert (error.status, error.code) == (400, "prompt_injection_detected")
    assert error.request_id
    assert not error.scan_result.safe
    assert error.scan_result.label == 1
    assert error.scan_result.injection > 50
    assert error.scan_result.confidence > 50
    assert error.scan_result.sensitivity == "medium"
    assert "system prompt" not in error.message


def test_a_refusal_has_the_headers_of_the_proxy(guarded):
    """Whoever reads no body sees that the input was blocked, and why."""
    answer = httpx.post(
        f"{guarded.url}/v1/scan",
        json={"input": ATTACK},
        headers={"Authorization": f"Bearer {KEY}", "X-LockLLM-Scan-Action": "block"},
    )
    told = parse_proxy_metadata(dict(answer.headers))

    assert answer.status_code == 400
    assert answer.headers["X-LockLLM-Blocked"] == "true"
    assert (told.blocked, told.scanned, told.safe, told.label) == (True, True, False, 1)
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_policy_error(client):
    """A blocked violation names its policies and categories."""
    with pytest.raises(lockllm.PolicyViolationError) as caught:
        client.scan(FORBIDDEN, policy_action="block")

    assert caught.value.request_id
    (policy,) = caught.value.violated_policies
    assert policy["policy_name"] == "Unannounced projects"
    assert [one["name"] for one in policy["violated_categories"]] == ["Confidential"]


def test_abuse_error(client):
    """Blocked abuse comes with its details."""
    with pytest.raises(lockllm.AbuseDetectedError) as caught:
        client.scan(FLOOD, abuse_action="block")

    details = caught.value.abuse_details
    assert caught.value.request_id
    assert details["detected"]
    assert "repetition" in details["abuse_types"]
    assert 50 <= details["confidence"] <= 100
    assert details["recommendation"]


def test_personal_data_error(client):
    """Blocked personal data is told by types and count, not by its words."""
    with pytest.raises(lockllm.PIIDetectedError) as caught:
        client.scan(PERSONAL, pii_action="block")
    error = caught.value

    assert error.request_id
    assert {"EMAIL_ADDRESS", "PHONE_NUMBER"} <= set(error.entity_types)
    assert error.entity_count == 2
    assert "anna" not in str(error)


def test_authentication_error(guarded):
    """An unknown key raises the error for that."""
    client = LockLLM(api_key="sk-unknown", base_url=guarded.url, max_retries=0)
    with pytest.raises(lockllm.AuthenticationError) as caught:
        client.scan(HARMLESS)
    client._http.close()

    assert (caught.value.status, caught.value.code) == (401, "unauthorized")
    assert caught.value.request_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"scan_mode": "everything"},
        {"scan_action": "strip"},
        {"abuse_action": "maybe"},
        {"pii_action": "hide"},
        {"compression": "zip"},
        {"compression_rate": 0.9},
        {"sensitivity": "extreme"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_configuration_error(client, wrong):
    """A value that nobody knows is the client's configuration, and the message lists the right."""
    with pytest.raises(lockllm.ConfigurationError, match=r"must be|sensitivity"):
        client.scan(HARMLESS, **wrong)


def test_the_clients_own_id_is_echoed(client):
    """The id that a client sent is in the answer, and in an error."""
    assert client.scan(HARMLESS, headers={"X-Request-Id": "mine-1"}).request_id == "mine-1"
    with pytest.raises(lockllm.PromptInjectionError) as caught:
        client.scan(ATTACK, scan_action="block", headers={"X-Request-Id": "mine-2"})
    assert caught.value.request_id == "mine-2"
