"""Another model put into service while pages are open: the next run has it, and the one before is gone."""

import gc
import threading
import time
import weakref
from types import SimpleNamespace
from typing import ClassVar

import pytest
from streamlit.testing.v1 import AppTest

import model.active
from model.classifier import Classifier
from model.product import Product
from model.versions import ModelStore
from settings import ROOT, settings
from tests.model.bundles import other_bundle, version_of

LAMP = "Lampe de chevet en bois avec abat-jour"


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The models of a home of its own; no model is loaded before or after."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(model.active, "_COLLECT_SECONDS", 0.05)
    settings.cache_clear()
    yield ModelStore(tmp_path / "home", lambda _: None)
    settings.cache_clear()


@pytest.fixture
def loaded(monkeypatch):
    """A reference to each classifier that was loaded for the pages, and to what is heavy in it; none keeps it."""
    alive: list[tuple[weakref.ref, ...]] = []
    most = [0]
    load = Classifier.load

    def noted(folder):
        classifier = load(folder)
        network = classifier.bundle.network
        parts = (classifier, network.whole, network.whole.weights[0], classifier.runtime, classifier.bundle.lexical)
        alive.append(tuple(weakref.ref(part) for part in parts))
        most[0] = max(most[0], sum(refs[0]() is not None for refs in alive))
        return classifier

    monkeypatch.setattr(Classifier, "load", noted)
    return alive, most


def gone(refs: tuple[weakref.ref, ...]) -> bool:
    """Whether all of it is freed, within the time that the last run's end leaves to that."""
    deadline = time.monotonic() + 5
    while any(ref() is not None for ref in refs) and time.monotonic() < deadline:
        time.sleep(0.02)
    return all(ref() is None for ref in refs)


def page(language: str = "en") -> AppTest:
    app = AppTest.from_file(ROOT / "pages" / "classify.py", default_timeout=120)
    app.session_state["app_language"] = language
    app.session_state["app_entered"] = True
    return app


def asked(app: AppTest) -> str:
    """The answer of a run, all that is written of it."""
    app.run()
    app.text_input(key="classify_designation").set_value(LAMP)
    app.run()
    assert not app.exception
    return "\n".join(element.proto.body for element in [*app.html, *app.markdown])


def test_a_page_has_the_new_model_at_its_next_run_and_the_old_one_is_gone(store, loaded, tmp_path):
    alive, most = loaded
    model.active.forget()
    gc.collect()
    before, bundle = page(), other_bundle(tmp_path / "other", "Brand new lamps")
    assert "Brand new lamps" not in asked(before)
    in_flight = model.active.active_classifier()  # as a run has it that is still under way
    answer = in_flight.predict([Product(LAMP)])[0]
    version = store.activate(store.install(bundle).version).version

    assert "Brand new lamps" in asked(before), "a session that was there has it"
    assert model.active.active_classifier().bundle.version == version == version_of(bundle)
    assert model.active.active_classifier().predict([Product(LAMP)])[0].model_version == version
    assert in_flight.predict([Product(LAMP)]) == [answer] and answer.model_version != version
    assert in_flight.explain(Product(LAMP), answer.code).words
    assert len(alive) == 2 and alive[0][0]() is in_flight
    del in_flight
    assert gone(alive[0]), [ref() for ref in alive[0]]
    assert "Brand new lamps" in asked(page()), "and so has a new one"
    assert len(alive) == 2 and most[0] == 2 and alive[1][0]() is not None


class Light:
    """In the place of a classifier: what takes long is the loading."""

    alive: ClassVar = weakref.WeakSet()
    most: ClassVar = 0

    def __init__(self, folder):
        network = SimpleNamespace(whole=weakref.WeakSet())  # anything that a weak reference can be to
        self.bundle = SimpleNamespace(version=version_of(folder), network=network)
        Light.alive.add(self)
        time.sleep(0.1)
        Light.most = max(Light.most, len(Light.alive))

    def warm_up(self):
        """Takes no time."""


def test_changes_in_quick_succession_never_hold_three(store, tmp_path, monkeypatch):
    """Sessions that ask while one change follows another: each has the model that was active when it was served."""
    monkeypatch.setattr(Classifier, "load", Light)
    models = [store.install(other_bundle(tmp_path / name, name, name)).path for name in ("one", "two")]
    model.active.forget()
    wrong = []

    def session():
        for _ in range(6):
            before = len(store.history())
            got = model.active.active_classifier().bundle.version
            if got not in (active := [entry.version for entry in store.history()[before - 1 :]]):
                wrong.append((got, active))

    try:
        sessions = [threading.Thread(target=session) for _ in range(4)]
        for thread in sessions:
            thread.start()
        for path in models * 2:
            store.activate(path.name)
            time.sleep(0.15)
        for thread in sessions:
            thread.join()
        assert not wrong and Light.most <= 2
        assert model.active.active_classifier().bundle.version == models[1].name
    finally:
        model.active.forget()


def test_a_model_changed_in_its_place_is_loaded_again(store, tmp_path, monkeypatch):
    monkeypatch.setattr(Classifier, "load", Light)
    bundle = other_bundle(tmp_path / "one")
    monkeypatch.setenv("RAYON_BUNDLE", str(bundle))
    settings.cache_clear()
    model.active.forget()
    try:
        first = model.active.active_classifier()
        assert model.active.active_classifier() is first
        (bundle / "manifest.json").touch()
        assert model.active.active_classifier() is not first
    finally:
        model.active.forget()


def test_a_pointer_that_is_damaged_is_said_on_the_page(store):
    store.folder.mkdir(parents=True)
    store.pointer.write_text("{")
    app = page().run()
    assert "bundle activate VERSION" in app.code[0].value
