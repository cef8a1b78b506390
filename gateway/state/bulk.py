"""
Inserts of many rows, compiled once. SQLAlchemy looks at every value of every row each time, which
takes several times as long as the insert; here rows go to the driver as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.engine import Connection

from gateway.state.database import INSERTS


class Bulk:
    """
    Insert rows into *table*: tuples with a value for each column, in the order of the columns.

    Args:
        adds: columns that are added to a row with the same key; without any, that row stays.
    """

    def __init__(self, table: Table, dialect: Dialect, adds: Sequence[str] = ()) -> None:
        insert = INSERTS[dialect.name](table)
        if adds:
            insert = insert.on_conflict_do_update(
                index_elements=list(table.primary_key),
                set_={name: table.c[name] + insert.excluded[name] for name in adds},
            )
        else:
            insert = insert.on_conflict_do_nothing()
        self._names = [column.name for column in table.columns]
        compiled = insert.compile(dialect=dialect, column_keys=self._names)
        self._sql = str(compiled)
        self._positional = bool(compiled.positional)

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many rows were inserted or added to; -1 where the driver does not say."""
        if not rows:
            return 0
        if self._positional:
            return connection.exec_driver_sql(self._sql, list(rows)).rowcount
        named = [dict(zip(self._names, row, strict=True)) for row in rows]
        return connection.exec_driver_sql(self._sql, named).rowcount
