"""The connections to one origin: how many, which are idle, who waits. No I/O but closing."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

import msgspec

from gateway.core.transport import TransportError
from gateway.execute.connection import Connection

WAITING_MAX = 2000  # requests that wait for a connection: as many as the server lets in


class Address(msgspec.Struct, frozen=True):
    """Where an origin is. *host_header* has the port unless it is the default one."""

    host: str
    port: int
    tls: bool
    host_header: str


class Origin:
    """
    The mutable state: *_slots* in use (open connections and those being made), *connections*
    that are open, *_idle* of them, newest last, and *_waiting*, oldest first.

    Invariant: somebody waits only while all slots are in use and no connection is idle.
    """

    def __init__(self, address: Address, connections_max: int) -> None:
        self.address = address
        self.connections_max = connections_max
        self.connections: set[Connection] = set()
        self._slots = 0
        self._idle: deque[Connection] = deque()
        self._waiting: OrderedDict[asyncio.Future[Connection | None], None] = OrderedDict()

    def __repr__(self) -> str:
        counts = f"{self._slots} open, {len(self._idle)} idle, {len(self._waiting)} waiting"
        return f"<{self.address.host_header}: {counts} | max {self.connections_max}>"

    @property
    def idle(self) -> int:
        """How many connections are open and unused."""
        return len(self._idle)

    @property
    def unused(self) -> bool:
        """Nothing is open or being opened, so nobody waits either."""
        return self._slots == 0

    def take(self, now_s: float, idle_s_max: float) -> Connection | None:
        """The idle connection used last: the others get their chance to expire."""
        self.expire(now_s, idle_s_max)
        return self._idle.pop() if self._idle else None

    def take_slot(self) -> bool:
        """Whether the caller may open a connection; it then must add it, or free the slot."""
        if self._slots >= self.connections_max:
            return False
        self._slots += 1
        return True

    def add(self, connection: Connection) -> None:
        """The caller's slot now holds *connection*."""
        self.connections.add(connection)

    async def wait(self) -> Connection | None:
        """
        A connection, or None for a slot. The caller bounds the wait; whatever comes too late for
        it goes to the next in line.

        Raises:
            TransportError: ``busy``, too many wait already.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise TransportError("busy", f"{WAITING_MAX} requests wait for {self!r} already.")
        future: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        try:
            return await future
        except asyncio.CancelledError:
            self._pass_on(future)
            raise

    def put_back(self, connection: Connection, now_s: float) -> None:
        """An exchange is over: the next in line, idle, or closed."""
        if connection not in self.connections:
            return
        if not connection.reusable or self._slots > self.connections_max:
            self.drop(connection)
            return
        connection.rest()
        connection.idle_s = now_s
        if (waiter := self._next()) is not None:
            waiter.set_result(connection)
        else:
            self._idle.append(connection)

    def drop(self, connection: Connection) -> None:
        """Close *connection*; its slot goes to the next in line. Again: no effect."""
        if connection in self.connections:
            self.connections.remove(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            connection.abort()
            self.free_slot()

    def drop_idle(self) -> None:
        """Close every idle connection."""
        for connection in tuple(self._idle):
            self.drop(connection)

    def expire(self, now_s: float, idle_s_max: float) -> None:
        """Close what has been idle for longer than *idle_s_max*."""
        while self._idle and now_s - self._idle[0].idle_s > idle_s_max:
            self.drop(self._idle[0])

    def free_slot(self) -> None:
        """A slot is free: the next in line may open a connection."""
        if self._slots <= self.connections_max and (waiter := self._next()) is not None:
            waiter.set_result(None)
        else:
            self._slots -= 1

    def shut(self) -> None:
        """Close everything, and send those who wait away."""
        while (waiter := self._next()) is not None:
            waiter.set_exception(TransportError("connect", "The gateway is shutting down."))
        for connection in tuple(self.connections):
            self.drop(connection)

    def _pass_on(self, future: asyncio.Future[Connection | None]) -> None:
        """Who waited for *future* has gone; what it holds by now goes to the next in line."""
        if future.cancelled():
            self._waiting.pop(future, None)
        elif future.exception() is not None:
            return
        elif (connection := future.result()) is not None:
            self.put_back(connection, connection.idle_s)
        else:
            self.free_slot()

    def _next(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            waiter, _ = self._waiting.popitem(last=False)
            if not waiter.done():
                return waiter
        return None
