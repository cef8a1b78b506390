"""
Every error that reaches a client, and whose fault it is.

    SwitchyardError
    |- ClientError                 the request is at fault; sending it again changes nothing
    |  |- InvalidRequest           400  malformed body, wrong type, unknown control value
    |  |- Unauthenticated          401  no key, or one we do not know
    |  |- Forbidden                403  the key may not do this
    |  |- NotFound                 404  unknown path, model or decision
    |  |- MethodNotAllowed         405
    |  |- RequestTimeout           408  the body did not arrive in time
    |  |- Conflict                 409  it exists already, or somebody else has changed it
    |  |- BodyTooLarge             413
    |- PolicyError                 the operator's limits are at fault
    |  |- NoEligibleModel          422  no deployment may serve this request
    |  |- CostLimitExceeded        402  cheapest eligible model costs more than the limit
    |  |- SpendLimitReached        402  of a key, project, tenant or provider
    |  |- CreditsMissing           402  the tenant's balance does not cover it
    |  |- RateLimited              429  of a key, project or tenant; come back after retry_after_s
    |- ContentError                what the prompt holds is not let through
    |  |- AttackBlocked            400  an order to the model that is not the caller's to give
    |  |- PolicyViolated           403  a content policy of the operator
    |  |- AbuseBlocked             400  floods, endless output
    |  |- PersonalDataBlocked      403  personal data or a secret
    |- UpstreamError               a provider is at fault
    |  |- UpstreamRefused          4xx  passed on: the upstream's own status and message
    |  |- UpstreamThrottled        429  every deployment asked us to wait
    |  |- UpstreamUnavailable      502  every attempt failed
    |  |- UpstreamTimeout          504  no answer before the deadline
    |- InternalError               we are at fault
       |- Overloaded               503  shed before any work; come back after retry_after_s
       |- Unavailable              503  infrastructure of ours does not answer
       |- Draining                 503  shutting down
       |- Unscanned                503  no verdict on the prompt, and none may pass without

``status`` is the HTTP status on the OpenAI surface, ``code`` the public code, ``retry`` whether
the client's SDK should send the request again. Dialects turn an error into their own body.
Messages never hold prompt text, keys or personal data.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.limits import MeterState


class SwitchyardError(Exception):
    """Root of the tree; never raised itself."""

    status = 500
    code = "internal_error"
    retry = False

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.body = body  # the upstream's own error body, when its dialect is the client's
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class ClientError(SwitchyardError):
    """The request is at fault."""

    status = 400
    code = "invalid_request"


class InvalidRequest(ClientError):
    """Malformed body, wrong type, unknown control value; ``param`` names the field."""


class Unauthenticated(ClientError):
    """No key, or one we do not know."""

    status = 401
    code = "invalid_api_key"


class Forbidden(ClientError):
    """The key may not do this."""

    status = 403
    code = "permission_denied"


class NotFound(ClientError):
    """Unknown path or decision."""

    status = 404
    code = "not_found"


class ModelNotFound(NotFound):
    """No deployment serves this model."""

    code = "model_not_found"


class MethodNotAllowed(ClientError):
    """The path exists, with another method: those in *allow*, the value of that header."""

    status = 405
    code = "method_not_allowed"
    allow = ""


class RequestTimeout(ClientError):
    """The client took too long to send its request; the message carries the limit."""

    status = 408
    code = "request_timeout"


class Conflict(ClientError):
    """What is to be made exists already, or what is to be changed has changed meanwhile."""

    status = 409
    code = "conflict"


class BodyTooLarge(ClientError):
    """The body is larger than the limit; the message carries both numbers."""

    status = 413
    code = "request_too_large"


class PolicyError(SwitchyardError):
    """A limit that the operator or the client set leaves nothing to do."""

    status = 422
    code = "policy_error"


class NoEligibleModel(PolicyError):
    """No deployment may serve this request; the message says what each lacked."""

    code = "no_eligible_model"


class CostLimitExceeded(PolicyError):
    """The cheapest eligible model costs more than the limit; the message carries both numbers."""

    status = 402
    code = "cost_limit_exceeded"


class SpendLimitReached(PolicyError):
    """A spend limit leaves too little; the message names it, with its numbers."""

    status = 402
    code = "spend_limit_reached"


class CreditsMissing(PolicyError):
    """
    The tenant's credits do not cover the request; *code* says what is missing, the details the
    *balance_nano_usd* and the *estimate_nano_usd*.
    """

    status = 402
    code = "insufficient_credits"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str = code,
        balance_nano_usd: int = 0,
        estimate_nano_usd: int = 0,
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.balance_nano_usd = balance_nano_usd
        self.estimate_nano_usd = estimate_nano_usd


class RateLimited(PolicyError):
    """Too many requests or tokens in a window, or too many at once; the message has the numbers."""

    status = 429
    code = "rate_limit_exceeded"
    retry = True
    states: Sequence[MeterState] = ()  # of the caller's limits


class ContentError(SwitchyardError):
    """What the prompt holds is not let through; *details* says what was found, never its words."""

    status = 400
    code = "content_error"

    def __init__(
        self, message: str, details: dict[str, object] | None = None, *, param: str | None = None
    ) -> None:
        super().__init__(message, param=param)
        self.details = details or {}


class AttackBlocked(ContentError):
    """An injection, a jailbreak, or an order hidden in a document."""

    code = "prompt_injection_detected"


class PolicyViolated(ContentError):
    """The operator's content policies forbid it."""

    status = 403
    code = "policy_violation"


class AbuseBlocked(ContentError):
    """A flood, or an ask for endless output."""

    code = "abuse_detected"


class PersonalDataBlocked(ContentError):
    """Personal data or a secret, and the client or the operator wants none sent."""

    status = 403
    code = "pii_detected"


class UpstreamError(SwitchyardError):
    """A provider is at fault."""

    status = 502
    code = "provider_error"


class UpstreamRefused(UpstreamError):
    """The upstream refused this request as such; its own status and message are passed on."""

    status = 400
    code = "upstream_refused"


class UpstreamThrottled(UpstreamError):
    """Every eligible deployment asked us to wait."""

    status = 429
    code = "rate_limit_exceeded"
    retry = True


class UpstreamUnavailable(UpstreamError):
    """Every attempt failed."""


class UpstreamTimeout(UpstreamError):
    """No answer before the deadline."""

    status = 504
    code = "timeout"


class InternalError(SwitchyardError):
    """We are at fault."""


class Overloaded(InternalError):
    """Shed before any work was done."""

    status = 503
    code = "overloaded"
    retry = True


class Unavailable(InternalError):
    """Infrastructure of ours does not answer."""

    status = 503
    code = "unavailable"
    retry = True


class Unscanned(InternalError):
    """There is no verdict on the prompt, and the operator lets none pass without one."""

    status = 503
    code = "unscanned"
    retry = True


class Draining(InternalError):
    """This replica is shutting down; another one will answer."""

    status = 503
    code = "draining"
    retry = True
