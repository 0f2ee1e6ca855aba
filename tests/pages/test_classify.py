import io
import json
import re

import pytest
from PIL import Image
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from model.product import Product
from model.taxonomy import default_taxonomy
from settings import ROOT
from ui.gallery import EXAMPLES
from ui.language import LANGUAGES

CUSHION = "Housse de coussin rayée bleu et blanc 45x45 cm"
EXPECTED = {
    "cushion": 1920,
    "lamp": 2060,
    "chess": 1281,
    "gamepad": 50,
    "stationery": 2522,
    "pool": 2583,
    "table": 1560,
}


def typed(app: AppTest, designation: str, description: str = "") -> AppTest:
    app.text_input(key="classify_designation").set_value(designation)
    app.text_area(key="classify_description").set_value(description)
    return app.run()


def sent(app: AppTest, data: bytes, name: str = "photo.png") -> AppTest:
    return app.file_uploader[0].set_value((name, data, "image/png")).run()


def framed(app: AppTest) -> AppTest:
    """A run by the front door; AppTest gives any later run to the page alone (see `ui.entry`)."""
    del app.session_state["app_entered"]
    return app.run()


def with_reasons(app: AppTest) -> AppTest:
    app.session_state["classify_why"] = True
    return app.run()


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.html)


def text(app: AppTest) -> str:
    """All that is written outside widgets."""
    kinds = (app.markdown, app.caption, app.warning, app.error, app.info, app.success, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def charts(app: AppTest) -> list:
    return app.get("vega_lite_chart")


def chart(app: AppTest, place: int = 0) -> list[dict]:
    """The bars of a chart: the ranking comes first, the shares second."""
    proto = charts(app)[place].proto
    spec = json.loads(proto.spec)
    bars = next(layer for layer in spec["layer"] if layer["encoding"]["x"].get("field") == "value")
    name = bars.get("data", spec.get("data"))["name"]  # Altair lifts data that all layers share
    data = next(d.data.data for d in proto.datasets if d.name == name)
    return convert_arrow_bytes_to_pandas_df(data).to_dict("records")


def first_code(app: AppTest) -> int:
    return int(re.search(r"code (\d+)", html(app))[1])


def test_an_empty_form_offers_the_examples_and_no_answer(app):
    assert not app.exception
    assert [button.key for button in app.button if "example" in button.key] == [
        f"classify_example_{example.name}" for example in EXAMPLES
    ]
    assert "rayon-answer" not in html(app).replace(".rayon-answer", "")
    assert not charts(app)


def test_text_alone_gives_the_classifiers_own_answer(app, classifier):
    typed(app, CUSHION)
    assert not app.exception
    prediction = classifier.predict([Product(designation=CUSHION)])[0]
    assert first_code(app) == prediction.code == 1920
    rows = chart(app)
    assert [int(row["name"].split(" · ")[0]) for row in rows] == [c.code for c in prediction.categories[:5]]
    assert [row["value"] for row in rows] == pytest.approx([c.probability for c in prediction.categories[:5]])
    assert "le texte (9 mots)" in text(app)
    assert "l’image" not in text(app)
    assert prediction.model_version in text(app)


def test_a_picture_alone_is_enough(app, classifier, striped_png):
    sent(app, striped_png)
    assert not app.exception
    prediction = classifier.predict([Product(image=striped_png)])[0]
    assert first_code(app) == prediction.code
    assert "Pris en compte : l’image." in text(app).replace("\u00a0", " ")
    assert not [w for w in app.warning if "pas d’image" in w.value]


def test_picture_and_text_are_both_used(app, classifier, striped_png):
    sent(typed(app, CUSHION, "Coton, fermeture éclair."), striped_png)
    assert not app.exception
    product = Product(CUSHION, "Coton, fermeture éclair.", striped_png)
    expected = classifier.predict([product])[0]
    assert chart(app)[0]["value"] == pytest.approx(expected.confidence)
    assert "l’image et le texte (12 mots)" in text(app)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_each_example_fills_the_form_and_is_answered(app, example):
    app.button(key=f"classify_example_{example.name}").click().run()
    assert not app.exception
    assert app.text_input(key="classify_designation").value == example.designation
    assert app.text_area(key="classify_description").value == example.description
    assert app.session_state["classify_image"] == example.image
    if example.name in EXPECTED:
        assert first_code(app) == EXPECTED[example.name]
        assert len(app.success) == 1
    else:
        assert "À vérifier par une personne" in app.warning[0].value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "vide (0 octet)"),
        (b"this is no picture", "n’est pas une image"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "abîmée ou tronquée"),
        (b"%PDF-1.7", "Le format PDF n’est pas accepté"),
    ],
    ids=["empty", "text", "damaged", "pdf"],
)
def test_a_bad_picture_is_explained_and_the_text_still_classified(app, data, message):
    sent(typed(app, CUSHION), data)
    assert not app.exception
    assert message in app.error[0].value
    assert "repose sur le seul texte" in app.error[0].value
    assert first_code(app) == 1920
    assert app.text_input(key="classify_designation").value == CUSHION
    with_reasons(app)
    assert not app.exception
    assert "Aucune image n’a été prise en compte" in text(app)


def test_a_bad_picture_alone_is_said_to_leave_nothing(app):
    sent(app, b"nothing")
    assert not app.exception
    assert "seul texte" not in app.error[0].value
    assert "Rien n’a pu être lu" in app.warning[0].value


@pytest.mark.parametrize(
    ("designation", "warned"), [("livre", True), ("table en bois", True), ("table basse en bois", False)]
)
def test_fewer_than_four_words_and_no_picture_bring_a_warning(app, designation, warned):
    typed(app, designation)
    assert bool([w for w in app.warning if "pas d’image" in w.value]) is warned
    assert chart(app)


def test_few_words_with_a_picture_bring_no_warning(app, striped_png):
    sent(typed(app, "livre"), striped_png)
    assert not [w for w in app.warning if "pas d’image" in w.value]


def test_a_text_without_words_is_said_to_be_unreadable(app):
    typed(app, "!!! ???")
    assert not app.exception
    assert "Rien n’a pu être lu" in app.warning[0].value


@pytest.mark.parametrize("k", [1, 27])
def test_the_slider_sets_how_many_categories_are_shown(app, k):
    typed(app, CUSHION)
    app.slider(key="classify_k").set_value(k).run()
    rows = chart(app)
    assert len(rows) == k
    assert [row["ink"] for row in rows] == ["first"] + ["other"] * (k - 1)
    if k == 27:
        assert {int(row["name"].split(" · ")[0]) for row in rows} == set(default_taxonomy().codes)
        assert sum(row["value"] for row in rows) == pytest.approx(1, abs=1e-5)


def test_the_prediction_set_is_named(app, classifier):
    typed(app, "Balle rouge")
    prediction = classifier.predict([Product(designation="Balle rouge")])[0]
    line = next(element.value for element in app.markdown if "bonne catégorie" in element.value)
    assert [int(code) for code in re.findall(r"badge\[(\d+)", line)] == list(prediction.prediction_set)


@pytest.mark.parametrize("size", [(5000, 1), (640, 4), (1, 5000)])
def test_a_very_thin_picture_is_shown_and_classified(app, size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    sent(app, buffer.getvalue())
    assert not app.exception and chart(app)


def test_the_language_switch_keeps_what_was_typed(app):
    typed(app, CUSHION)
    framed(app).button_group(key="app_language").set_value("en")
    framed(app)
    assert not app.exception
    assert app.title[0].value == "Classify a product"
    assert app.text_input(key="classify_designation").value == CUSHION
    assert "1920 · Household linen" in chart(app)[0]["name"]
    assert "the text (9 words)" in text(app)


def test_no_sentence_is_left_in_the_other_language(app):
    """Each page in full: what is written in one language is nowhere in the other."""
    written = {}
    for language in LANGUAGES:
        app.session_state["app_language"] = language
        with_reasons(framed(typed(app, "Balle rouge")))
        elements = [*app.caption, *app.warning, *app.info, *app.subheader, *app.title]
        labels = [w.label for kind in (app.button, app.slider, app.selectbox, app.text_input) for w in kind]
        written[language] = {e.value for e in elements} | set(labels)
    assert written["fr"] & written["en"] <= {"Description"}


def test_reasons_are_computed_only_when_their_panel_is_open(app, monkeypatch):
    import ui.explanation

    calls = []
    real = ui.explanation.explain
    monkeypatch.setattr(ui.explanation, "explain", lambda *a: calls.append(a[2]) or real(*a))
    typed(app, CUSHION)
    assert calls == []
    with_reasons(app)
    assert calls == [1920]


def test_reasons_add_up_and_name_the_words(app, classifier):
    with_reasons(typed(app, CUSHION))
    assert not app.exception
    explanation = classifier.explain(Product(designation=CUSHION), 1920)
    table = app.dataframe[0].value
    strongest = max(explanation.words, key=lambda word: abs(word.total))
    assert table.iloc[0, 0] == CUSHION[strongest.start : strongest.end]
    assert f"{strongest.total:+.2f}".replace(".", ",") == table.iloc[0, 3]
    line = next(element.value for element in app.markdown if "biais" in element.value)
    numbers = [float(n.replace(",", ".").replace("−", "-")) for n in re.findall(r"[+−]\d+,\d+", line)]
    assert sum(numbers[:4]) == pytest.approx(numbers[4], abs=0.03)
    assert numbers[4] == pytest.approx(explanation.logit, abs=0.006)
    shares = {row["name"].split(" (")[0]: row["value"] for row in chart(app, 1)}
    assert list(shares.values()) == pytest.approx(list(explanation.shares.values()))


def test_the_open_panel_stays_open_in_another_language_and_after_a_page_change(app):
    with_reasons(typed(app, CUSHION)).selectbox[0].set_value(2583).run()
    framed(app).button_group(key="app_language").set_value("en")
    framed(app)
    assert app.selectbox[0].value == 2583
    assert any(option.startswith("2583 · Pool and spa") for option in app.selectbox[0].options)
    app.switch_page("pages/categories.py").run()
    app.switch_page("pages/classify.py").run()
    assert app.selectbox[0].value == 2583


def test_another_example_can_be_tried_and_closes_the_gallery(app):
    typed(app, CUSHION)
    app.session_state["classify_examples"] = True
    app.run()
    app.button(key="classify_again_example_chess").click().run()
    assert not app.exception
    assert first_code(app) == 1281
    assert app.session_state["classify_examples"] is False


def test_any_category_can_be_explained(app, classifier):
    with_reasons(typed(app, CUSHION))
    box = app.selectbox[0]
    ranked = [c.code for c in classifier.predict([Product(designation=CUSHION)])[0].categories]
    assert [int(option.split(" · ")[0]) for option in box.options] == ranked
    before = html(app)
    box.set_value(2583).run()
    assert not app.exception
    assert html(app) != before
    expected = classifier.explain(Product(designation=CUSHION), 2583)
    line = next(element.value for element in app.markdown if "biais" in element.value)
    assert f"**{expected.logit:+.2f}**".replace(".", ",").replace("-", "−") in line


def test_the_next_product_is_explained_by_its_own_first_category(app):
    with_reasons(typed(app, CUSHION))
    app.selectbox[0].set_value(2583).run()
    typed(app, "Perceuse visseuse sans fil 18V")
    assert app.selectbox[0].value == 2585


def test_the_heat_map_lies_over_the_original_picture(app):
    app.button(key="classify_example_lamp").click().run()
    with_reasons(app)
    assert not app.exception
    alts = [image.proto.imgs[0].alt for image in app.image]
    assert "L’image telle qu’elle a été donnée" in alts
    assert any(alt.startswith("La même image") for alt in alts)
    assert app.slider(key="classify_opacity").value == 65
    assert "Grad-CAM" in text(app)


def test_without_evidence_it_says_so_and_draws_nothing(app, monkeypatch):
    from dataclasses import replace

    import ui.explanation

    real = ui.explanation.explain
    monkeypatch.setattr(ui.explanation, "explain", lambda *a: replace(real(*a), heatmap=None, words=()))
    app.button(key="classify_example_lamp").click().run()
    with_reasons(app)
    assert not app.exception
    assert "Aucun indice" in text(app)
    assert "Aucun texte n’a été donné" in text(app)
    assert not any(image.proto.imgs[0].alt.startswith("La même image") for image in app.image)
    assert not app.dataframe


def test_a_hostile_designation_is_shown_as_text(app):
    hostile = 'Coussin <script>alert(1)</script> <img src=x onerror="alert(2)"> rayé bleu 45x45'
    with_reasons(typed(app, hostile, "</div><iframe src=//x></iframe> coton"))
    assert not app.exception
    shown = html(app)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "&lt;img src=x" in shown
    for tag in ("<script", "<img", "<iframe", "</div><"):
        assert tag not in shown.split("</style>")[-1].replace("</div><small>", "").replace("</div></small>", "")
    assert not any("<" in element.value for element in [*app.markdown, *app.caption] if "onerror" in element.value)


def test_a_very_long_text_is_answered_and_said_to_be_cut(app):
    typed(app, CUSHION, "coton doux lavable en machine " * 400)
    assert not app.exception
    assert first_code(app) == 1920
    assert any("4\u202f000 premiers caractères" in info.value for info in app.info)
    with_reasons(app)
    assert not app.exception


def test_values_survive_a_page_change(app, striped_png):
    sent(typed(app, CUSHION, "Coton"), striped_png)
    app.slider(key="classify_k").set_value(9).run()
    app.switch_page("pages/categories.py").run()
    assert app.dataframe and not app.file_uploader
    app.switch_page("pages/classify.py").run()
    assert not app.exception
    assert app.text_input(key="classify_designation").value == CUSHION
    assert app.text_area(key="classify_description").value == "Coton"
    assert app.session_state["classify_image"] == striped_png
    assert len(chart(app)) == 9
    assert first_code(app) == 1920


def test_a_page_opened_first_gets_its_frame(app):
    app.switch_page("pages/categories.py")
    framed(app)
    assert not app.exception
    assert app.title[0].value == "Catégories"
    assert len(app.dataframe[0].value) == 27


def test_clear_empties_the_form(app, striped_png):
    sent(typed(app, CUSHION, "Coton"), striped_png)
    app.button(key="classify_clear").click().run()
    assert not app.exception
    assert app.text_input(key="classify_designation").value == ""
    assert app.text_area(key="classify_description").value == ""
    assert not charts(app)


def test_a_picture_can_be_removed_and_replaced(app, striped_png):
    sent(app, EXAMPLES[0].image)
    sent(app, striped_png)
    assert app.session_state["classify_image"] == striped_png
    app.button(key="classify_remove").click().run()
    assert not charts(app)


def test_the_same_product_gives_the_same_answer_to_everyone(app, striped_png):
    other = AppTest.from_file(app._script_path, default_timeout=180).run()
    for one in (app, other):
        with_reasons(sent(typed(one, CUSHION), striped_png))
    assert chart(app) == chart(other)
    assert html(app) == html(other)


def test_one_user_does_not_see_anothers_input(app, striped_png):
    sent(typed(app, CUSHION, "Secret"), striped_png)
    other = AppTest.from_file(app._script_path, default_timeout=180).run()
    assert other.text_input(key="classify_designation").value == ""
    assert other.text_area(key="classify_description").value == ""
    assert other.session_state.get("classify_image") is None
    assert not charts(other)


def test_a_refused_bundle_is_said_and_fails_the_health_check(tmp_path, monkeypatch):
    import model.active
    import settings

    monkeypatch.setenv("RAYON_BUNDLE", str(tmp_path))
    settings.settings.cache_clear()
    model.active.forget()
    try:
        app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180).run()
        # Without a browser, as here and in the health check, the run must also fail.
        assert len(app.exception) == 1
        assert "Le modèle est inutilisable" in app.error[0].value
        assert "manifest.json" in app.code[0].value
    finally:
        monkeypatch.undo()
        settings.settings.cache_clear()
        model.active.forget()
