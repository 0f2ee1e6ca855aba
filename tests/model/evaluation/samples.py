"""Rows and answers drawn by chance."""

import numpy as np

from model.evaluation.facts import RowFacts
from model.evaluation.report import About, report

ABOUT = About("a command", "made-1", {"name": "made up", "rows": 1, "left_out": {"trained_on": 0}})
CODES = (10, 40, 50, 60)


def drawn(n=200, categories=4, seed=0, sure=2.0):
    """Probabilities float32 (n, categories) and truth (n,), mostly right."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, categories, n)
    logits = random.normal(0, 1, (n, categories))
    logits[np.arange(n), truth] += sure
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities.astype(np.float32), truth


def facts(n=200, seed=0):
    random = np.random.default_rng(seed)
    words = random.integers(0, 200, n)
    return RowFacts(words > 20, random.random(n) < 0.6, random.random(n) < 0.5, words,
                    random.choice(["fr", "en", "unknown"], n, p=[0.7, 0.2, 0.1]).tolist())  # fmt: skip


def made_report(n=200, categories=4, seed=0, **given):
    """A report over drawn rows."""
    probabilities, truth = drawn(n, categories, seed)
    given = {"quantile": 0.9, "coverage": 0.9, **given}
    return report(probabilities, truth, CODES[:categories], facts(n, seed), ABOUT, **given)
