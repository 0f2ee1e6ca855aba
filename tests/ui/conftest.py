import pytest


@pytest.fixture(params=["fr", "en"])
def spoken(request, monkeypatch) -> str:
    """Each language in turn, as the page's."""
    monkeypatch.setattr("ui.language.language", lambda: request.param)
    return request.param


@pytest.fixture
def english(monkeypatch) -> None:
    monkeypatch.setattr("ui.language.language", lambda: "en")


@pytest.fixture
def french(monkeypatch) -> None:
    monkeypatch.setattr("ui.language.language", lambda: "fr")
