"""What an operator of a whole gateway relies on: keys, limits, reload, drain."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.core.outcome import Ending
from gateway.record.rows import encode
from gateway.record.spool import FOLDER, Spool
from gateway.record.store import Store
from tests.fakes.upstream import Wait, scripted, stream, whole
from tests.gateway.record.records import make_record
from tests.scenarios.test_serving import ANSWER, DONE, HEAD, STOP, WORDS

KEYS = """
projects: {shop: {}}
keys: [{id: mine, secret: "env:CLIENT", project: shop}]
"""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer sk-client"}, 200),
        ({"x-api-key": "sk-client"}, 200),
        ({"api-key": "sk-client"}, 200),
        ({"Authorization": "Bearer sk-other"}, 401),
        ({"Authorization": "Basic sk-client"}, 401),
        ({}, 401),
    ],
)
async def test_keys(play, headers, status):
    """With a key configured nobody calls without it, and it never reaches the provider."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=KEYS)
        async with await scene.chat(**headers) as reply:
            assert reply.status == status

    sent = [value for one in upstream.received for value in one.headers.values()]
    assert "sk-client" not in " ".join(sent)


async def test_a_key_reads_only_its_project(play):
    """The record of another project's request is not found."""
    other = '{id: b, secret: "env:KEY"}]'
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=KEYS.replace("]", f", {other}"))
        async with await scene.chat(**{"x-api-key": "sk-client"}) as reply:
            path = f"/v1/decisions/{reply.headers['X-Switchyard-Request-Id']}"
        async with scene.http.get(path, headers={"x-api-key": "sk-client"}) as own:
            assert own.status == 200
        async with scene.http.get(path, headers={"x-api-key": "sk-upstream"}) as other:
            assert other.status == 404


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"{", 400, "JSON"),
        (b'{"model":"gpt-4o"}', 400, "messages"),
        (b'{"model":"gpt-4o","messages":[{"role":"queen","content":"x"}]}', 400, "role"),
        (b" " * 100_001, 413, "100000"),
    ],
)
async def test_bad_bodies_name_what_is_wrong(play, body, status, word):
    """A bad body costs no attempt, and the error says where it is wrong."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with scene.http.post("/v1/chat/completions", data=body) as reply:
            message = (await reply.json())["error"]["message"]

    assert reply.status == status
    assert word in message
    assert upstream.received == []


async def test_full_sheds_and_says_when_to_return(play):
    """Above the limit a request is refused at once; probes still answer."""
    go_on = asyncio.Event()
    async with scripted(stream(HEAD, WORDS, Wait(go_on), STOP, DONE)) as upstream:
        scene = await play(upstream)
        scene.app.service.in_flight += scene.app.settings.config.server.requests_max - 1
        async with await scene.chat(stream=True) as first:
            async with await scene.chat() as second:
                assert second.status == 503
                assert second.headers["retry-after-ms"] == "1000"
                assert second.headers["x-should-retry"] == "true"
            async with scene.http.get("/healthz") as probe:
                assert probe.status == 200
            go_on.set()
            assert (await first.read()).endswith(DONE)
        scene.app.service.in_flight -= scene.app.settings.config.server.requests_max - 1


async def test_reload_is_atomic(play):
    """A good file takes effect; a bad one changes nothing and is logged."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        good = scene.path.read_text()
        scene.path.write_text(good + "policy: {denied_models: [gpt-4o]}\n")
        await scene.app.reload()
        async with await scene.chat() as denied:
            assert denied.status == 422
        scene.path.write_text(good + "policy: {denied_modles: []}\n")
        await scene.app.reload()
        async with await scene.chat() as still_denied:
            assert still_denied.status == 422
        scene.path.write_text(good)
        await scene.app.reload()
        async with await scene.chat() as allowed:
            assert allowed.status == 200


@pytest.mark.parametrize("content", ["", "# all gone\n", "server: {port: 0}\n"])
async def test_a_reload_never_opens_the_door(play, caplog, content):
    """An empty or truncated file is refused: keys are still asked for, providers still real."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=KEYS)
        scene.path.write_text(content)
        await scene.app.reload()
        async with await scene.chat() as stranger:
            assert stranger.status == 401
        async with await scene.chat(**{"x-api-key": "sk-client"}) as reply:
            assert await reply.read() == ANSWER

    assert "restart to do that" in caplog.text


async def test_a_reload_never_turns_to_simulation(play, caplog):
    """Without its last real provider a configuration is refused, also where there are no keys."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        scene.path.write_text("simulation: {enabled: on}\n")
        await scene.app.reload()
        async with await scene.chat() as reply:
            assert await reply.read() == ANSWER

    assert "all answers would be simulated" in caplog.text


async def test_a_reload_is_complete(play, caplog):
    """What is kept of a request changes at once, as does the name of the answer's model."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more="routing: {action: observe}")
        good = scene.path.read_text()
        kept = good.replace("flush_s: 0.02", "flush_s: 0.02, text: true, keep_days: 3")
        named = kept.replace("action: observe", "action: observe, answer_model: asked")
        scene.path.write_text(named.replace("port: 0", "port: 1") + "simulation: {speed: 0}\n")
        await scene.app.reload()
        async with await scene.chat() as reply:
            answer = await reply.json()
        record = scene.app.recorder.find(reply.headers["X-Switchyard-Request-Id"])
        scene.path.write_text(good)
        await scene.app.reload()
        async with await scene.chat() as reply:
            await reply.read()
        forgotten = scene.app.recorder.find(reply.headers["X-Switchyard-Request-Id"])

    assert "hello in French" in record.text
    assert forgotten.text is None
    assert answer["model"] == "gpt-4o"
    assert "server.port changed: needs a restart" in caplog.text


@pytest.mark.parametrize(
    "more",
    [
        "policy: {cost_usd_max: 0.000000001}",
        "policy: {regions: [eu]}",
        "routing: {virtual_models: {review: sport}}",
    ],
)
async def test_it_starts_where_nothing_can_be_decided(play, more):
    """What check calls right can be run, also where the first decision finds no model."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream, more=more)
        async with scene.http.get("/readyz") as probe:
            assert probe.status == 200


async def test_drain_finishes_what_runs(play, caplog):
    """On the way out readiness fails, new requests are refused, a running stream ends well."""
    go_on = asyncio.Event()
    caplog.set_level("INFO", "switchyard")
    async with scripted(stream(HEAD, WORDS, Wait(go_on), STOP, DONE)) as upstream:
        scene = await play(upstream, drain_s=20.0)
        async with await scene.chat(stream=True) as running:
            stopping = asyncio.create_task(scene.app.stop())
            await asyncio.sleep(0)
            async with scene.http.get("/readyz") as probe:
                assert probe.status == 503
            async with await scene.chat() as late:
                assert late.status == 503
            go_on.set()
            assert (await running.read()).endswith(DONE)
        await asyncio.wait_for(stopping, 10)

    told = [one.message for one in caplog.records if one.message.startswith("drain")]
    assert told == ["draining: 1 requests in flight, at most 20 s", "draining is over"]


async def test_drain_ends_with_an_error_event(play):
    """A stream that outlives the drain ends with an error event, and is so recorded: cut by us."""
    never = asyncio.Event()
    async with scripted(stream(HEAD, WORDS, Wait(never), STOP, DONE)) as upstream:
        scene = await play(upstream, drain_s=0.05)
        async with await scene.chat(stream=True) as running:
            stopping = asyncio.create_task(scene.app.stop())
            text = await running.read()
        await asyncio.wait_for(stopping, 10)
        store = Store(f"sqlite:///{scene.path.parent}/records.db")
        record = store.find_record(running.headers["X-Switchyard-Request-Id"])
        store.close()

    assert record is not None
    assert (record.outcome.ending, record.outcome.error) == (Ending.TRUNCATED, "draining")
    assert text.startswith(HEAD + WORDS)
    assert b'"draining"' in text
    assert DONE not in text


async def test_metrics_tell_of_requests(play):
    """After a request its counters are there, with labels of the fleet."""
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        async with await scene.chat() as reply:
            await reply.read()
        scene.app.recorder.flush()
        async with scene.http.get("/metrics") as found:
            text = await found.text()

    assert (
        'switchyard_requests_total{dialect="openai_chat",ending="complete",status="200"} 1' in text
    )
    assert 'switchyard_tokens_total{kind="out",model="gpt-4o"} 3' in text
    assert "switchyard_records_bytes " in text


async def test_records_of_a_killed_process_are_stored(play, tmp_path):
    """The next process finds them in ``state.folder``, and leaves nothing there."""
    dead = Spool(tmp_path, 2**20)
    record = make_record(7, wall_s=time.time())
    dead.keep_record(encode(record), "v1", None)
    dead._segments.close()
    async with scripted(whole(ANSWER)) as upstream:
        scene = await play(upstream)
        await scene.app.stop()
        store = Store(f"sqlite:///{tmp_path}/records.db")
        found = store.find_record("req_7")
        store.close()

    assert found == record
    assert list((tmp_path / FOLDER).iterdir()) == []
