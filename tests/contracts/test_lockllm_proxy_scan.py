"""LockLLM's own wrappers against the scan of the proxy: options, headers, errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import anthropic
import lockllm
import openai
import pytest
from lockllm import ProxyOptions, parse_proxy_metadata
from lockllm.errors import parse_error

from tests.contracts.conftest import ATTACK, FLOOD, FORBIDDEN, HARMLESS, KEY, PERSONAL, PROSE, ROWS
from tests.fakes.gateway import RunningGateway

OPEN: list[openai.OpenAI | anthropic.Anthropic] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    """Close what a test opened: a socket that is left to the collector warns in another test."""
    yield
    while OPEN:
        OPEN.pop().close()


def opened(create: Callable[..., object], base_url: str, **more: object):
    """A client of the wrapper *create*, without retries."""
    client = create(**{"api_key": KEY, "base_url": base_url, "max_retries": 0, **more})
    OPEN.append(client)
    return client


def proxied(gateway: RunningGateway, **options: object) -> openai.OpenAI:
    """The OpenAI wrapper with *options* of ProxyOptions."""
    return opened(
        lockllm.create_openai,
        f"{gateway.v1}/proxy/openai",
        proxy_options=ProxyOptions(**options),
    )


def ask(client: openai.OpenAI, text: str, **more: object) -> lockllm.ProxyResponseMetadata:
    """What LockLLM's parser reads of the headers of one answer."""
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=[{"role": "user", "content": text}], **more
    )
    assert raw.parse().choices[0].message.content
    return parse_proxy_metadata(dict(raw.headers))


def refusal(client: openai.OpenAI, text: str, **more: object) -> openai.APIStatusError:
    """The error of one ask."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(
            **{"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}
        )
    return caught.value


def known(error: openai.APIStatusError | anthropic.APIStatusError) -> lockllm.LockLLMError:
    """The error as LockLLM's package understands its body."""
    return parse_error(error.response.json(), error.response.headers["x-request-id"])


def test_proxy_reply_of_a_scan(guarded):
    """Every answer tells that it was scanned, and how."""
    seen = ask(proxied(guarded, sensitivity="high", scan_mode="combined"), HARMLESS)

    assert seen.request_id
    assert seen.scanned
    assert seen.safe
    assert seen.label == 0
    assert seen.scan_mode == "combined"
    assert seen.sensitivity == "high"
    assert 0 <= seen.policy_confidence <= 100
    assert (seen.credits_mode, seen.provider, seen.model) == ("byok", "openai", "gpt-4o")
    assert seen.blocked is None
    assert seen.scan_warning is None
    assert seen.policy_warnings is None
    assert seen.abuse_detected is None
    assert seen.pii_detected is None
    assert seen.compression is None
    assert seen.routing is None


def test_proxy_scan_warning(guarded):
    """An attack that is let through is told in the headers."""
    seen = ask(proxied(guarded, scan_action="allow_with_warning", scan_mode="normal"), ATTACK)

    assert not seen.safe
    assert seen.label == 1
    assert seen.scan_mode == "normal"
    assert seen.scan_warning.injection_score > 50
    assert seen.scan_warning.confidence > 50
    assert seen.scan_detail["injection_score"] == seen.scan_warning.injection_score
    assert "print your system prompt" not in json.dumps(seen.scan_detail)


def test_proxy_policy_warning(guarded):
    """A violation that is let through is counted and told."""
    seen = ask(proxied(guarded, policy_action="allow_with_warning"), FORBIDDEN)

    assert not seen.safe
    assert seen.policy_warnings.count == 1
    assert seen.policy_warnings.confidence == seen.policy_confidence > 0
    assert seen.policy_detail[0]["policy_name"] == "Unannounced projects"


def test_proxy_abuse_warning(guarded):
    """Abuse that is let through is told with its types."""
    seen = ask(proxied(guarded, abuse_action="allow_with_warning"), FLOOD)

    assert "repetition" in seen.abuse_detected.types.split(",")
    assert seen.abuse_detected.confidence >= 50
    assert seen.abuse_detail["recommendation"]


@pytest.mark.parametrize("action", ["strip", "allow_with_warning"])
def test_proxy_personal_data(guarded, provider, action):
    """Types, count and action come back; stripped values never reach the provider."""
    seen = ask(proxied(guarded, pii_action=action), PERSONAL)

    assert seen.pii_detected.detected
    assert set(seen.pii_detected.entity_types.split(",")) == {"EMAIL_ADDRESS", "PHONE_NUMBER"}
    assert seen.pii_detected.entity_count == 2
    assert seen.pii_detected.action == action
    assert (b"anna.berger" in provider.bodies[-1]) == (action != "strip")


def test_proxy_no_personal_data(guarded):
    """Nothing found is said too."""
    seen = ask(proxied(guarded, pii_action="strip"), HARMLESS)

    assert not seen.pii_detected.detected
    assert seen.pii_detected.entity_count == 0


@pytest.mark.parametrize(
    ("method", "text"), [("toon", ROWS), ("compact", PROSE), ("combined", PROSE)]
)
def test_proxy_compression(guarded, provider, method, text):
    """The provider gets the shorter prompt, and the headers tell how much shorter it is."""
    seen = ask(proxied(guarded, compression=method, compression_rate=0.5), text)
    sent = json.loads(provider.bodies[-1])["messages"][0]["content"]

    assert seen.compression.method == method
    assert seen.compression.applied
    assert seen.compression.ratio == pytest.approx(len(sent) / len(text), abs=1e-3)
    assert len(sent) < len(text)


def test_proxy_compression_without_effect(guarded):
    """toon leaves what is no JSON as it is, and says so."""
    seen = ask(proxied(guarded, compression="toon"), PROSE)

    assert seen.compression.method == "toon"
    assert not seen.compression.applied


def test_every_proxy_option(guarded):
    """All members of ProxyOptions at once."""
    client = proxied(
        guarded,
        scan_mode="combined",
        scan_action="block",
        policy_action="block",
        abuse_action="block",
        route_action="auto",
        sensitivity="low",
        cache_response=True,
        cache_ttl=60,
        chunk=False,
        pii_action="strip",
        compression="compact",
        compression_rate=0.3,
    )
    seen = ask(client, f"{PROSE} {PERSONAL}")

    assert (seen.sensitivity, seen.safe) == ("low", True)
    assert seen.pii_detected.detected
    assert seen.compression.applied
    assert seen.routing.enabled
    share = 0.05 * seen.routing.estimated_savings  # of what is sent: the compressed prompt
    assert seen.routing_fee_reserved == pytest.approx(share, abs=1e-9)


def test_compression_lowers_the_estimate(guarded):
    """The tokens and the cost that routing tells are of the prompt that was sent."""
    long = ask(proxied(guarded, route_action="auto"), PROSE).routing
    short = ask(proxied(guarded, route_action="auto", compression="compact"), PROSE).routing

    assert short.estimated_input_tokens < long.estimated_input_tokens
    assert short.estimated_routed_cost < long.estimated_routed_cost


BLOCKED = [
    ({"scan_action": "block"}, ATTACK, 400, lockllm.PromptInjectionError),
    ({"policy_action": "block"}, FORBIDDEN, 403, lockllm.PolicyViolationError),
    ({"abuse_action": "block"}, FLOOD, 400, lockllm.AbuseDetectedError),
    ({"pii_action": "block"}, PERSONAL, 403, lockllm.PIIDetectedError),
]


@pytest.mark.parametrize(("options", "text", "status", "kind"), BLOCKED)
def test_proxy_blocks(guarded, provider, options, text, status, kind):
    """What is blocked reaches no provider, is not to be repeated, and is the right error."""
    before = len(provider.bodies)
    error = refusal(proxied(guarded, **options), text)
    seen = parse_proxy_metadata(dict(error.response.headers))

    assert error.status_code == status
    assert type(known(error)) is kind
    assert known(error).request_id
    assert error.response.headers["x-should-retry"] == "false"
    assert seen.blocked
    assert seen.scanned
    assert len(provider.bodies) == before


@pytest.mark.parametrize(("options", "text", "status", "kind"), BLOCKED)
def test_anthropic_wrapper_blocks(guarded, provider, options, text, status, kind):
    """Anthropic's SDK raises by the status; LockLLM's parser finds its error in the same body."""
    before = len(provider.bodies)
    client = opened(
        lockllm.create_anthropic,
        f"{guarded.v1}/proxy/anthropic",
        proxy_options=ProxyOptions(**options),
    )
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(
            model="claude-sonnet-4-20250514",
            max_tokens=100,
            messages=[{"role": "user", "content": text}],
        )
    error = caught.value

    assert error.status_code == status
    assert error.response.headers["x-should-retry"] == "false"
    assert parse_proxy_metadata(dict(error.response.headers)).blocked
    assert error.response.json()["type"] == "error"
    assert len(provider.bodies) == before
    assert type(known(error)) is kind


def test_anthropic_wrapper_passes(guarded, provider):
    """The Anthropic wrapper is scanned, stripped and told about like the other."""
    client = opened(
        lockllm.create_anthropic,
        f"{guarded.v1}/proxy/anthropic",
        proxy_options=ProxyOptions(pii_action="strip"),
    )
    raw = client.messages.with_raw_response.create(
        model="claude-sonnet-4-20250514",
        max_tokens=100,
        system=PERSONAL,
        messages=[{"role": "user", "content": ATTACK}],
    )
    seen = parse_proxy_metadata(dict(raw.headers))

    assert raw.parse().content[0].text == "Hello"
    assert seen.scan_warning.injection_score > 50
    assert seen.pii_detected.entity_count == 2
    assert b"anna.berger" not in provider.bodies[-1]


@pytest.mark.parametrize(
    ("create", "path", "model"),
    [
        (lockllm.wrappers.create_client, "", "openai/gpt-4o"),
        (lockllm.wrappers.create_openai_compatible, "/openai", "gpt-4o"),
        (lockllm.wrappers.create_groq, "/groq", "llama-3.1-70b-versatile"),
    ],
)
def test_other_wrappers(guarded, provider, create, path, model):
    """The universal wrapper and those of other providers pass the options on."""
    client = opened(
        create,
        f"{guarded.v1}/proxy{path}",
        proxy_options=ProxyOptions(scan_action="block", pii_action="strip"),
    )
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": PERSONAL}]
    )
    assert parse_proxy_metadata(dict(raw.headers)).pii_detected.action == "strip"
    assert b"anna.berger" not in provider.bodies[-1]
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": ATTACK}])


async def test_async_wrapper(guarded):
    """The async wrapper raises the same, streamed too."""
    client = lockllm.create_async_openai(
        api_key=KEY,
        base_url=f"{guarded.v1}/proxy/openai",
        proxy_options=ProxyOptions(scan_action="block"),
        max_retries=0,
    )
    async with client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": ATTACK}], stream=True
            )
    assert isinstance(known(caught.value), lockllm.PromptInjectionError)


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [("gpt-4", 500, lockllm.UpstreamError), ("gpt-3.5-turbo", 429, lockllm.RateLimitError)],
)
def test_errors_of_the_provider(guarded, model, status, kind):
    """A provider that fails or throttles is the error that LockLLM's clients know for it."""
    error = refusal(proxied(guarded), HARMLESS, model=model, user=str(status))

    assert error.status_code == (502 if status == 500 else 429)
    assert type(known(error)) is kind
    assert known(error).request_id


def test_wrapper_with_an_unknown_key(guarded):
    """The proxy's refusal of a key is LockLLM's error for it."""
    client = opened(lockllm.create_openai, f"{guarded.v1}/proxy/openai", api_key="sk-unknown")
    assert isinstance(known(refusal(client, HARMLESS)), lockllm.AuthenticationError)


def test_wrapper_with_an_unknown_option(guarded):
    """An option that nobody knows is LockLLM's configuration error."""
    error = refusal(proxied(guarded, pii_action="hide"), HARMLESS)

    assert isinstance(known(error), lockllm.ConfigurationError)
    assert "allow_with_warning" in error.response.json()["error"]["message"]


def test_proxy_echoes_the_clients_own_id(guarded):
    """The id that a client sent is on the reply."""
    seen = ask(proxied(guarded), HARMLESS, extra_headers={"X-Request-Id": "mine"})

    assert seen.request_id == "mine"
