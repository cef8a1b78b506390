"""
POST /v1/messages/count_tokens: the body is that of a message, the answer one number.

``read``, ``forward`` and the errors of the dialect serve it too; for a model of another dialect
the gateway answers with its own estimate.
"""

from __future__ import annotations

import msgspec

path = "/v1/messages/count_tokens"  # below the provider's base URL, as of a dialect


def write_count(tokens_in: int) -> bytes:
    """The answer: how many tokens the body is as input."""
    return msgspec.json.encode({"input_tokens": tokens_in})
