"""Which rows are held out: stratified by category, duplicates together, the same for the same seed and rows."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.training.data.duplicates import content_keys, smallest
from model.training.data.examples import Example

_ENOUGH = 10  # rows of a category that is to be tested at all, and of a group that is never too large for it
_LARGE = 0.1  # share of the test rows above which one group would speak for too many of them


@dataclass(frozen=True, slots=True)
class _Group:
    number: int  # place among the groups, 0…G-1
    categories: tuple[tuple[int, int], ...]  # (category position, rows)

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.categories)


def split(
    examples: Sequence[Example], targets: Sequence[int], groups: Sequence[int], test_share: float, seed: int
) -> np.ndarray:
    """True for test rows, bool (n,). `targets` are the rows' categories, as positions or codes.

    Groups are taken whole, in an order that the seed and their contents give, as long as each brings all of its
    categories nearer to `test_share`. A category of two groups or more keeps one to train on; one of ten rows or more
    has a test row if it can. A group with more than a tenth of the test rows is trained on: as thousands of listings
    with one placeholder picture.
    """
    if not 0 <= test_share < 1:
        raise ValueError(f"a share of test rows is at least 0 and below 1, not {test_share}")
    if not len(examples) == len(targets) == len(groups):
        raise ValueError("a category and a group for each row")
    if not len(examples) or not test_share:
        return np.zeros(len(examples), bool)
    members, places = _members(targets, groups)
    ids = np.array([_hash(row.id) for row in examples], np.uint64)
    # Two groups of the same content are told apart by the ids.
    keys = list(zip(smallest(content_keys(examples), places), smallest(ids, places), strict=True))
    ordered = sorted(members, key=lambda group: _hash(f"{seed}/{keys[group.number]}"))
    return _Draw(ordered, test_share).test()[places]


def folds(targets: Sequence[int], groups: Sequence[int], count: int, seed: int) -> np.ndarray:
    """The fold of each row, int (n,) in 0…count-1: groups whole, each category spread as evenly as they allow.

    Does not depend on the order of the rows if the numbers of `groups` do not.
    """
    if count < 2:
        raise ValueError(f"at least two folds, not {count}")
    if len(targets) != len(groups):
        raise ValueError("a category and a group for each row")
    members, places = _members(targets, groups)
    names = np.unique(groups)
    inside = [Counter() for _ in range(count)]
    sizes = [0] * count
    total = _rows_by_category(members)
    fold_of = np.zeros(len(members), int)
    for group in sorted(members, key=lambda group: (-group.rows, _hash(f"{seed}/{names[group.number]}"))):
        fullness = [sum(rows * held[c] / total[c] for c, rows in group.categories) for held in inside]
        fold = min(range(count), key=lambda f: (fullness[f], sizes[f], f))
        inside[fold].update(dict(group.categories))
        sizes[fold] += group.rows
        fold_of[group.number] = fold
    return fold_of[places]


class _Draw:
    """Takes groups for the test, one by one, and keeps count of what each category has."""

    def __init__(self, groups: Sequence[_Group], share: float) -> None:
        self._groups = groups
        self._total = _rows_by_category(groups)
        self._wanted = {category: share * rows for category, rows in self._total.items()}
        self._inside: Counter[int] = Counter()
        self._left = Counter(category for group in groups for category, _ in group.categories)  # groups to train on
        self._taken = np.zeros(len(groups), bool)
        self._limit = max(_ENOUGH, _LARGE * share * self._total.total())

    def test(self) -> np.ndarray:
        """Whether each group is taken, by its number."""
        # Those of several categories first: the others then make up what is missing in each.
        for group in sorted(self._groups, key=lambda group: len(group.categories) == 1):
            if group.rows <= self._limit and self._brings_nearer(group) and self._can_spare(group):
                self._take(group)
        for category in sorted(self._total):
            if self._total[category] >= _ENOUGH and not self._inside[category]:
                for group in self._candidates(category):
                    self._take(group)
                    break
        return self._taken

    def _candidates(self, category: int) -> Iterator[_Group]:
        """Groups that would give the category its first test rows: its own first, then the smallest."""
        having = [group for group in self._groups if category in dict(group.categories) and self._can_spare(group)]
        for group in sorted(having, key=lambda group: (len(group.categories), group.rows)):
            if len(group.categories) == 1 or group.rows <= self._limit:
                yield group

    def _brings_nearer(self, group: _Group) -> bool:
        return all(rows < 2 * (self._wanted[c] - self._inside[c]) for c, rows in group.categories)

    def _can_spare(self, group: _Group) -> bool:
        return all(self._left[c] > 1 for c, _ in group.categories)

    def _take(self, group: _Group) -> None:
        self._taken[group.number] = True
        for category, rows in group.categories:
            self._inside[category] += rows
            self._left[category] -= 1


def _members(targets: Sequence[int], groups: Sequence[int]) -> tuple[list[_Group], np.ndarray]:
    """The groups in order of their numbers, and the place of each row's among them, int (n,)."""
    _, places = np.unique(np.asarray(groups), return_inverse=True)
    found: dict[int, Counter[int]] = {}
    for place, target in zip(places.tolist(), np.asarray(targets).tolist(), strict=True):
        found.setdefault(place, Counter())[target] += 1
    return [_Group(place, tuple(sorted(found[place].items()))) for place in sorted(found)], places


def _rows_by_category(groups: Sequence[_Group]) -> Counter[int]:
    total: Counter[int] = Counter()
    for group in groups:
        total.update(dict(group.categories))
    return total


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
