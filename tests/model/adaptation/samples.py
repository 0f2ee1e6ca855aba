"""Made-up decisions in the form they are exported in, and small evidence for what is fitted on it."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse

from model.adaptation import company
from model.adaptation.adapt import Adaptation
from model.adaptation.decided import Decisions
from model.adaptation.evidence import Evidence
from model.adaptation.residual import Basis, Decided
from model.bundle import read_manifest, read_taxonomy
from model.training.data import read_labelled
from settings import SHIPPED_BUNDLE
from tests.model.made_up import drawn, nouns, write_pictures, write_rows

CODES = (10, 1560, 2060, 2280, 2583)
_COLUMNS = ("product", "designation", "description", "image", "decision", "code", "decided_at")
_ANYTHING = ("lot", "neuf", "bleu", "cadeau", "grand", "promo", "rouge", "occasion", "léger", "pièce")


def write_decisions(folder: Path, rows: Sequence[Sequence[object]], pictures: dict[str, bytes] | None = None) -> Path:
    """``rows``: designation, picture's name or "", code. Each is a product of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    write_pictures(folder, pictures or {})
    cells = (
        [f"{number:064x}", text, "", picture, "corrected", code, "2026-01-31T09:30:00Z"]
        for number, (text, picture, code) in enumerate(rows)
    )
    write_rows(folder / "decisions.csv", [_COLUMNS, *cells])
    return folder / "decisions.csv"


def looks_tell(folder: Path, rows: int, codes: Sequence[int] = CODES, told: float = 0.6) -> Path:
    """Decisions on products with pictures that tell the category; of the texts, the share ``told`` does."""
    chance, made, pictures = random.Random("looks"), [], {}
    for number in range(rows):
        code = codes[number % len(codes)]
        words = chance.sample(_ANYTHING, 2) + chance.sample(nouns(code)[0], 1 if chance.random() < told else 0)
        name = f"images/{number}.jpg"
        pictures[name] = drawn(code, number)
        made.append((f"{' '.join(words)} {chance.randrange(1000)}", name, code))
    return write_decisions(folder, made, pictures)


def jargon(folder: Path, rows: int, codes: Sequence[int] = CODES, wrong: float = 0.0) -> Path:
    """Decisions on products of which a word of the house tells the category, wrongly for the share ``wrong``."""
    chance, made = random.Random("jargon"), []
    for number in range(rows):
        place = number % len(codes)
        word = ("azur", "boreal", "corail", "dune", "ebene")[place]
        text = f"gamme {word} {' '.join(chance.sample(_ANYTHING, 3))} {chance.randrange(1000)}"
        made.append((text, "", codes[place] if chance.random() >= wrong else chance.choice(codes)))
    return write_decisions(folder, made)


def read(path: Path, *learned: np.ndarray) -> tuple[Decisions, company.Company]:
    """Decisions for the model that ships, which has learned from these keys, too."""
    taxonomy = read_taxonomy(SHIPPED_BUNDLE)
    corpus = company.Company(taxonomy, 3)
    known = company.known_keys(SHIPPED_BUNDLE, read_manifest(SHIPPED_BUNDLE), corpus.listings)
    return Decisions.of(read_labelled(path, taxonomy), path, taxonomy, np.concatenate([known, *learned])), corpus


def adaptation_to(path: Path) -> Adaptation:
    """As the command does it."""
    decisions, corpus = read(path)
    return Adaptation(SHIPPED_BUNDLE, decisions, corpus, 3, "a test", lambda _line: None)


def evidence(rows: int = 30, categories: int = 4, seed: int = 0, inputs: str = "mixed") -> Evidence:
    """Random features and logits. ``inputs``: "mixed", or "text" for texts alone."""
    random_ = np.random.default_rng(seed)
    has_text = np.ones(rows, bool) if inputs == "text" else random_.random(rows) < 0.8
    has_picture = np.zeros(rows, bool) if inputs == "text" else ~has_text | (random_.random(rows) < 0.6)
    words = sparse.random_array((rows, 40), density=0.2, rng=random_, format="csr").toarray() * has_text[:, None]
    words[has_text, 1] = 1
    return Evidence(
        words=sparse.csr_matrix(words),
        sentence=random_.normal(0, 0.05, (rows, 6)) * has_text[:, None],
        pooled=random_.random((rows, 8)) * has_picture[:, None],
        text=random_.normal(size=(rows, categories)) * has_text[:, None],
        picture=random_.normal(size=(rows, categories)) * has_picture[:, None],
        bias=random_.normal(size=categories),
        texts=[None] * rows,
        has_text=has_text,
        has_picture=has_picture,
        unreadable=[""] * rows,
    )


def decided(found: Evidence, targets: np.ndarray, text_gram: np.ndarray, picture_gram: np.ndarray) -> Decided:
    """What is fitted on this evidence."""
    return Decided(
        text=found.text,
        picture=found.picture,
        bias=found.bias,
        has_text=found.has_text,
        has_picture=found.has_picture,
        targets=targets,
        text_basis=Basis.of(text_gram),
        picture_basis=Basis.of(picture_gram),
    )
