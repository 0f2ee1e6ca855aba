"""One product at a time: what a client gets for what it sends, and what it is told about what it should not send."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from api.answers import Classification
from model.product import Product
from settings import ROOT
from tests.api.conftest import problem
from tests.api.samples import LAMP, LAMP_PNG, SOFA, hostile_pictures, png

PICTURES = hostile_pictures()


@pytest.fixture(autouse=True)
def _model(loaded):
    """Every test here asks the model."""


def lamp() -> bytes:
    return (ROOT / LAMP_PNG).read_bytes()


@pytest.mark.parametrize(
    "given",
    [{"designation": LAMP}, {"description": LAMP}, {"designation": LAMP, "description": "En <b>chêne</b>"}],
    ids=["designation", "description", "both"],
)
@pytest.mark.parametrize("image", [None, "lamp"])
def test_the_answer_is_the_models(client, classifier, given, image):
    data = lamp() if image else None
    files = {"image": ("lamp.png", data)} if data else {"designation": (None, given.pop("designation", ""))}
    response = client.post("/classify", data=given, files=files)
    assert response.status_code == 200, response.text
    answer = Classification.model_validate_json(response.content)
    texts = dict(given) | ({"designation": files["designation"][1] or None} if data is None else {})
    [expected] = classifier.predict([Product(**texts, image=data)])
    assert [(one.code, one.probability) for one in answer.categories] == [
        (one.code, one.probability) for one in expected.categories[:5]
    ]
    assert answer.prediction_set == list(expected.prediction_set)
    assert answer.margin == expected.margin
    assert (answer.inputs.text, answer.inputs.image) == (expected.used_text, expected.used_image)
    assert answer.inputs.words == expected.words
    assert answer.automatic == (expected.confidence >= 0.6)
    assert answer.model == expected.model_version == classifier.bundle.version
    assert answer.explanation is None and not answer.notes


def test_a_picture_alone(client, classifier):
    answer = client.post("/classify", files={"image": ("x", lamp())}).json()
    [expected] = classifier.predict([Product(image=lamp())])
    assert answer["categories"][0]["code"] == expected.code
    assert answer["inputs"] == {"text": False, "image": True, "words": 0}


@pytest.mark.parametrize("top_k", [1, 5, 27])
def test_as_many_categories_as_asked_for(client, classifier, top_k):
    answer = client.post("/classify", files={"designation": (None, SOFA), "top_k": (None, str(top_k))}).json()
    assert len(answer["categories"]) == top_k
    for one in answer["categories"]:
        category = classifier.taxonomy[one["code"]]
        assert one["label"] == {"fr": category.label_fr, "en": category.label_en}
    if top_k == 27:
        assert sum(one["probability"] for one in answer["categories"]) == pytest.approx(1, abs=1e-5)


def test_why(client, classifier):
    sent = f"  {LAMP}  "
    response = client.post(
        "/classify", data={"designation": sent, "explain": "true"}, files={"image": ("lamp.png", lamp())}
    )
    reasons = response.json()["explanation"]
    product = Product(designation=sent, image=lamp())
    expected = classifier.explain(product, reasons["code"])
    assert reasons["code"] == response.json()["categories"][0]["code"]
    assert reasons["shares"] == pytest.approx(expected.shares)
    assert sum(reasons["shares"].values()) == pytest.approx(1)
    assert [word["contribution"] for word in reasons["words"]] == [word.total for word in expected.words]
    assert [sent[word["start"] : word["end"]].lower() for word in reasons["words"]] == [
        word["text"] for word in reasons["words"]
    ]
    heat = Image.open(io.BytesIO(base64.b64decode(reasons["heatmap"])))
    with Image.open(io.BytesIO(lamp())) as picture:
        assert heat.format == "PNG" and heat.mode == "L" and heat.size == picture.size
    assert np.asarray(heat).max() > 200


def test_why_without_a_picture(client):
    answer = client.post("/classify", files={"designation": (None, LAMP), "explain": (None, "1")}).json()
    assert answer["explanation"]["words"] and answer["explanation"]["heatmap"] is None


@pytest.mark.parametrize("accept", ["image/png", "image/*", "image/png;q=0.9, text/html"])
def test_the_heat_map_as_a_picture(client, accept):
    wide = png(1600, 400)
    response = client.post("/classify", files={"image": ("wide.png", wide)}, headers={"Accept": accept})
    assert response.status_code == 200 and response.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(response.content)).size == (640, 160)


def test_what_cannot_be_read_is_said(client):
    answer = client.post("/classify", files={"designation": (None, "!!! ???")}).json()
    assert answer["inputs"] == {"text": False, "image": False, "words": 0} and not answer["automatic"]
    assert "common" in answer["notes"][0]
    answer = client.post("/classify", files={"designation": (None, "lampe " * 1000)}).json()
    assert "4000 characters" in answer["notes"][0]
    answer = client.post("/classify", data={"designation": "!!!"}, files={"image": ("x", lamp())}).json()
    assert "picture alone" in answer["notes"][0]


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_cannot_be_used(client, kind):
    data, reason = PICTURES[kind]
    response = client.post("/classify", data={"designation": LAMP}, files={"image": ("x.png", data)})
    assert problem(response, 422)["reason"] == reason


TEXT = {"designation": (None, LAMP)}


@pytest.mark.parametrize(
    ("files", "status", "reason"),
    [
        ({"designation": (None, "")}, 422, "nothing"),
        ({"designation": (None, "  "), "description": (None, "\n")}, 422, "nothing"),
        ({"top_k": (None, "3")}, 422, "nothing"),
        (TEXT | {"top_k": (None, "0")}, 422, "invalid"),
        (TEXT | {"top_k": (None, "28")}, 422, "top_k"),
        (TEXT | {"top_k": (None, "5.5")}, 422, "invalid"),
        (TEXT | {"top_k": (None, "9" * 5000)}, 422, "invalid"),
        (TEXT | {"explain": (None, "perhaps")}, 422, "invalid"),
        (TEXT | {"colour": (None, "red")}, 422, "invalid"),
        (TEXT | {"image": (None, "text")}, 422, "invalid"),
        ({"designation": ("a.txt", b"Lampe")}, 422, "invalid"),
        ([("designation", (None, LAMP)), ("designation", (None, SOFA))], 422, "invalid"),
        ({"designation": (None, b"caf\xe9")}, 422, "not_utf8"),
        ({"designation": (None, "été".encode("utf-16"))}, 422, "not_utf8"),
        ({"designation": (None, "x" * 300_000)}, 413, "too_large"),
        ([(f"field{i}", (None, "x")) for i in range(50)], 400, "form"),
    ],
)
def test_a_form_that_cannot_be_used(client, files, status, reason):
    assert problem(client.post("/classify", files=files), status)["reason"] == reason


def test_a_refusal_does_not_repeat_what_was_sent(client):
    response = client.post("/classify", files={"designation": (None, "private"), "top_k": (None, "secret")})
    body = problem(response, 422)
    assert body["errors"] == [{"field": "top_k", "detail": body["errors"][0]["detail"]}]
    assert "secret" not in response.text and "private" not in response.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"designation=x", "application/x-www-form-urlencoded", 415),
        (b"", None, 415),
        (b"", "multipart/form-data", 400),
        (b"", "multipart/form-data; boundary=", 400),
        (b"nonsense", "multipart/form-data; boundary=b", 400),
        (
            b'--b\r\nContent-Disposition: form-data; name="designation"\r\n\r\nLam',
            "multipart/form-data; boundary=b",
            400,
        ),
        (b"--b\r\n\r\nLampe\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nLampe\r\n--b--\r\n", "multipart/form-data; boundary=b", 400),
        (b"", "multipart/form-data; boundary=" + "b" * 5000, 400),
    ],
)
def test_a_body_that_is_no_form(client, content, kind, status):
    headers = {} if kind is None else {"Content-Type": kind}
    problem(client.post("/classify", content=content, headers=headers), status)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/jpeg"])
def test_an_answer_of_another_kind(client, accept):
    assert problem(client.post("/classify", files=TEXT, headers={"Accept": accept}), 406)["reason"] == "accept"


def test_a_heat_map_of_nothing(client):
    response = client.post("/classify", files=TEXT, headers={"Accept": "image/png"})
    assert problem(response, 422)["reason"] == "no_image"


def test_a_refused_model_is_the_servers_fault(client, monkeypatch):
    from model.bundle import BundleError

    def refused():
        raise BundleError("a secret path")

    monkeypatch.setattr("api.classify.active_classifier", refused)
    response = client.post("/classify", files=TEXT)
    assert problem(response, 503)["reason"] == "model" and response.headers["retry-after"]
    assert "secret" not in response.text


def test_a_mistake_of_the_programs_tells_nothing(client, monkeypatch):
    monkeypatch.setattr("api.classify.active_classifier", lambda: 1 / 0)
    response = client.post("/classify", files=TEXT)
    assert problem(response, 500)["reason"] == "internal" and "division" not in response.text
