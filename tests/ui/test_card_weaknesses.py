import pytest

from model.taxonomy import default_taxonomy
from tests.ui.card_samples import made_manifest, made_report, made_taxonomy, nothing
from ui.card.report import read_report
from ui.card.weaknesses import weaknesses

TAXONOMY = default_taxonomy()
MANIFEST = made_manifest(TAXONOMY, "made-1")
RAW = made_report(TAXONOMY)


@pytest.fixture(autouse=True)
def everywhere(request, monkeypatch) -> None:
    """The language of the test, also where its name was imported before."""
    language = request.getfixturevalue("spoken") if "spoken" in request.fixturenames else "en"
    for module in ("ui.result", "ui.card.words"):
        monkeypatch.setattr(f"{module}.language", lambda: language)


def found(raw=RAW, manifest=MANIFEST, taxonomy=TAXONOMY) -> dict[str, tuple[str, ...]]:
    return {weakness.title: weakness.shown_by for weakness in weaknesses(manifest, read_report(raw), taxonomy)}


def test_the_weakest_categories_are_those_of_the_report(english):
    lines = found()["It recognises these categories least well"]
    weakest = sorted(RAW["categories"], key=lambda one: one["f1"])[:5]
    assert [line.split()[0] for line in lines] == [str(one["code"]) for one in weakest]
    assert f"F1 {weakest[0]['f1']:.3f}" in lines[0]


def test_the_most_frequent_mistakes_have_names_and_counts(english):
    counts = RAW["confusion"]["counts"]
    wrong = {(i, j): n for i, line in enumerate(counts) for j, n in enumerate(line) if i != j}
    (i, j), n = max(wrong.items(), key=lambda item: item[1])
    first = found()["Its most frequent mistakes"][0].replace("\\", "")
    assert first.startswith(f"{TAXONOMY.codes[i]} · {TAXONOMY.categories[i].label_en} is taken for {TAXONOMY.codes[j]}")
    assert f"{n} times of {sum(counts[i])}" in first


def test_only_what_is_surely_worse_is_called_worse(english):
    lines = found()["It is clearly worse here"]
    assert any(line.startswith("Text alone") for line in lines)
    assert not any("French" in line for line in lines)
    wide = RAW["by_inputs"]["text"] | {"weighted_f1_interval": [0.0, 1.0]}
    raw = RAW | {"by_inputs": RAW["by_inputs"] | {"text": wide}}
    assert not any(line.startswith("Text alone") for line in found(raw)["It is clearly worse here"])


def test_what_was_never_measured_is_said(english):
    raw = RAW | {"by_inputs": {"text": RAW["by_inputs"]["text"], "image": None, "both": None}}
    [line] = found(raw)["How good it is was never measured for some products"]
    assert "Picture alone and Text and picture" in line and "Text alone" not in line
    [basis] = found(raw)["Its probabilities hold for products like those they were checked on, not for others"]
    assert "0 of them with a picture" in basis


@pytest.mark.parametrize(
    ("with_picture", "title"),
    [
        (0, "It was never trained on product photos"),
        (None, "Its files do not say that it was ever trained on product photos"),
        (9, None),
    ],
)
def test_a_picture_side_without_photos_is_said(english, with_picture, title):
    manifest = MANIFEST | {"training": MANIFEST["training"] | {"with_picture": with_picture}}
    titles = [one for one in found(manifest=manifest) if "photos" in one]
    assert titles == ([title] if title else [])


def test_a_picture_that_does_not_help_is_said(english):
    title = "Adding the picture to the text does not help"
    assert title not in found()
    same = RAW["same_rows"]
    assert title in found(RAW | {"same_rows": same | {"both": same["text"]}})


def test_those_who_made_it_are_heard_in_the_language_of_the_page(spoken):
    lines = [line for lines in found().values() for line in lines]
    assert ("Reads Latin letters only" in lines, "Ne lit que le latin" in lines) == (spoken == "en", spoken == "fr")


def test_few_rows_are_said(english):
    small = made_taxonomy(5)
    lines = found(made_report(small, rows=60), taxonomy=small)
    assert "Too few products were measured in these categories for their F1 to say much" in lines


@pytest.mark.parametrize("manifest", [{}, nothing(MANIFEST), MANIFEST | {"weaknesses": [None, "", 3], "parts": "none"}])
@pytest.mark.parametrize("raw", [None, nothing(RAW) | {"schema": 2}])
def test_without_a_report_nothing_is_invented(english, manifest, raw):
    titles = list(found(raw, manifest))
    assert "Whether its probabilities are true was not measured" in titles
    assert not {"It recognises these categories least well", "Its most frequent mistakes"} & set(titles)
    assert "It is clearly worse here" not in titles and "Said by those who made it" not in titles
