"""Tests of gateway.simulated.embeddings."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from gateway.core.errors import InvalidRequest
from gateway.simulated.embeddings import reply_to_embedding, vector_of


def embedded(**members: object) -> dict[str, object]:
    """The decoded answer."""
    body = json.dumps({"model": "text-embedding-3-small", "input": "one"} | members).encode()
    return json.loads(reply_to_embedding(body, 17).body)


@pytest.mark.parametrize(
    ("members", "size"),
    [
        ({}, 1536),
        ({"model": "text-embedding-3-large"}, 3072),
        ({"model": "unheard-of"}, 1536),
        ({"dimensions": 8}, 8),
        ({"dimensions": None}, 1536),
    ],
)
def test_dimensions(members: dict[str, object], size: int) -> None:
    """A vector is as long as the model's, or as was asked for, and of length 1."""
    vector = np.array(embedded(**members)["data"][0]["embedding"])

    assert vector.size == size
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_base64_holds_the_same_numbers() -> None:
    """The SDK asks for base64 of little-endian float32 and decodes it itself."""
    plain = embedded(dimensions=8)["data"][0]["embedding"]
    packed = embedded(dimensions=8, encoding_format="base64")["data"][0]["embedding"]

    assert np.frombuffer(base64.b64decode(packed), dtype="<f4").tolist() == plain


@pytest.mark.parametrize(
    ("given", "rows"),
    [("one", 1), (["one", "two"], 2), ([1, 2], 1), ([[1], [2, 3]], 2), ("", 1)],
)
def test_inputs(given: object, rows: int) -> None:
    """Texts and token ids, one or many, get a vector each, in order."""
    answer = embedded(input=given, dimensions=4)

    assert [row["index"] for row in answer["data"]] == list(range(rows))
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"]


def test_vectors_depend_on_the_words() -> None:
    """The same words give the same vector, and a common beginning gives a near one."""
    cats, dogs = (vector_of(["all", "about", "my", animal], 256) for animal in ("cats", "dogs"))
    other = vector_of(["something", "else"], 256)

    assert np.array_equal(cats, vector_of(["all", "about", "my", "cats"], 256))
    assert cats @ other < cats @ dogs < 0.9


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 5000}, "dimensions"),
        ({"dimensions": "many"}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"encoding_format": 5}, "encoding_format"),
    ],
)
def test_refusals(members: dict[str, object], param: str) -> None:
    """What is out of range is the client's error, with the name of the field."""
    with pytest.raises(InvalidRequest) as caught:
        embedded(**members)

    assert caught.value.param == param
