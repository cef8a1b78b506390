"""Tests of gateway/compress/compress.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compress.compress import METHODS, compress_body, compress_text

PROSE = (
    "The boats came back in the evening and the people of the village went down to the shore. "
    "They carried the baskets up the hill, where the women had lit a fire under the old kettle. "
) * 4
ROWS = json.dumps([{"id": row, "name": f"user {row}", "active": True} for row in range(20)])
MARK = {"type": "ephemeral"}


def body_of(request: dict[str, Any]) -> bytes:
    """*request* as a client might write it."""
    return json.dumps(request, ensure_ascii=False, indent=1).encode()


def texts_of(body: bytes) -> list[Any]:
    """The contents of the messages of *body*."""
    return [message["content"] for message in json.loads(body)["messages"]]


def test_toon() -> None:
    """A list of rows takes fewer tokens, and the figures say how many."""
    done = compress_text(ROWS, "toon")
    assert done.applied
    assert done.text.startswith("[20]{id,name,active}:")
    assert done.ratio == len(done.text) / len(ROWS) < 0.5
    assert done.tokens_after < done.tokens_before


@pytest.mark.parametrize("text", [PROSE, f"Rows:\n{ROWS}", f"{ROWS}\nList them.", '["a"]', ""])
def test_toon_leaves_what_is_not_json(text: str) -> None:
    """Only a text that is JSON as a whole is rewritten, and only when it gets shorter."""
    done = compress_text(text, "toon")
    assert (done.text, done.applied, done.ratio) == (text, False, 1.0)


def test_compact() -> None:
    """Prose is shortened to about the rate, short texts and JSON are not."""
    assert 0.4 < compress_text(PROSE, "compact", 0.5).ratio <= 0.5
    assert not compress_text("Would you please tell me the time?", "compact", 0.3).applied
    assert not compress_text(ROWS, "compact", 0.3).applied


def test_combined() -> None:
    """JSON goes by toon, prose by compact, and JSON inside of prose stays to the letter."""
    assert compress_text(ROWS, "combined").text == compress_text(ROWS, "toon").text
    assert compress_text(PROSE, "combined").text == compress_text(PROSE, "compact").text
    assert ROWS in compress_text(f"{PROSE}\n{ROWS}\n{PROSE}", "combined").text


@pytest.mark.parametrize(("method", "rate"), [("zip", 0.5), ("compact", 0.2), ("compact", 0.8)])
def test_refuses_other_values(method: str, rate: float) -> None:
    """A method or rate that is not offered is the caller's mistake."""
    with pytest.raises(ValueError, match=r"method|rate"):
        compress_text(PROSE, method, rate)


@given(st.text(max_size=300), st.sampled_from(METHODS))
def test_never_costs_tokens(text: str, method: str) -> None:
    """Whatever the text, it takes no more tokens than before."""
    done = compress_text(text * 3, method, 0.3)
    assert done.tokens_after <= done.tokens_before
    assert done.applied == (done.text != text * 3)


def test_body_of_openai() -> None:
    """System and user texts are compacted; the assistant's and a tool's prose are not."""
    part = {"type": "text", "text": PROSE}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ROWS}}
    body = body_of({
        "model": "m",
        "messages": [
            {"role": "system", "content": PROSE},
            {"role": "user", "content": [part, image]},
            {"role": "assistant", "content": PROSE, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": PROSE},
            {"role": "tool", "tool_call_id": "c1", "content": ROWS},
        ],
    })  # fmt: skip
    made = compress_body(body, "openai_chat", "combined", 0.5)
    assert made is not None
    system, user, assistant, prose, rows = texts_of(made[0])
    assert len(system) < len(PROSE)
    assert len(user[0]["text"]) < len(PROSE)
    assert (user[1], assistant, prose) == (image, PROSE, PROSE)
    assert rows == compress_text(ROWS, "toon").text
    assert json.loads(made[0])["messages"][2]["tool_calls"] == [call]
    summary = made[1]
    assert (summary.texts, summary.applied, summary.method) == (3, True, "combined")
    assert summary.original_length == 3 * len(PROSE) + len(ROWS)
    assert summary.ratio < 0.7
    assert summary.tokens_after < summary.tokens_before


def test_tool_results_only_by_toon() -> None:
    """A tool's result is left alone by compact, JSON or not."""
    messages = [{"role": "tool", "tool_call_id": "c", "content": text} for text in (PROSE, ROWS)]
    body = body_of({"model": "m", "messages": messages})
    assert compress_body(body, "openai_chat", "compact", 0.3) is None
    made = compress_body(body, "openai_chat", "toon", 0.3)
    assert made is not None
    assert made[1].texts == 1


def test_nothing_gained() -> None:
    """Short requests, embeddings and objects that nobody reads are sent as they are."""
    short = body_of({"model": "m", "messages": [{"role": "user", "content": "Hello there"}]})
    assert compress_body(short, "openai_chat", "combined", 0.5) is None
    vectors = body_of({"model": "m", "input": PROSE})
    assert compress_body(vectors, "openai_embeddings", "compact", 0.5) is None
    wide = {"role": "user", "content": PROSE, **{f"x{k}": 0 for k in range(300)}}
    assert compress_body(body_of({"messages": [wide]}), "openai_chat", "compact", 0.5) is None


def test_prefix_does_not_depend_on_later_turns() -> None:
    """A turn is compressed the same when it has become history: prefixes stay in the cache."""
    first = [{"role": "system", "content": PROSE}, {"role": "user", "content": f"{PROSE}\n\nWhy?"}]
    later = [
        *first,
        {"role": "assistant", "content": "So."},
        {"role": "user", "content": f"What of the kettle?\n\n{PROSE}"},
    ]
    made = [
        compress_body(body_of({"messages": m}), "openai_chat", "compact", 0.3)
        for m in (first, later)
    ]
    assert made[0] is not None
    assert made[1] is not None
    assert texts_of(made[1][0])[:2] == texts_of(made[0][0])


def test_the_ask_of_another_part_counts() -> None:
    """A question beside a document decides what of the document stays."""
    fact = "A lamp of green glass hung over the counter of the shop. "
    parts = [{"type": "text", "text": t} for t in (PROSE + fact + PROSE, "Where was the lamp?")]
    body = body_of({"messages": [{"role": "user", "content": parts}]})
    made = compress_body(body, "openai_chat", "compact", 0.3)
    assert made is not None
    assert fact.strip() in texts_of(made[0])[0][0]["text"]


def test_cache_mark() -> None:
    """Texts up to a cache mark stay, unless they are asked for."""
    marked = {"type": "text", "text": PROSE, "cache_control": MARK}
    body = body_of({
        "system": [marked],
        "messages": [{"role": "user", "content": PROSE}],
    })  # fmt: skip
    made = compress_body(body, "anthropic_messages", "compact", 0.5)
    assert made is not None
    assert made[1].texts == 1
    assert json.loads(made[0])["system"] == [marked]
    made = compress_body(body, "anthropic_messages", "compact", 0.5, even_cached=True)
    assert made is not None
    assert made[1].texts == 2
