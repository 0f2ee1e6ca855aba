"""Decisions from a terminal: what is written, what is told, and every way a command can end."""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from decisions import command
from decisions.command import FAILED, INTERRUPTED, OK, USAGE, main
from decisions.items import Verdict
from decisions.store import DecisionStore, open_store
from model.taxonomy import default_taxonomy
from model.training.data import read_labelled
from settings import ROOT, settings
from tests.decisions.samples import CODES, new_item, several
from tests.repository import repository_files
from ui.gallery import EXAMPLES

DAY = "2020-01-31"


@pytest.fixture
def at(monkeypatch, tmp_path):
    """A folder to write to; the command has a home of its own beside it."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    for name in ("RAYON_DATABASE_URL", "RAYON_PICTURES", "RAYON_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    (tmp_path / "out").mkdir()
    yield tmp_path / "out"
    settings.cache_clear()


@pytest.fixture
def store(at) -> DecisionStore:
    """Three products of a file: one accepted by Ana, one "I don't know", one that waits; with a picture the first."""
    store = open_store()
    store.add([new_item("Produit", first=0.4, image=EXAMPLES[0].image, job="j1", job_name="a\x1b[31m\u202eb.csv")])
    store.add(several(2, job="j1", job_name="a.csv"))
    for verdict in (Verdict("accepted", note="sûr"), Verdict("unknown")):
        store.decide(store.claim("h", "Ana"), verdict, "Ana", "h")
    return store


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def wrong(*arguments: object) -> int:
    """The status of a command that argparse refuses."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return int(ended.value.code)


def test_a_table_is_written_and_told(store, at, capsys) -> None:
    assert main(["export", "--out", str(at / "d.csv"), "--people", "ids", "--since", DAY, "--language", "en"]) == OK
    assert capsys.readouterr().out == f"2 decisions on 2 products, in {at / 'd.csv'}\n"
    accepted, unknown = rows(at / "d.csv")
    assert accepted["person"] == store.aliases()["Ana"] and unknown["code"] == ""
    assert accepted["label"] == default_taxonomy()[CODES[0]].label_en
    assert main(["export", "--out", str(at / "d.parquet")]) == OK
    assert (at / "d.parquet").read_bytes()[:4] == b"PAR1", "the ending names the format"


def test_with_pictures_it_is_a_folder_that_adapt_takes(store, at, capsys) -> None:
    assert main(["export", "--out", str(at / "home"), "--with-pictures"]) == OK
    assert "2 decisions on 2 products, 1 pictures, in " in capsys.readouterr().out
    [row] = read_labelled(at / "home", default_taxonomy()).examples
    assert Path(row.picture).read_bytes() == EXAMPLES[0].image
    store.pictures.remove(next(store.pictures.references()))
    assert main(["export", "--out", str(at / "d.zip"), "--with-pictures"]) == OK
    assert "1 pictures were purged, and are left out." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "products"),
    [
        (["--until", DAY], 0),
        (["--since", DAY, "--until", "9999-12-31T23:59:59+14:00"], 2),
        (["--job", "j1"], 2),
        (["--job", "j2"], 0),
        (["--category", str(CODES[0])], 1),
        (["--suggested", str(CODES[0])], 2),
        (["--suggested", str(2**63 - 1)], 0),
        (["--state", "decided"], 2),
        (["--state", "approved"], 0),
    ],
)
def test_filters_reach_the_export(store, at, capsys, arguments, products) -> None:
    assert main(["export", "--out", str(at / "d.csv"), *arguments]) == OK
    assert f" on {products} products, in " in capsys.readouterr().out and len(rows(at / "d.csv")) == products


def test_kept_is_a_table_that_cannot_touch_the_terminal(store, at, capsys) -> None:
    assert main(["kept"]) == OK
    said = capsys.readouterr().out
    head, line = said.splitlines()
    assert head.split() == ["month", "source", "products", "characters", "pictures", "megabytes", "job"]
    assert line.split()[1:3] == ["classify", "3"] and "\x1b" not in said and "\u202e" not in said


def test_a_purge_is_shown_and_then_done(store, at, capsys) -> None:
    assert main(["purge", "--older-than", "1"]) == OK
    assert "Would go: texts, notes and pictures of 0 products" in capsys.readouterr().out
    assert main(["purge", "--older-than", "0"]) == OK
    said = capsys.readouterr().out
    assert "Would go: texts, notes and pictures of 3 products (1 of them" in said and "add --yes" in said
    assert len(store.frame()) == 3 and store.frame()["note"].notna().any()
    assert main(["purge", "--older-than", "0", "--yes"]) == OK
    said = capsys.readouterr().out
    assert "Removed: texts, notes and pictures of 3 products (1 of them" in said and "1 picture files" in said
    assert len(store.frame()) == 2 and len(list(store.log())) == 2 and store.frame()["note"].isna().all()
    assert main(["kept"]) == OK
    assert "Nothing is kept." in capsys.readouterr().out


def test_what_cannot_be_written_is_one_line(store, at, capsys) -> None:
    (at / "full").mkdir()
    (at / "full" / "letter").write_text("dear")
    outs = [(str(at / "full"), []), (str(at / "full"), ["--with-pictures"]), (str(at / "no" / "d.csv"), [])]
    outs += [(str(at / ("d" * 300)), []), (str(at.parent / "home" / "rayon.db"), [])]
    for out, more in outs:
        assert main(["export", "--out", out, *more]) == FAILED
        said = capsys.readouterr()
        assert said.err.startswith("error: ") and said.err.count("\n") == 1 and not said.out
    assert len(store.frame()) == 3 and sorted(path.name for path in at.rglob("*")) == ["full", "letter"]


def test_a_name_that_is_no_utf_8_is_written_to(store, at, capsys) -> None:
    out = os.fsdecode(os.fsencode(at) + b"/\xff.csv")
    assert main(["export", "--out", out]) == OK
    assert r"\udcff.csv" in capsys.readouterr().out and len(rows(Path(out))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "hier"], "is no moment"),
        (["--since", "0001-01-01T00:00:00+14:00"], "is no moment"),
        (["--category", "chairs"], "is no category code"),
        (["--suggested", "1" + "0" * 30], "is no category code"),
        (["--suggested", "1" * 5000], "is no category code"),
        (["--job", "\udcff"], "cannot be seen"),
        (["--state", "lost"], "invalid choice"),
    ],
)
def test_wrong_arguments(at, capsys, arguments, said) -> None:
    assert wrong("export", "--out", at / "d.csv", *arguments) == USAGE
    assert said in capsys.readouterr().err and not list(at.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "--out", "d.zip"], "add --with-pictures"),
        (["export", "--out", "d.csv", "--with-pictures"], "a folder or a .zip"),
        (["export", "--out", "d.csv", "--since", DAY, "--until", DAY], "--since must be before --until"),
        (["purge", "--older-than", "-1", "--yes"], "--older-than must be"),
        (["purge", "--older-than", "9999999"], "--older-than must be"),
    ],
)
def test_wrong_use(at, monkeypatch, capsys, arguments, said) -> None:
    monkeypatch.chdir(at)
    assert main(arguments) == USAGE
    assert said in capsys.readouterr().err and not list(at.iterdir())


def test_a_store_out_of_reach_and_settings_that_are_off(at, monkeypatch, capsys) -> None:
    monkeypatch.setenv("RAYON_DATABASE_URL", "postgresql://rayon:geheim@127.0.0.1:1/x")
    settings.cache_clear()
    for arguments in (["kept"], ["purge", "--older-than", "1", "--yes"], ["export", "--out", str(at / "d.csv")]):
        assert main(arguments) == FAILED
        said = capsys.readouterr().err
        assert said.startswith("error: The store of decisions cannot be reached") and "geheim" not in said
    assert not list(at.iterdir())
    monkeypatch.setenv("RAYON_LEASE_SECONDS", "soon")
    settings.cache_clear()
    assert main(["kept"]) == USAGE
    assert capsys.readouterr().err.startswith("error: RAYON_LEASE_SECONDS must be a whole number")


def test_an_interruption_is_told(store, at, monkeypatch, capsys) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "export", interrupted)
    assert main(["export", "--out", str(at / "d.csv")]) == INTERRUPTED
    assert capsys.readouterr().err.startswith("error: interrupted")


def test_what_the_pages_of_documentation_say_works_in_a_fresh_checkout(at) -> None:
    """Each line parses, and none writes to where the program itself lies."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
    lines = [line for text in texts for line in re.findall(r"^\S*python -m decisions (.*)$", text, re.MULTILINE)]
    taken = {path.parts[0] for path in repository_files() if path.suffix == ".py"}
    assert len(lines) >= 3
    for line in lines:
        chosen = command._parser().parse_args(shlex.split(line, comments=True))
        if chosen.command == "export":
            command._check(chosen)
            assert chosen.out.parts[0] not in taken, line


def test_the_module_starts_without_what_is_heavy(at) -> None:
    code = (
        "import runpy, sys; sys.argv = ['decisions', 'kept']\n"
        "try: runpy.run_module('decisions', run_name='__main__')\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print({'tensorflow', 'keras', 'scipy', 'sklearn', 'streamlit'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == ["Nothing is kept.", "set()"]
