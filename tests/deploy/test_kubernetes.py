"""The Kubernetes manifests: valid by the schemas, locked down, and with settings and paths the service knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from kubernetes_validate import ValidationError, validate

from cds_service.config import load_settings
from cds_service.hooks.clients_file import load_clients
from cds_service.server import server_size

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
# The oldest version that is still looked after when this was written, and the newest the package knows.
VERSIONS = ("1.33.0", "1.37.0")
KINDS = {
    "ServiceAccount", "ConfigMap", "Secret", "Job", "Deployment", "Service", "HorizontalPodAutoscaler",
    "PodDisruptionBudget", "NetworkPolicy",
}  # fmt: skip


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text("utf-8")):
            yield f"{file.stem}-{document['kind']}", document


MANIFESTS = list(manifests())
EACH = [pytest.param(document, id=name) for name, document in MANIFESTS]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [document for _, document in MANIFESTS if document["kind"] == kind]


WITH_PODS = [
    pytest.param(document["spec"]["template"], id=document["kind"])
    for document in of_kind("Deployment") + of_kind("Job")
]


def container(template: dict[str, Any]) -> dict[str, Any]:
    (only,) = template["spec"]["containers"]
    return only  # type: ignore[no-any-return]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", EACH)
def test_a_manifest_is_valid_by_the_schema_of_its_kind(document: dict[str, Any], version: str) -> None:
    validate(document, version, strict=True)


def test_the_schemas_find_a_field_that_does_not_exist() -> None:
    (deployment,) = of_kind("Deployment")
    spec = {**deployment["spec"], "maxUnavailable": 0}
    with pytest.raises(ValidationError):
        validate({**deployment, "spec": spec}, VERSIONS[-1], strict=True)


def test_everything_a_deployment_needs_is_there() -> None:
    assert {document["kind"] for _, document in MANIFESTS} == KINDS


@pytest.mark.parametrize("template", WITH_PODS)
def test_nothing_runs_as_root_or_writes_to_its_image(template: dict[str, Any]) -> None:
    pod, own = template["spec"]["securityContext"], container(template)["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("template", WITH_PODS)
def test_a_pod_has_no_token_of_the_cluster_and_no_variables_that_would_stop_its_start(template: dict[str, Any]) -> None:
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("template", WITH_PODS)
def test_what_may_be_written_is_kept_in_memory(template: dict[str, Any]) -> None:
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    for mount in container(template)["volumeMounts"]:
        if not mount.get("readOnly"):
            assert volumes[mount["name"]]["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize("template", WITH_PODS)
def test_a_pod_asks_for_what_it_needs_and_may_not_take_all_memory(template: dict[str, Any]) -> None:
    resources = container(template)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


def test_every_probe_asks_a_path_that_the_service_has(app: Flask) -> None:
    (deployment,) = of_kind("Deployment")
    web = container(deployment["spec"]["template"])
    paths = {web[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"/health/live", "/health/ready"}
    assert paths | {"/metrics"} <= {rule.rule for rule in app.url_map.iter_rules()}
    assert web["livenessProbe"]["httpGet"]["path"] == "/health/live"


def test_there_is_time_to_finish_calls_after_the_last_one_came() -> None:
    (deployment,) = of_kind("Deployment")
    spec = deployment["spec"]["template"]["spec"]
    waiting = int(container(deployment["spec"]["template"])["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] >= waiting + 10 + 5


def environment() -> dict[str, str]:
    """The variables that the manifests give to a process."""
    (settings,) = [document for document in of_kind("ConfigMap") if "CDS_MODE" in document["data"]]
    (secret,) = of_kind("Secret")
    return settings["data"] | secret["stringData"]


def test_the_service_knows_every_setting_of_the_manifests() -> None:
    settings = load_settings(environment())
    assert settings.mode == "production"
    assert settings.base_url.startswith("https://")
    is_state_shared = settings.shared_state_url != "memory://"
    assert server_size(environment(), is_state_shared=is_state_shared, is_production=True).workers == 2


def test_the_clients_file_of_the_manifests_is_one(tmp_path: Path) -> None:
    (files,) = [document for document in of_kind("ConfigMap") if "clients.toml" in document["data"]]
    (tmp_path / "clients.toml").write_text(files["data"]["clients.toml"], "utf-8")
    (client,) = load_clients(tmp_path / "clients.toml", ())
    assert client.name == "example-ehr"
    assert environment()["CDS_CLIENTS_FILE"] == "/etc/onasemnogene-cds/clients.toml"


def test_no_secret_is_written_down() -> None:
    (secret,) = of_kind("Secret")
    assert all("REPLACE" in value for value in secret["stringData"].values())
    assert "data" not in secret
    (settings,) = [document for document in of_kind("ConfigMap") if "CDS_MODE" in document["data"]]
    assert not set(settings["data"]) & set(secret["stringData"])


def test_every_selector_finds_the_pods_and_only_those_that_serve() -> None:
    (deployment,), (service,), (budget,) = of_kind("Deployment"), of_kind("Service"), of_kind("PodDisruptionBudget")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
    (job,) = of_kind("Job")
    assert job["spec"]["template"]["metadata"]["labels"] != labels


def test_one_of_two_replicas_may_always_be_lost() -> None:
    (scaler,), (budget,) = of_kind("HorizontalPodAutoscaler"), of_kind("PodDisruptionBudget")
    assert scaler["spec"]["minReplicas"] == 2
    assert budget["spec"]["minAvailable"] == 1
    assert "replicas" not in of_kind("Deployment")[0]["spec"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    (policy,) = of_kind("NetworkPolicy")
    spec = policy["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] and rule["ports"] for rule in spec["ingress"])
    assert all(rule["to"] and rule["ports"] for rule in spec["egress"])
    for template in (document["spec"]["template"] for document in of_kind("Deployment") + of_kind("Job")):
        assert spec["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_every_pod_runs_the_same_image() -> None:
    templates = [document["spec"]["template"] for document in of_kind("Deployment") + of_kind("Job")]
    assert len({container(template)["image"] for template in templates}) == 1
