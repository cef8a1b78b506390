"""Try a prompt: see the decision with every candidate, and the answer of the model it chose."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from gateway.admin.pages_visit import Visit, do
from gateway.admin.playground import caller_of
from gateway.choosing import explained
from gateway.core.errors import InvalidRequest, SwitchyardError
from gateway.core.ids import request_id
from gateway.core.request import Controls, Kind, Request, RouteAction
from gateway.decide.explain import Explanation
from gateway.pipeline import Gateway, Served, serve
from gateway.reading import Reading
from gateway.wire.registry import DIALECTS

DIALECT = "openai_chat"
PATH = "/admin/playground"
TOKENS_MAX = 1024  # of an answer, unless the form says otherwise
TOKENS_MOST = 32_768
PROMPT_CHARS_MAX = 50_000
DEADLINE_S = 120.0
SHOWN_CHARS = 100_000  # of an answer


class Message(msgspec.Struct):
    """Part of an answer in OpenAI's dialect."""

    content: str | None = None


class Choice(msgspec.Struct):
    """Part of an answer in OpenAI's dialect."""

    message: Message


class Answer(msgspec.Struct):
    """What is shown of an answer in OpenAI's dialect."""

    choices: list[Choice] = []


class Trial(msgspec.Struct, frozen=True):
    """What came of a prompt. *answer* and *failure* are "" where nothing was sent."""

    id: str
    reading: Reading
    found: Explanation
    answer: str = ""
    failure: str = ""
    served: Served | None = None


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/playground."""
    return page(visit, None)


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/playground: decide, or decide and send. A viewer's tries would cost money."""
    visit.who.check("operator")
    return await do(visit, {"decide": decide, "send": send})


async def decide(visit: Visit) -> web.StreamResponse:
    """What the prompt would get; nobody is asked to answer."""
    gateway = visit.office.running()
    request = request_of(visit, gateway)
    reading, found = await explained(request, gateway.readers, gateway.routing)
    return page(visit, Trial(request.id, reading, found))


async def send(visit: Visit) -> web.StreamResponse:
    """The same, and then the answer, on the way that every request takes; it is recorded."""
    gateway = visit.office.running()
    request = request_of(visit, gateway)
    reading, found = await explained(request, gateway.readers, gateway.routing)
    bill = gateway.charging.bill(request.principal)
    try:
        await bill.hold_flow()
        served = await serve(request, gateway, bill)
    except SwitchyardError as error:
        return page(visit, Trial(request.id, reading, found, failure=error.message))
    finally:
        bill.drop()
    failure = "" if served.error is None else f"{served.error.code}: {served.error.message}"
    answer = "" if served.reply is None else words_of(served.reply.body or b"")
    return page(visit, Trial(request.id, reading, found, answer, failure, served))


def request_of(visit: Visit, gateway: Gateway) -> Request:
    """The form as a request of the operator. Raises InvalidRequest."""
    form, clock = visit.form, gateway.clock
    prompt = form.need("prompt")
    if len(prompt) > PROMPT_CHARS_MAX:
        raise InvalidRequest(f"The prompt has more than {PROMPT_CHARS_MAX} characters.")
    tokens = form.count("max_tokens") or TOKENS_MAX
    system = form.text("system")
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": prompt})
    body: dict[str, Any] = {"model": form.text("model", "auto"), "messages": messages}
    body["max_tokens"] = min(tokens, TOKENS_MOST)
    encoded = msgspec.json.encode(body)
    arrived_s = clock.monotonic()
    project = form.text("project", "default")
    caller = caller_of(visit.office, project, f"operator:{visit.who.id}")
    action = form.text("action")
    if action and action not in list(RouteAction):
        raise InvalidRequest("There is no such route action.", param="action")
    return Request(
        id=request_id(clock.wall()),
        kind=Kind.CHAT,
        dialect=DIALECT,
        path=PATH,
        body=encoded,
        chat=DIALECTS[DIALECT].read(encoded),
        controls=Controls(
            action=RouteAction(action) if action else None,
            mode=form.text("mode") or None,
            task_hint=form.text("hint") or None,
        ),
        principal=caller,
        provider=None,
        headers=(),
        arrived_s=arrived_s,
        deadline_s=arrived_s + DEADLINE_S,
        grant=gateway.charging.grant(caller),
    )


def words_of(body: bytes) -> str:
    """The text of an answer in OpenAI's dialect; the answer itself where it has another shape."""
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")[:SHOWN_CHARS]
    return "\n".join(one.message.content or "" for one in answer.choices)[:SHOWN_CHARS]


def page(visit: Visit, trial: Trial | None) -> web.Response:
    """The form, and what came of it."""
    office = visit.office
    config = office.completed().config
    models = dict.fromkeys(one.model for one in office.settings().fleet.deployments)
    return visit.page(
        "playground.html",
        trial=trial,
        models=(*config.routing.virtual_models, *models),
        modes=tuple(config.routing.modes) or ("balanced", "eco", "sport", "speed", "quality"),
        projects=("default", *(name for name in config.projects if name != "default")),
        actions=tuple(one.value for one in RouteAction),
        tokens_max=TOKENS_MAX,
    )
