"""Tests of `deploy/kubernetes/`: against schemas of Kubernetes, and against the container."""

import copy
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from explorer.server.embedding import EMBED
from explorer.server.metrics_port import METRICS
from explorer.server.shutdown import GRACE
from tests.deploy import containerfile
from tests.deploy.containerfile import ROOT
from tests.deploy.renew_schemas import KINDS, SCHEMAS

FOLDER = ROOT / "deploy" / "kubernetes"
EXAMPLE = "secret.example.yaml"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
FREE = {"labels", "annotations", "matchLabels", "stringData", "requests", "limits"}  # any keys
UNITS = {"Mi": 2**20, "Gi": 2**30}


def read(name: str) -> Any:
    """Return the only document of a file."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


DEPLOYMENT, SERVICE, INGRESS = map(read, ("deployment.yaml", "service.yaml", "ingress.yaml"))
BUDGET, AUTOSCALER, SECRET = map(read, ("disruption-budget.yaml", "autoscaler.yaml", EXAMPLE))
POD = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def schema_name(manifest: Any) -> str:
    """Return the name of the schema of a manifest, such as `deployment-apps-v1`."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    parts = (manifest["kind"].lower(), group.partition(".")[0], version)
    return "-".join(filter(None, parts))


def is_valid(manifest: Any) -> bool:
    schema = json.loads((SCHEMAS / f"{schema_name(manifest)}.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema).is_valid(manifest)


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all mappings within a manifest whose keys Kubernetes defines."""
    if isinstance(value, dict):
        yield value
        for key, each in value.items():
            if key not in FREE:
                yield from mappings(each)
    elif isinstance(value, list):
        for each in value:
            yield from mappings(each)


def named(values: list[dict[str, Any]], name: str) -> Any:
    """Return the only value of this name."""
    (found,) = [value for value in values if value["name"] == name]
    return found


def size(quantity: str) -> int:
    """Return the bytes of a quantity such as 6Gi."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_there_is_a_schema_for_each_kind_and_no_other() -> None:
    assert {schema_name(read(name)) for name in FILES} == set(KINDS)
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("name", FILES)
def test_a_manifest_is_valid(name: str) -> None:
    manifest = read(name)
    assert is_valid(manifest)
    assert manifest["metadata"]["name"] == "residual-block-explorer"


@pytest.mark.parametrize("name", FILES)
def test_a_field_that_kubernetes_does_not_know_is_refused_everywhere(name: str) -> None:
    manifest = json.loads(json.dumps(read(name)))  # without anchors, which share mappings
    for mapping in mappings(manifest):
        mapping["maxUnavailabel"] = 0
        assert not is_valid(manifest), mapping
        del mapping["maxUnavailabel"]
    assert is_valid(manifest)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("terminationGracePeriodSeconds", "30 s"),
        ("containers", CONTAINER),
        ("automountServiceAccountToken", "no"),
        ("containers", [{"image": "residual-block-explorer"}]),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(field: str, bad: Any) -> None:
    manifest = copy.deepcopy(DEPLOYMENT)
    manifest["spec"]["template"]["spec"][field] = bad
    assert not is_valid(manifest)


def test_kustomize_applies_all_but_the_example() -> None:
    assert sorted(read("kustomization.yaml")["resources"]) == [x for x in FILES if x != EXAMPLE]


def test_all_selectors_match_the_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    (spread,) = POD["topologySpreadConstraints"]
    selectors = [
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
        SERVICE["spec"]["selector"],
        BUDGET["spec"]["selector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
    ]
    assert selectors == [labels] * 4
    target = AUTOSCALER["spec"]["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"]) == ("apps/v1", DEPLOYMENT["kind"])
    assert target["name"] == DEPLOYMENT["metadata"]["name"]
    assert "replicas" not in DEPLOYMENT["spec"]


def test_ports_lead_from_the_ingress_to_the_container() -> None:
    (rule,) = INGRESS["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["name"] == SERVICE["metadata"]["name"]
    port = named(SERVICE["spec"]["ports"], backend["port"]["name"])
    assert named(CONTAINER["ports"], port["targetPort"])["containerPort"] == containerfile.port()
    metrics = named(CONTAINER["ports"], "metrics")["containerPort"]
    assert named(CONTAINER["env"], METRICS)["value"] == f"0.0.0.0:{metrics}"
    annotations = DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(metrics)
    assert [each["name"] for each in SERVICE["spec"]["ports"]] == ["http"]  # metrics stay inside


def test_the_image_is_the_container_file_s_in_the_project_s_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CONTAINER["image"] == f"{containerfile.image()}:{project['version']}"
    assert "command" not in CONTAINER  # which would replace that of the container file


def test_probes_ask_for_the_health_by_a_name_that_the_server_answers_to() -> None:
    host = INGRESS["spec"]["rules"][0]["host"]
    assert INGRESS["spec"]["tls"][0]["hosts"] == [host]
    options = [each.partition("=")[::2] for each in CONTAINER["args"]]
    allowed = [value for option, value in options if option == "--server.allowedHosts"]
    assert dict(options)["--browser.serverAddress"] == host
    assert host in allowed
    for name in PROBES:
        request = CONTAINER[name]["httpGet"]
        assert (request["path"], request["port"]) == ("/_stcore/health", "http")
        assert named(request["httpHeaders"], "Host")["value"] in allowed


def test_a_pod_has_the_time_that_starts_and_ends_take() -> None:
    start = CONTAINER["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 120  # as deploy/serve.py waits
    stop = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > stop + GRACE
    update = DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]
    assert (update["maxUnavailable"], update["maxSurge"]) == (0, 1)
    assert AUTOSCALER["spec"]["minReplicas"] > BUDGET["spec"]["maxUnavailable"]


def test_the_secret_is_the_one_that_the_pods_read() -> None:
    variable = named(CONTAINER["env"], "STREAMLIT_SERVER_COOKIE_SECRET")
    source = variable["valueFrom"]["secretKeyRef"]
    assert source["name"] == SECRET["metadata"]["name"]
    assert list(SECRET["stringData"]) == [source["key"]] == [variable["name"]]
    comment = (FOLDER / EXAMPLE).read_text(encoding="utf-8")
    assert f"create secret generic {source['name']} " in comment
    assert f"--from-literal={source['key']}=" in comment
    assert not re.search("[0-9a-f]{16}", comment)  # no secret was committed


def test_the_variables_are_those_that_the_page_reads() -> None:
    names = {each["name"] for each in CONTAINER["env"]}
    assert names <= {METRICS, EMBED, "STREAMLIT_SERVER_COOKIE_SECRET"}


def test_the_container_may_do_little() -> None:
    user, group = containerfile.user()
    context = POD["securityContext"]
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (user, group, group)
    own = CONTAINER["securityContext"]
    assert own["readOnlyRootFilesystem"] is True
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert POD["automountServiceAccountToken"] is False


def test_the_folders_that_are_written_are_volumes() -> None:
    (cache,) = containerfile.instructions("VOLUME")
    mounts = {mount["mountPath"]: mount["name"] for mount in CONTAINER["volumeMounts"]}
    assert set(mounts) == {cache, "/tmp"}
    sizes = {path: named(POD["volumes"], name)["emptyDir"] for path, name in mounts.items()}
    assert size(sizes[cache]["sizeLimit"]) > 2 * 256 * 2**20  # twice the cache of programs
    assert size(sizes["/tmp"]["sizeLimit"]) > 2_000_000_000  # all uploads


def test_memory_and_cores_are_those_of_the_documented_limits() -> None:
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    found = re.search(r"The limits add up to (\d+) GB of memory on two cores", security)
    assert found
    resources = CONTAINER["resources"]
    assert resources["limits"]["cpu"] == "2"
    assert 1.2 > size(resources["limits"]["memory"]) / (int(found[1]) * 10**9) >= 1
    assert resources["requests"] == resources["limits"]


def test_the_ingress_controller_has_the_settings_of_our_proxy() -> None:
    lines = (ROOT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8").splitlines()
    proxy = {line.strip() for line in lines}
    found = {
        key.partition("/")[2]: value for key, value in SERVICE["metadata"]["annotations"].items()
    }
    assert set(found.pop("backend-config-snippet").splitlines()) <= proxy
    assert f"cookie {found.pop('cookie-persistence')} insert indirect nocache httponly" in proxy
    assert f"balance {found.pop('load-balance')}" in proxy
    assert f"timeout server {found.pop('timeout-server')}" in proxy
    assert not found
    limits = INGRESS["metadata"]["annotations"]
    status, most = limits["haproxy.org/rate-limit-status-code"], "haproxy.org/rate-limit-requests"
    assert (
        f"http-request deny deny_status {status} if {{ sc0_http_req_rate gt {limits[most]} }}"
        in proxy
    )
