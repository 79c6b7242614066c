"""The Helm chart before the real helm and kubectl, and the schemas of Kubernetes: what it renders, what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_programs import require_here

from fabric.cli.main import run as cli

TOOLS = Path(sys.prefix) / "tools"
HELM, KUBECTL = TOOLS / "helm", TOOLS / "kubectl"
require_here(HELM, KUBECTL)
pytestmark = [pytest.mark.real_helm, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart" / "fabric-planner"
QUICKSTART = ROOT / "examples" / "quickstart.fabric.yaml"
PLAN = ("--set-file", f"scenario.text={QUICKSTART}")
OPERATORS = {"ServiceMonitor", "PrometheusRule"}  # kinds that a cluster has from the Prometheus operator


def helm(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run helm with nobody's settings."""
    chosen = {f"HELM_{kind}_HOME": str(home) for kind in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run([HELM, *words], capture_output=True, text=True, env={**os.environ, **chosen}, timeout=60)


def render(home: Path, *words: str | Path) -> dict[str, dict[str, Any]]:
    """What the chart makes, by kind, hooks included."""
    done = helm("template", "plan", CHART, "--namespace", "net", *words, home=home)
    assert done.returncode == 0, done.stderr
    made = [document for document in yaml.safe_load_all(done.stdout) if document]
    return {document["kind"] if document["kind"] != "ConfigMap" else document["metadata"]["name"]: document
            for document in made}  # fmt: skip


def values() -> list[Path]:
    """Values files that come with the chart."""
    found = sorted((CHART / "ci").glob("*-values.yaml"))
    assert len(found) == 3
    return found


@pytest.mark.parametrize(
    "words", [(), *(("-f", str(path)) for path in values())], ids=["default", "claim", "map", "text"]
)
def test_helm_finds_no_fault(words: tuple[str, ...], tmp_path: Path) -> None:
    """``helm lint --strict`` with the chart's own values and with each file."""
    done = helm("lint", "--strict", CHART, *words, home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [PLAN, *(("-f", str(path)) for path in values())], ids=["plan", "claim", "map", "text"]
)
def test_what_is_rendered_fits_kubernetes(words: tuple[str, ...], tmp_path: Path) -> None:
    """Every kind of Kubernetes itself against the oldest and a newer API, without unknown fields; kubectl reads all."""
    import kubernetes_validate

    made = render(tmp_path, *words)
    assert {"Deployment", "Service", "ServiceAccount", "Pod"} <= set(made)
    for document in made.values():
        if document["kind"] not in OPERATORS:
            for version in ("1.25", "1.34"):
                kubernetes_validate.validate(document, version, strict=True)
    (tmp_path / "made.yaml").write_text(yaml.safe_dump_all(made.values()))
    line = [KUBECTL, "label", "--local", "-f", tmp_path / "made.yaml", "a=b", "-o", "name"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(made)


def test_a_pod_has_no_rights_and_runs_what_the_image_has(tmp_path: Path) -> None:
    """The restricted profile of Kubernetes' pod security, point by point, for the server and the test's pod."""
    made = render(tmp_path, *PLAN)
    for pod in (made["Deployment"]["spec"]["template"]["spec"], made["Pod"]["spec"]):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert container["resources"]["limits"]["memory"]
    assert made["ServiceAccount"]["automountServiceAccountToken"] is False
    assert made["NetworkPolicy"]["spec"]["egress"] == []
    (server,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    text = (ROOT / "deploy" / "Containerfile").read_text()
    assert f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}\n" in text
    assert f"EXPOSE {server['ports'][0]['containerPort']}\n" in text
    assert [server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")] == [
        "/healthz"
    ] * 3


@pytest.mark.parametrize("path", values(), ids=lambda path: path.name)
def test_serve_takes_the_words_of_the_pod(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Up to the scenario, which is not here: no flag is unknown, no value refused."""
    (server,) = render(tmp_path, "-f", path)["Deployment"]["spec"]["template"]["spec"]["containers"]
    words = [str(word).replace("/names/names.csv", os.devnull) for word in server["args"]]
    assert cli(words) == 3
    said = capsys.readouterr().err
    assert "/plan/" in said or os.devnull in said


def test_the_plan_arrives_byte_for_byte(tmp_path: Path) -> None:
    """Quotes, braces, tabs and letters beyond ASCII pass through values, template and YAML."""
    plan = tmp_path / "plan.yaml"
    plan.write_text('version: 1 # {{ .Values }} "it\'s" \\ \t é\n---  \n$(HOME)\n\n', encoding="utf-8")
    made = render(tmp_path, "--set-file", f"scenario.text={plan}")
    assert made["plan-fabric-planner-scenario"]["data"] == {"scenario.fabric.yaml": plan.read_text(encoding="utf-8")}


def test_another_plan_is_another_pod(tmp_path: Path) -> None:
    """The pod's annotation follows the plan, so that ``helm upgrade`` starts a new one; and only then."""

    def annotation(*words: str) -> str:
        template = render(tmp_path, *PLAN, *words)["Deployment"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["fabric-planner/plan"])

    assert annotation() == annotation("--set", "service.port=80")
    assert len({annotation(), annotation("--set", "scenario.files.more=x"), annotation("--set", "serve.names=x")}) == 3


def test_rules_of_an_export_become_a_rule_of_the_operator(tmp_path: Path) -> None:
    """Group by group as ``fabric export prometheus`` wrote them."""
    assert cli(["export", "prometheus", str(QUICKSTART), "-o", str(tmp_path / "rules"), "-q"]) == 0
    path = tmp_path / "rules" / "alerts.rules.yml"
    chosen = ("--set", "prometheusRule.enabled=true", "--set-file", f"prometheusRule.files.alerts={path}")
    assert render(tmp_path, *PLAN, *chosen)["PrometheusRule"]["spec"] == yaml.safe_load(path.read_text())


REFUSED = {
    "no plan": ((), "no plan is given"),
    "two plans": ((*PLAN, "--set", "scenario.existingClaim=a"), "text and existingClaim are given"),
    "a key that is not there": ((*PLAN, "--set", "scenaro.text=a"), "scenaro"),
    "a deep key": ((*PLAN, "--set", "serve.rooter=ecmp"), "rooter"),
    "a profile": ((*PLAN, "--set", "serve.profile=snpm"), "/serve/profile"),
    "an address that no probe reaches": ((*PLAN, "--set", "serve.address=127.0.0.1"), "/serve/address"),
    "a number as text": ((*PLAN, "--set-string", "replicas=two"), "/replicas"),
    "a port": ((*PLAN, "--set", "service.port=70000"), "/service/port"),
    "a volume to write": ((*PLAN, "--set", "scenario.readOnly=false"), "readOnly"),
    "a way out of the volume": (("--set", "scenario.existingClaim=a,scenario.file=../etc/passwd"), "/scenario/file"),
    "a folder in a map": ((*PLAN, "--set", "scenario.file=a/b.yaml"), "a ConfigMap has no folders"),
    "files of no text": (("--set", "scenario.existingConfigMap=a,scenario.files.b=c"), "into existingConfigMap"),
    "a label of the chart": ((*PLAN, "--set", r"podLabels.app\.kubernetes\.io/name=x"), "app.kubernetes.io/name"),
    "replicas that are scraped": ((*PLAN, "--set", "serviceMonitor.enabled=true,replicas=2"), "set replicas to 1"),
    "rules that are none": (
        (*PLAN, "--set", "prometheusRule.enabled=true,prometheusRule.files.a=x: 1"), "a has no groups"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_wrong_values_are_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """By the schema or by the chart, with the key and, where it is not plain, the way out; nothing is rendered."""
    done = helm("template", "plan", CHART, *words, home=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr


def test_a_plan_beyond_a_configmap_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """One byte more than a million, where Kubernetes holds 1 MiB with all that is around it."""
    (tmp_path / "large").write_text("#" * 1_000_001)
    done = helm("template", "plan", CHART, "--set-file", f"scenario.text={tmp_path / 'large'}", home=tmp_path)
    assert done.returncode == 1
    assert "1000001 bytes" in done.stderr
    assert "scenario.existingClaim" in done.stderr


def test_a_package_is_written_whole_or_refused(tmp_path: Path) -> None:
    """``helm package``: without the values of tests; into a folder that is not one it says so."""
    done = helm("package", CHART, "-d", tmp_path / "made", home=tmp_path)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "made" / "fabric-planner-0.1.0.tgz") as package:
        names = package.getnames()
    assert "fabric-planner/values.schema.json" in names
    assert not [name for name in names if "/ci/" in name]
    assert helm("package", CHART, "-d", "/proc/none", home=tmp_path).returncode == 1
