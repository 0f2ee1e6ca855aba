"""The result of a file: its table, its charts, its quality, what can be taken away."""

import csv
import io
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import batch.runner
from batch.jobs import Job
from batch.output import OURS, OutputError
from batch.quality import quality
from batch.results import Results
from batch.runner import run_job
from model.product import Product
from model.taxonomy import default_taxonomy
from settings import settings
from tests.batch.samples import HEADER, LAMP, official_names, official_rows, pictures_zip, planned
from tests.pages.batch_page import VISITOR, charts, copied, inline, keyed, metrics, opened, plain, told
from ui.batch.downloads import OFFERS, _maker

ROWS, PICTURES = 130, 6
HOSTILE = "Housse <script>alert(1)</script> **de** coussin [x](//y)"


@pytest.fixture(scope="session")
def classified(exports, tmp_path_factory) -> Job:
    """A finished job with a few pictures, wrong labels and a row with nothing in it; made once."""
    home = tmp_path_factory.mktemp("classified")
    (home / "exports").symlink_to(exports / "exports")
    rows = official_rows(ROWS)
    for i in (4, 30, 31):
        rows[i][5] = "10"
    rows[7][5], rows[8][5] = "", "999999"
    rows[9][1] = rows[9][2] = ""
    rows[12][1] = HOSTILE
    names = official_names(rows)
    pictures = dict.fromkeys(names[:PICTURES], LAMP) | {names[PICTURES]: b"no picture"}
    job = planned(home, rows, pictures_zip(home / "a.zip", pictures), owner=VISITOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch.runner, "run_local", inline)
        assert run_job(job, home, alone=False) == "done"
    return job


@pytest.fixture
def job(classified, tmp_path, monkeypatch):
    """The job in a home of the test's own."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    yield copied(classified, tmp_path)
    settings.cache_clear()


@pytest.fixture
def found(job) -> Results:
    return Results(job)


def table(page: AppTest, key: str = "batch_grid_products_"):
    return keyed(page.dataframe, key).value


def ticked(page: AppTest, line: int, key: str = "batch_grid_products_") -> AppTest:
    """The page once a row of the table is ticked."""
    page.session_state[keyed(page.dataframe, key).key] = {"selection": {"rows": [line], "columns": [], "cells": []}}
    return page.run()


def tab(page: AppTest, name: str, language: str = "fr") -> AppTest:
    page.session_state[f"batch_tabs_{language}"] = name
    return page.run()


def test_the_numbers_are_those_of_the_result(job, found):
    page = opened(job)
    assert not page.exception
    doubtful = int((found.confidence < 0.6).sum())
    assert metrics(page) == {
        "Lignes classées": str(ROWS),
        "À vérifier par une personne": f"{doubtful} ({round(100 * doubtful / ROWS)} %)",
        "Images prises en compte": str(PICTURES),
        "Autre que la catégorie donnée": str(int(found.disagreeing.sum())),
    }
    assert f"{ROWS - PICTURES} lignes ont été lues sans leur image : manquante" in told(page)
    assert "pas une image (1)" in told(page)


def test_a_page_of_the_table_is_the_results_own(job, found):
    page = opened(job)
    shown = table(page)
    taxonomy = default_taxonomy()
    assert list(shown["row"]) == list(range(1, 51))
    assert list(shown["text"])[:3] == [row[1] for row in found.cells(range(3))]
    assert list(shown["category"]) == [f"{code} · {taxonomy[code].label_fr}" for code in found.codes[:50, 0].tolist()]
    assert shown["confidence"].max() <= 0.9999
    assert list(shown["confidence"]) == pytest.approx(np.minimum(found.confidence[:50], 0.9999).tolist())
    assert shown["given"][0] == "=" and shown["given"][4].startswith("≠ 10 · ")
    assert shown["given"][7] == "–"
    assert [isinstance(uri, str) for uri in shown["picture"][:8]] == [True] * PICTURES + [False] * 2
    assert shown["picture"][0].startswith("data:image/jpeg;base64,")
    assert list(shown["fate"][:8]) == ["prise en compte"] * PICTURES + ["pas une image", "manquante"]
    assert shown["text"][12] == HOSTILE


def test_the_pages_hold_every_row_once(job):
    page = opened(job)
    rows = list(table(page)["row"])
    for number in (2, 3):
        page.get("pagination")
        keyed(page.pagination, "batch_page_").set_value(number).run()
        assert not page.exception
        rows += list(table(page)["row"])
    assert rows == list(range(1, ROWS + 1))


def test_filters_and_sorting_are_over_all_rows(job, found):
    page = opened(job)
    keyed(page.pagination, "batch_page_").set_value(3).run()
    keyed(page.selectbox, "batch_sort_").set_value(1).run()
    lowest = np.argsort(found.confidence, kind="stable")
    assert list(table(page)["row"] - 1) == lowest[:50].tolist(), "from the first page, over all rows"
    keyed(page.button_group, "batch_descending_").set_value(True).run()
    assert list(table(page)["row"] - 1) == np.argsort(-found.confidence, kind="stable")[:50].tolist()
    box = keyed(page.selectbox, "batch_code_")
    counts = {int(option.split(" · ")[0]): int(option.rsplit("(")[-1][:-1]) for option in box.options[1:]}
    codes, counted = np.unique(found.codes[:, 0], return_counts=True)
    assert counts == dict(zip(codes.tolist(), counted.tolist(), strict=True))
    place = list(counts).index(1920) + 1
    box.set_value(place).run()
    assert set(table(page)["category"]) == {f"1920 · {default_taxonomy()[1920].label_fr}"}
    assert len(table(page)) == counts[1920]


def test_only_the_doubtful_or_the_disagreeing_can_be_shown(job, found):
    page = opened(job)
    keyed(page.toggle, "batch_disagreeing_").set_value(True).run()
    assert list(table(page)["row"] - 1) == np.flatnonzero(found.disagreeing).tolist()
    keyed(page.toggle, "batch_disagreeing_").set_value(False).run()
    keyed(page.slider, "batch_below_").set_value(60).run()
    assert list(table(page)["row"] - 1) == np.flatnonzero(found.confidence < 0.6).tolist()
    keyed(page.slider, "batch_below_").set_value(0).run()
    assert "Aucun produit ne passe ces filtres" in told(page)
    assert not page.exception


@pytest.mark.parametrize("row", [0, 6, 9, 12])
def test_a_row_opens_with_the_classifiers_own_answer(job, found, classifier, row):
    page = ticked(opened(job), row)
    assert not page.exception
    cells = found.cells([row])[0]
    shown = "\n".join(element.proto.body for element in page.html)
    expected = classifier.predict([found.product(row)])[0]
    assert f"code {expected.code}" in shown and int(found.codes[row, 0]) == expected.code
    assert f"Ligne {row + 1}" in told(page)
    assert "<script>alert" not in shown
    assert all(cell in shown for cell in cells if "<" not in cell)
    assert ("Son image n’a pas été prise en compte : manquante" in told(page)) == (row > PICTURES)
    assert ("Le fichier n’est pas une image" in told(page)) == (row == PICTURES)
    page.session_state["batch_why"] = True
    page.run()
    assert not page.exception
    assert "Ce sur quoi repose la décision" in told(page)


def test_a_row_that_names_no_other_model_brings_no_warning(job, monkeypatch):
    page = ticked(opened(job), 0)
    assert "a été classé par le modèle" not in told(page)
    spec = json.loads((job.folder / "spec.json").read_text())
    (job.folder / "spec.json").write_text(json.dumps(spec | {"model": "open-older"}))
    from ui.batch import cached

    cached._results.clear()
    assert "a été classé par le modèle open-older" in told(ticked(opened(job), 0))
    cached._results.clear()


def test_charts_say_what_they_draw(job, found):
    page = tab(opened(job), "Graphiques")
    assert not page.exception
    bars, histogram, curve = charts(page)
    assert bars["layer"] and histogram["mark"] and curve["layer"]
    keyed(page.slider, "batch_threshold_").set_value(80).run()
    below = int((found.confidence < np.float32(0.8)).sum())
    assert f"**{below} produits sur {ROWS} (" in told(page)
    assert f"les {ROWS - below} autres" in told(page)
    assert len(page.dataframe) == 0, "no other tab is worked out"


def test_quality_is_that_of_the_numbers(job, found):
    page = tab(opened(job), "Qualité")
    assert not page.exception
    expected = quality(found.labels, found.codes[:, 0], default_taxonomy(), found.confidence)
    shown = metrics(page)
    assert (shown["Lignes comparées"], expected.rows, expected.skipped) == (str(ROWS - 2), ROWS - 2, 2)
    assert shown["Exactitude"] == f"{100 * expected.accuracy:.1f} %".replace(".", ",")
    assert shown["F1 pondéré"] == f"{expected.weighted_f1:.3f}".replace(".", ",")
    assert shown["F1 macro"] == f"{expected.macro_f1:.3f}".replace(".", ",")
    assert "2 lignes sont laissées de côté" in told(page)
    categories = next(shown.value for shown in page.dataframe if "support" in shown.value)
    assert categories["support"].sum() == ROWS - 2
    mistakes = table(page, "batch_grid_mistakes_")
    assert list(mistakes["row"] - 1) == expected.mistakes.tolist()
    ticked(page, 0, "batch_grid_mistakes_")
    assert not page.exception
    assert f"Ligne {expected.mistakes[0] + 1}" in told(page)


def test_without_given_categories_there_is_no_quality(classified, tmp_path, monkeypatch, exports):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    job = copied(classified, tmp_path)
    spec = json.loads((job.folder / "spec.json").read_text())
    spec["columns"]["prdtypecode"] = None
    (job.folder / "spec.json").write_text(json.dumps(spec))
    from ui.batch import cached

    cached._results.clear()
    page = opened(job)
    assert not page.exception
    assert [tab.label for tab in page.tabs] == ["Produits", "Graphiques", "Aux modérateurs", "Télécharger"]
    assert "given" not in table(page) and not page.toggle
    cached._results.clear()
    settings.cache_clear()


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.format)
def test_each_file_is_made_when_asked_for(job, found, offer, french_page):
    page = tab(opened(job), "Télécharger")
    assert not page.exception
    button = keyed(page.get("download_button"), f"batch_download_{offer.format}")
    assert button.label == "Télécharger" and not button.proto.disabled
    problems: dict[str, Exception] = {}
    with _maker(found, offer, problems)() as file:
        data = file.read()
    assert data and not problems
    if offer.format == "csv":
        [header, *rows] = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
        assert header == [*HEADER, *OURS] and len(rows) == ROWS
        assert rows[12][1] == HOSTILE
    if offer.format == "submission":
        assert data.decode().splitlines()[:2] == [",prdtypecode", f"0,{found.codes[0, 0]}"]
    assert (job.folder / f"result-{offer.format}-fr").exists()


@pytest.fixture
def french_page(monkeypatch):
    monkeypatch.setattr("ui.batch.downloads.language", lambda: "fr")


def test_what_cannot_be_made_is_said(job, found, monkeypatch, french_page):
    def fail(*_, **__):
        raise OutputError("too_many_rows", {"limit": 1_048_575})

    monkeypatch.setattr("ui.batch.downloads.write", fail)
    page = tab(opened(job), "Télécharger")
    problems = page.session_state[f"batch_problems_{job.id}"]
    with pytest.raises(OutputError):
        _maker(found, OFFERS[2], problems)()
    page.run()
    assert "plus de 1 048 575 lignes" in plain(page.error[0].value)


def test_no_submission_without_identifiers(classified, tmp_path, monkeypatch):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    job = copied(classified, tmp_path)
    spec = json.loads((job.folder / "spec.json").read_text())
    spec["columns"]["id"] = None
    (job.folder / "spec.json").write_text(json.dumps(spec))
    from ui.batch import cached

    cached._results.clear()
    page = tab(opened(job), "Télécharger")
    assert keyed(page.get("download_button"), "batch_download_submission").proto.disabled
    assert "aucune colonne ne le contient" in told(page)
    cached._results.clear()
    settings.cache_clear()


def test_the_open_tab_and_the_filters_outlive_the_language(job):
    page = opened(job)
    keyed(page.toggle, "batch_disagreeing_").set_value(True).run()
    tab(page, "Qualité")
    page.session_state["app_language"] = "en"
    page.run()
    assert "Accuracy" in metrics(page)
    tab(page, "Products", "en")
    assert keyed(page.toggle, "batch_disagreeing_").value is True
    assert table(page)["category"][0].split(" · ")[1] in {c.label_en for c in default_taxonomy().categories}


def test_nobody_else_sees_the_result(job):
    page = opened(job, owner="another-" + "a" * 32)
    assert not page.exception and not page.dataframe and "Lignes classées" not in metrics(page)


def test_no_sentence_is_left_in_the_other_language(job):
    names = {
        "fr": ["Produits", "Graphiques", "Qualité", "Télécharger"],
        "en": ["Products", "Charts", "Quality", "Download"],
    }
    written = {}
    for language, tabs in names.items():
        found = set()
        for name in tabs:
            page = tab(opened(job, language=language), name, language)
            assert not page.exception
            elements = [*page.caption, *page.warning, *page.info, *page.subheader, *page.error]
            widgets = (page.button, page.selectbox, page.slider, page.toggle, page.metric, page.button_group)
            found |= {element.value for element in elements} | {w.label for kind in widgets for w in kind}
        written[language] = found
    assert written["fr"] & written["en"] <= {"Parquet", "CSV"}


def test_the_product_of_a_row_is_read_with_its_picture(found):
    assert found.product(0) == Product(found.cells([0])[0][1], found.cells([0])[0][2] or None, LAMP)
