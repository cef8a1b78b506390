"""What the load asks: a short question, a long text to shorten, and a step of a coding agent."""

from __future__ import annotations

import json

from bench.servers import KEY

MODEL = "gpt-4o"  # real, so that disabled and auto have a model to keep or to change

ARTICLE = (
    "The harbour was quiet when the first boats came back. Prices for herring had fallen by 12 % "
    "since March, and nobody expected them to recover before the autumn. "
) * 12
CODE = (
    "def merge(left: list[int], right: list[int]) -> list[int]:\n"
    "    out = []\n"
    "    while left and right:\n"
    "        out.append(left.pop(0) if left[0] <= right[0] else right.pop(0))\n"
    "    return out + left + right\n\n"
) * 6

CHATS = (
    [{"role": "user", "content": "What is the capital of Australia?"}],
    [
        {"role": "system", "content": "You are a helpful assistant for a newspaper."},
        {"role": "user", "content": f"Summarize this in two sentences:\n\n{ARTICLE}"},
    ],
    [
        {"role": "system", "content": "You are a careful programmer. Answer with a patch only."},
        {"role": "user", "content": f"Here is the module:\n\n```python\n{CODE}```"},
        {"role": "assistant", "content": "I have read it. What shall I change?"},
        {
            "role": "user",
            "content": "Make merge run in linear time, and keep it stable. Add tests.",
        },
    ],
)


def requests(*, stream: bool = False, headers: str = "") -> list[bytes]:
    """Each chat as a whole HTTP request, with extra *headers* (each ends in CRLF)."""
    return [_request(chat, stream=stream, headers=headers) for chat in CHATS]


def _request(chat: list[dict[str, str]], *, stream: bool, headers: str) -> bytes:
    asked: dict[str, object] = {"model": MODEL, "messages": chat, "max_tokens": 300}
    if stream:
        asked["stream"] = True
    body = json.dumps(asked, separators=(",", ":")).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Accept: application/json\r\n"
        "Content-Type: application/json\r\n"
        "User-Agent: OpenAI/Python 2.0.0\r\n"
        "X-Stainless-Lang: python\r\n"
        "X-Stainless-Retry-Count: 0\r\n"
        "X-Stainless-Read-Timeout: 600\r\n"
        f"Authorization: Bearer {KEY}\r\n"
        f"{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
