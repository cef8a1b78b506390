"""Trying a prompt: what would be decided, and why. Nobody is called and nothing is recorded."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.admin.checks import DEFAULT, known_of, pairs
from gateway.admin.drawer import refuse
from gateway.admin.office import Office
from gateway.admin.roles import Operator, needs
from gateway.choosing import explained, unsent
from gateway.config.section import Section
from gateway.core.decision import Candidate
from gateway.core.errors import InvalidRequest
from gateway.core.request import Controls, Principal, Request, RouteAction
from gateway.wire.registry import DIALECTS

PROMPT_CHARS_MAX = 200_000


class Trial(Section, frozen=True):
    """What a client might ask, and how it would want that routed."""

    prompt: Annotated[str, Meta(min_length=1, max_length=PROMPT_CHARS_MAX)]
    system: Annotated[str, Meta(max_length=PROMPT_CHARS_MAX)] = ""
    model: Annotated[str, Meta(min_length=1, max_length=200)] = "auto"
    action: RouteAction | None = RouteAction.AUTO  # None: as the project has it
    mode: str | None = None
    project: str = DEFAULT


class Explained(msgspec.Struct, frozen=True):
    """All that a decision saw and weighed; *decision* is None where it refuses, by *refusal*."""

    id: str
    question: dict[str, Any]
    signals: dict[str, Any]
    scores: dict[str, Any]
    verdict: dict[str, Any] | None
    decision: dict[str, Any] | None
    refusal: str
    savings_nano_usd: int
    candidates: list[Candidate]


class Playground:
    """Where prompts are tried."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @needs("operator")
    async def decide(self, who: Operator, value: Trial) -> Explained:
        """
        Decide on a prompt, calling nobody.

        Raises:
            InvalidRequest, ModelNotFound: a name of nothing.
            Unavailable: no gateway runs here.
        """
        gateway = self._office.running()
        if value.mode is not None:
            refuse(pairs(known_of(self._office).mode("$.mode", value.mode)))
        request = self._request(value)
        reading, found = await explained(request, gateway.readers, gateway.routing)
        decision = found.decision
        return Explained(
            id=request.id,
            question=msgspec.to_builtins(reading.question),
            signals=msgspec.to_builtins(reading.signals),
            scores=msgspec.to_builtins(reading.scores),
            verdict=msgspec.to_builtins(reading.verdict),
            decision=None if decision is None else msgspec.to_builtins(decision),
            refusal=found.refusal,
            savings_nano_usd=0 if decision is None else decision.savings_nano_usd,
            candidates=list(found.candidates),
        )

    def _request(self, value: Trial) -> Request:
        turns = [{"role": "system", "content": value.system}] if value.system else []
        turns.append({"role": "user", "content": value.prompt})
        body = msgspec.json.encode({"model": value.model, "messages": turns})
        controls = Controls(action=value.action, mode=value.mode)
        chat = DIALECTS["openai_chat"].read(body)
        made = unsent(chat, self._office.clock, controls)
        caller = caller_of(self._office, value.project, "playground")
        return msgspec.structs.replace(made, body=body, principal=caller)


def caller_of(office: Office, project: str, key_id: str) -> Principal:
    """A caller of *project* and its tenant. Raises InvalidRequest where there is no such."""
    fact = office.replica.facts.of("project").get(project)
    if fact is None and project not in {DEFAULT, *office.settings().config.projects}:
        raise InvalidRequest("There is no such project.", param="project", status=422)
    return Principal(project=project, key_id=key_id, tenant=getattr(fact, "tenant", DEFAULT))
