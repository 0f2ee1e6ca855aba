"""The types that travel between the store of decisions and its callers: small, frozen, in category codes."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from model.product import Product, RankedCategory

STATES = ("pending", "decided", "skipped", "approved")
MAX_PERSON, MAX_NOTE = 80, 2000
"""Characters of a name and of a note."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """A product to be decided on, with what a model suggests for it, most probable first.

    ``source``: "classify" or "batch". ``reason``: "sent" by a person, "doubt" (below a threshold) or "audit" (drawn
    from the rest). ``weight``: one over the chance its row had of being sent. ``job``, ``row`` (from 0): both or none.
    """

    product: Product
    suggestions: tuple[RankedCategory, ...]
    model: str
    source: str = "classify"
    reason: str = "sent"
    weight: float = 1.0
    job: str | None = None
    job_name: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the log; rows are only ever added. ``decision`` is one of `model.decision_format.DECISIONS`.

    ``seconds``: from seeing the product to deciding. ``replaces``: the decision that counted before; ``undoes``: the
    one taken back. ``action``: one press of a key or button; a bulk has the same for all its rows.
    """

    id: int
    key: str
    decision: str
    code: int | None
    note: str | None
    person: str
    decided_at: datetime
    seconds: float | None
    model: str
    suggestions: tuple[RankedCategory, ...]
    replaces: int | None
    undoes: int | None
    action: str


@dataclass(frozen=True, slots=True)
class Item:
    """A product in the store. ``key``: sha256 of its content. ``picture``: a reference for `PictureStore`.

    ``reason``, ``job``, ``row``: how it came here first. ``standing``: the decision that counts, None while there is
    none. ``second_look``: drawn for one.
    """

    key: str
    designation: str | None
    description: str | None
    picture: str | None
    suggestions: tuple[RankedCategory, ...]
    model: str
    source: str
    reason: str
    job: str | None
    job_name: str | None
    row: int | None
    added_at: datetime
    state: str
    second_look: bool
    standing: Decision | None
    purged_at: datetime | None = None

    @property
    def code(self) -> int:
        """The first category suggested."""
        return self.suggestions[0].code

    @property
    def confidence(self) -> float:
        """Probability of the first category."""
        return self.suggestions[0].probability

    @property
    def margin(self) -> float:
        """Probability of the first category less that of the second, in [0, 1]."""
        return margin(self.suggestions)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a product: "accepted", "corrected", "unknown", "skipped" or "approved".

    A second call with the same ``action`` records nothing twice.
    """

    decision: str
    code: int | None = None
    note: str | None = None
    seconds: float | None = None
    action: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items. ``state``: "pending", "skipped", "decided", "approved" or "second_look" (drawn, not yet agreed on).

    ``category``: first suggestion. ``job``, ``reason``: one of those it was sent from, or for. ``order``: "doubt"
    (smallest margin first), "oldest" or "newest".
    """

    state: str = "pending"
    category: int | None = None
    job: str | None = None
    reason: str | None = None
    older_than: timedelta | None = None
    order: str = "doubt"


@dataclass(frozen=True, slots=True)
class Added:
    """How many were new, were in the queue already, and had been decided on already."""

    added: int = 0
    waiting: int = 0
    decided: int = 0


@dataclass(frozen=True, slots=True)
class Many:
    """How many of several were decided on; held by others, or decided on by others meanwhile, were left."""

    done: int = 0
    held: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Undone:
    """Keys of the products whose decision was taken back.

    ``overruled``: products passed over, for somebody has decided on them since. ``held``: products of the same action
    left as they are, for somebody has them open.
    """

    keys: tuple[str, ...]
    overruled: int = 0
    held: int = 0


def product_key(product: Product) -> str:
    """sha256 of a product's content, hexadecimal: two products differ when any field does."""
    digest = hashlib.sha256()
    for part in (product.designation, product.description, product.image):
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"-" if data is None else b"%d:" % len(data) + data)
    return digest.hexdigest()


def margin(suggestions: tuple[RankedCategory, ...]) -> float:
    """Lead of the first suggestion over the second; all of it where there is one alone."""
    second = suggestions[1].probability if len(suggestions) > 1 else 0.0
    return suggestions[0].probability - second


def verdict_on(item: Item, code: int, person: str, **more: object) -> Verdict:
    """The verdict that a product is of a category: accepted, corrected, or approved on a second look that agrees."""
    standing = item.standing
    if standing is not None and standing.code == code and standing.person != person and item.state == "decided":
        return Verdict("approved", code, **more)
    return Verdict("accepted" if code == item.code else "corrected", code, **more)
