"""Models side by side, one of them active, whatever happens in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import model.pointer
from model import versions
from model.__main__ import main
from model.apart import check_apart
from model.bundle import MANIFEST, BundleError, read_manifest
from model.classifier import Classifier
from model.pointer import VersionError
from model.versions import ModelStore, active_bundle
from settings import ROOT, SHIPPED_BUNDLE, settings
from tests.model.bundles import copied, other_bundle, renamed, rewritten, version_of, with_smoke, zipped
from tests.ui.card_samples import made_model

SHIPPED = version_of(SHIPPED_BUNDLE)


def passed(_folder: Path) -> None:
    """In the place of the check in a process of its own, which takes seconds."""


@pytest.fixture
def store(tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "home", passed)


@pytest.fixture(scope="module")
def lamps(tmp_path_factory) -> Path:
    return other_bundle(tmp_path_factory.mktemp("lamps") / "lamps", "Lamps", "lamps")


@pytest.fixture(scope="module")
def lights(tmp_path_factory) -> Path:
    return other_bundle(tmp_path_factory.mktemp("lights") / "lights", "Lights", "lights")


@pytest.fixture
def at_home(tmp_path, monkeypatch) -> Path:
    """RAYON_HOME, its models not checked by a process of their own."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAYON_BUNDLE", raising=False)
    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (passed,))
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def listed(store: ModelStore) -> dict[str, bool]:
    return {model.version: model.active for model in store.installed()}


def refused(reason: str):
    return pytest.raises(VersionError, check=lambda error: error.reason == reason and str(error))


def test_the_shipped_model_is_there_and_active_from_the_start(store):
    [model] = store.installed()
    assert (model.version, model.active, model.shipped, model.path) == (SHIPPED, True, True, SHIPPED_BUNDLE)
    assert store.active() == SHIPPED_BUNDLE and [entry.version for entry in store.history()] == [SHIPPED]
    with refused("no_earlier"):
        store.rollback()
    with refused("shipped"):
        store.remove(SHIPPED)
    assert not store.pointer.exists()


def test_installed_activated_rolled_back_removed(store, lamps, lights):
    first, second = store.install(lamps), store.install(lights)
    assert first.path == store.folder / version_of(lamps) and not first.active and first.name == "lamps"
    assert {p.name: p.read_bytes() for p in first.path.iterdir()} == {p.name: p.read_bytes() for p in lamps.iterdir()}
    assert listed(store) == {SHIPPED: True, first.version: False, second.version: False}
    assert store.activate(first.version).active and store.active() == first.path
    store.activate(second.version)
    store.activate(second.version)  # is it already
    assert [entry.version for entry in store.history()] == [SHIPPED, first.version, second.version]
    for version, reason in ((second.version, "active"), (first.version, "next")):
        with refused(reason):
            store.remove(version)
    assert store.rollback().version == first.version
    store.remove(second.version)
    assert listed(store) == {SHIPPED: False, first.version: True}
    assert store.rollback().version == SHIPPED and store.active() == SHIPPED_BUNDLE
    with refused("no_earlier"):
        store.rollback()
    store.remove(first.version)
    assert names(store.folder) == ["active.json"]


def test_two_who_roll_back_at_once_take_one_step(store, lamps, lights, tmp_path):
    """Each has been shown the same step; and nobody goes where they were not told they would."""
    third = other_bundle(tmp_path / "third", "Third", "third")
    versions_ = [store.install(bundle).version for bundle in (lamps, lights, third)]
    for version in versions_:
        store.activate(version)
    _, second, now = versions_

    def roll(_number: int) -> str:
        try:
            return store.rollback(expected=second, before=now).version
        except VersionError as error:
            return error.reason

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(roll, range(4))) == sorted([second, "changed", "changed", "changed"])
    assert [entry.version for entry in store.history()] == [SHIPPED, *versions_[:2]]
    for shown in ({"before": now}, {"expected": second}):
        with refused("changed"):
            store.rollback(**shown)
    with refused("changed"):
        store.activate(now, before=now)
    assert store.activate(now, before=second).version == now


def test_what_is_removed_is_not_rolled_back_to(store, lamps, lights):
    store.install(lamps), store.install(lights)
    store.activate(version_of(lamps)), store.activate(version_of(lights)), store.activate(SHIPPED)
    store.remove(version_of(lamps))
    assert store.rollback().version == version_of(lights)
    assert store.rollback().version == SHIPPED


def test_the_same_again_is_no_error_and_other_contents_are(store, lamps, tmp_path):
    store.install(lamps)
    assert store.install(zipped(lamps, tmp_path / "x.zip", "lamps/")).version == version_of(lamps)
    other = rewritten(copied_of(lamps, tmp_path / "other"), "metrics.json", lambda _: b"{}")
    with refused("other_contents"):
        store.install(other)
    with refused("other_contents"):
        store.install(rewritten(copied(tmp_path / "shipped"), "metrics.json", lambda _: b"{}"))
    model, added = store.take_in(SHIPPED_BUNDLE)
    assert model.shipped and not added and not store.take_in(lamps)[1]
    assert names(store.folder) == [version_of(lamps)]


def copied_of(bundle: Path, folder: Path) -> Path:
    return Path(shutil.copytree(bundle, folder))


def test_a_damaged_copy_is_not_activated_and_mended_by_installing_again(store, lamps):
    model = store.install(lamps)
    (model.path / "taxonomy.csv").write_text("code")
    with pytest.raises(BundleError, match="sha256"):
        store.activate(model.version)
    assert store.take_in(lamps)[1]
    assert store.activate(model.version).active


def test_what_cannot_answer_any_more_is_not_activated(tmp_path, lamps):
    """As after the program was updated, say. What was active stays so."""
    sound, asked = [True], []

    def check(folder):
        asked.append(folder)
        if not sound[0]:
            raise BundleError("it answers otherwise")

    store = ModelStore(tmp_path / "home", check)
    model = store.install(lamps)
    sound[0] = False
    with pytest.raises(BundleError, match="answers otherwise"):
        store.activate(model.version)
    assert asked[1:] == [model.path] and store.active() == SHIPPED_BUNDLE and not store.pointer.exists()
    assert store.activate(model.version, checked=True).active and len(asked) == 2
    with pytest.raises(BundleError, match="answers otherwise"):
        store.activate(SHIPPED)
    assert asked[2:] == [SHIPPED_BUNDLE] and store.active() == model.path
    assert store.rollback().shipped and len(asked) == 3, "going back waits for no model"


def test_a_copy_under_another_name_is_not_activated(store, lamps):
    store.install(lamps).path.rename(store.folder / "moved")
    with refused("renamed"):
        store.activate("moved")


@pytest.mark.parametrize("version", ["../up", "a/b", "", "A", ".x", "a" * 81, "é", "a\n", "active.json", "c:", "a\\b"])
def test_a_version_that_would_be_a_path(store, lamps, tmp_path, version):
    bundle = copied_of(lamps, tmp_path / "bundle")
    (bundle / MANIFEST).write_text(json.dumps(read_manifest(bundle) | {"version": version}))
    with pytest.raises(BundleError):
        store.install(bundle)
    assert names(store.folder) == []
    for action in (store.activate, store.remove):
        with refused("unknown"):
            action(version)


@pytest.mark.parametrize("created", [5, None, [], "5", "yesterday", "2026-13-01", "x" * 10_000])
def test_a_day_that_is_none_is_refused(store, lamps, tmp_path, created):
    bundle = copied_of(lamps, tmp_path / "bundle")
    (bundle / MANIFEST).write_text(json.dumps(read_manifest(bundle) | {"created": created}))
    with pytest.raises(BundleError, match="has to be a day"):
        store.install(bundle)
    assert names(store.folder) == []


def test_a_version_that_is_no_name_of_a_folder_everywhere(store, tmp_path):
    with refused("name"):
        store.install(other_bundle(tmp_path / "other", name="Shop"))


def test_other_categories_have_to_be_meant(store, tmp_path, monkeypatch):
    bundle = copied(tmp_path / "other")
    rewritten(bundle, "taxonomy.csv", lambda data: data.replace(b"\n2060,", b"\n2061,"))
    rewritten(bundle, "imagenet_categories.csv", lambda data: data.replace(b"2060:", b"2061:"))
    renamed(bundle, "other")
    with refused("taxonomy") as caught:
        store.install(bundle)
    assert "+2061, -2060" in str(caught.value)
    monkeypatch.setattr(versions, "_SHOWN", 1)
    with refused("taxonomy") as caught:
        store.install(bundle)
    assert "(+2061 and 1 more)" in str(caught.value)
    assert store.install(bundle, other_taxonomy=True).version == version_of(bundle)


def test_what_the_check_refuses_leaves_nothing(tmp_path, lamps):
    def refuse(_folder):
        raise BundleError("no")

    store = ModelStore(tmp_path, refuse)
    with pytest.raises(BundleError, match="no"):
        store.install(lamps)
    assert names(store.folder) == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 2}', '{"schema": 1, "active": {}, "before": []}', "[" * 100_000,
     '{"schema": 1, "before": [], "active": {"version": "../../etc", "shipped": false, "since": ""}}',
     '{"schema": 1, "before": [], "active": {"version": 3, "shipped": false, "since": ""}}',
     '{"schema": 1, "before": [], "active": {"version": "a", "shipped": "no", "since": ""}}'],
)  # fmt: skip
def test_a_damaged_pointer_is_said_and_mended_by_activating(store, lamps, text):
    store.install(lamps)
    store.pointer.write_text(text)
    for action in (store.active, store.history, store.rollback, lambda: store.remove(version_of(lamps))):
        with refused("pointer") as caught:
            action()
    assert "bundle activate" in str(caught.value)
    assert listed(store) == {SHIPPED: False, version_of(lamps): False}
    store.activate(version_of(lamps))
    assert store.active().name == version_of(lamps)


def test_a_pointer_that_cannot_be_read_is_no_missing_one(store):
    store.pointer.mkdir(parents=True)
    with refused("pointer"):
        store.active()


def test_an_active_model_that_is_gone_is_said_and_mended_by_installing(store, lamps):
    model = store.install(lamps)
    store.activate(model.version)
    shutil.rmtree(model.path)
    with refused("gone"):
        store.active()
    store.install(lamps)
    assert store.active() == model.path


def test_the_shipped_model_stays_active_when_the_program_brings_another(store, lamps, monkeypatch):
    store.install(lamps)
    store.activate(version_of(lamps))
    store.rollback()
    newer = other_bundle(store.folder.parent / "newer", "Lights", "open")
    monkeypatch.setattr(versions, "SHIPPED_BUNDLE", newer)
    assert store.active() == newer and listed(store)[version_of(newer)]


def test_the_switch_is_whole_or_not_at_all(store, lamps, monkeypatch):
    store.install(lamps)
    monkeypatch.setattr(model.pointer.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with refused("unwritable"):
        store.activate(version_of(lamps))
    monkeypatch.undo()
    assert store.active() == SHIPPED_BUNDLE and names(store.folder) == [version_of(lamps)]


def test_a_home_that_cannot_be_written(tmp_path, lamps):
    (tmp_path / "file").touch()
    store = ModelStore(tmp_path / "file", passed)
    for action in (lambda: store.install(lamps), lambda: store.activate(SHIPPED), store.rollback):
        with pytest.raises(VersionError):
            action()


# --- processes -----------------------------------------------------------------------------------------------

CODE = """
import sys, time
from pathlib import Path
from model.versions import ModelStore
def check(folder):
    print("checking", flush=True)
    time.sleep({seconds})
store = ModelStore(Path({home!r}), check)
for source in {sources!r}:
    store.activate(store.install(Path(source)).version)
"""


def process(home: Path, *sources: Path, seconds: float = 0) -> subprocess.Popen:
    code = CODE.format(home=str(home), sources=[str(source) for source in sources], seconds=seconds)
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_process_killed_while_it_installs_leaves_the_state_of_before(store, lamps, lights):
    store.install(lights)
    store.activate(version_of(lights))
    with process(store.folder.parent, lamps, seconds=600) as installing:
        assert installing.stdout.readline() == "checking\n"
        [part] = store.folder.glob(".*.part")
        store.install(lights)  # while the other is at work: its folder is left alone
        assert (part / "lamps" / MANIFEST).exists()
        os.kill(installing.pid, signal.SIGKILL)
    assert listed(store) == {SHIPPED: False, version_of(lights): True}
    store.install(lights)
    assert not part.exists() and names(store.folder) == ["active.json", version_of(lights)]


@pytest.mark.parametrize("step", ["rename", "replace"])
def test_a_process_killed_at_the_last_step_leaves_the_state_of_before(store, lamps, lights, step):
    """Just before the model gets its name, and just before the pointer is changed."""
    store.activate(store.install(lights).version)
    before = store.pointer.read_bytes()
    kill = f"import os, signal\nos.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    code = kill + CODE.format(home=str(store.folder.parent), sources=[str(lamps)], seconds=0)
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert store.pointer.read_bytes() == before and store.active().name == version_of(lights)
    installed = {"rename": set(), "replace": {version_of(lamps)}}[step]
    assert set(listed(store)) == {SHIPPED, version_of(lights)} | installed
    store.activate(store.install(lamps).version)
    assert names(store.folder) == sorted(["active.json", version_of(lamps), version_of(lights)])


def test_many_processes_at_once(store, lamps, lights):
    running = [process(store.folder.parent, *pair) for pair in ((lamps, lights), (lights, lamps))]
    seen = set()
    while any(other.poll() is None for other in running):
        seen.add(store.active().name)  # never an error
        time.sleep(0.01)
    for other in running:
        other.communicate()
        assert other.returncode == 0
    both = {version_of(lamps), version_of(lights)}
    assert seen <= both | {SHIPPED_BUNDLE.name} and store.active().name in both
    assert set(names(store.folder)) == both | {"active.json"}
    assert 1 < len(store.history()) <= 5


def test_a_check_ends_with_the_process_that_began_it(tmp_path):
    code = f"from model.apart import check_apart\nfrom pathlib import Path\ncheck_apart(Path({str(SHIPPED_BUNDLE)!r}))"
    # Held at its first import of what it checks with, so that it does not end by itself.
    (tmp_path / "sitecustomize.py").write_text(HELD)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "REACHED": str(tmp_path / "reached")}
    checking = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    reached, until = tmp_path / "reached", time.monotonic() + 30
    while not reached.exists() and time.monotonic() < until:
        time.sleep(0.05)
    checking.kill()
    checking.wait()
    time.sleep(4)
    lived = reached.stat().st_size
    time.sleep(0.5)
    assert reached.stat().st_size == lived, "the child goes on"


HELD = """
import importlib.abc, os, sys, time
class Held(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "model.classifier":
            for _ in range(300):
                with open(os.environ["REACHED"], "a") as file:
                    file.write(".")
                time.sleep(0.1)
sys.meta_path.insert(0, Held())
"""


# --- the command line ----------------------------------------------------------------------------------------


def bundle(*arguments: object) -> int:
    return main(["bundle", *map(str, arguments)])


def test_the_commands(at_home, lamps, lights, tmp_path, capsys):
    assert bundle("install", lamps, "--activate") == 0
    assert bundle("install", zipped(lights, tmp_path / "lights.zip")) == 0
    assert bundle("activate", version_of(lights)) == 0
    assert active_bundle() == at_home / "models" / version_of(lights)
    capsys.readouterr()
    assert bundle("list") == 0
    assert f"* {version_of(lights)}" in capsys.readouterr().out
    assert bundle("list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [model["version"] for model in found if model["active"]] == [version_of(lights)]
    assert bundle("rollback") == 0 and active_bundle().name == version_of(lamps)
    assert bundle("remove", version_of(lights)) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["install", "/nowhere/x.zip"], "There is no folder and no ZIP"),
        (["activate", "x"], "There is no model 'x'"),
        (["rollback"], "nothing to go back to"),
        (["remove", SHIPPED], "stays with it"),
        (["verify", "/nowhere"], "There is no folder"),
        (["smoke", "--bundle", "/nowhere"], "not a bundle"),
    ],
)
def test_errors_are_one_line(at_home, capsys, arguments, said):
    assert bundle(*arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and said in line


def test_a_list_beside_a_damaged_pointer(at_home, capsys):
    (at_home / "models").mkdir(parents=True)
    (at_home / "models" / "active.json").write_text("{")
    assert bundle("list") == 1
    told = capsys.readouterr()
    assert SHIPPED in told.out and "bundle activate" in told.err
    with pytest.raises(BundleError):
        Classifier.load()


def test_the_variable_wins(at_home, lamps, monkeypatch, capsys):
    monkeypatch.setenv("RAYON_BUNDLE", str(lamps))
    settings.cache_clear()
    assert active_bundle() == lamps
    assert bundle("activate", SHIPPED) == 0
    assert "RAYON_BUNDLE is set" in capsys.readouterr().err and active_bundle() == lamps


def test_the_check_in_a_process_of_its_own(tmp_path, lamps, classifier):
    store = ModelStore(tmp_path / "home")
    sound = with_smoke(copied_of(lamps, tmp_path / "lamps"), classifier)
    assert store.install(zipped(sound, tmp_path / "lamps.zip")).path.name == version_of(lamps)
    with pytest.raises(BundleError, match=r"^There is no folder and no ZIP at"):  # what that process said
        check_apart(tmp_path / "nowhere")


def test_a_model_that_does_not_answer_as_it_did_is_not_verified(monkeypatch, lamps, tmp_path, classifier, capsys):
    off = with_smoke(copied_of(lamps, tmp_path / "off"), classifier, change=0.01)
    report = json.loads((off / "smoke.json").read_bytes())
    read = replace(classifier.bundle, manifest=read_manifest(off), reports={"smoke": report})
    monkeypatch.setattr("model.classifier.load_bundle", lambda _: read)  # whose weights are the same
    assert bundle("verify", off) == 1
    assert "does not answer as it did" in capsys.readouterr().err


def test_a_model_without_smoke_predictions_is_not_verified(monkeypatch, lamps, classifier, capsys):
    monkeypatch.setattr(Classifier, "load", lambda _: made_model(classifier, read_manifest(lamps), {}))
    assert bundle("verify", lamps) == 1
    assert "bundle smoke --bundle DIR" in capsys.readouterr().err


def test_a_check_that_ends_otherwise_installs_nothing(tmp_path, lamps, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with refused("check"):
        ModelStore(tmp_path).install(lamps)
