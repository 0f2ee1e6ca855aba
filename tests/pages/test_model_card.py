"""The page about the model: what stands in a bundle, and dashes for what does not."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from model.network import build_network
from model.shape import NetworkShape
from model.taxonomy import default_taxonomy
from settings import ROOT
from tests.pages.batch_page import charts, keyed, metrics, plain, told
from tests.ui.card_samples import made_manifest, made_model, made_report, made_taxonomy, nothing

TABS = {
    "fr": ["Faiblesses", "Qualité", "Confiance", "Catégories", "Données et licences", "Le réseau", "Explications"],
    "en": ["Weaknesses", "Quality", "Confidence", "Categories", "Data and licences", "The network", "Explanations"],
}
REPORT = made_report(default_taxonomy())
MANIFEST = made_manifest(default_taxonomy(), "made-0001")
FAITHFULNESS = json.loads((ROOT / "model" / "bundles" / "open" / "faithfulness.json").read_bytes())


@pytest.fixture
def show(classifier, monkeypatch):
    """Opens the page on a bundle with these files, at a tab."""

    def opened(tab=0, manifest=MANIFEST, metrics=REPORT, faithful=FAITHFULNESS, language="fr", **changed) -> AppTest:
        reports = {"metrics": metrics, "faithfulness": faithful}
        model = made_model(classifier, manifest, {k: v for k, v in reports.items() if v is not None}, **changed)
        monkeypatch.setattr("ui.model.classifier_or_stop", lambda: model)
        page = AppTest.from_file(ROOT / "pages" / "model_card.py", default_timeout=60)
        page.session_state["app_language"] = language
        page.session_state[f"card_tabs_{language}"] = TABS[language][tab]
        page.run()
        assert not page.exception
        return page

    return opened


@pytest.fixture(scope="module")
def five():
    """What a bundle of five categories has."""
    taxonomy = made_taxonomy(5)
    shape = NetworkShape(categories=5, lexical_rows=10, semantic_rows=10)
    return {"taxonomy": taxonomy, "shape": shape, "network": build_network(shape)}


def written(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def test_the_top_is_what_the_files_say(show):
    page = show()
    shown, overall = metrics(page), REPORT["overall"]
    assert shown["F1 pondéré"] == written(overall["weighted_f1"])
    assert shown["F1 macro"] == written(overall["macro_f1"])
    assert shown["Exactitude"] == f"{written(100 * overall['accuracy'], 1)} %"
    assert shown["Parmi les trois premières"] == f"{written(100 * overall['top3_accuracy'], 1)} %"
    assert shown["Calibration (ECE)"] == written(overall["ece"])
    assert shown["AUROC de la confiance"] == written(overall["auroc_of_confidence"])
    low, high = overall["weighted_f1_interval"]
    text = told(page).replace("\\", "")
    assert f"95 % : {written(low)} – {written(high)}" in text
    assert "Entraîné sur 4 000 produits (made-up *listings*)." in text
    assert "le 26 novembre 2026, par la commande python -m model evaluate" in text
    assert "drawn at random" in page.warning[0].value
    assert "made-0001" in page.html[0].proto.body and "25 novembre 2026" in page.html[0].proto.body


@pytest.mark.parametrize("tab", range(len(TABS["fr"])))
@pytest.mark.parametrize(
    ("manifest", "metrics", "faithful"),
    [
        ({"version": "bare"}, None, None),
        ({"version": "old"}, {"command": "make train-open", "new_concepts": {"weighted_f1": 0.8}}, {}),
        (nothing(MANIFEST) | {"version": "nulls"}, nothing(REPORT) | {"schema": 2}, nothing(FAITHFULNESS)),
        (
            {"version": "odd", "training": [1], "parts": {"a": 1}, "files": [3], "settings": "x", "versions": 4},
            {"schema": 2},
            {"picture": None, "words": []},
        ),
    ],
    ids=["none", "older", "nulls", "odd"],
)
def test_a_bundle_without_numbers_shows_dashes(show, tab, manifest, metrics, faithful):
    page = show(tab, manifest, metrics, faithful)
    names = ("F1 pondéré", "F1 macro", "Exactitude", "Parmi les trois premières")
    shown = {metric.label: metric.value for metric in page.metric}
    assert {shown[name] for name in names} == {"–"}
    if not metrics or metrics.get("schema") != 2:
        assert any("ses chiffres ne sont pas connus ici" in plain(info.value) for info in page.info)
    if tab == 6:
        assert {metric.value for metric in page.metric} == {"–"}


@pytest.mark.parametrize("tab", range(len(TABS["fr"])))
def test_five_categories_are_a_taxonomy_too(show, five, tab):
    manifest = made_manifest(five["taxonomy"], "five-0001")
    page = show(tab, manifest, made_report(five["taxonomy"], rows=300), **five)
    if tab == 3:
        assert list(page.dataframe[0].value["code"]) == [10, 20, 30, 40, 50]
        assert list(page.dataframe[1].value["support"]) == [
            sum(line) for line in made_report(five["taxonomy"], rows=300)["confusion"]["counts"]
        ]
    if tab == 5:
        [table] = page.dataframe
        assert list(table.value["parameters"])[-1] == 5, "the bias of five categories"


def test_the_threshold_reads_the_report(show):
    page = show(2)
    slider = keyed(page.slider, "card_threshold")
    assert slider.value == 55, "the model's own"
    slider.set_value(80).run()
    assert not page.exception
    level = REPORT["coverage"][80]
    text = told(page)
    assert f"**{written(100 * level['coverage'], 1)} % des produits**" in text
    assert f"**{written(100 * level['accuracy'], 1)} % d’entre eux**" in text
    curve, reliability, sizes = charts(page)
    assert curve["layer"] and reliability["layer"] and sizes["mark"]


def test_the_categories_have_scope_f1_and_a_map(show):
    page = show(3)
    scopes, table = (found.value for found in page.dataframe)
    expected = [one["f1"] for one in REPORT["categories"]]
    assert list(scopes["f1"]) == pytest.approx(expected, abs=0.00051)
    assert all(scopes["scope"]) and len(scopes) == 27
    assert list(table["f1"]) == pytest.approx(expected, abs=0.00051)
    assert list(table["low"]) == pytest.approx([one["f1_interval"][0] for one in REPORT["categories"]], abs=0.00051)
    best, confusion = charts(page)
    assert best["layer"]
    assert confusion["mark"]


def test_the_data_and_the_licences_are_those_of_the_manifest(show):
    page = show(4)
    tables = [plain(found.value.to_string()).replace("\\", "") for found in page.table]
    data, licences = tables[0], tables[1]
    assert "800 des 4 000 produits (20,0 %), graine 7" in data
    assert "Français (3 000) et Anglais (1 000)" in data
    assert "lignes illisibles (3)" in data and "déjà vus à l’entraînement (12) et image absente (4)" in data
    assert "2 500 (62,5 %)" in data and "ef56" in data
    assert "Apache-2.0" in licences
    assert "recipe.image.epochs" in tables[3] and "0,0015" in tables[3]


def test_the_network_is_drawn_from_itself(show, classifier):
    page = show(5)
    [graph] = page.get("graphviz_chart")
    assert graph.proto.spec.count("subgraph") == 3
    assert f"{classifier.bundle.network.whole.count_params():,}".replace(",", " ") in told(page)
    assert graph.proto.alt


def test_the_explanations_are_set_against_chance(show):
    page = show(6)
    shown = metrics(page)
    picture = FAITHFULNESS["picture"]
    assert shown["La carte désigne l’objet"] == f"{written(100 * picture['pointing_game'], 1)} %"
    assert f"Au hasard : {written(picture['deletion_auc_random'])}" in told(page)
    worse = FAITHFULNESS | {"picture": picture | {"insertion_auc": 0.0}}
    assert "**pas mieux que le hasard**" in told(show(6, faithful=worse))


def test_the_open_tab_outlives_the_language(show):
    page = show(2)
    page.session_state["app_language"] = "en"
    page.run()
    assert page.session_state["card_tabs_en"] == "Confidence"
    assert "Are the probabilities true?" in told(page)


@pytest.mark.parametrize("tab", range(len(TABS["fr"])))
def test_no_sentence_is_left_in_the_other_language(show, tab):
    seen = {}
    for language in TABS:
        page = show(tab, language=language)
        elements = [*page.caption, *page.warning, *page.info, *page.subheader, *page.markdown]
        widgets = (page.metric, page.slider, page.text_input, page.tabs)
        seen[language] = {e.value for e in elements} | {w.label for kind in widgets for w in kind}
    assert seen["fr"] & seen["en"] <= {"–"}


def test_an_answer_leads_to_the_page(app):
    app.text_input(key="classify_designation").set_value("Coussin en velours").run()
    assert not app.exception
    [link] = app.get("page_link")
    assert (link.proto.page, link.proto.label) == ("model_card", "Ce qu’est ce modèle, et ce qu’il vaut")
    page = app.switch_page("pages/model_card.py").run()
    assert not page.exception
    assert [tab.label for tab in page.tabs] == TABS["fr"]


def test_a_text_of_the_bundle_is_no_markup(show):
    hostile = "<script>alert(1)</script> **bold** [x](//y)"
    manifest = MANIFEST | {"version": hostile, "training": MANIFEST["training"] | {"data": hostile}}
    page = show(0, manifest, REPORT | {"caution": hostile})
    assert "<script>alert" not in "".join(element.proto.body for element in page.html)
    assert "\\*\\*bold\\*\\* \\[x\\]" in page.warning[0].value
