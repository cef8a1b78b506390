"""Simulated embeddings: unit vectors that depend on the words of a text and nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.core.chat import Chat, Opaque, Text
from gateway.core.errors import InvalidRequest
from gateway.core.request import Kind
from gateway.simulated.chats import tokens_in_of
from gateway.simulated.reply import Reply
from gateway.wire import openai_embeddings
from gateway.wire.decode import decode

DIMENSIONS = 1536  # of OpenAI's small model, and of any that is not named here
DIMENSIONS_OF = {
    "text-embedding-3-large": 3072,
    "gemini-embedding-001": 3072,
    "mistral-embed": 1024,
}
DIMENSIONS_MAX = 4096  # above what any known model has
INPUTS_MAX = 2048  # documented maximum of one request
TOKEN_IDS = msgspec.json.Decoder(list[int | list[int]])
WHOLE = msgspec.json.Decoder(int)
FORMAT = msgspec.json.Decoder(str)


def reply_to_embedding(body: bytes, created_s: int) -> Reply:
    """
    The reply to *body*; embeddings tell no time.

    Raises:
        InvalidRequest: the dialect cannot read it, or a member is out of range.
    """
    chat = openai_embeddings.read(body)
    inputs = list(inputs_of(chat))
    if not 0 < len(inputs) <= INPUTS_MAX:
        raise InvalidRequest(f"{len(inputs)} inputs are not 1 to {INPUTS_MAX}.", param="input")
    size = dimensions_of(chat)
    form = decode(FORMAT, chat.extra.get("encoding_format", b'"float"'), "encoding_format")
    if form not in ("float", "base64"):
        raise InvalidRequest("It is either float or base64.", param="encoding_format")
    rows = []
    for index, words in enumerate(inputs):
        vector = vector_of(words, size)
        shown = vector.tolist() if form == "float" else base64.b64encode(vector.tobytes()).decode()
        rows.append({"object": "embedding", "index": index, "embedding": shown})
    tokens = tokens_in_of(chat, Kind.EMBEDDING)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer = {"object": "list", "data": rows, "model": chat.model, "usage": usage}
    return Reply(chat.model, msgspec.json.encode(answer))


def inputs_of(chat: Chat) -> Iterator[list[str]]:
    """The words of each input; of token ids the numbers stand for them."""
    for part in chat.turns[0].parts:
        if isinstance(part, Text):
            yield part.text.lower().split()
        elif isinstance(part, Opaque):
            ids = TOKEN_IDS.decode(part.json)
            nested = [entry for entry in ids if isinstance(entry, list)]
            for entry in nested:
                yield [str(number) for number in entry]
            if not nested:
                yield [str(number) for number in ids]


def dimensions_of(chat: Chat) -> int:
    """How long the vectors are, as the client wishes or as the model has them."""
    wish = chat.extra.get("dimensions", b"null")
    if wish == b"null":
        return DIMENSIONS_OF.get(chat.model, DIMENSIONS)
    size = decode(WHOLE, wish, "dimensions")
    if not 0 < size <= DIMENSIONS_MAX:
        raise InvalidRequest(f"{size} is not 1 to {DIMENSIONS_MAX}.", param="dimensions")
    return size


def vector_of(words: list[str], size: int) -> NDArray[np.float32]:
    """A unit vector; texts that share their beginning in words are the closer for it."""
    text = " ".join(words)
    parts = (text, " ".join(words[: (len(words) + 1) // 2]))
    total = sum(_direction(part, size) for part in parts)
    return np.asarray(total / np.linalg.norm(total), dtype="<f4")


def _direction(text: str, size: int) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).standard_normal(size)
