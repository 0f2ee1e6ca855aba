"""Whether what is classified still looks like what it is compared with: a distance, and what chance makes of it.

Two questions for each measure, and both must be answered yes. Is it more than chance? Under the assumption that both
come from one distribution, the pooled one, samples of the same sizes are drawn again and again (a parametric bootstrap:
Efron & Tibshirani 1993, chapter 16); the share of them at least as far apart is the p-value, and the measures of one
look share the level among them (Bonferroni). Does it matter? With many products the smallest difference is more than
chance; so the distance, less what chance alone makes of it on average, has to reach a limit as well.

The distance is the Jensen-Shannon divergence in bits (Lin 1991): 0 for equal distributions, 1 for ones that share no
class, finite where a class is empty. For small differences the population stability index (Siddiqi 2006) is about
8 ln 2 times it: its customary limits of 0.1 and 0.25 are the ones here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

PSI_WATCH, PSI_DRIFT = 0.1, 0.25
WATCH_BITS, DRIFT_BITS = (psi / (8 * math.log(2)) for psi in (PSI_WATCH, PSI_DRIFT))
LEVEL = 0.01
"""Share of looks at which something is flagged although nothing has changed."""
FEWEST = 100
"""Products on either side below which nothing is said."""
_FIRST_DRAWS, _DRAWS = 200, 4_000
"""Most distances are settled by few draws; where a flag may come of it, p has to be known well."""
_MOST = 100_000
"""Sizes beyond this make no difference to what chance can do."""

Counts = Mapping[str, float]
"""Class to number; a fraction where rows have weights."""


class Flag(IntEnum):
    """The larger, the worse."""

    FEW = -1
    STABLE = 0
    WATCH = 1
    DRIFT = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure. ``bits``: the distance less what chance makes of it. ``p``: see the module. ``moved``: the classes
    in the order of what they add to the distance, with the change of their share.
    """

    measure: str
    flag: Flag
    number: int
    reference: int
    bits: float = 0.0
    p: float = 1.0
    moved: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """All measures of one look. ``judged``: those that the flag is from."""

    comparisons: tuple[Comparison, ...]
    judged: tuple[str, ...]

    @property
    def flag(self) -> Flag:
        """The worst of those that are judged."""
        return max((one.flag for one in self.comparisons if one.measure in self.judged), default=Flag.FEW)

    @property
    def worst(self) -> Comparison | None:
        """The one that made the flag; of several, the one farthest off."""
        found = [one for one in self.comparisons if one.measure in self.judged and one.flag == self.flag]
        return max(found, key=lambda one: one.bits, default=None)


def compare(now: Mapping[str, Counts], reference: Mapping[str, Counts], judged: Sequence[str], seed: int = 0) -> Drift:
    """Each measure that either side has, now against the reference. The same counts give the same answer."""
    measures = list(dict.fromkeys([*now, *reference]))
    level = LEVEL / max(1, len(judged))
    random = np.random.default_rng(seed)
    found = [_compare(one, now.get(one, {}), reference.get(one, {}), level, random) for one in measures]
    return Drift(tuple(found), tuple(judged))


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon in bits, over the last axis of two arrays of shares: (…,) in [0, 1]."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(x > 0, x * np.log2(x / middle), 0.0) for x in (p, q)]
    return np.clip((parts[0] + parts[1]).sum(axis=-1) / 2, 0.0, 1.0)


def _compare(measure: str, now: Counts, reference: Counts, level: float, random: np.random.Generator) -> Comparison:
    names = sorted({*now, *reference})
    a, b = (np.array([counts.get(name, 0) for name in names], float) for counts in (now, reference))
    sizes = round(a.sum()), round(b.sum())
    if min(sizes) < FEWEST:
        return Comparison(measure, Flag.FEW, *sizes)
    p, q = a / a.sum(), b / b.sum()
    distance = float(divergence(p, q))
    for draws in (_FIRST_DRAWS, _DRAWS):
        chance = _by_chance(a + b, sizes, draws, random)
        value = (1 + np.count_nonzero(chance >= distance - 1e-12)) / (1 + draws)
        bits = max(0.0, distance - float(chance.mean()))
        if bits < 0.9 * WATCH_BITS:
            break
    flag = Flag.STABLE
    if value <= level and bits >= WATCH_BITS:
        flag = Flag.DRIFT if bits >= DRIFT_BITS else Flag.WATCH
    order = np.argsort(-_each(p, q), kind="stable")
    moved = tuple((names[i], float(p[i] - q[i])) for i in order)
    return Comparison(measure, flag, *sizes, bits, float(value), moved)


def _by_chance(pooled: np.ndarray, sizes: tuple[int, int], draws: int, random: np.random.Generator) -> np.ndarray:
    """Distances of pairs of samples from one distribution: (draws,)."""
    shares = pooled / pooled.sum()
    drawn = [random.multinomial(min(size, _MOST), shares, size=draws) / min(size, _MOST) for size in sizes]
    return divergence(*drawn)


def _each(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """What each class adds to the distance."""
    return np.array([float(divergence(np.array([x]), np.array([y]))) for x, y in zip(p, q, strict=True)])
