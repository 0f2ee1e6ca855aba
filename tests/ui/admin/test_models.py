"""Models on the page: compared, installed, put into service and taken back; or refused, with the reason."""

import shutil
import threading

import pytest

from batch.jobs import Job
from model.versions import ModelStore
from settings import SHIPPED_BUNDLE, settings
from tests.hostile.small_bundle import small_bundle
from tests.model.bundles import other_bundle, version_of, zipped
from tests.pages.batch_page import charts
from tests.ui.admin.conftest import answered, log, passed, pressed, said, waited
from ui.admin import works
from ui.admin.uploads import remember, tell_cut_off

SHIPPED = version_of(SHIPPED_BUNDLE)


def active(home) -> str:
    return version_of(ModelStore(home, passed).active())


def send(page, path, name=None):
    uploader = next(one for one in page.file_uploader if one.key.startswith("admin_upload_"))
    uploader.set_value((name or path.name, path.read_bytes(), "application/zip")).run()
    return pressed(page, "admin_install")


def test_two_models_stand_side_by_side(come, installed, opened):
    page = pressed(opened(), f"admin_compare_{installed}")
    facts, measures = (table.value for table in page.table)
    assert facts.shape == (6, 3) and measures.shape == (6, 4)
    assert measures.iloc[0, 0] == "Accuracy" and measures.iloc[0, 1] == measures.iloc[0, 2]
    assert set(measures["Difference"]) == {"+0.0 points", "+0.000"}
    assert len(charts(page)) == 2 and len(page.dataframe[0].value) == 27
    assert "not measured on the same products" not in said(page)
    assert not pressed(page, f"admin_compare_{installed}").table


def test_a_model_without_a_report_says_so(come, home, opened, tmp_path):
    small = ModelStore(home, passed).install(small_bundle(tmp_path / "small"), other_taxonomy=True)
    page = pressed(opened(), f"admin_compare_{small.version}")
    assert "not measured on the same products" in said(page)
    assert list(page.table[0].value.iloc[4])[1:] == ["27", "2"]


def test_from_an_upload_to_service_and_back(come, home, opened, lamps, tmp_path):
    page = send(opened(), zipped(lamps, tmp_path / "lamps.zip", "lamps/"))
    page = waited(page)
    version = version_of(lamps)
    assert "is installed, and not active yet" in said(page) and active(home) == SHIPPED
    assert not list((home / "incoming").iterdir())
    page = waited(answered(page, f"admin_activate_{version}"))
    assert "is active. It answers from the next request on" in said(page) and active(home) == version
    page = pressed(page, f"admin_work_close_{works.last().id}")
    assert "answers from the next request on" not in said(page)
    page = answered(page, "admin_rollback")
    assert "is active again" in said(page) and active(home) == SHIPPED
    page = answered(page, f"admin_remove_{version}")
    assert "is removed" in said(page) and not (home / "models" / version).exists()
    noted = [(entry.person, entry.action, entry.subject) for entry in log()]
    assert noted == [
        ("Administrator", action, subject)
        for action, subject in (
            ("model_removed", version), ("model_rolled_back", SHIPPED),
            ("model_activated", version), ("model_installed", version),
        )
    ]  # fmt: skip
    assert log()[-1].details == {"file": "lamps.zip"} and log()[2].details == {"before": SHIPPED}


def test_a_question_that_is_left_changes_nothing(come, home, installed, opened):
    page = answered(opened(), f"admin_activate_{installed}", "admin_no")
    assert active(home) == SHIPPED and not [one for one in page.button if one.key == "admin_yes"] and not log()


@pytest.mark.parametrize("what", ["damaged", "other categories", "no bundle"])
def test_what_is_refused_is_told_with_the_reason(come, home, opened, tmp_path, what):
    path = tmp_path / "m.zip"
    if what == "damaged":
        path.write_bytes(b"PK\3\4" + bytes(99))
    elif what == "other categories":
        zipped(small_bundle(tmp_path / "small"), path)
    else:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "manifest.json").write_text("{}")
        zipped(tmp_path / "folder", path)
    page = waited(send(opened(), path, "../../<b>m.zip"))
    words = said(page)
    assert "is not installed" in words and str(home) not in words and "incoming" not in words
    reason = {"damaged": "damaged or cut short", "other categories": "has other categories", "no bundle": "version"}[
        what
    ]
    assert reason in words
    assert log()[0].action == "model_refused" and str(home) not in str(log()[0].details)
    assert not list((home / "incoming").iterdir()) and len(ModelStore(home).installed()) == 1


def test_other_categories_can_be_meant(come, home, opened, tmp_path):
    page = opened()
    page.checkbox(key="admin_other_taxonomy").check().run()
    waited(send(page, zipped(small_bundle(tmp_path / "small"), tmp_path / "small.zip")))
    assert len(ModelStore(home).installed()) == 2


def test_what_is_in_use_stays(come, home, installed, opened):
    """Activated from elsewhere while the question was open."""
    page = pressed(opened(), f"admin_remove_{installed}")
    ModelStore(home, passed).activate(installed)
    page = pressed(page, "admin_yes")
    assert "is the active model: activate another one first" in said(page)
    assert (home / "models" / installed).is_dir() and not log()
    page = pressed(page, "admin_rollback")
    ModelStore(home, passed).rollback()
    assert "another model was activated meanwhile" in said(pressed(page, "admin_yes"))
    assert failure() == (SHIPPED, {"step": "rollback", "reason": "changed"})


def failure():
    """What was noted last, which has to be of something that was not done."""
    assert log()[0].action == "model_refused"
    return log()[0].subject, dict(log()[0].details)


def test_two_administrators_with_the_same_question_take_one_step(come, home, opened, lamps, tmp_path):
    store = ModelStore(home, passed)
    second, evil = (
        store.install(bundle).version for bundle in (lamps, other_bundle(tmp_path / "evil", "Evil", "evil"))
    )
    store.activate(second), store.activate(evil)
    ours, theirs = (pressed(opened(), "admin_rollback") for _ in range(2))
    assert f"{second} is active again" in said(pressed(ours, "admin_yes"))
    assert "another model was activated meanwhile" in said(pressed(theirs, "admin_yes"))
    assert active(home) == second
    done = [dict(entry.details) for entry in log() if entry.action == "model_rolled_back"]
    assert done == [{"before": evil}]
    # The same for activating: the one that was active when it was asked for is so no more.
    page = pressed(opened(), f"admin_activate_{evil}")
    store.rollback()
    page = waited(pressed(page, "admin_yes"))
    assert "another model was activated meanwhile" in said(page) and active(home) == SHIPPED
    assert failure() == (evil, {"step": "activate", "reason": "changed"})


def test_what_is_there_already_is_told_and_not_noted(come, home, installed, opened, lamps, tmp_path):
    path = zipped(lamps, tmp_path / "lamps.zip")
    assert "was installed already, and is not active" in said(waited(send(opened(), path)))
    ModelStore(home, passed).activate(installed)
    assert "was installed already, and is the active model" in said(waited(send(opened(), path)))
    assert not log()


def test_an_installation_that_a_restart_cuts_off_is_told_noted_and_cleared(come, home, opened):
    folder = home / "incoming" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "shop.zip").write_bytes(bytes(9))
    remember(folder, "Bob", "Shop <b>.zip")
    assert "Nothing is left over" not in said(opened("storage"))
    tell_cut_off()
    assert list((home / "incoming").iterdir()) == [] and log()[0].person == "Bob"
    assert failure() == ("Shop <b>.zip", {"step": "install", "reason": "cut_off"})
    page = opened()
    assert "Shop <b>.zip is not installed. The server ended while it was being checked" in said(page)
    tell_cut_off()
    assert len(log()) == 1


def test_an_installation_at_work_is_not_cut_off(come, home, opened, monkeypatch, lamps, tmp_path):
    going = threading.Event()
    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (lambda _folder: going.wait(60),))
    page = send(opened(), zipped(lamps, tmp_path / "lamps.zip"))
    try:
        tell_cut_off()
        assert len(list((home / "incoming").iterdir())) == 1 and not log()
    finally:
        going.set()
    assert "is installed, and not active yet" in said(waited(page)) and not list((home / "incoming").iterdir())


def test_whatever_breaks_an_installation_is_noted_by_its_name(come, home, opened, monkeypatch, lamps, tmp_path):
    def broken(_folder):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (broken,))
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    waited(send(opened(), zipped(lamps, tmp_path / "lamps.zip")))
    assert failure() == ("lamps.zip", {"step": "install", "reason": "ZeroDivisionError"})


def test_a_model_that_is_gone_gives_way_to_another(come, home, installed, opened, lamps, tmp_path):
    store = ModelStore(home, passed)
    lost = store.install(other_bundle(tmp_path / "lost", "Lost", "lost"))
    store.activate(lost.version)
    shutil.rmtree(lost.path)
    waited(answered(opened(), f"admin_activate_{installed}"))
    assert active(home) == installed and log()[0].details == {"before": lost.version}


def test_a_job_at_work_with_it_is_told_before_it_is_removed(come, home, installed, opened, monkeypatch):
    from batch.jobs import JobState
    from tests.ui.admin.test_files import planned

    planned(home, "Analyst", model=installed)
    monkeypatch.setattr(Job, "state", lambda self: JobState("waiting"))
    assert "1 file that is being classified with it will fail" in said(pressed(opened(), f"admin_remove_{installed}"))


def test_one_model_is_checked_at_a_time_and_the_page_goes_on(come, home, installed, opened, monkeypatch):
    going = threading.Event()
    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (lambda _folder: going.wait(60),))
    page = answered(opened(), f"admin_activate_{installed}")
    try:
        assert "takes about a minute. You may leave this page" in said(page)
        assert page.button(key=f"admin_activate_{installed}").disabled
        again = opened()  # another window
        assert "takes about a minute" in said(again) and again.button(key=f"admin_remove_{installed}").disabled
        assert not works.begin(works.Work("install", "another", lambda: None))
        assert "Who did what" in said(opened("log"))
    finally:
        going.set()
    assert active(home) == SHIPPED or works.last().ended.wait(60)
    waited(page)
    assert active(home) == installed


def test_what_this_server_has_just_checked_is_not_asked_again_unless_it_changed(
    come, home, opened, lamps, tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (asked.append,))
    version = version_of(lamps)
    page = waited(send(opened(), zipped(lamps, tmp_path / "lamps.zip")))
    page = waited(answered(page, f"admin_activate_{version}"))
    assert len(asked) == 1 and active(home) == version
    page = answered(page, "admin_rollback")
    path = home / "models" / version / "manifest.json"
    path.write_text(path.read_text() + "\n")
    waited(answered(page, f"admin_activate_{version}"))
    assert len(asked) == 2 and active(home) == version


def test_a_check_that_breaks_is_told(come, home, installed, opened, monkeypatch):
    def broken(_folder):
        raise OSError("no memory left")

    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (broken,))
    page = waited(answered(opened(), f"admin_activate_{installed}"))
    assert "is not activated; the model of before goes on" in said(page) and "no memory left" in said(page)
    assert failure() == (installed, {"step": "activate", "reason": "OSError"})


def test_rayon_bundle_overrides_and_says_so(come, home, installed, opened, monkeypatch, lamps):
    page = pressed(opened(), f"admin_activate_{installed}")
    monkeypatch.setenv("RAYON_BUNDLE", str(lamps))
    settings.cache_clear()
    page = pressed(page, "admin_yes")
    assert "RAYON_BUNDLE names the model in use" in said(page) and active(home) == SHIPPED
    assert all(
        one.disabled for one in page.button if one.key.startswith(("admin_activate", "admin_remove", "admin_install"))
    )


def test_who_is_no_administrator_any_more_changes_nothing(come, home, installed, opened):
    page = pressed(opened(), f"admin_activate_{installed}")
    come("Moderator")
    page = page.button(key="admin_yes").click().run()
    assert active(home) == SHIPPED and works.last() is None and not log()
    assert any("not for your role" in error.value for error in page.error)


def test_a_model_of_the_same_version_and_other_contents_is_refused(come, home, installed, opened, tmp_path, lamps):
    other = other_bundle(tmp_path / "other", "Lamps", "lamps")
    (other / "metrics.json").unlink()
    from tests.model.bundles import renamed

    renamed(other, "lamps")
    page = waited(send(opened(), zipped(other, tmp_path / "other.zip")))
    assert "is installed already, with other contents: remove that one first" in said(page)


def test_a_damaged_pointer_is_told_and_mended_by_activating(come, home, installed, opened):
    (home / "models" / "active.json").write_text("{")
    page = opened()
    assert "says which model is active, and cannot be read" in said(page)
    waited(answered(page, f"admin_activate_{installed}"))
    assert active(home) == installed and log()[0].details == {"before": ""}
