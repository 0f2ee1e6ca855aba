"""Fitting the branches: they learn, from fixed seeds, and go on after a kill."""

import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from model.planted import alone
from model.training.corpus import fingerprint, held_out, new_concepts, read_corpus
from model.training.fusion import fit_fusion
from model.training.lexical import fit_lexical
from model.training.semantic import SemanticTrainer


@pytest.fixture(scope="module")
def rows():
    return read_corpus()


def test_the_corpus_is_what_its_readme_says(rows) -> None:
    assert len(rows) >= 40_000
    assert len({row.code for row in rows}) == 27
    assert all(row.designation.strip() for row in rows)
    titles = {(row.code, row.designation, row.description) for row in rows}
    assert len(titles) > 0.995 * len(rows)
    readme = (Path(__file__).parents[2] / "corpus" / "README.md").read_text(encoding="utf-8")
    assert f"{len(rows):,} product listings" in readme
    for first, last in ("ae", "vz", "fr"):
        count = sum(first <= row.voice <= last for row in rows)
        assert re.search(rf"\| {first}–{last} \| {count:,} \|", readme)
    for language, count in Counter(row.language for row in rows).items():
        assert f"{language} {count:,}" in readme
    assert f"{sum(bool(row.description) for row in rows):,} rows have a description" in readme


def test_a_held_out_concept_is_held_out_whole(rows) -> None:
    some = rows[::7]
    held = held_out(some, frozenset({"a"}), 0.1, seed=3)
    assert 0.1 < held.mean() < 0.4
    assert all(out for row, out in zip(some, held, strict=True) if row.voice == "a")
    others = [(row.code, row.concept, out) for row, out in zip(some, held, strict=True) if row.voice != "a"]
    by_concept: dict = {}
    for code, concept, out in others:
        by_concept.setdefault((code, concept), set()).add(out)
    assert all(len(values) == 1 for values in by_concept.values())
    new = new_concepts(some, held)
    assert 0 < new.sum() < held.sum() and not (new & ~held).any()
    assert np.array_equal(held, held_out(some, frozenset({"a"}), 0.1, seed=3))
    assert fingerprint(some) != fingerprint(some[1:])


def test_the_lexical_branch_learns_and_is_centred() -> None:
    nouns = ("table basse", "chat croquettes", "piscine pompe")
    documents = [f"{noun} {i}".split() for i in range(30) for noun in nouns]
    targets = np.array([i % 3 for i in range(90)])
    fit = fit_lexical(documents, targets, np.ones(90), 3, 1.0, seed=0)
    assert fit.table.sum(axis=1) == pytest.approx(np.zeros(len(fit.table)), abs=1e-5)
    found = fit.logits([["grande", "table"], ["le", "chat"], ["pompe"]]).argmax(axis=1)
    assert found.tolist() == [0, 1, 2]
    again = fit_lexical(documents, targets, np.ones(90), 3, 1.0, seed=0)
    assert np.array_equal(fit.table, again.table)


def test_the_semantic_branch_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    embedding = random.normal(size=(60, 512)).astype(np.float32)
    targets = random.integers(0, 3, 96)
    # The category shows in which third of the vocabulary the pieces come from.
    rows = [np.array([1, *(random.integers(0, 18, 6) + 3 + 19 * t), 2], np.int32) for t in targets]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    steps = []

    def run(folder: Path) -> SemanticTrainer:
        trainer = SemanticTrainer(embedding, {}, 3, seed=1)
        checkpoint = trainer._checkpoint

        def noting(folder, epoch, optimizer):
            checkpoint(folder, epoch, optimizer)
            steps.append((folder, epoch))
            if not parts.exists():
                shutil.copytree(folder, parts)  # what a process leaves that is killed here

        trainer._checkpoint = noting
        trainer.fit(rows, rows, targets, np.ones(96), folder, epochs=3, rate=1e-3, batch=16)
        return trainer

    through, resumed = run(whole), run(parts)
    assert steps == [(whole, 1), (whole, 2), (whole, 3), (parts, 2), (parts, 3)]
    assert (through.logits(rows).argmax(axis=1) == targets).mean() > 0.9
    for path, value in through.weights().items():
        assert value == pytest.approx(resumed.weights()[path], abs=1e-5), path
    assert through.weights()["semantic_logits/kernel"].sum(axis=1) == pytest.approx(np.zeros(512), abs=1e-4)


def test_fusion_gives_the_better_branch_more_weight_and_calibrates() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 4000)
    good = np.eye(4)[truth] * 2 + random.normal(size=(4000, 4))
    bad = np.eye(4)[truth] * 0.2 + random.normal(size=(4000, 4))
    fusion = fit_fusion(good, bad, truth, np.ones(4000), np.log(np.full(4, 0.25)))
    assert fusion.lexical > 4 * fusion.semantic
    # Unit normal noise around 2 and 0: the right slope of the log odds is 2.
    assert fusion.lexical == pytest.approx(2, rel=0.15)


def test_the_backbone_reads_a_clock_as_a_clock(classifier) -> None:
    """The pretrained weights are in their places: a drawn clock is an analog clock (409) or a wall clock (892)."""
    from keras import Model

    whole = classifier.bundle.network.whole
    classes = Model(whole.get_layer("image").output, whole.get_layer("image_classes").output)
    found = np.argsort(-classes.predict_on_batch(alone("clock", 224)[None].astype(np.float32))[0])[:2]
    assert set(found.tolist()) & {409, 892}
