"""Rows that a store may have before anybody works with it, and that stay: who did what, and what was observed.

A deployment writes them as soon as it makes its first account, so that none is without rows when a backup comes back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData, Table, and_, delete, insert, select, text, update

KEPT = ("audit", "observed")
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def take_out(connection: Connection, names: Sequence[str]) -> Rows:
    """The rows of those of ``names`` that are `KEPT`, removed, so that restored ones have their own ids."""
    found = {name: _rows(connection, name) for name in KEPT if name in names}
    for name in (name for name, rows in found.items() if rows):
        # The audit log lets go of no row: these are back, under other ids, when the transaction ends.
        again = _let_go(connection, name)
        connection.execute(delete(_table(connection, name)))
        for statement in again:
            connection.execute(text(statement))
    return found


def put_beside(connection: Connection, kept: Rows) -> int:
    """Puts them back: those of the audit log after the restored ones, numbers added to theirs. Gives how many."""
    for name, rows in kept.items():
        target = _table(connection, name)
        given = target.autoincrement_column
        for row in rows:
            if given is not None:
                own = {key: value for key, value in row.items() if key != given.name}
                connection.execute(insert(target), own)
            else:
                _add(connection, target, row)
    return sum(map(len, kept.values()))


def _add(connection: Connection, target: Table, row: Mapping[str, Any]) -> None:
    keys = target.primary_key.columns.keys()
    same = and_(*(target.c[key] == row[key] for key in keys))
    sums = {one.name: one + row[one.name] for one in target.columns if one.name not in keys}
    if not connection.execute(update(target).where(same).values(sums)).rowcount:
        connection.execute(insert(target), row)


def _rows(connection: Connection, name: str) -> list[dict[str, Any]]:
    found = _table(connection, name)
    query = select(found).order_by(*found.primary_key.columns)
    return [dict(row) for row in connection.execute(query).mappings()]


def _table(connection: Connection, name: str) -> Table:
    """As it is at its step, which need not be the present one."""
    return Table(name, MetaData(), autoload_with=connection)


def _let_go(connection: Connection, name: str) -> list[str]:
    """Keeps the table's triggers from refusing, and gives what brings them back."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
        return [f"ALTER TABLE {name} ENABLE TRIGGER USER"]
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    triggers = connection.execute(query, {"table": name}).all()
    for trigger, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
    return [sql for _, sql in triggers]
