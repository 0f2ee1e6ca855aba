"""Every metric is in the documentation, and every one that a dashboard or a rule names exists."""

import json
import re

import pytest
import yaml
from prometheus_client.registry import CollectorRegistry

from settings import ROOT
from tests.repository import read
from watch.metrics import Metrics
from watch.store_metrics import StoreMetrics

DASHBOARD, RULES = "deploy/grafana/rayon.json", "deploy/prometheus/rules.yaml"
_SERIES = re.compile(r"\b((?:rayon|process)_\w+)(\{[^}]*\})?")
_LABEL = re.compile(r'(\w+)\s*=~?\s*"')
_OF_PROMETHEUS = {"job", "instance"}


def registered() -> dict[str, tuple[str, frozenset[str]]]:
    """Name as a query has it: type, labels."""
    own, shared = Metrics(), CollectorRegistry()
    shared.register(StoreMetrics(lambda: pytest.fail("no database for names"), dict))
    found = {}
    for kind in own.registry._collector_to_names:
        for metric in kind.describe() if hasattr(kind, "describe") else []:
            found[metric.name] = metric.type, frozenset(getattr(kind, "_labelnames", ()))
    for kind in shared._collector_to_names:
        for metric in kind.describe():
            found[metric.name] = metric.type, frozenset(metric._labelnames)
    return {f"{name}_total" if kind == "counter" else name: (kind, labels) for name, (kind, labels) in found.items()}


def series() -> set[str]:
    """What may stand in a query."""
    names = set()
    for name, (kind, _) in registered().items():
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names | {"process_resident_memory_bytes"}


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    rows = re.findall(
        r"^\| `(rayon_\w+)` \| (\w+) \| ([^|]*)\| (?:replica|store) \| \S", read("docs/watching.md"), re.M
    )
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def dashboard() -> dict:
    return json.loads(read(DASHBOARD))


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(read(RULES))["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    board = dashboard()
    targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    return [*targets, *(one["expr"] for one in board["annotations"]["list"]), *(rule["expr"] for rule in rules())]


def test_the_documentation_has_every_metric_and_no_other():
    assert documented() == registered()


def test_whose_they_are_is_told_right():
    table = dict(re.findall(r"^\| `(rayon_\w+)` \|.*\| (replica|store) \|", read("docs/watching.md"), re.M))
    shared = {metric.name for metric in StoreMetrics(lambda: None, dict).describe()}
    assert {name.removesuffix("_total") for name, whose in table.items() if whose == "store"} == shared


@pytest.mark.parametrize("query", queries())
def test_queries_name_what_there_is(query):
    named = _SERIES.findall(query)
    assert (named or query.startswith("up{")) and not {name for name, _ in named} - series()
    for name, chosen in named:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        labels = registered().get(base, ("", frozenset()))[1] | _OF_PROMETHEUS
        assert set(_LABEL.findall(chosen)) <= labels, f"{name} has no such label"
    assert query.count("(") == query.count(")") and query.count("{") == query.count("}")


def test_the_store_is_never_added_up():
    """`sum(rayon_store…)` over replicas would count everything several times."""
    for query in queries():
        for metric in StoreMetrics(lambda: None, dict).describe():
            assert not re.search(rf"\bsum(?: by \((?!.*instance)[^)]*\))? ?\(\s*(?:\w+\()?{metric.name}\b", query), (
                query
            )


def test_the_dashboard_is_one():
    board = dashboard()
    identities = [panel["id"] for panel in board["panels"]]
    assert board["title"] and board["uid"] and board["schemaVersion"] >= 36 and len(identities) == len(set(identities))
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert panel["title"] and place["w"] > 0 and place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}" and target["refId"]
        assert panel["type"] == "row" or (panel["targets"] and panel["datasource"]["uid"] == "${datasource}")


def test_rules_say_what_to_do():
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) and {
        "RayonStoreDown",
        "RayonNotReady",
        "RayonOverloaded",
        "RayonDrift",
    } <= set(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical") and set(rule["annotations"]) == {
            "summary",
            "description",
        }


@pytest.mark.parametrize("name", ["prometheus", "kubernetes"])
def test_the_examples_of_a_configuration_scrape_what_there_is(name):
    configuration = yaml.safe_load(read(f"deploy/prometheus/{name}.yaml"))
    [job] = configuration["scrape_configs"]
    assert job["job_name"] == "rayon" and job["metrics_path"] == "/metrics"
    assert configuration["rule_files"] == [RULES.rpartition("/")[2]]
    assert all('job="rayon"' in rule["expr"] for rule in rules())


def pods():
    """The pod of each workload that ships: its labels and its specification."""
    for file in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            found = [document] if isinstance(document, dict) else []
            while found:
                one = found.pop()
                if isinstance(one.get("spec"), dict) and "containers" in one["spec"]:
                    yield one["metadata"]["labels"], one["spec"]
                found += [value for value in one.values() if isinstance(value, dict)]


def targets():
    """As Prometheus makes them of pods: one for each port of each container, one for each container without any."""
    for labels, spec in pods():
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            for port in container.get("ports", [{}]):
                target = {"__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", k): v for k, v in labels.items()}
                if port:
                    target["__meta_kubernetes_pod_container_port_name"] = port.get("name", "")
                yield container["name"], port.get("containerPort"), target


def test_in_the_cluster_the_token_goes_to_the_server_alone():
    [job] = yaml.safe_load(read("deploy/prometheus/kubernetes.yaml"))["scrape_configs"]
    [found] = job["kubernetes_sd_configs"]
    namespace = yaml.safe_load(read("deploy/kubernetes/namespace.yaml"))["metadata"]["name"]
    assert found == {"role": "pod", "namespaces": {"names": [namespace]}}
    all_of_them = list(targets())
    assert len(all_of_them) > 3 and {port for _, port, _ in all_of_them} == {8501, 5432, None}
    keep = [step for step in job["relabel_configs"] if step.get("action") == "keep"]
    kept = [
        (container, port)
        for container, port, labels in all_of_them
        if all(
            re.fullmatch(step["regex"], ";".join(labels.get(name, "") for name in step["source_labels"]))
            for step in keep
        )
    ]
    assert keep and [port for _, port in kept] == [8501]
