"""The house's rules: who may import whom, how long a file may be, where a package is declared."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from settings import ROOT
from tests.repository import read, repository_files

# What each part may import besides itself. settings.py is open to all and imports none of them.
MAY_IMPORT = {
    "settings": set(),
    "preprocessing": {"settings"},
    "model": {"preprocessing", "settings"},
    # What a job of the server answers is counted with what pages and programs are answered.
    "batch": {"model", "preprocessing", "settings", "watch"},
    # Metrics and drift are of the model, and of what the database holds of all replicas.
    "watch": {"decisions", "model", "settings"},
    "decisions": {"model", "preprocessing", "settings"},
    "access": {"decisions", "settings"},  # its command writes the audit log
    "ui": {"access", "api", "batch", "decisions", "model", "preprocessing", "settings", "watch"},  # api: its tokens
    "pages": {"ui", "batch", "decisions", "model", "preprocessing", "settings", "watch"},
    "streamlit_app": {"ui", "batch", "decisions", "model", "preprocessing", "settings", "watch"},
    "api": {"access", "batch", "decisions", "model", "preprocessing", "settings", "watch"},
    "server": {"access", "api", "ui", "batch", "decisions", "model", "preprocessing", "settings", "watch"},
    "benchmarks": {"batch", "decisions", "model", "preprocessing", "settings"},
}
WITHOUT_STREAMLIT = {"settings", "preprocessing", "model", "batch", "decisions", "api", "access", "watch"}
WITH_TENSORFLOW = {"model", "benchmarks", "tests"}
# Whose imports each requirements file answers for; -train and -dev include the runtime's.
RUNTIME, TRAIN, DEV = "requirements.txt", "requirements-train.txt", "requirements-dev.txt"
RAY = "requirements-ray.txt"
# What starts fast, or runs many times at once.
LIGHT = ["model.taxonomy", "model.product", "model.predictor", "model.onnx_runtime", "model.exported"]
LIGHT += ["model.versions", "model.bundle_command", "decisions.command", "decisions.store"]
LIGHT += ["watch.observations", "watch.drift", "watch.requests", "watch.store_metrics", "api.scraping"]
LIGHT += ["model.active", "api.command", "api.application", "access.command", "access.door"]
LIGHT += ["preprocessing.text", "preprocessing.image", "batch.command", "batch.runner", "batch.results"]
MAX_LINES, MAX_PAGE_LINES, MAX_ENTRY_LINES = 300, 119, 59

SOURCES = [path for path in repository_files() if path.suffix == ".py"]
OWN_SOURCES = [path for path in SOURCES if path.parts[0] != "tests"]


def part_of(path: Path) -> str:
    """The folder at the root, or the module at the root: "model", "settings"."""
    return path.parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(read(path), str(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names a file imports anywhere, functions included; names taken from a package count too."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*path.parent.parts[: len(path.parent.parts) - node.level + 1]] if node.level else [])
            module = ".".join(filter(None, [base, node.module]))
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def own_files(path: Path) -> set[Path]:
    """The repository's files that a file imports."""
    candidates = {Path(*name.split(".")) for name in imports(path)}
    files = {c.with_suffix(".py") for c in candidates} | {c / "__init__.py" for c in candidates}
    return (files & set(SOURCES)) - {path}


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=str)


@each(OWN_SOURCES)
def test_no_import_runs_up(path):
    part = part_of(path)
    assert part in MAY_IMPORT, f"{part}: say here what it may import"
    above = (roots(path) & (set(MAY_IMPORT) | {"tests"})) - MAY_IMPORT[part] - {part}
    assert not above, f"{path} may not import {sorted(above)}"


@each(OWN_SOURCES)
def test_streamlit_and_tensorflow_stay_in_their_parts(path):
    if part_of(path) in WITHOUT_STREAMLIT:
        assert "streamlit" not in roots(path)
    if part_of(path) not in WITH_TENSORFLOW:
        assert not roots(path) & {"tensorflow", "keras"}


def test_no_files_import_each_other():
    try:
        TopologicalSorter({path: own_files(path) for path in SOURCES}).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(map(str, error.args[1])))


@each([path for path in SOURCES if path.parts[0] == "pages"])
def test_a_page_is_thin_and_alone(path):
    assert "pages" not in roots(path), "pages share through ui/"
    assert line_count(path) <= MAX_PAGE_LINES


def test_the_entry_file_is_thin():
    assert line_count(Path("streamlit_app.py")) <= MAX_ENTRY_LINES


@each(OWN_SOURCES)
def test_files_are_short(path):
    assert line_count(path) <= MAX_LINES


@each(SOURCES)
def test_nobody_touches_the_import_path(path):
    touched = [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute) and ast.unparse(n) == "sys.path"]
    assert not touched


def line_count(path: Path) -> int:
    return len(read(path).splitlines())


def test_light_modules_do_not_load_tensorflow():
    """All in one process: what they do not load together, none of them loads alone."""
    code = f"""
import importlib, sys
for module in {LIGHT}:
    importlib.import_module(module)
    if loaded := {{'tensorflow', 'keras', 'streamlit'}} & set(sys.modules):
        sys.exit(f"{{module}} loads {{', '.join(loaded)}}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- what is declared ---------------------------------------------------------------------------------------


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(file: str, included: bool = True) -> set[str]:
    """Names a requirements file asks for; with those of the files it includes, unless told otherwise."""
    names = set()
    for line in read(file).splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("-r "):
            names |= requirements(line[3:].strip()) if included else set()
        elif line:
            name = re.match(r"[\w.-]+", line)[0]
            assert re.match(rf"{re.escape(name)}(\[[\w,]+\])?==[\w.]+( *;.*)?$", line), f"{file}: pin {line!r} with =="
            names.add(normalized(name))
    return names


@cache
def distributions() -> dict[str, set[str]]:
    """Import name to the names of the packages that bring it."""
    installed = importlib.metadata.packages_distributions().items()
    return {module: {normalized(name) for name in names} for module, names in installed}


def allowed_requirements(path: Path) -> set[str]:
    if path.parts[0] == "tests":
        return requirements(DEV) | requirements(TRAIN) | requirements(RAY)
    trained = {("model", "training"), ("model", "evaluation"), ("model", "adaptation")}
    if path.parts[0] == "benchmarks":
        return requirements(TRAIN) | requirements(DEV)
    if path.parts[:2] in trained:
        return requirements(TRAIN)
    if path == Path("batch/distributed.py"):
        return requirements(RAY)
    return requirements(RUNTIME)


@each(SOURCES)
def test_every_import_is_declared(path):
    own = set(MAY_IMPORT) | {"tests"}
    for module in roots(path) - own - set(sys.stdlib_module_names) - {"__future__"}:
        brought_by = distributions().get(module, set())
        assert brought_by & allowed_requirements(path), f"{module} is in none of the files that {path} may count on"


@pytest.mark.parametrize("file", [RUNTIME, TRAIN, DEV, RAY])
def test_every_requirement_earns_its_place(file):
    explained = set(re.findall(r"^- `([\w.-]+)`.*: \S", read("CONTRIBUTING.md"), re.M))
    unexplained = requirements(file, included=False) - {normalized(name) for name in explained}
    assert not unexplained, f"CONTRIBUTING.md gives no reason for {sorted(unexplained)}"


def test_no_reason_without_a_requirement():
    section = read("CONTRIBUTING.md").split("## Dependencies")[1].split("\n## ")[0]
    explained = {normalized(name) for name in re.findall(r"^- `([\w.-]+)`", section, re.M)}
    assert explained == requirements(RUNTIME) | requirements(TRAIN) | requirements(DEV) | requirements(RAY)


# --- nothing of one machine ---------------------------------------------------------------------------------

# A path in somebody's folders, and an index of packages other than the public one.
ONE_MACHINE = re.compile(
    r"(?<![\w./])/(?:work|root|home/\w+|Users/\w+)\b|file:///|(?:index-url|find-links)[= ]+\S+", re.I
)


def test_no_machine_is_named():
    found = []
    for path in repository_files():
        if path.suffix in {".npz", ".png", ".jpg", ".model", ".mo", ".ico", ".svg"} or path.parts[0] == "corpus":
            continue
        text = read(path)
        found += [f"{path}: {hit[0]!r}" for hit in ONE_MACHINE.finditer(text) if path.name != Path(__file__).name]
    assert not found
