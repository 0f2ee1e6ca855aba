"""A file on its way to its result: sent, read, started, followed, found again."""

import io

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

import batch.runner
from batch.jobs import Job, Problem
from batch.store import JobStore
from decisions.audit import AuditLog
from decisions.store import open_store
from preprocessing.columns import Columns
from settings import ROOT, SHIPPED_BUNDLE, settings
from tests.batch.samples import HEADER, LAMP, official_names, official_rows, pictures_zip, planned, table_bytes
from tests.pages.batch_page import VISITOR, inline, keyed, metrics, only_job, opened, plain, run_here, sent, told

HOSTILE = '../../<script>alert("1")</script> [x](//y) **b**.csv'


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    """Every test has a home of its own, and its jobs wait until they are run."""
    monkeypatch.setenv("RAYON_HOME", str(home))
    settings.cache_clear()
    started: list[Job] = []
    monkeypatch.setattr(Job, "set_to_work", lambda job: started.append(job))
    monkeypatch.setattr(batch.runner, "run_local", inline)
    yield started
    settings.cache_clear()


def draft(home, data: bytes, name: str = "produits.csv", owner: str = VISITOR) -> Job:
    return JobStore(home).draft(name, io.BytesIO(data), owner)


def test_the_page_is_one_of_the_front_door(home):
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180)
    page.session_state["app_language"] = "fr"
    page.run().switch_page("pages/batch.py").run()
    assert not page.exception
    assert page.file_uploader and "Un tableau de produits" in told(page)


def test_what_is_sent_is_at_once_a_draft_of_its_sender(home):
    page = opened()
    key = page.file_uploader[0].key
    data = table_bytes(official_rows(40))
    sent(page, data)
    assert not page.exception
    job = only_job(home)
    assert job.table.read_bytes() == data
    assert job.about["name"] == "produits.csv" and VISITOR not in (job.folder / "about.json").read_text()
    assert page.query_params == {"job": job.id}
    assert "produits\\.csv" in told(page)
    page.button(key="batch_home").click().run()
    assert page.file_uploader[0].key != key
    assert page.query_params == {}


def test_a_job_is_shown_again_after_another_page_and_not_after_the_list_was_asked_for(home):
    job = draft(home, table_bytes(official_rows(3)))
    page = opened(job)
    page.query_params.clear()
    page.session_state["app_last"] = "pages/categories.py"
    assert page.run().query_params == {"job": job.id} and "produits\\.csv" in told(page)
    page.button(key="batch_home").click().run()
    assert page.query_params == {}
    page.session_state["app_last"] = "pages/categories.py"
    assert page.run().query_params == {}


def test_a_draft_shows_what_is_in_the_file(home):
    rows = official_rows(40)
    rows[3][1] = rows[3][2] = ""
    page = opened(draft(home, table_bytes(rows, delimiter=";", encoding="cp1252")))
    assert not page.exception and not page.error
    boxes = {box.label: plain(box.options[box.index]) for box in page.selectbox}
    assert boxes["Séparateur"] == "point-virgule ( ; ) (détecté)"
    assert boxes["Désignation"] == "designation"
    assert boxes["Identifiant de la ligne"] == "(colonne sans nom)"
    assert boxes["Nom du fichier de l’image"] == "– aucune –"
    assert metrics(page) == {
        "Lignes": "40",
        "Avec du texte": "39",
        "Rien à lire": "1",
        "Catégorie donnée": "40",
    }
    assert list(page.dataframe[0].value.iloc[1]) == rows[1]
    assert keyed(page.button, "batch_start_").label == "Classer 40 lignes"


def test_the_file_can_be_read_otherwise_and_a_misreading_is_explained(home):
    text = "désignation;prix\nTable basse;3\nCrème brûlée;4\n"
    job = draft(home, text.encode("cp1252"))
    page = opened(job)
    page.selectbox(key=f"batch_encoding_{job.id}_fr").set_value(1).run()
    assert not page.exception
    assert "Ligne 1 : l’octet E9 ne se lit pas en UTF\\-8" in told(page)
    assert len(page.selectbox) == 3, "how it is read can still be changed"
    page.selectbox(key=f"batch_encoding_{job.id}_fr").set_value(3).run()
    assert not page.error and list(page.dataframe[0].value.iloc[:, 0]) == ["Table basse", "Crème brûlée"]
    page.selectbox(key=f"batch_delimiter_{job.id}_fr").set_value(1).run()
    assert "pas virgule" in told(page)
    assert job.state().state == "draft" and job.table.exists()


def test_an_error_in_mid_file_names_its_line(home):
    page = opened(draft(home, b"designation,description\nTable,bois\nLampe,a,b\n"))
    assert not page.exception
    assert "La ligne 3 a 3 cellules alors que l’en-tête en a 2" in told(page)
    assert not [button for button in page.button if button.key.startswith("batch_start_")]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "vide (0 octet)"), (b"%PDF-1.7 x", "n’est pas un tableau, mais PDF"), (b"a,a\n1,2\n", "le même nom")],
)
def test_what_is_no_table_is_explained_and_kept(home, data, message):
    page = opened(draft(home, data))
    assert not page.exception
    assert message in told(page)
    assert page.selectbox and keyed(page.button, "batch_home")


def test_what_was_accepted_but_should_be_known_is_told(home):
    page = opened(draft(home, b"designation,description\n\nTable\nLampe,b\n"))
    assert any("Lignes vides sautées" in warning.value for warning in page.warning)
    assert any("Lignes trop courtes" in warning.value for warning in page.warning)


def test_columns_can_be_changed_and_the_choice_outlives_the_language(home):
    job = draft(home, b"a,b,c\n1,Table,\n2,,Lampe\n")
    page = opened(job)
    assert "Choisissez la colonne" in told(page)
    keyed(page.selectbox, "batch_column_designation_").set_value(2).run()
    assert metrics(page)["Avec du texte"] == "1"
    keyed(page.selectbox, "batch_column_description_").set_value(3).run()
    assert metrics(page)["Avec du texte"] == "2"
    page.session_state["app_language"] = "en"
    page.run()
    assert metrics(page)["With text"] == "2"


def test_pictures_are_counted_and_can_be_taken_away(home, tmp_path):
    rows = official_rows(30)
    job = draft(home, table_bytes(rows))
    page = opened(job)
    assert "seuls les textes seront lus" in told(page)
    archive = pictures_zip(tmp_path / "a.zip", dict.fromkeys(official_names(rows)[:10], LAMP))
    sent(page, archive.read_bytes(), "a.zip", "batch_zip")
    assert not page.exception and not page.error
    assert job.pictures.read_bytes() == archive.read_bytes()
    assert metrics(page)["Texte et image"] == "10" and metrics(page)["Images manquantes"] == "20"
    keyed(page.button, "batch_zip_remove_").click().run()
    assert not job.pictures.exists() and "Images manquantes" not in metrics(page)
    sent(page, b"no archive", "a.zip", "batch_zip")
    assert "n’est pas un fichier ZIP" in told(page) and str(home) not in told(page)


def test_a_full_disk_is_told(home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    page = opened()
    monkeypatch.setattr(JobStore, "draft", full)
    sent(page, b"a\n1\n")
    assert not page.exception
    assert "No space left on device" in told(page)


def test_what_is_sent_leaves_the_servers_memory(home, monkeypatch):
    removed = []
    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", lambda self, _, file_id: removed.append(file_id))
    page = opened()
    sent(page, b"designation\nTable\n")
    assert len(removed) == 1


def test_a_file_over_the_limit_is_refused_though_the_browser_let_it_pass(home, monkeypatch):
    monkeypatch.setattr("ui.batch.upload.TABLE_MB", 1)
    page = opened()
    sent(page, b"x" * (2**20 + 1))
    assert not page.exception
    assert "dépasse la limite de 1 Mo" in told(page) and not JobStore(home).owned_by(VISITOR)


def test_a_folder_of_the_server_can_be_used_and_none_outside(home, tmp_path, monkeypatch):
    rows = official_rows(20)
    photos = tmp_path / "photos"
    (photos / "2026").mkdir(parents=True)
    for name in official_names(rows)[:5]:
        (photos / "2026" / name).write_bytes(LAMP)
    monkeypatch.setenv("RAYON_IMAGE_FOLDERS", str(photos))
    settings.cache_clear()
    page = opened(draft(home, table_bytes(rows)))
    keyed(page.button_group, "batch_source_").set_value("folder").run()
    below = keyed(page.text_input, "batch_folder_below_")
    below.set_value("2026").run()
    assert metrics(page)["Texte et image"] == "5"
    keyed(page.text_input, "batch_folder_below_").set_value("../..").run()
    assert "n’existe pas dans le dossier choisi" in told(page)
    assert not [button for button in page.button if button.key.startswith("batch_start_")]


def test_a_draft_is_planned_as_it_was_shown_and_set_to_work_once(home, at_home):
    rows = official_rows(40)
    job = draft(home, table_bytes(rows))
    page = opened(job)
    keyed(page.button, "batch_start_").click().run()
    assert not page.exception
    spec = job.spec
    assert [started.id for started in at_home] == [job.id]
    assert (spec.header, spec.rows, spec.pictures) == (tuple(HEADER), 40, None)
    assert spec.columns == Columns("designation", "description", None, "imageid", "productid", "", "prdtypecode")
    assert spec.bundle == str(SHIPPED_BUNDLE) and spec.model.startswith("open-")
    assert "En attente de son tour" in page.get("progress")[0].proto.text
    run_here(job, home)
    page.run()
    assert metrics(page)["Lignes classées"] == "40"


def test_the_work_is_followed_and_can_be_stopped(home):
    job = planned(home, official_rows(100), owner=VISITOR)
    with job.lock.acquire():
        job.note_progress(
            done=64, pictures={"": 60, "missing": 3, "damaged": 1}, step="classifying", rows_per_second=8.0
        )
        page = opened(job)
        assert not page.exception
        bar = page.get("progress")[0].proto
        assert bar.value == 64 and plain(bar.text) == "Classement en cours… 64 %"
        assert metrics(page)["Lignes faites"] == "64 sur 100"
        assert metrics(page)["Lignes par seconde"] == "8"
        assert "4 lignes ont été lues sans leur image : manquante (3) et abîmée (1)" in told(page).replace(
            "\u00a0", " "
        )
        assert "Vous pouvez fermer cette page" in told(page)
        job.note_progress(done=0, pictures={}, step="exporting", rows_per_second=None)
        assert "Préparation du modèle" in page.run().get("progress")[0].proto.text
        keyed(page.button, "batch_cancel_").click().run()
        assert job.cancelled


def test_a_stopped_job_goes_on_or_starts_over(home, at_home):
    job = planned(home, official_rows(40), owner=VISITOR)
    job.end("cancelled")
    page = opened(job)
    assert "Le travail a été arrêté" in told(page) and "0 lignes sur 40" in told(page)
    keyed(page.button, "batch_over_").click().run()
    [draft_] = [other for other in JobStore(home).owned_by(VISITOR) if other.id != job.id]
    assert draft_.table.read_bytes() == job.table.read_bytes() and page.query_params == {"job": draft_.id}
    page = opened(job)
    keyed(page.button, "batch_again_").click().run()
    assert [started.id for started in at_home] == [job.id]
    assert job.state().state == "waiting"


@pytest.mark.parametrize(
    ("problem", "message", "technical"),
    [
        (Problem("table", "e", "bad_bytes", {"line": 12, "byte": "FF", "encoding": "utf-8"}), "Ligne 12", False),
        (Problem("pictures", "e", "no_pictures", {"place": "/srv/x.zip"}), "ne contient pas d’image", False),
        (Problem("model", "sha256 differs"), "modèle est inutilisable", True),
        (Problem("changed", "e"), "recommencez", False),
        (Problem("unexpected", "KeyError: 'x'"), "imprévu", True),
    ],
)
def test_a_failed_job_says_why(home, problem, message, technical):
    job = planned(home, official_rows(40), owner=VISITOR)
    job.end("failed", problem)
    page = opened(job)
    assert not page.exception
    assert message in page.error[0].value
    assert [code.value for code in page.code] == ([problem.text] if technical else [])


def test_the_list_shows_each_job_with_its_state(home):
    assert "s’affichent ici" in told(opened())
    draft(home, b"a\n1\n", "premier.csv")
    planned(home, official_rows(40), owner=VISITOR).end("done")
    planned(home, official_rows(40), owner="another-" + "a" * 32)
    page = opened()
    assert not page.exception
    assert told(page).count("-badge") == 2
    assert "à lancer" in told(page) and "terminé" in told(page)
    assert "supprimé 7 jours après son envoi" in told(page)
    assert "40 lignes" in told(page) and "conservé jusqu’au" in told(page)
    keyed(page.button, "batch_open_").click().run()
    assert page.query_params["job"] in {job.id for job in JobStore(home).owned_by(VISITOR)}


def test_a_job_is_deleted_once_it_is_confirmed(home):
    job = draft(home, b"a\n1\n")
    page = opened()
    assert job.folder.exists()
    keyed(page.button, "batch_delete_now_list_").click().run()
    assert not page.exception
    assert not job.folder.exists() and not JobStore(home).owned_by(VISITOR)
    assert "s’affichent ici" in told(page)
    [entry] = AuditLog(open_store().engine).page()
    assert (entry.person, entry.action, entry.subject) == ("(no sign-in)", "job_deleted", job.id)


def test_long_lists_are_shown_in_part(home):
    for i in range(12):
        draft(home, b"a\n1\n", f"{i}.csv")
    page = opened()
    assert told(page).count("-badge") == 10
    page.button(key="batch_show_every").click().run()
    assert told(page).count("-badge") == 12


@pytest.mark.parametrize("identity", ["", "0" * 32, "../../etc", "<script>", "a" * 4000])
def test_no_job_of_another_and_no_other_path_is_shown(home, identity):
    job = draft(home, b"designation\nSecret\n", owner="another-" + "a" * 32)
    for named in (identity, job.id):
        page = AppTest.from_file(ROOT / "pages" / "batch.py", default_timeout=60)
        page.session_state["batch_owner"] = VISITOR
        page.session_state["app_language"] = "fr"
        page.query_params["job"] = named
        page.run()
        assert not page.exception and not page.dataframe
        assert "a été envoyé depuis un autre navigateur" in told(page)
        assert page.query_params == {} and page.file_uploader


def test_a_visitor_without_a_cookie_gets_a_secret_and_keeps_it(home):
    page = AppTest.from_file(ROOT / "pages" / "batch.py", default_timeout=60).run()
    secret = page.session_state["batch_owner"]
    assert len(secret) >= 32
    assert page.run().session_state["batch_owner"] == secret
    other = AppTest.from_file(ROOT / "pages" / "batch.py", default_timeout=60).run()
    assert other.session_state["batch_owner"] != secret


def test_hostile_names_are_text_wherever_they_stand(home):
    page = opened()
    sent(page, b"<img src=x onerror=alert(1)>,designation\n<b>a</b>,Table basse\n", HOSTILE)
    assert not page.exception
    listed = opened()
    for shown in (page, listed):
        assert "<script>" not in told(shown) and "[x](" not in told(shown)
        assert "\\<script\\>" in told(shown)
    assert only_job(home).folder.parent == home / "jobs"


def test_no_sentence_is_left_in_the_other_language(home, tmp_path):
    written = {}
    jobs = [draft(home, b"designation\nTable\n\n"), planned(home, official_rows(3), owner=VISITOR)]
    failed = planned(home, official_rows(3), owner=VISITOR)
    failed.end("failed", Problem("changed", "e"))
    for language in ("fr", "en"):
        found = set()
        for job in (None, *jobs, failed):
            page = opened(job, language=language)
            elements = [*page.caption, *page.warning, *page.info, *page.subheader, *page.error]
            widgets = (page.button, page.selectbox, page.file_uploader, page.metric)
            found |= {element.value for element in elements} | {w.label for kind in widgets for w in kind}
        written[language] = found
    assert written["fr"] & written["en"] <= {"Description"}
