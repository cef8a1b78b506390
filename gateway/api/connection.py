"""What a connection answers by itself: to bytes that never became a request."""

from __future__ import annotations

import logging
import traceback

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from gateway.core.errors import InternalError, InvalidRequest, SwitchyardError
from gateway.wire.registry import DIALECTS

log = logging.getLogger("switchyard")

HEAD_TOO_LARGE = 431  # RFC 6585


class Connection(web.RequestHandler):
    """Answers in JSON where aiohttp would in plain text, and logs nothing that a client sent."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """
        The answer to a head that cannot be read, or to a fault of ours beyond the last resort; then
        the connection ends.

        Raises:
            ConnectionError: an answer has begun.
        """
        what = type(exc).__name__
        error: SwitchyardError
        if status >= InternalError.status:
            trace = "".join(traceback.format_tb(exc.__traceback__)) if exc is not None else ""
            log.error("answer failed: %s\n%s", what, trace)
            error = InternalError("The gateway failed.", status=status)
        else:
            log.warning("a connection sent no readable request: %s", what)
            error = _unreadable(exc, self.max_field_size)
        if request.writer.output_size > 0:
            raise ConnectionError("The answer broke off.")
        # Which dialect the client speaks, only the head would have told.
        code, body = DIALECTS["openai_chat"].error_body(error, "")
        response = web.Response(status=code, body=body, content_type="application/json")
        response.force_close()
        return response


def _unreadable(exc: BaseException | None, limit_bytes: int) -> InvalidRequest:
    if isinstance(exc, LineTooLong):
        message = f"A line before the body is longer than the limit of {limit_bytes} bytes."
        return InvalidRequest(message, status=HEAD_TOO_LARGE)
    return InvalidRequest("This is no readable HTTP/1.1 request.")
