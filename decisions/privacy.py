"""What is kept of products: told, and removed by age. What was decided, by whom and when, stays."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, not_, or_, select, update

from decisions.database import reading, refusing, writing
from decisions.reading import StoreReader, has_products
from decisions.store import DecisionStore
from decisions.tables import decisions, items, jobs

_CHUNK = 200
_READERS_MS = 3000
_UNDECIDED = ~select(decisions.c.id).where(decisions.c.key == items.c.key).exists()
_NOTED = select(decisions.c.id).where(decisions.c.key == items.c.key, decisions.c.note.is_not(None)).exists()
_CONTENT = or_(items.c.designation.is_not(None), items.c.description.is_not(None), items.c.picture.is_not(None), _NOTED)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the products added in one month (UTC, "2026-01") from one source ("classify" or "batch") and job.

    ``characters``: of texts and notes. ``pictures``, ``bytes``: a picture of several products is counted with the
    oldest of them.
    """

    month: str
    source: str
    job: str | None
    job_name: str | None
    products: int
    characters: int
    pictures: int
    bytes: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed. ``products``: those whose texts, notes and picture are gone; ``removed``: of these, how many
    left the store, for nobody ever decided on them. ``held``: left as they are, for somebody has them open.

    ``pictures``, ``bytes``: files that were nobody's any more; ``young``: those of the last ten minutes, which the
    next purge removes. ``lingering``: somebody was reading the SQLite file all the while, so the log of changes beside
    it may hold some of the texts until the next purge.
    """

    products: int = 0
    removed: int = 0
    held: int = 0
    pictures: int = 0
    bytes: int = 0
    young: int = 0
    lingering: bool = False


def kept(store: DecisionStore) -> list[Kept]:
    """All that is kept, the oldest first; DecisionError."""
    sizes = store.pictures.sizes()
    groups: dict[tuple, Kept] = {}
    noted = select(decisions.c.key, func.sum(func.length(decisions.c.note)).label("length"))
    notes = noted.where(decisions.c.note.is_not(None)).group_by(decisions.c.key).subquery()
    lengths = [func.length(items.c.designation), func.length(items.c.description), notes.c.length]
    characters = sum((func.coalesce(length, 0) for length in lengths[1:]), func.coalesce(lengths[0], 0))
    columns = items.c.added_at, items.c.source, items.c.job, jobs.c.name, items.c.picture, characters
    joined = items.outerjoin(notes, notes.c.key == items.c.key).outerjoin(jobs, jobs.c.job == items.c.job)
    query = select(*columns).select_from(joined).where(or_(_UNDECIDED, _CONTENT))
    with reading(store.engine) as connection:
        rows = connection.execution_options(yield_per=1000).execute(query.order_by(items.c.added_at, items.c.key))
        for added_at, source, job, job_name, picture, length in rows:
            group = added_at.strftime("%Y-%m"), source, job
            so_far = groups.get(group) or Kept(*group, job_name, 0, 0, 0, 0, added_at)
            size = sizes.pop(picture, None) if picture else None
            groups[group] = replace(
                so_far,
                products=so_far.products + 1,
                characters=so_far.characters + length,
                pictures=so_far.pictures + (size is not None),
                bytes=so_far.bytes + (size or 0),
            )
    return list(groups.values())


def purgeable(store: DecisionStore, older_than: timedelta) -> Purged:
    """What `purge` would do now; DecisionError."""
    old = _old(store, older_than)
    going = and_(old, _free(store))
    with reading(store.engine) as connection:

        def count(*where: ColumnElement[bool]) -> int:
            return connection.execute(select(func.count()).select_from(items).where(*where)).scalar_one()

        done = Purged(count(going), count(going, _UNDECIDED), count(old, not_(_free(store))))
    swept = store.pictures.sweep(lambda some: _named(store, some, not_(going)), dry=True)
    return replace(done, pictures=swept.pictures, bytes=swept.bytes, young=swept.young)


def purge(store: DecisionStore, older_than: timedelta) -> Purged:
    """Removes texts, notes and pictures of products added so long ago; DecisionError.

    Products that were ever decided on keep their row: key, suggestions, and all decisions. Others leave the store; that
    a row of a file was sent, and how sure the model was, stays. What somebody has open stays as it is. Killed at any
    point, it goes on when it is called again.
    """
    products = removed = 0
    while (done := _purge_some(store, older_than)) != (0, 0):
        products, removed = products + done[0], removed + done[1]
    with reading(store.engine) as connection:
        left = select(func.count()).select_from(items).where(_old(store, older_than))
        held = connection.execute(left).scalar_one()
    _forget_names(store)
    lingering = not _forgotten(store)
    swept = store.pictures.sweep(lambda some: _named(store, some))
    return Purged(products, removed, held, swept.pictures, swept.bytes, swept.young, lingering)


def _old(store: StoreReader, older_than: timedelta) -> ColumnElement[bool]:
    """Added so long ago, and something of it is left to remove."""
    return and_(items.c.added_at <= store.moment(older_than), or_(_UNDECIDED, _CONTENT))


def _free(store: StoreReader) -> ColumnElement[bool]:
    return or_(items.c.holder.is_(None), items.c.held_until <= store.moment())


def _purge_some(store: DecisionStore, older_than: timedelta) -> tuple[int, int]:
    """Some products purged, and how many of them left the store; (0, 0) when there is none."""
    with writing(store.engine) as connection:
        if connection.dialect.name == "sqlite":  # what is deleted is overwritten
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        query = select(items.c.key).where(_old(store, older_than), _free(store)).order_by(items.c.key).limit(_CHUNK)
        keys = list(connection.execute(query.with_for_update(skip_locked=True)).scalars())
        these = items.c.key.in_(keys)
        # Asked anew, now that nobody else can decide on them.
        removed = connection.execute(delete(items).where(these, _UNDECIDED)).rowcount if keys else 0
        if keys:
            gone = {"designation": None, "description": None, "picture": None, "purged_at": store.moment()}
            connection.execute(update(items).where(these).values(gone))
            connection.execute(update(decisions).where(decisions.c.key.in_(keys)).values(note=None))
    return len(keys), removed


def _forget_names(store: DecisionStore) -> None:
    """The name of a file goes with the last of its products."""
    with writing(store.engine) as connection:
        connection.execute(delete(jobs).where(not_(has_products())))


def _forgotten(store: StoreReader) -> bool:
    """SQLite: what was written before goes from the log of changes beside the database, too, unless somebody reads."""
    if store.engine.dialect.name != "sqlite":
        return True
    with refusing():
        connection = store.engine.raw_connection()
        try:
            cursor = connection.cursor()
            waits = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {_READERS_MS}")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {waits}")
        finally:
            connection.close()
    return not busy


def _named(store: StoreReader, some: Collection[str], *where: ColumnElement[bool]) -> list[str]:
    """Those of some pictures that a product has."""
    with reading(store.engine) as connection:
        query = select(items.c.picture).distinct().where(items.c.picture.in_(some), *where)
        return list(connection.execute(query).scalars())
