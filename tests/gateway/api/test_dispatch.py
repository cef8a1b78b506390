"""NeuralRouting's dispatch where the model that its metric is named for is not served."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.gateway import running_gateway

ONLY_GROQ = """
providers: {groq: {simulated: true}}
simulation: {enabled: "off", speed: 0}
state: {database_url: "sqlite:///DATABASE"}
"""


def test_the_estimate_for_gpt4_needs_no_deployment(tmp_path):
    """It is known what gpt-4 would have cost, 30 and 60 USD per million tokens."""
    config = ONLY_GROQ.replace("DATABASE", str(tmp_path / "records.db"))
    with running_gateway(config, tmp_path) as gateway:
        named = {"model": "gpt-4", "messages": [{"role": "user", "content": "Say hello."}]}
        assert httpx.post(f"{gateway.v1}/chat/completions", json=named).status_code == 404
        answered = httpx.post(f"{gateway.v1}/dispatch", json={"messages": named["messages"]})

    metrics = answered.json()["business_metrics"]
    assert 0 < metrics["cost_usd"] < metrics["estimated_gpt4_cost"]
    assert metrics["savings_percentage"] == pytest.approx(
        100 * (1 - metrics["cost_usd"] / metrics["estimated_gpt4_cost"]), abs=0.01
    )
    assert float(answered.headers["X-Switchyard-Estimated-Savings"]) > 0
