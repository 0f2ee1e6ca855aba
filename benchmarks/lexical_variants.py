"""What pays in the lexical branch: stemming, stop words, shortened copies; on pens held out of the corpus."""

from functools import cache

import numpy as np
from nltk.stem import SnowballStemmer

from model.bundle import prior
from model.calibration import macro_f1, weighted_f1
from model.taxonomy import default_taxonomy
from model.training.corpus import held_out, read_corpus
from model.training.lexical import fit_lexical
from model.training.open_bundle import Recipe
from preprocessing.text import Token, stop_words, tokenize


@cache
def _stem(word: str) -> str:
    return SnowballStemmer("english").stem(SnowballStemmer("french").stem(word))


def stemmed(tokens: list[Token]) -> list[Token]:
    """French, then English stems (Snowball)."""
    return [Token(_stem(t.text), t.start, t.end) for t in tokens]


def without_stop_words(tokens: list[Token]) -> list[Token]:
    """Tokens that are no French stop words."""
    return [t for t in tokens if t.text not in stop_words()]


def measure() -> str:
    """A Markdown table: weighted and macro F1 on designations of the held-out voices, for each variant."""
    taxonomy, recipe = default_taxonomy(), Recipe()
    rows = read_corpus()
    held = held_out(rows, frozenset(recipe.held_out_voices), 0.0, recipe.seed)
    tokens = [tokenize(row.designation) for row in rows]
    targets = np.array([taxonomy.index(row.code) for row in rows])
    shares = prior(taxonomy)
    seen, unseen = np.flatnonzero(~held), np.flatnonzero(held)
    fit_weights = (shares / np.bincount(targets[seen], minlength=len(shares)))[targets]
    fit_weights /= fit_weights[seen].mean()
    test_weights = (shares / np.maximum(1, np.bincount(targets[unseen], minlength=len(shares))))[targets[unseen]]
    parts = np.random.default_rng(recipe.seed).uniform(*recipe.shortened, len(rows))
    lines = ["| designations read as | weighted F1 | macro F1 |", "|---|---:|---:|"]
    for name, change, shorten in (
        ("words as they stand", list, False),
        ("stems, French then English", stemmed, False),
        ("without French stop words", without_stop_words, False),
        ("words, with a copy cut short", list, True),
    ):
        changed = [change(t) for t in tokens]
        documents, places = [changed[i] for i in seen], seen
        if shorten:
            documents += [changed[i][: max(2, round(len(changed[i]) * parts[i]))] for i in seen]
            places = np.concatenate([seen, seen])
        fit = fit_lexical(documents, targets[places], fit_weights[places], recipe.regularization, recipe.seed)
        answer = fit.logits([changed[i] for i in unseen]).argmax(axis=1)
        scores = [f(targets[unseen], answer, len(shares), test_weights) for f in (weighted_f1, macro_f1)]
        lines.append(f"| {name} | {scores[0]:.4f} | {scores[1]:.4f} |")
    voices = ", ".join(recipe.held_out_voices)
    head = (
        "# What pays in the lexical branch\n\nWritten by `make bench-words`: the branch alone,"
        f" fitted without the voices {voices} and measured on their designations,"
        " categories at their published shares.\n"
    )
    return "\n".join([head, *lines, ""])
