"""The command from end to end, on the model that ships: what it gains, keeps, writes and refuses."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from model.__main__ import main
from model.adaptation import adapt as adaptation
from model.adaptation import company, judging, memory, outcome
from model.adaptation.errors import AdaptationError
from model.bundle import read_bundle_and_weights, read_manifest, read_seen, read_taxonomy
from model.bundle_files import MANIFEST, read_checked
from model.classifier import Classifier
from model.loading import load_bundle
from model.product import Product
from model.training.data import read_labelled, text_key
from settings import SHIPPED_BUNDLE, settings
from tests.model.adaptation.samples import CODES, adaptation_to, jargon, looks_tell, read, write_decisions
from tests.model.made_up import drawn


def adapt(decisions: Path, out: Path, *more: str, bundle: Path = SHIPPED_BUNDLE) -> int:
    return main(["adapt", "--decisions", str(decisions), "--out", str(out), "--bundle", str(bundle), *more])


@pytest.fixture(autouse=True, scope="module")
def little_company(classifier):
    """Less of the open corpus and fewer drawings are looked at, and the model that ships is loaded once."""
    some, named = company.read_corpus()[::20], read_manifest(SHIPPED_BUNDLE)["training"]["fingerprint"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(company, "read_corpus", lambda: some)
        patch.setattr(company, "fingerprint", lambda _rows: named)
        patch.setattr(company, "CHECKED", 150)
        patch.setattr(company, "HELD", 150)
        patch.setattr(memory, "DRAWN_CHECKED", 16)
        patch.setattr(memory, "DRAWN_HELD", 16)
        patch.setattr(judging, "RESAMPLES", 60)
        company._corpus_keys.cache_clear()
        patch.setattr(adaptation, "load_bundle", lambda path: shipped(path, classifier))
        yield
    company._corpus_keys.cache_clear()


def shipped(folder: Path, classifier: Classifier):
    return classifier.bundle if folder == SHIPPED_BUNDLE else load_bundle(folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> SimpleNamespace:
    """An adaptation to decisions whose pictures tell, two of them not to be read, with its report."""
    home = tmp_path_factory.mktemp("adapted")
    decisions = looks_tell(home, 60)
    for number in (7, 8):
        (home / "images" / f"{number}.jpg").write_bytes(b"no picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "savez_compressed", np.savez)  # several seconds less
        status = adapt(decisions, home / "out", "--json", str(home / "report.json"))
    report = json.loads((home / "report.json").read_text(encoding="utf-8"))
    return SimpleNamespace(home=home, decisions=decisions, out=home / "out", status=status, report=report)


@pytest.fixture(scope="module")
def adapted(done) -> Classifier:
    assert done.status == 0
    return Classifier.load(done.out)


def test_pictures_lift_what_is_held_out_by_five_points_and_more(done) -> None:
    held = done.report["held_out"]
    assert held["all"]["rows"] == 60 and held["both"]["rows"] == 58 and held["text"]["rows"] == 2
    assert held["all"]["difference"]["weighted_f1"] >= 0.05
    assert held["all"]["difference_interval"]["weighted_f1"][0] > 0.05
    assert held["all"]["difference"]["log_loss"] < 0 and done.report["strength"]["picture"] > 0
    assert done.report["refused"] is None and done.report["decisions"]["pictures_unreadable"] == 2


def test_nothing_is_forgotten_with_or_without_a_picture(done) -> None:
    remembered = done.report["remembered"]
    assert {name: one["rows"] for name, one in remembered.items()} == {
        "text": 150, "with_drawings": 150, "with_strangers": 150, "drawings": 80, "strangers": 58,
    }  # fmt: skip
    for name in ("text", "with_drawings", "with_strangers"):
        assert remembered[name]["difference"]["weighted_f1"] >= -0.01
        assert remembered[name]["difference"]["ece"] <= 0.01
    assert done.report["pictures"] == {"left": None, "would_be": None}
    assert not outcome.lost(done.report)


def test_what_others_look_like_takes_nothing_from_them(classifier, adapted) -> None:
    """Listings and pictures of the 22 categories without a decision, in the very style of the decided pictures."""
    rows = [row for row in company.read_corpus() if row.code not in CODES]
    rows = [next(row for row in rows if row.code == code) for code in dict.fromkeys(row.code for row in rows)]
    looks = [drawn(row.code, 9_000 + i) for i, row in enumerate(rows)]
    both = [Product(row.designation, row.description, look) for row, look in zip(rows, looks, strict=True)]
    right = [
        np.mean([p.code == row.code for p, row in zip(model.predict(both), rows, strict=True)])
        for model in (classifier, adapted)
    ]
    alone = np.array([p.confidence for p in adapted.predict([Product(image=look) for look in looks])])
    assert len(rows) == 22 and right[1] >= right[0] > 0.9
    assert alone.mean() < 0.3 and (alone < 0.6).mean() > 0.85


def test_the_adapted_model_knows_looks_it_has_not_seen(done, adapted) -> None:
    products = [Product(image=drawn(code, 10_000 + i)) for i in range(2) for code in CODES]
    right = [p.categories[0].code == code for p, code in zip(adapted.predict(products), CODES * 2, strict=True)]
    assert np.mean(right) > 0.8


def test_explanations_add_up_and_show_where(adapted) -> None:
    product = Product("Canapé bleu 3 places", "Tissu gris, neuf.", image=drawn(1560, 77_000))
    logits = adapted.logits(product)
    for code in (1560, 2583):
        found = adapted.explain(product, code)
        assert found.logit == pytest.approx(logits[code], abs=1e-3)
        assert found.logit == pytest.approx(found.bias + found.lexical + found.semantic + found.image, abs=1e-3)
        assert sum(w.lexical + w.semantic for w in found.words) + found.rest + found.bias + found.image == (
            pytest.approx(found.logit, abs=1e-3)
        )
    assert adapted.explain(product, 1560).heatmap.max() == pytest.approx(1.0)


def test_the_bundle_says_what_it_is(done, adapted) -> None:
    manifest, contents = read_checked(done.out)
    parent = json.loads((SHIPPED_BUNDLE / MANIFEST).read_bytes())
    assert manifest["adapted_from"] == parent["version"] and manifest["version"].startswith("open-adapted-")
    assert manifest["adaptation"]["decisions"]["rows"] == 60 and manifest["adaptation"]["seed"] == 20
    assert manifest["training"]["data"].endswith("; then 60 decisions of moderators")
    assert set(contents) >= {"smoke.json", "metrics.json", "seen.npz"} and "faithfulness.json" not in contents
    metrics = adapted.bundle.reports["metrics"]
    assert metrics["model"] == manifest["version"] and metrics["data"]["rows"] == 60
    assert metrics["overall"]["weighted_f1"] == done.report["held_out"]["all"]["after"]["weighted_f1"]
    assert set(metrics["caution"]) == {"en", "fr"}


def test_what_was_learned_from_is_known(done) -> None:
    seen, corpus = read_seen(done.out), company._corpus_keys()
    row = read_labelled(done.decisions, read_taxonomy(SHIPPED_BUNDLE)).examples[0]
    assert text_key(row.designation, row.description) in seen and np.isin(corpus, seen).all()
    # 60 texts, and the 58 pictures that could be read: broken files are often the same.
    assert len(seen) == len(corpus) + 118


def test_only_what_is_linear_has_moved(done) -> None:
    before, after = (read_bundle_and_weights(folder)[1] for folder in (SHIPPED_BUNDLE, done.out))
    moved = {path for path in before if not np.array_equal(before[path], after[path])}
    assert moved <= {"lexical_logits/table", "semantic_logits/kernel", "semantic_logits/bias"}
    assert set(after) - set(before) == {"image_head/kernel", "image_head/bias", "image_head_scaled/factor"}


def test_the_same_decisions_teach_an_adapted_model_no_second_time(done, capsys) -> None:
    assert adapt(done.decisions, done.home / "again", bundle=done.out) == 1
    assert "60 of 60 decisions are on products that open-adapted-" in capsys.readouterr().err
    assert not (done.home / "again").exists()


def test_words_of_the_house_are_learned_always_the_same(tmp_path: Path) -> None:
    path = jargon(tmp_path, 45)
    report, first = adaptation_to(path).run()
    assert report["held_out"]["all"]["difference"]["weighted_f1"] > 0.3 and report["strength"]["picture"] == 0
    again, second = adaptation_to(path).run()
    assert again == report
    np.testing.assert_array_equal(first.text.words, second.text.words)
    assert first.picture is None


def test_decisions_without_rhyme_or_reason_are_refused(tmp_path: Path, capsys) -> None:
    decisions, out = jargon(tmp_path, 50, wrong=1.0), tmp_path / "out"
    assert adapt(decisions, out, "--json", str(tmp_path / "r.json")) == 1
    said = capsys.readouterr().err
    assert "Nothing was written" in said and "50 held-out decisions" in said
    assert not out.exists() and sorted(p.name for p in tmp_path.iterdir()) == ["decisions.csv", "r.json"]
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["refused"] in said and report["model"] is None


def test_pictures_alone_teach_once(tmp_path: Path) -> None:
    pictures = {f"images/{i}.jpg": drawn(CODES[i % 5], i) for i in range(40)}
    decisions = write_decisions(tmp_path, [("", name, CODES[i % 5]) for i, name in enumerate(pictures)], pictures)
    one = adaptation_to(decisions)
    report, _fitted = one.run()
    assert report["held_out"]["image"]["rows"] == 40 and report["strength"]["text"] == 0
    assert report["held_out"]["image"]["difference"]["weighted_f1"] > 0.3
    assert read(decisions)[0].new.all() and not read(decisions, one.learned)[0].new.any()
    with pytest.raises(AdaptationError, match="40 of 40 decisions are on products that open-1 has learned from"):
        read(decisions, one.learned)[0].check_enough("open-1")


def test_a_known_picture_is_known_whatever_stands_beside_it(tmp_path: Path) -> None:
    look = {"images/a.jpg": drawn(10, 1), "images/b.jpg": b""}
    first, _ = read(write_decisions(tmp_path / "1", [("azur", "images/a.jpg", 10), ("dune", "images/b.jpg", 40)], look))
    learned = first.learned(np.array([True, False]))
    rows = [("corail", "images/a.jpg", 10), ("azur", "", 10), ("corail", "images/b.jpg", 40), ("", "images/b.jpg", 40)]
    again, _ = read(write_decisions(tmp_path / "2", rows, look), learned)
    assert len(learned) == 3 and again.new.tolist() == [False, False, True, True]


def test_pictures_of_two_categories_stay_out_of_it(tmp_path: Path) -> None:
    """Two looks tell two categories apart, and would draw most others to them."""
    pictures = {f"images/{i}.jpg": drawn((10, 2583)[i % 2], i) for i in range(40)}
    rows = [("", name, (10, 2583)[i % 2]) for i, name in enumerate(pictures)]
    one = adaptation_to(write_decisions(tmp_path, rows, pictures))
    report, fitted = one.run()
    assert fitted.picture is None and report["pictures"]["left"] == "few_categories"
    assert report["strength"] == {"text": 0.0, "picture": 0.0} and report["remembered"]["drawings"] is None
    with pytest.raises(AdaptationError, match="because they are of less than 4 categories"):
        one.check(report)


def test_check_reads_and_says_what_is_there(tmp_path: Path, capsys) -> None:
    decisions = looks_tell(tmp_path, 50)
    (tmp_path / "images" / "3.jpg").write_bytes(b"")
    status = main(["adapt", "--decisions", str(decisions), "--bundle", str(SHIPPED_BUNDLE), "--check"])
    said = capsys.readouterr()
    assert status == 0 and "50 decisions on 50 different products" in said.out and "49 with a readable" in said.out
    assert "Pictures that cannot be read" in said.err and "10 (10), 1560 (10)" in said.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["decisions.csv", "images"]


def test_too_little_is_refused(tmp_path: Path, capsys) -> None:
    assert adapt(jargon(tmp_path / "few", 39), tmp_path / "out") == 1
    assert "39 decisions on 39 different products are too few" in capsys.readouterr().err
    same = write_decisions(tmp_path / "same", [("azur bleu", "", 10)] * 60)
    assert adapt(same, tmp_path / "out") == 1
    assert "60 decisions on 1 different products are too few" in capsys.readouterr().err
    assert adapt(jargon(tmp_path / "one", 60, codes=(10,) * 5), tmp_path / "out") == 1
    assert "All 60 decisions are for one category" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_foreign_label_is_named(tmp_path: Path, capsys) -> None:
    assert adapt(write_decisions(tmp_path, [("azur", "", 77)] * 50), tmp_path / "out") == 1
    assert "labels outside the taxonomy: 50" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seed", "-1"), "--seed must lie between"),
        (("--name", "../x"), "is no name for a model"),
        (("--out", "model/bundles/open"), "is a model in use"),
        (("--out", "."), "holds other things than a model"),
        (("--json", "model/bundles/open/x.json"), "lies in a model's folder"),
        (("--json", "docs"), "is a folder"),
    ],
)
def test_what_cannot_be_done_is_said_first(tmp_path: Path, capsys, more: tuple[str, ...], said: str) -> None:
    assert adapt(jargon(tmp_path, 50), tmp_path / "out", *more) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_but_a_whole_model_is_replaced(tmp_path: Path, capsys) -> None:
    decisions, out = jargon(tmp_path, 50), tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    assert adapt(decisions, out) == 1
    assert "holds other things than a model" in capsys.readouterr().err and (out / "letter.txt").exists()
    (tmp_path / "link").symlink_to(out)
    assert adapt(decisions, tmp_path / "link") == 1
    assert "is a link" in capsys.readouterr().err
    assert adapt(decisions, settings().home / "models" / "x") == 1
    assert main(["adapt", "--decisions", str(decisions)]) == 1
    assert "Name the folder" in capsys.readouterr().err
    copy = tmp_path / "model"
    shutil.copytree(SHIPPED_BUNDLE, copy)
    assert adapt(decisions, copy, bundle=copy) == 1
    assert "is a model in use" in capsys.readouterr().err
