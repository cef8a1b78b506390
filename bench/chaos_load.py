"""
Open-loop load over several gateways, as a load balancer would spread it, with every answer kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from bench.chaos_fleet import Gateway
from bench.chaos_upstream import MODEL, script
from bench.open_loop import schedule

PATH = "/v1/chat/completions"
IN_FLIGHT_MAX = 500  # above that a request is not sent, and counted as such
GIVE_UP_S = 30.0
TENANTS = ("free", "paced", "spender", "prepaid")
VISITOR = 10**9  # numbers from here on are no load: they try out a key


@dataclass(frozen=True)
class Answer:
    """
    What a client saw. Times are of its wall clock. *status* 0: the connection failed, *code* says
    how. *whole*: the last byte came.
    """

    number: int
    tenant: str
    gateway: str
    pid: int  # of the process that was asked
    sent_s: float
    done_s: float
    status: int
    code: str
    whole: bool
    request_id: str
    reserved_usd: float  # of credits


def tenant_of(number: int) -> str:
    """Who sends the request with this *number*."""
    return TENANTS[number // 4 % len(TENANTS)]


@dataclass
class Load:
    """The mutable state: *answers*, and *unsent*, requests that found too many in flight."""

    gateways: list[Gateway]
    secrets: Mapping[str, str]  # of each tenant's key
    answers: list[Answer] = field(default_factory=list)
    unsent: int = 0
    in_flight: int = 0

    async def run(self, rate_per_s: float, seconds: float, first: int = 0) -> None:
        """Send at *rate_per_s* for *seconds*, numbers from *first* on; back with the last."""
        begun_s = time.monotonic()
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=5)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:
            for number, due_s in enumerate(schedule(rate_per_s, seconds), first):
                await asyncio.sleep(begun_s + due_s - time.monotonic())
                up = [gateway for gateway in self.gateways if gateway.up]
                if self.in_flight >= IN_FLIGHT_MAX or not up:
                    self.unsent += 1
                    continue
                tenant = tenant_of(number)
                gateway = up[number // 16 % len(up)]
                tasks.create_task(self.ask(http, gateway, number, tenant))

    async def ask(
        self, http: aiohttp.ClientSession, gateway: Gateway, number: int, tenant: str
    ) -> Answer:
        """Ask *gateway* once, and keep what came."""
        self.in_flight += 1
        sent_s, pid = time.time(), gateway.pid
        status, code, whole, headers = 0, "", False, dict[str, str]()
        try:
            timeout = aiohttp.ClientTimeout(total=GIVE_UP_S)
            url = f"http://127.0.0.1:{gateway.port}{PATH}"
            authorization = {"Authorization": f"Bearer {self.secrets[tenant]}"}
            asked = http.post(url, data=body(number), headers=authorization, timeout=timeout)
            async with asked as reply:
                status, headers = reply.status, dict(reply.headers)
                text = await reply.read()
                whole = status != 200 or b"[DONE]" in text or not script(number).stream
                code = "" if status == 200 else code_of(text)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            code = type(error).__name__
        finally:
            self.in_flight -= 1
        answer = Answer(
            number=number,
            tenant=tenant,
            gateway=gateway.name,
            pid=pid,
            sent_s=sent_s,
            done_s=time.time(),
            status=status,
            code=code,
            whole=whole,
            request_id=headers.get("X-Switchyard-Request-Id", ""),
            reserved_usd=float(headers.get("X-Switchyard-Credits-Reserved", 0)),
        )
        self.answers.append(answer)
        return answer


def body(number: int) -> bytes:
    """The request with this *number*."""
    asked = {
        "model": MODEL,
        "messages": [{"role": "user", "content": f"Is this request no. {number}; of many?"}],
        "max_tokens": 64,
        "stream": script(number).stream,
    }
    return json.dumps(asked).encode()


def code_of(text: bytes) -> str:
    """The code of an error's body."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(text)["error"]["code"])
    return "unreadable"
