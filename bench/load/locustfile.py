"""
Users of a gateway, for locust (``pip install locust``); see bench/README.md.

    locust -f bench/load/locustfile.py --host http://127.0.0.1:8080
"""

from __future__ import annotations

import os
import time

from locust import HttpUser, between, task

KEY = os.environ.get("SWITCHYARD_KEY", "unused")
MODEL = os.environ.get("SWITCHYARD_MODEL", "auto")
HEADERS = {"Authorization": f"Bearer {KEY}"}
PATH = "/v1/chat/completions"


def chat(prompt: str, *, stream: bool = False) -> dict[str, object]:
    """The body of a request."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": MODEL, "messages": messages, "max_tokens": 100, "stream": stream}


class Person(HttpUser):
    """Asks, reads for a few seconds, asks again."""

    wait_time = between(1, 5)

    @task(5)
    def question(self) -> None:
        """A short question, answered whole."""
        self.client.post(PATH, json=chat("What is the capital of Australia?"), headers=HEADERS)

    @task(3)
    def conversation(self) -> None:
        """A stream; the time to its first event is reported under its own name."""
        asked = chat("Explain how a heat pump works, step by step.", stream=True)
        begun_s = time.perf_counter()
        first_s = None
        with self.client.post(
            PATH, json=asked, headers=HEADERS, stream=True, name=f"{PATH} [stream]"
        ) as answer:
            for line in answer.iter_lines():
                if line and first_s is None:
                    first_s = time.perf_counter() - begun_s
        if first_s is not None:
            self.environment.events.request.fire(
                request_type="SSE",
                name="first event",
                response_time=first_s * 1000,
                response_length=0,
                exception=None,
                context={},
            )

    @task(1)
    def code(self) -> None:
        """Something harder."""
        asked = chat("Write a lock-free queue in C++ and prove that it cannot lose an element.")
        self.client.post(PATH, json=asked, headers=HEADERS)
