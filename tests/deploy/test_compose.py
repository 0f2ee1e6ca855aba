"""The compose file and the proxies' configurations: valid, and right about each other and about the program."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import crossplane
import pytest
import yaml

from settings import ROOT
from tests.repository import read

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PORT = re.findall(r"STREAMLIT_SERVER_PORT=(\d+)", read("Dockerfile"))[0]
SPECIFICATION = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
TRAEFIK = yaml.safe_load((DEPLOY / "traefik.yaml").read_text())["http"]


def accepted(path: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *SPECIFICATION, path], capture_output=True, text=True, check=False)


def test_the_specification_takes_the_compose_file(tmp_path) -> None:
    done = accepted(DEPLOY / "compose.yaml")
    assert done.returncode == 0, done.stdout
    (tmp_path / "compose.yaml").write_text(read("deploy/compose.yaml").replace("read_only:", "readonly:"))
    assert accepted(tmp_path / "compose.yaml").returncode != 0, "a misspelled field would be noticed"


def test_what_it_names_is_there() -> None:
    volumes, secrets = set(COMPOSE["volumes"]), set(COMPOSE["secrets"])
    used_volumes = {mount.split(":")[0] for one in SERVICES.values() for mount in one.get("volumes", [])}
    assert used_volumes == volumes
    assert {name for one in SERVICES.values() for name in one.get("secrets", [])} == secrets
    assert {name for one in SERVICES.values() for name in one["networks"]} == set(COMPOSE["networks"])
    for name, one in SERVICES.items():
        assert set(one.get("depends_on", {})) <= set(SERVICES), name
        said = " ".join([*one.get("environment", {}).values(), *map(str, one.get("command", []))])
        assert set(re.findall(r"/run/secrets/(\w+)", said)) <= set(one.get("secrets", [])), name
    ignored = read(".gitignore").split()
    assert (
        all(secret["file"].startswith("secrets/") for secret in COMPOSE["secrets"].values()) and "secrets/" in ignored
    )


def test_who_waits_for_whom() -> None:
    waits = {
        name: {on: how["condition"] for on, how in one.get("depends_on", {}).items()} for name, one in SERVICES.items()
    }
    assert waits["app"] == {"db": "service_healthy", "setup": "service_completed_successfully"}
    assert waits["token"] == {"app": "service_healthy"}
    assert waits["tests"] == {"token": "service_completed_successfully"}
    assert "healthcheck" in SERVICES["db"] and "HEALTHCHECK" in read("Dockerfile")
    assert {name for name, one in SERVICES.items() if one.get("profiles") == ["tests"]} == {"token", "tests"}


def test_nobody_can_do_more_than_needed() -> None:
    for name, one in SERVICES.items():
        assert one["read_only"] is True and one["security_opt"] == ["no-new-privileges:true"], name
        assert "/tmp" in one["tmpfs"] and "privileged" not in one and "user" not in one, name
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", one["image"]), name
        assert one.get("cap_drop") == ["ALL"] or name == "db", "the image of the database gives its rights up by itself"
        assert all(re.match(r"127\.0\.0\.1:", port) for port in one.get("ports", [])), name
    assert "ports" not in SERVICES["db"] and SERVICES["db"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_variables_are_those_of_the_program() -> None:
    known = set(re.findall(r'"(RAYON_\w+)"', read("settings.py"))) | {"FORWARDED_ALLOW_IPS"}
    assert set(SERVICES["app"]["environment"]) <= known
    of_tests = set(re.findall(r'"(RAYON_\w+)"', read("tests/deployed/conftest.py")))
    assert set(SERVICES["tests"]["environment"]) <= of_tests
    assert SERVICES["tests"]["environment"]["RAYON_URL"] == f"http://app:{PORT}"
    assert SERVICES["app"]["ports"][0].endswith(f":{PORT}")
    [home] = re.findall(r"RAYON_HOME=(\S+)", read("Dockerfile"))
    assert SERVICES["app"]["volumes"] == [f"home:{home}"]


def test_the_container_of_the_tests() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile.tests"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    text = read("deploy/Dockerfile.tests")
    for name, version in re.findall(r" (\w+)==([\d.]+)", text):
        assert f"{name}=={version}" in read("requirements.txt") + read("requirements-dev.txt")
    copied = re.findall(r"^COPY (\S+)", text, re.M)
    admitted = [line[1:] for line in read("deploy/Dockerfile.tests.dockerignore").split() if line.startswith("!")]
    assert copied == admitted == ["tests/deployed"] and (ROOT / copied[0]).is_dir()


# --- proxies -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nginx(tmp_path_factory) -> list[dict[str, Any]]:
    """The directives of deploy/nginx.conf, within the http {} that it belongs in."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "nginx.conf").write_text(f"events {{}}\nhttp {{ include {DEPLOY / 'nginx.conf'}; }}\n")
    parsed = crossplane.parse(str(folder / "nginx.conf"))
    assert parsed["status"] == "ok", parsed["errors"]
    return parsed["config"][1]["parsed"]


def inside(directives: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one for one in directives if one["directive"] == name]


def test_nginx_passes_on_what_the_server_needs(nginx) -> None:
    secure = inside(nginx, "server")[1]["block"]
    [everything] = [one["block"] for one in inside(secure, "location") if one["args"] == ["/"]]
    headers = dict(one["args"] for one in inside(everything, "proxy_set_header"))
    assert headers["Upgrade"] == "$http_upgrade" and headers["Connection"] == "$rayon_connection"
    assert headers["X-Forwarded-For"] == "$remote_addr", "what a client says of itself is nobody's word"
    assert headers["X-Forwarded-Proto"] == "$scheme" and headers["Host"] == "$http_host"
    flat = {one["directive"]: one["args"] for one in everything}
    assert flat["proxy_http_version"] == ["1.1"] and flat["proxy_read_timeout"] == ["1h"]
    assert flat["proxy_request_buffering"] == flat["proxy_buffering"] == ["off"]
    assert inside(secure, "client_max_body_size")[0]["args"] == ["5100m"]
    [upstream] = inside(nginx, "upstream")
    assert flat["proxy_pass"] == [f"http://{upstream['args'][0]}"]
    assert inside(upstream["block"], "ip_hash") and inside(upstream["block"], "server")[0]["args"] == [
        f"127.0.0.1:{PORT}"
    ]


def test_nginx_hides_what_is_measured_and_sends_everybody_to_https(nginx) -> None:
    plain, secure = (one["block"] for one in inside(nginx, "server"))
    assert inside(plain, "return")[0]["args"][0] == "301"
    [metrics] = [one["block"] for one in inside(secure, "location") if one["args"] == ["=", "/metrics"]]
    assert inside(metrics, "return")[0]["args"] == ["404"]


def test_traefik_names_what_is_there() -> None:
    for name, router in TRAEFIK["routers"].items():
        assert router["service"] in {*TRAEFIK["services"], "noop@internal"}, name
        assert set(router.get("middlewares", [])) <= set(TRAEFIK["middlewares"]), name
        assert "certResolver" in router["tls"] and router["entryPoints"] == ["websecure"], name
    balancer = TRAEFIK["services"]["rayon"]["loadBalancer"]
    assert balancer["sticky"]["cookie"]["secure"] and balancer["passHostHeader"] is True
    assert balancer["servers"][0]["url"] == f"http://127.0.0.1:{PORT}"
    assert balancer["healthCheck"]["path"] == "/api/v1/health/ready"


def test_uploads_that_the_server_takes_pass_the_proxies() -> None:
    most = 5001 * 2**20  # api/jobs.py: table and ZIP together, and a little for the rest
    from api import jobs

    assert most == jobs._LIMITS.total
    sizes = re.findall(
        r"(?:client_max_body_size|proxy-body-size:) (\d+)m",
        read("deploy/nginx.conf") + read("deploy/kubernetes/ingress.yaml"),
    )
    assert len(sizes) == 2 and all(int(size) * 2**20 >= most for size in sizes)


def test_the_page_on_deployment_names_what_is_there() -> None:
    text = read("docs/deployment.md")
    for path in re.findall(r"`(deploy/[\w./-]+)`", text):
        assert (ROOT / path).exists() or path == "deploy/secrets", path
    for name in re.findall(r"`(RAYON_\w+)", text):
        assert name in read("settings.py") + read("deploy/compose.yaml") + read("tests/deployed/conftest.py"), name
