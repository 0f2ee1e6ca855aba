"""When it is fitted again, held closer, with less of what pictures teach: until what it knew is answered as it was."""

from types import SimpleNamespace

import pytest

from model.adaptation.adapt import MOST_OF_PICTURES, Adaptation
from model.adaptation.outcome import MOST, lost

ALL, SOME, LITTLE, NOTHING = MOST_OF_PICTURES


def told(patch: pytest.MonkeyPatch, listings: bool = True, **worse: list[float]) -> tuple[list[tuple], dict]:
    """How closely it is fitted and how much by pictures, where each of what is shown gets worse by so much of what it
    may, one fit after another, in calibration and log loss; and the report."""
    one, fits, left = object.__new__(Adaptation), [], {name: iter(values) for name, values in worse.items()}

    def fit(looseness: float | None, most: float) -> SimpleNamespace:
        fits.append((looseness, most))
        return SimpleNamespace(picture=most or None)

    def report(fitted: SimpleNamespace, _looseness: float | None) -> dict:
        found = {}
        for name in (name for name in left if fitted.picture or name == "text"):
            by = next(left[name])
            found[name] = {"difference": {"weighted_f1": 0.0} | {m: by * MOST[m] for m in ("log_loss", "ece")}}
        return {"remembered": found, "pictures": {"left": None, "would_be": None}}

    one.company, one.say = SimpleNamespace(listings=listings), lambda _line: None
    patch.setattr(one, "_fit", fit, raising=False)
    patch.setattr(one, "_report", report, raising=False)
    return fits, one.run()[0]


def test_what_would_be_believed_less_is_held_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibration alone is worse than may be, and F1 as it was."""
    fits, report = told(monkeypatch, text=[3.0, 2.0, 0.9])
    assert fits == [(None, ALL), (10.0, ALL), (1.0, ALL)] and not lost(report)
    assert told(monkeypatch, text=[0.9])[0] == [(None, ALL)]
    fits, report = told(monkeypatch, listings=False, text=[3.0, 3.0, 3.0, 3.0])
    assert {looseness for looseness, _most in fits} == {None} and lost(report)


def test_pictures_teach_less_where_they_would_make_it_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    fits, report = told(monkeypatch, text=[0.1] * 9, with_strangers=[3.0, 2.0, 0.5])
    assert fits == [(None, ALL), (None, SOME), (None, LITTLE)] and not lost(report)
    assert report["pictures"]["left"] is None
    assert report["pictures"]["would_be"]["with_strangers"]["difference"]["ece"] == pytest.approx(3 * MOST["ece"])


def test_pictures_stay_as_they_were_where_even_a_little_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    fits, report = told(monkeypatch, text=[0.1] * 9, with_drawings=[3.0] * 9, drawings=[0.1] * 9)
    assert fits == [(None, ALL), (None, SOME), (None, LITTLE), (None, NOTHING)]
    assert report["pictures"]["left"] == "forgets" and not lost(report)


def test_pictures_are_not_blamed_for_what_texts_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts alone use most of what may be lost: first they are held."""
    fits, report = told(monkeypatch, text=[0.9, 0.1], with_strangers=[1.2, 0.4])
    assert fits == [(None, ALL), (10.0, ALL)] and not lost(report)
    assert report["pictures"] == {"left": None, "would_be": None}
