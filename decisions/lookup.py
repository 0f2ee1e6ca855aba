"""Several products at once, by their content: what is known of each, in one question to the store."""

from collections.abc import Collection

from decisions.database import reading
from decisions.items import Item
from decisions.reading import StoreReader
from decisions.rows import item_of, item_rows
from decisions.tables import items

_AT_ONCE = 500


def look_up(store: StoreReader, keys: Collection[str]) -> dict[str, Item]:
    """The items among ``keys`` that the store knows, by key; DecisionError."""
    found: dict[str, Item] = {}
    with reading(store.engine) as connection:
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), _AT_ONCE):
            query = item_rows().where(items.c.key.in_(wanted[start : start + _AT_ONCE]))
            found |= {row["key"]: item_of(row) for row in connection.execute(query).mappings()}
    return found
