"""The OpenAPI description says what there is, and the interface lies where it says, beside the pages."""

import pytest

from api.application import application
from api.problems import ProblemDetails
from model.product import Product
from model.taxonomy import default_taxonomy
from tests.api.conftest import problem
from tests.api.samples import LAMP


@pytest.fixture(scope="module")
def described() -> dict:
    return application().openapi()


def routes(described: dict):
    return [(path, method, what) for path, methods in described["paths"].items() for method, what in methods.items()]


def test_every_route_says_what_it_asks_and_what_can_go_wrong(described):
    for path, _, what in routes(described):
        assert what["summary"] and what["description"]
        assert path.startswith("/health") or what["security"]
        assert "500" in what["responses"]
        for status, answer in what["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]


def test_every_name_it_refers_to_is_there(described):
    text = str(described)
    for name in described["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text
    assert "HTTPValidationError" not in text


def test_the_example_works(described, client, loaded):
    form = described["paths"]["/classify"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["schema"]["properties"]) == {"designation", "description", "image", "top_k", "explain"}
    assert form["schema"]["properties"]["image"]["format"] == "binary"
    fields = {
        name: (None, str(value).lower() if value is True else str(value)) for name, value in form["example"].items()
    }
    answer = client.post("/classify", files=fields).json()
    assert len(answer["categories"]) == form["example"]["top_k"] and answer["explanation"]


def test_a_file_is_required(described):
    form = described["paths"]["/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["required"] == ["file"] and "pictures" in form["schema"]["properties"]


def test_it_is_served_without_a_token(make_client, described):
    assert make_client().get("/openapi.json").json() == described


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/docs", 404),
        ("GET", "/classify/", 404),
        ("GET", "/classify", 405),
        ("PUT", "/jobs", 405),
        ("POST", "/model", 405),
        ("PATCH", "/health/ready", 405),
        ("OPTIONS", "/classify", 405),
        ("TRACE", "/model", 405),
    ],
)
def test_what_is_not_there(client, method, path, status):
    response = client.request(method, path)
    ProblemDetails.model_validate(problem(response, status))
    assert status != 405 or response.headers["allow"]


def test_the_pages_are_left_alone(make_client):
    for path in ("/", "/api", "/api/v10/model", "/batch", "/api/v1x"):
        response = make_client().get(f"http://127.0.0.1{path}")
        assert response.headers["x-from"] == "pages" and "content-security-policy" not in response.headers
    assert "x-from" not in make_client().get("http://127.0.0.1/api/v1").headers


def test_every_answer_has_the_headers(client):
    for response in (client.get("/health/live"), client.get("/nothing"), client.get("/model")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "set-cookie" not in response.headers


def test_the_categories(client):
    found = client.get("/categories").json()
    assert [(one["code"], one["label"]["fr"], one["label"]["en"]) for one in found] == [
        (one.code, one.label_fr, one.label_en) for one in default_taxonomy().categories
    ]


def test_the_model(client, classifier):
    found = client.get("/model").json()
    assert found["version"] == classifier.bundle.version and found["access"] == "token"
    assert found["metrics"] == classifier.bundle.reports["metrics"]["overall"]
    assert (found["threshold"], found["coverage"], found["categories"]) == (0.6, 0.9, 27)


class Other:
    """In the place of another model: answers as the one that is there, in the name of its own bundle."""

    def __init__(self, classifier, bundle):
        self._classifier, self.bundle, self.taxonomy = classifier, bundle, classifier.taxonomy

    def warm_up(self):
        """Is warm."""

    def predict(self, products: list[Product]):
        from dataclasses import replace

        return [replace(one, model_version=self.bundle.version) for one in self._classifier.predict(products)]


def test_pages_and_interface_share_one_model_and_notice_another(client, classifier, own_home, tmp_path, monkeypatch):
    from dataclasses import replace

    import api.classify
    import model.active
    from model.bundle import read_manifest
    from model.classifier import Classifier
    from model.versions import ModelStore
    from tests.model.bundles import other_bundle
    from ui.model import classifier_or_stop

    loads = []

    def load(folder):
        loads.append(folder)
        return Other(classifier, replace(classifier.bundle, manifest=read_manifest(folder)))

    monkeypatch.setattr(Classifier, "load", load)
    monkeypatch.setattr(model.active, "_freeze_once", lambda: None)
    model.active.forget()
    try:
        ask = {"designation": (None, LAMP)}
        assert client.post("/classify", files=ask).json()["model"] == classifier.bundle.version
        assert classifier_or_stop() is api.classify.active_classifier() and len(loads) == 1
        store = ModelStore(own_home, lambda _: None)
        version = store.activate(store.install(other_bundle(tmp_path / "other")).version).version
        assert client.post("/classify", files=ask).json()["model"] == version
        assert client.get("/model").json()["version"] == version
        assert classifier_or_stop().bundle.version == version and len(loads) == 2
    finally:
        model.active.forget()
