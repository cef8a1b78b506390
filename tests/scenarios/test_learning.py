"""Feedback through the door of a running gateway, and what it does to the next decision."""

from __future__ import annotations

import asyncio

from gateway.choosing import Routing
from gateway.decide.policy import compile_policies
from gateway.learn.promises import promises
from gateway.learn.refresh import refresh
from tests.fakes.upstream import scripted, whole
from tests.gateway.record.records import opinions_of
from tests.scenarios.test_serving import ANSWER

ASK = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Summarise in one line: the cat sat on the mat."}],
}
PLAIN = """
scan: {enabled: false}
classifier: {enabled: false}
"""
TWO = """
projects: {shop: {}, other: {}}
keys:
  - {id: mine, secret: "env:CLIENT", project: shop}
  - {id: theirs, secret: "env:KEY", project: other}
"""
MINE, THEIRS = {"x-api-key": "sk-client"}, {"x-api-key": "sk-upstream"}


async def routed(scene, **headers):
    """What an easy summary would get."""
    async with scene.http.post("/v1/route", json=ASK, headers=headers) as reply:
        return (await reply.json())["decision"]


async def asked(scene, **headers):
    """Send the summary; its id."""
    async with scene.http.post("/v1/chat/completions", json=ASK, headers=headers) as reply:
        assert reply.status == 200
        return reply.headers["X-Switchyard-Request-Id"]


async def judge(scene, request_id, headers=None, **said):
    """Send feedback; the status."""
    body = {"id": request_id, **said}
    async with scene.http.post("/v1/feedback", json=body, headers=headers or {}) as reply:
        return reply.status


async def written(scene):
    """Wait until the recorder has nothing left; puts a second of patience at most."""
    recorder = scene.app.recorder
    for _ in range(200):
        if not recorder.waiting and not recorder._backlog.opinions:
            return
        await asyncio.sleep(0.01)


async def learn(scene):
    """What the gateway does every ``learn.refresh_s`` seconds, by hand."""
    app = scene.app
    config, fleet = app.settings.config, app.settings.fleet
    matrix = await asyncio.to_thread(refresh, app._store, config.learn, app._clock.wall())
    policies = compile_policies(config, fleet, promises(matrix, config.routing, fleet))
    app.gateway.routing = Routing(policies, app.gateway.routing.view)


async def test_thumbs_down_move_the_next_decision(play):
    """Thirty of them on a model and a task: the next such prompt goes to another model."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=PLAIN)
        before = await routed(scene)
        for number in range(30):
            request_id = await asked(scene)
            assert await judge(scene, request_id, thumb="down", comment="not even close") == 200
            if number == 18:
                await written(scene)
                await learn(scene)
                assert (await routed(scene))["model"] == before["model"]  # nineteen say nothing
        await written(scene)
        await learn(scene)
        after = await routed(scene)

    assert after["model"] != before["model"]
    assert after["task_type"] == before["task_type"]
    assert after["versions"]["policy"] != before["versions"]["policy"]


async def test_a_later_judgement_replaces(play):
    """One opinion of each key on each answer: the last."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=PLAIN)
        request_id = await asked(scene)
        assert await judge(scene, request_id, thumb="down") == 200
        assert await judge(scene, request_id, score=0.75, comment="on second thoughts") == 200
        await written(scene)
        (opinion,) = opinions_of(scene.app._store, request_id)

    assert (opinion.score, opinion.comment) == (0.75, "on second thoughts")


async def test_only_ones_own_answers(play):
    """Another project's request is not there to be judged."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=PLAIN + TWO)
        request_id = await asked(scene, **MINE)

        assert await judge(scene, request_id, MINE, thumb="up") == 200
        assert await judge(scene, request_id, THEIRS, thumb="up") == 404
        assert await judge(scene, "req_unknown", MINE, thumb="up") == 404


MALFORMED = ({}, {"thumb": "up", "score": 1.0}, {"score": 1.5}, {"thumb": "sideways"}, {"stars": 5})


async def test_malformed_judgements(play):
    """Either a thumb or a score from 0 to 1, and nothing that we do not know."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=PLAIN)

        assert [await judge(scene, "req_1", **said) for said in MALFORMED] == [400] * 5
