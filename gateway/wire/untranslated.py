"""What a dialect that is only ever passed through answers to a wish for translation."""

from __future__ import annotations

from typing import NoReturn

from gateway.core.chat import Answer, Chat
from gateway.core.errors import InvalidRequest


class Untranslated:
    """
    Refusals of one endpoint. *endpoint* and *dialect* stand in the message: a client should read
    which deployments can serve it.
    """

    def __init__(self, endpoint: str, dialect: str) -> None:
        self._message = (
            f"A request for {endpoint} is not translated: it can only be served by a deployment "
            f"of the OpenAI family with the capability for it, as {dialect}."
        )

    def write(
        self, chat: Chat, *, model: str, max_tokens: int, omit: tuple[str, ...] = ()
    ) -> tuple[bytes, tuple[str, ...]]:
        """Refuse."""
        self._refuse()

    def read_answer(self, body: bytes) -> Answer:
        """Refuse."""
        self._refuse()

    def write_answer(self, answer: Answer, model: str) -> bytes:
        """Refuse."""
        self._refuse()

    def stream_reader(self) -> NoReturn:
        """Refuse."""
        self._refuse()

    def stream_writer(
        self, answer_id: str, model: str, *, created_s: int, include_usage: bool
    ) -> NoReturn:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InvalidRequest(self._message, code="endpoint_not_translated")
