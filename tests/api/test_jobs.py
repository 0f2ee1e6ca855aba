"""Files of products through the interface: sent, at work, taken away, deleted; and nobody sees another's."""

import io
import time
import zipfile

import pyarrow.parquet as pq
import pytest

import api.jobs
from batch.jobs import Job
from batch.store import JobStore
from decisions.audit import AuditLog
from decisions.store import open_store
from model.versions import active_bundle
from preprocessing.table import open_table
from tests.api.conftest import problem
from tests.api.samples import LAMP, SOFA, png

TABLE = f"id;designation;prix\na1;{LAMP};3\na2;{SOFA};4\n".encode()
SECONDS = 120


@pytest.fixture
def idle(monkeypatch):
    """Jobs are planned and never start."""
    monkeypatch.setattr(Job, "start", lambda self: None)


def sent(client, table: bytes = TABLE, name: str = "été.csv", pictures: bytes | None = None, **fields):
    files = {"file": (name, table)} | ({} if pictures is None else {"pictures": ("p.zip", pictures)})
    return client.post("/jobs", data=fields, files=files)


def ended(client, location: str) -> dict:
    deadline = time.monotonic() + SECONDS
    while (state := client.get(location.removeprefix("/api/v1")).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    return state


def test_from_the_file_to_the_result(client, own_home, exports, make_client, tokens):
    (own_home / "exports").symlink_to(exports / "exports")
    response = sent(client)
    made = response.json()
    assert response.status_code == 202 and response.headers["location"] == f"/api/v1/jobs/{made['id']}"
    assert made["name"] == "été.csv" and made["columns"]["designation"] == "designation"
    problem(client.get(f"/jobs/{made['id']}/result"), 409)
    state = ended(client, response.headers["location"])
    assert (state["state"], state["rows"], state["done"], state["problem"]) == ("done", 2, 2, None)
    assert [job["id"] for job in client.get("/jobs").json()["jobs"]] == [made["id"]]

    result = client.get(f"/jobs/{made['id']}/result")
    assert result.headers["content-type"] == "text/csv; charset=utf-8"
    assert "%C3%A9t%C3%A9-rayon.csv" in result.headers["content-disposition"]
    header, *rows = result.text.splitlines()
    assert header.startswith("id,designation,prix,rayon_code") and len(rows) == 2
    assert rows[0].startswith(f"a1,{LAMP},3,2060,Décoration") and rows[1].startswith(f"a2,{SOFA},4,1560,")
    english = client.get(f"/jobs/{made['id']}/result", params={"language": "en"})
    assert "Indoor furniture" in english.text
    parquet = client.get(f"/jobs/{made['id']}/result", params={"format": "parquet"})
    assert pq.read_table(io.BytesIO(parquet.content)).num_rows == 2
    book = client.get(f"/jobs/{made['id']}/result", params={"format": "xlsx"})
    assert zipfile.ZipFile(io.BytesIO(book.content)).testzip() is None
    submission = client.get(f"/jobs/{made['id']}/result", params={"format": "submission"})
    assert submission.text.splitlines() == [",prdtypecode", "a1,2060", "a2,1560"]
    problem(client.get(f"/jobs/{made['id']}/result", params={"format": "exe"}), 422)

    other = make_client(tokens.add("other", ["jobs"]))
    assert other.get("/jobs").json() == {"jobs": []}
    for method, below in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
        assert problem(other.request(method, f"/jobs/{made['id']}{below}"), 404)["reason"] == "job"
    assert client.delete(f"/jobs/{made['id']}").status_code == 204
    problem(client.get(f"/jobs/{made['id']}"), 404)
    assert not (own_home / "jobs" / made["id"]).exists()
    entries = AuditLog(open_store().engine).page()
    assert [entry.action for entry in entries] == ["job_deleted", *["job_downloaded"] * 5]
    assert {entry.person.split()[0] for entry in entries} == {"client"} and {e.subject for e in entries} == {made["id"]}


@pytest.mark.parametrize(
    "identity",
    ["..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2Fetc%2Fpasswd", "..%5c..", "slot.lock", "a" * 31, "A" * 32,
     "g" * 32, "0" * 32 + "%00", "0" * 5000, "%00", "%ff%fe", "~root", "con", "0" * 31 + "/", "*", "0" * 30 + "%0a"],
)  # fmt: skip
def test_no_name_of_a_job_leads_elsewhere(client, own_home, identity):
    (own_home / "jobs").mkdir()
    secret = own_home / "jobs" / "slot.lock"
    secret.write_text("secret")
    for method, below in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
        response = client.request(method, f"/jobs/{identity}{below}")
        # A client resolves ".." itself: then it is another address, or the list of jobs.
        assert response.status_code in (404, 405) or response.json() == {"jobs": []}
        assert "secret" not in response.text
    assert secret.read_text() == "secret"


def test_a_browsers_job_is_not_a_clients(client, own_home):
    job = JobStore(own_home).draft("mine.csv", io.BytesIO(TABLE), "browser" * 6)
    problem(client.get(f"/jobs/{job.id}"), 404)
    assert client.get("/jobs").json() == {"jobs": []}


def test_a_new_token_of_the_same_name_is_another_client(make_client, tokens, idle):
    made = sent(make_client(tokens.add("shop", ["jobs"]))).json()
    tokens.revoke("shop")
    problem(make_client(tokens.add("shop", ["jobs"])).get(f"/jobs/{made['id']}"), 404)


def test_how_it_is_read_can_be_said(client, own_home, idle):
    table = f"nom|autre\n{LAMP}|été\n".encode("cp1252")
    made = sent(client, table, encoding="cp1252", delimiter="|", designation_column="autre", description_column="nom")
    assert made.status_code == 202, made.text
    job = Job(own_home / "jobs" / made.json()["id"])
    assert (job.spec.format.encoding, job.spec.format.delimiter) == ("cp1252", "|")
    assert (job.spec.columns.designation, job.spec.columns.description) == ("autre", "nom")
    assert job.spec.bundle == str(active_bundle())
    assert list(open_table(job.table, job.spec.format)) == [[LAMP, "été"]]


def test_a_column_that_is_named_is_not_taken_twice(client, idle):
    made = sent(client, b"titre,description\nx,y\n", designation_column="description").json()
    assert made["columns"]["designation"] == "description" and made["columns"]["description"] is None


def test_pictures(client, own_home, idle):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", png())
    made = sent(client, b"designation,image\nLampe,a.png\n", pictures=buffer.getvalue())
    assert made.status_code == 202, made.text
    job = Job(own_home / "jobs" / made.json()["id"])
    assert job.spec.pictures == str(job.pictures) and job.pictures.read_bytes() == buffer.getvalue()


def test_what_should_be_known_is_told(client, idle):
    made = sent(client, b"designation\nLampe\n\n\nTable\n").json()
    assert made["notices"] == ["blank lines (line: 3, count: 2)"] and made["rows"] == 2


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x>" + " " * 50_000_000)
        archive.writestr("[Content_Types].xml", "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("table", "fields", "status"),
    [
        (b"", {}, 422),
        (b"\0" * 5000, {}, 422),
        (bytes(range(256)) * 10, {}, 422),
        (b"designation\n", {}, 422),
        (b"prix,poids\n1,2\n", {}, 422),
        (b"designation,prix\nLampe,1,2\n", {}, 422),
        ("designation\nété".encode("latin-1"), {"encoding": "utf-8"}, 422),
        (b"designation\nx\n", {"encoding": "ebcdic"}, 422),
        (b"designation\nx\n", {"delimiter": "ab"}, 422),
        (b"designation\nx\n", {"kind": "xlsx"}, 422),
        (b"designation\nx\n", {"kind": "parquet"}, 422),
        (b"designation\nx\n", {"designation_column": "titre"}, 422),
        (b"designation\nx\n", {"owner": "api:1"}, 422),
        (b"PK\x03\x04" + bytes(100), {}, 422),
        (b"PAR1" + bytes(100) + b"PAR1", {}, 422),
        (bomb(), {}, 422),
    ],
)
def test_a_table_that_cannot_be_used_leaves_nothing(client, own_home, table, fields, status):
    problem(sent(client, table, **fields), status)
    assert not [path for path in (own_home / "jobs").glob("*") if path.is_dir()]


def test_a_table_is_refused_with_its_line(client):
    assert "Line 3" in problem(sent(client, b"designation,prix\nLampe,1\nTable,1,2\n"), 422)["detail"]


@pytest.mark.parametrize("archive", [b"", b"PK\x03\x04", b"x" * 1000])
def test_a_zip_that_cannot_be_used_leaves_nothing(client, own_home, archive):
    problem(sent(client, b"designation,image\nLampe,a.png\n", pictures=archive), 422)
    assert not [path for path in (own_home / "jobs").glob("*") if path.is_dir()]


def test_pictures_that_no_column_names(client):
    assert problem(sent(client, pictures=b"PK"), 422)["reason"] == "no_picture_column"


def test_a_form_without_a_file(client):
    assert problem(client.post("/jobs", files={"kind": (None, "text")}), 422)["reason"] == "no_file"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.csv", "x" * 1000, "", "é\u202e.csv", "<script>.csv"])
def test_a_files_name_is_only_shown(client, own_home, idle, name):
    content = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
        + name.encode()
        + b'"\r\n\r\n'
        + TABLE
        + b"\r\n--b--\r\n"
    )
    response = client.post("/jobs", content=content, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert response.status_code == 202, response.text
    made = response.json()
    assert len(made["name"]) <= 200 and made["name"].isprintable()
    assert [path.name for path in (own_home / "jobs").iterdir()] == [made["id"]]


def test_a_client_has_so_many_jobs_and_no_more(client, make_client, tokens, monkeypatch, idle):
    monkeypatch.setattr(api.jobs, "MOST_JOBS", 2)
    first = sent(client).json()
    assert sent(client).status_code == 202
    assert problem(sent(client), 429)["reason"] == "too_many_jobs"
    assert sent(make_client(tokens.add("other", ["jobs"]))).status_code == 202
    assert client.delete(f"/jobs/{first['id']}").status_code == 204
    assert sent(client).status_code == 202


def test_so_many_files_wait_and_no_more(client, make_client, tokens, monkeypatch, idle):
    monkeypatch.setattr(api.jobs, "MOST_WAITING", 2)
    first = sent(client).json()
    assert sent(client).status_code == 202
    other = make_client(tokens.add("other", ["jobs"]))
    response = sent(other)
    assert problem(response, 503)["reason"] == "busy" and response.headers["retry-after"] == "60"
    client.delete(f"/jobs/{first['id']}")
    assert sent(other).status_code == 202


def test_a_full_disk_is_said(client, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(JobStore, "draft", full)
    assert problem(sent(client), 507)["reason"] == "storage"
