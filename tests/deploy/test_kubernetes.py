"""The manifests: valid by Kubernetes' own schemas, and right about each other and about the program."""

import re
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api.application import application
from settings import ROOT
from tests.repository import read

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {
    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
}  # fmt: skip
# Read by uvicorn, and by sh in a command.
OTHER_VARIABLES = {"FORWARDED_ALLOW_IPS"}
BY_HAND = "restore.yaml"


@cache
def documents(example: bool = False) -> list[dict[str, Any]]:
    """What kustomize puts together, and the job that is made by hand."""
    files = ["secrets.example.yaml"] if example else [*KUSTOMIZATION["resources"], BY_HAND]
    return [document for file in files for document in yaml.safe_load_all((FOLDER / file).read_text())]


def name_of(document: dict[str, Any]) -> str:
    return f"{document['kind']}/{document['metadata']['name']}"


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """The templates of pods, by what makes them."""
    found = {
        name_of(one): one["spec"]["template"]
        for kind in ("Deployment", "StatefulSet", "Job")
        for one in of(kind).values()
    }
    return found | {name_of(one): one["spec"]["jobTemplate"]["spec"]["template"] for one in of("CronJob").values()}


def containers() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{name}/{one['name']}", one)
        for name, pod in pods().items()
        for one in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    ]


def of_rayon() -> list[tuple[str, dict[str, Any]]]:
    return [(name, one) for name, one in containers() if one["image"] in ("rayon", full_image())]


def full_image() -> str:
    """What kustomize writes for `rayon`."""
    [image] = KUSTOMIZATION["images"]
    return f"{image['newName']}:{image['newTag']}"


@pytest.mark.parametrize("document", documents() + documents(example=True), ids=name_of)
def test_the_schemas_of_kubernetes_take_it(document) -> None:
    kubernetes_validate.validate(document, "1.37", strict=True)


@pytest.mark.parametrize("place", [("spec", "replica"), ("spec", "template", "spec", "containers", 0, "imagee")])
def test_the_schemas_are_strict(place) -> None:
    """A misspelled field is one that Kubernetes would pass over."""
    changed = yaml.safe_load((FOLDER / "deployment.yaml").read_text())
    found = changed
    for step in place[:-1]:
        found = found[step]
    found[place[-1]] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(changed, "1.37", strict=True)


def test_every_file_is_used() -> None:
    there = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml", "secrets.example.yaml", BY_HAND}
    assert there == set(KUSTOMIZATION["resources"])
    assert {name_of(one) for one in documents()} and len({name_of(one) for one in documents()}) == len(documents())
    [namespace] = of("Namespace")
    assert KUSTOMIZATION["namespace"] == namespace
    assert all(one["metadata"].get("namespace", namespace) == namespace for one in documents(example=True))


def test_images_are_of_one_version() -> None:
    [image] = KUSTOMIZATION["images"]
    assert image["name"] == "rayon" and re.fullmatch(r"\d+\.\d+\.\d+", image["newTag"])
    assert f'version = "{image["newTag"]}"' in read("pyproject.toml")
    for name, one in containers():
        assert one["image"] == "rayon" or re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", one["image"]), name


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"]
        for rule in selector.get("matchExpressions", [])
    )


def selected(selector: dict[str, Any]) -> list[str]:
    return [name for name, pod in pods().items() if matches(selector, pod["metadata"]["labels"])]


def test_selectors_find_their_pods_and_no_others() -> None:
    for name, one in ({**of("Deployment"), **of("StatefulSet")}).items():
        assert selected(one["spec"]["selector"]) == [name_of(one)], name
    for name, one in of("Service").items():
        assert name == "rayon-nobody" or len(selected({"matchLabels": one["spec"]["selector"]})) == 1, name
    [budget] = of("PodDisruptionBudget").values()
    assert selected(budget["spec"]["selector"]) == ["Deployment/rayon"]
    found = {name: selected(one["spec"]["podSelector"]) for name, one in of("NetworkPolicy").items()}
    assert found.pop("nobody") == list(pods())
    assert sorted(found.pop("backup")) == ["CronJob/rayon-backup", "Job/rayon-restore"], "what goes out comes back"
    assert sorted(found.values()) == [["Deployment/rayon"], ["StatefulSet/rayon-postgresql"]]
    for policy in of("NetworkPolicy").values():
        peers = [
            peer
            for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
            for peer in rule.get("to", []) + rule.get("from", [])
        ]
        assert all(selected(peer["podSelector"]) for peer in peers if "namespaceSelector" not in peer)


def ports(name: str) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for one in pods()[name]["spec"]["containers"] for port in one["ports"]}


def test_ports_lead_from_the_ingress_to_the_program() -> None:
    [ingress] = of("Ingress").values()
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = of("Service")[path["backend"]["service"]["name"]]
            assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
        assert [rule["host"]] in [tls["hosts"] for tls in ingress["spec"]["tls"]]
    for service in (one for one in of("Service").values() if "selector" in one["spec"]):
        [pod] = selected({"matchLabels": service["spec"]["selector"]})
        assert all(port["targetPort"] in ports(pod) for port in service["spec"]["ports"])
    assert set(ports("Deployment/rayon").values()) == {
        int(re.findall(r"STREAMLIT_SERVER_PORT=(\d+)", read("Dockerfile"))[0])
    }
    for policy in of("NetworkPolicy").values():
        for rule in policy["spec"].get("ingress", []):
            [pod] = selected(policy["spec"]["podSelector"])
            named = {one["port"] for one in rule["ports"]}
            assert named <= set(ports(pod)) | set(ports(pod).values())


def test_what_is_mounted_and_named_is_there() -> None:
    secrets = {one["metadata"]["name"]: set(one["stringData"]) for one in documents(example=True)}
    claims, maps = of("PersistentVolumeClaim"), of("ConfigMap")
    for name, pod in pods().items():
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        for claim in of(name.split("/")[0])[name.split("/")[1]]["spec"].get("volumeClaimTemplates", []):
            volumes[claim["metadata"]["name"]] = claim
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims
            if secret := volume.get("secret"):
                assert {item["key"] for item in secret.get("items", [])} <= secrets[secret["secretName"]]
        used = {mount["name"] for _, one in containers_of(pod) for mount in one["volumeMounts"]}
        assert used == set(volumes), name
        for _, one in containers_of(pod):
            assert all(source["configMapRef"]["name"] in maps for source in one.get("envFrom", []))
    [ingress] = of("Ingress").values()
    assert {tls["secretName"] for tls in ingress["spec"]["tls"]} <= set(secrets)
    assert set(secrets) == {"rayon", "rayon-tls"} and not any(
        value for one in documents(example=True) for value in one["stringData"].values()
    ), "no secret is in the repository"


def containers_of(pod: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(one["name"], one) for one in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]]


def test_paths_of_secrets_are_where_they_are_mounted() -> None:
    for name, one in containers():
        mounts = [mount["mountPath"] for mount in one["volumeMounts"]]
        variables = [value["value"] for value in one.get("env", [])]
        if one.get("envFrom"):
            variables += of("ConfigMap")["rayon"]["data"].values()
        said = re.findall(r"/run/secrets/[\w./-]+", " ".join([*variables, *one.get("command", [])]))
        for path in said:
            assert path.rpartition("/")[0] in mounts, (name, path)
            assert path.rpartition("/")[2] in documents(example=True)[0]["stringData"], (name, path)


def test_nobody_can_do_more_than_needed() -> None:
    [namespace] = of("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods().items():
        assert pod["spec"]["securityContext"].items() >= RESTRICTED_POD.items(), name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
    for name, one in containers():
        assert one["securityContext"] == RESTRICTED, name
        assert one["resources"]["requests"].keys() == {"cpu", "memory"} and "memory" in one["resources"]["limits"], name
        assert "/tmp" in {mount["mountPath"] for mount in one["volumeMounts"]}, name
    for name, _ in of_rayon():
        user = int(re.findall(r"^USER (\d+)", read("Dockerfile"), re.M)[0])
        assert pods()[name.rpartition("/")[0]]["spec"]["securityContext"]["runAsUser"] == user, name


def test_probes_ask_what_the_program_answers() -> None:
    served = {f"/api/v1{path}" for path in application().openapi()["paths"]}
    served |= set(application().openapi()["paths"])
    [container] = of("Deployment")["rayon"]["spec"]["template"]["spec"]["containers"]
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["path"] for probe in probes.values()} <= served
    assert {probe["port"] for probe in probes.values()} <= {port["name"] for port in container["ports"]}
    assert probes["readiness"]["path"].endswith("/ready"), "a database out of reach is no reason to restart"
    assert probes["liveness"]["path"].endswith("/live") and probes["startup"]["path"].endswith("/live")


def test_variables_are_those_of_the_settings() -> None:
    known = set(re.findall(r'"(RAYON_\w+)"', read("settings.py"))) | OTHER_VARIABLES
    for one in of("ConfigMap").values():
        assert set(one["data"]) <= known
    for _, one in of_rayon():
        assert {value["name"] for value in one.get("env", [])} <= known
        assert set(re.findall(r"\$\{?(RAYON_\w+)", " ".join(one.get("command", [])))) <= known


def test_replicas_share_what_they_must() -> None:
    assert (
        of("Deployment")["rayon"]["spec"]["replicas"]
        == of("HorizontalPodAutoscaler")["rayon"]["spec"]["minReplicas"]
        == 2
    )
    assert of("PersistentVolumeClaim")["rayon-home"]["spec"]["accessModes"] == ["ReadWriteMany"]
    data = of("ConfigMap")["rayon"]["data"]
    assert data["RAYON_DATABASE_URL"].startswith("postgresql://") and data["RAYON_HOME"] in {
        mount["mountPath"] for _, one in of_rayon() for mount in one["volumeMounts"]
    }
    assert data["RAYON_DATABASE_URL"].split("@")[1].split("/")[0] in of("Service")
    [ingress] = of("Ingress").values()
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    assert of("HorizontalPodAutoscaler")["rayon"]["spec"]["scaleTargetRef"]["name"] in of("Deployment")


def led_to(path: str) -> dict[str, Any]:
    """The service to which the ingress leads: that of the longest path that fits, element by element."""
    [ingress] = of("Ingress").values()
    [rule] = ingress["spec"]["rules"]
    fitting = [
        one
        for one in rule["http"]["paths"]
        if path == one["path"] or (one["pathType"] == "Prefix" and path.startswith(one["path"].rstrip("/") + "/"))
    ]
    return of("Service")[max(fitting, key=lambda one: len(one["path"]))["backend"]["service"]["name"]]


def test_what_is_measured_stays_inside() -> None:
    for path in ("/metrics", "/metrics/", "/metrics/x"):
        nobody = led_to(path)
        assert "selector" not in nobody["spec"] and "externalName" not in nobody["spec"], path
    assert not {one["kind"] for one in documents()} & {"Endpoints", "EndpointSlice"}
    for path in ("/", "/review", "/metricsx", "/api/v1/classify", "/_stcore/metrics"):
        assert led_to(path)["metadata"]["name"] == "rayon", path


def test_what_comes_back_is_put_where_it_was() -> None:
    [restoring], [backing] = of("Job").values(), of("CronJob").values()
    there, back = restoring["spec"]["template"], backing["spec"]["jobTemplate"]["spec"]["template"]
    assert restoring["metadata"]["namespace"] == KUSTOMIZATION["namespace"]
    [container] = there["spec"]["containers"]
    assert container["image"] == full_image(), "kustomize does not see this one"
    mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
    assert mounts.keys() == {one["mountPath"] for one in back["spec"]["containers"][0]["volumeMounts"]}
    assert not mounts["/var/lib/rayon"].get("readOnly"), "pictures and accounts go there"
    claims = [
        {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"]["volumes"]
         if "persistentVolumeClaim" in volume}
        for pod in (there, back)
    ]  # fmt: skip
    assert claims[0] == claims[1]
