"""What rows say of each other, once they are in: what exports and pages rely on, and no database sees to."""

from sqlalchemy import Connection, and_, column, exists, select, table
from sqlalchemy.sql.expression import Select

from decisions.backup_file import Backup
from decisions.backup_format import BackupError

_items = table("items", column("key"), column("standing"))
_decisions = table("decisions", column("id"), column("key"), column("decision"), column("person"))
_people = table("people", column("name"))
_AT_ONCE = 1000


def check_agree(found: Backup, connection: Connection) -> None:
    """BackupError where a row names one that is not there, or more is taken back than was decided."""
    for query, what in _FORBIDDEN:
        if connection.execute(query.limit(1)).first() is not None:
            raise BackupError("hostile", {"file": found.file, "what": what})
    query = select(_decisions.c.key, _decisions.c.decision).order_by(_decisions.c.key, _decisions.c.id)
    present, standing = None, 0
    for key, decision in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        present, standing = key, standing if key == present else 0
        standing += -1 if decision == "undone" else 1
        if standing < 0:
            what = "decisions: more is taken back than was decided"
            raise BackupError("hostile", {"file": found.file, "what": what})


def _standing_nowhere() -> Select:
    there = and_(_decisions.c.id == _items.c.standing, _decisions.c.key == _items.c.key)
    return select(_items.c.key).where(_items.c.standing.is_not(None), ~exists().where(there))


_FORBIDDEN = (
    (_standing_nowhere(), "items: a decision that counts, and is not there"),
    (
        select(_decisions.c.id).where(~exists().where(_people.c.name == _decisions.c.person)),
        "decisions: a person who is not in people",
    ),
)
