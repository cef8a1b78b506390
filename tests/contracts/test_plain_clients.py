"""Prism, NeuralRouting and RBAOS publish no package: plain HTTP as their documentation shows it."""

from __future__ import annotations

import httpx
import pytest

HELLO = [{"role": "user", "content": "Say hello in French."}]
# So plain that the classifier is sure of it, and so easy that a cheap model will do.
PLAIN = [
    {
        "role": "user",
        "content": "Summarize this in one sentence: The shop opens at nine, closes at six, and "
        "is shut on Sundays. On holidays it opens at ten.",
    }
]


@pytest.fixture
def http(simulated):
    """A plain client."""
    with httpx.Client(base_url=simulated.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("mode", ["eco", "balanced", "sport"])
def test_prism_mode(http, mode):
    """A mode on an ordinary route, and the reply in Prism's words."""
    reply = http.post(
        "/v1/chat/completions",
        json={"model": "auto", "messages": HELLO},
        headers={"X-Prism-Mode": mode},
    )

    assert reply.status_code == 200
    assert reply.headers["x-prism-model"]
    assert reply.headers["x-prism-task-type"] in {"simple", "code", "reasoning", "complex"}


def test_prism_pin(http):
    """A pinned model answers."""
    reply = http.post(
        "/v1/chat/completions",
        json={"model": "auto", "messages": HELLO},
        headers={"X-Prism-Model-Prefer": "gpt-4o"},
    )

    assert reply.headers["x-prism-model"] == "gpt-4o"


def test_prism_unknown_mode(http):
    """An unknown value is a 400 that lists the allowed ones."""
    reply = http.post(
        "/v1/chat/completions",
        json={"model": "auto", "messages": HELLO},
        headers={"X-Prism-Mode": "warp"},
    )

    assert reply.status_code == 400
    assert "eco, balanced, sport" in reply.json()["error"]["message"]
    assert reply.json()["error"]["param"] == "X-Prism-Mode"


@pytest.mark.parametrize("mode", ["auto", "cost", "speed", "quality"])
def test_neuralrouting_dispatch(http, mode):
    """The dispatch answers with its own reply object."""
    reply = http.post(
        "/v1/dispatch",
        json={"messages": HELLO, "routing_mode": mode, "session_id": "s1"},
        headers={"X-API-KEY": "nr_live_1"},
    ).json()

    assert reply["status"] == "success"
    assert reply["model_used"]
    assert "simulated" in reply["output"]["ai_answer"]
    metrics = reply["business_metrics"]
    assert metrics["cost_usd"] > 0
    assert metrics["savings_percentage"] == pytest.approx(
        100 * (1 - metrics["cost_usd"] / metrics["estimated_gpt4_cost"]), abs=0.01
    )


def test_neuralrouting_stream(http):
    """The stream is OpenAI's and ends with [DONE]."""
    body = {"messages": HELLO, "routing_mode": "cost"}
    with http.stream("POST", "/v1/dispatch/stream", json=body) as reply:
        text = "".join(reply.iter_text())

    assert text.startswith("data: {")
    assert text.rstrip().endswith("data: [DONE]")


def test_rbaos_auto_with_a_hint(http):
    """The task hint decides the task type; the decision can be read afterwards."""
    reply = http.post(
        "/v1/chat/completions",
        json={"model": "auto", "messages": HELLO, "x-task-type": "code-review"},
    )
    found = http.get(f"/v1/decisions/{reply.headers['x-switchyard-request-id']}").json()

    assert reply.headers["x-switchyard-task-type"] == "Code Generation"
    assert found["decision"]["incomingModel"] == "auto"
    assert found["decision"]["finalModel"] == reply.headers["x-switchyard-selected-model"]
    assert set(found["decision"]) >= {
        "requestSignals",
        "matchedRule",
        "recommendedModel",
        "providerHealthy",
        "estimatedCostUSD",
        "withinCostLimit",
        "routingLatencyMs",
    }


def test_rbaos_explicit_model_is_never_rerouted(http):
    """A named model is served as named."""
    reply = http.post("/v1/chat/completions", json={"model": "gpt-4", "messages": HELLO})

    assert reply.headers["x-switchyard-selected-model"] == "gpt-4"
    assert reply.headers["x-switchyard-route-enabled"] == "false"


def test_observe_changes_nothing(http):
    """Observe reports what it would do, and the named model answers."""
    reply = http.post(
        "/v1/chat/completions",
        json={"model": "gpt-4", "messages": PLAIN},
        headers={"X-Switchyard-Route-Action": "observe"},
    )

    assert reply.headers["x-switchyard-selected-model"] == "gpt-4"
    assert reply.headers["x-switchyard-would-model"] != "gpt-4"
    assert reply.json()["model"].startswith("gpt-4")


def test_route_explains_every_candidate(http):
    """POST /v1/route decides without calling and says why the others lost."""
    found = http.post("/v1/route", json={"messages": HELLO}).json()

    assert found["decision"]["ranking"][0]
    assert len(found["candidates"]) > 10
    assert any(candidate["lost"] for candidate in found["candidates"])


def test_feedback(http):
    """
    A thumb is accepted for a known request and refused for another. Where nobody knows what kind of
    work it was the reply says that the thumb moves nothing.
    """
    reply = http.post("/v1/chat/completions", json={"model": "auto", "messages": HELLO})
    named = http.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": HELLO})
    request_id = reply.headers["x-switchyard-request-id"]

    accepted = http.post("/v1/feedback", json={"id": request_id, "thumb": "up", "comment": "good"})
    refused = http.post("/v1/feedback", json={"id": "req_unknown", "thumb": "up"})
    unrouted = {"id": named.headers["x-switchyard-request-id"], "score": 0.2}
    unmoved = http.post("/v1/feedback", json=unrouted).json()

    assert accepted.json() == {"status": "accepted", "id": request_id, "counted": True}
    assert (unmoved["status"], unmoved["counted"]) == ("accepted", False)
    assert "not classified" in unmoved["reason"]
    assert refused.status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "hint"),
    [
        ("/v1/v1/chat/completions", 404, "twice"),
        ("/chat/completions", 404, "Did you mean /v1/chat/completions"),
        ("/v1/proxy/nobody/chat/completions", 404, "Unknown provider"),
    ],
)
def test_wrong_paths_say_what_to_do(http, path, status, hint):
    """The usual mistakes with a base URL get a hint."""
    reply = http.post(path, json={"model": "auto", "messages": HELLO})

    assert reply.status_code == status
    assert hint in reply.json()["error"]["message"]


def test_trailing_slash(http):
    """A trailing slash is tolerated."""
    reply = http.post("/v1/chat/completions/", json={"model": "auto", "messages": HELLO})

    assert reply.status_code == 200


def test_probes(http):
    """Alive, ready, and metrics with bounded labels."""
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json()["status"] == "ready"
    text = http.get("/metrics").text
    assert "switchyard_in_flight" in text
    assert http.get("/v1/providers/health").status_code == 200
