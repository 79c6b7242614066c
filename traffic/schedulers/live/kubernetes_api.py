"""Nodes and pods of a Kubernetes cluster through the official client: two lists, page by page, and nothing written.

Of nodes and pods only what placing needs is kept: an environment or an annotation may hold secrets. Lists of pages are
one consistent view of the server; where it gives that view up (410) the list is begun again, once.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from topologies.budget import counted
from topologies.errors import FormatError, MissingProgramError, nearest_hint
from topologies.reading.json_value import JsonValue, parse_json
from topologies.units import format_bytes, format_seconds
from traffic.schedulers.kubernetes_pods import PODS_COUNTED
from traffic.schedulers.live.answer import MOST_BYTES, PATIENCE, TIMEOUT_S, LiveAnswer, now

IN_CLUSTER = "in-cluster"
PAGE = 500  # as kubectl asks
_GONE = 410
_FINISHED = "status.phase!=Succeeded,status.phase!=Failed"
_ROLE = (
    "a ClusterRole that grants it: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, "
    "metadata: {name: fabric-read}, rules: [{apiGroups: [''], resources: [nodes, pods], verbs: [list]}]}",
    "bound to the user: kubectl create clusterrolebinding fabric-read --clusterrole fabric-read --user NAME",
)


@dataclass(frozen=True)
class KubernetesCluster:
    """Where a cluster is; ``context`` names one of the kubeconfig, or ``in-cluster`` the one that this runs in.

    ``pods`` False reads nodes only, so that what pods hold counts as free.
    """

    context: str
    kubeconfig: str | None = None  # path; KUBECONFIG or ~/.kube/config if None
    selector: str | None = None
    timeout_s: float = TIMEOUT_S
    pods: bool = True

    @property
    def label(self) -> str:
        """Where it is."""
        return f"kubernetes context {self.context}"

    def read(self) -> LiveAnswer:
        """Ask for nodes, and for pods that run or are about to."""
        ask = _Asking(self)
        try:
            nodes = [_node(entry) for entry in ask.each("nodes", "list_node", label_selector=self.selector)]
            found = ask.each("pods", "list_pod_for_all_namespaces", field_selector=_FINISHED) if self.pods else ()
            names = {node["metadata"]["name"] for node in nodes}
            every = [_pod(entry) for entry in found]
        finally:
            ask.close()
        if not nodes:
            chosen = f" with the labels {self.selector}" if self.selector else ""
            raise FormatError(
                f"the cluster has no nodes{chosen}",
                file=self.label,
                hint="kubectl get nodes --show-labels lists what there is" if chosen else "is it the right context?",
                code="FP6287",
            )
        pods = [pod for pod in every if pod["spec"].get("nodeName") in names]
        document: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [*nodes, *pods]}
        if self.pods:
            document["metadata"] = {"annotations": {PODS_COUNTED: "all"}}
        what = counted(len(nodes), "nodes") + (
            f" and {counted(len(pods), 'pods')} on them" if self.pods else ", no pods asked for"
        )
        return LiveAnswer(json.dumps(document, indent=1) + "\n", self.label, what, now(), tuple(ask.notes))


class _Asking:
    """One client, and what it has read so far."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self.cluster, self.notes, self._read = cluster, list[str](), 0
        self._last = time.monotonic() + PATIENCE * cluster.timeout_s
        self._client, self._api = _client_of(cluster)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def each(self, what: str, call: str, **selectors: str | None) -> Iterator[JsonValue]:
        """Items of a list, all pages of it."""
        given = {key: value for key, value in selectors.items() if value}
        try:
            yield from self._pages(what, call, given)
        except _GoneError:
            try:
                items = self._pages(what, call, given)
                yield from items
            except _GoneError:
                raise self._wrong(
                    f"the list of {what} expired twice before it was read to its end",
                    "the server keeps a list for some minutes; ask again when it is less busy",
                ) from None

    def _pages(self, what: str, call: str, selectors: Mapping[str, str]) -> list[JsonValue]:
        items: list[JsonValue] = []
        token = None
        while True:
            page = self._page(what, call, {**selectors, **({"_continue": token} if token else {})})
            if not page.get("kind").text("").endswith("List"):
                raise self._wrong(f"no list of {what}: kind is {page.get('kind').text('not there')}", _IS_IT)
            items += page.get("items").each()
            after = page.get("metadata").get("continue").text("") or None
            if after is not None and after == token:
                raise self._wrong(f"the list of {what} goes on for ever: two pages end alike", _IS_IT)
            token = after
            if token is None:
                return items

    def _page(self, what: str, call: str, arguments: Mapping[str, Any]) -> JsonValue:
        status, body = self._answered(what, call, arguments)
        if status == _GONE and "_continue" in arguments:
            self.notes.append(f"{self.cluster.label}: the list of {what} expired while it was read; begun again")
            raise _GoneError
        if not 200 <= status <= 299:
            raise self._refused(what, status, body)
        return parse_json(body, self.cluster.label, code="FP6284", hint=_IS_IT)

    def _answered(self, what: str, call: str, arguments: Mapping[str, Any]) -> tuple[int, str]:
        """Status and text of an answer."""
        import urllib3.exceptions as failed
        from kubernetes.client.exceptions import ApiException

        wait = self.cluster.timeout_s
        try:
            answer = getattr(self._api, call)(
                limit=PAGE, _preload_content=False, _request_timeout=(wait, wait), **arguments
            )
            return answer.status, self._whole(answer, what)
        except ApiException as error:
            if not error.status:
                raise self._silent(str(error.reason)) from None
            body = error.body or ""
            return int(error.status), body if isinstance(body, str) else body.decode(errors="replace")
        except failed.HTTPError as error:
            raise self._silent(_reason(error)) from None

    def _whole(self, answer: Any, what: str) -> str:
        """The text of an answer, never more of all than there is room for."""
        parts = []
        for part in answer.stream(1 << 16, decode_content=True):
            parts.append(part)
            self._read += len(part)
            if time.monotonic() > self._last:
                raise self._silent("timed out")
            if self._read > MOST_BYTES:
                raise self._wrong(
                    f"nodes and pods are more than {format_bytes(MOST_BYTES)}; the list of {what} was not read further",
                    "selector: chooses nodes; or kubectl get nodes -o json into a file, which path: names",
                )
        return b"".join(parts).decode("utf-8", errors="replace")

    def _wrong(self, message: str, hint: str, code: str = "FP6284") -> FormatError:
        return FormatError(message, file=self.cluster.label, hint=hint, code=code)

    def _silent(self, reason: str) -> FormatError:
        """Nobody answers, in time or at all."""
        server = self._client.configuration.host
        low = reason.lower()
        if "timed out" in low or "timeout" in low:
            took = format_seconds(self.cluster.timeout_s)
            return self._wrong(f"{server} has not answered within {took}", "timeout: 60 s waits longer", "FP6282")
        if "certificate" in low or "ssl" in low or "tls" in low:
            hint = "certificate-authority-data of the kubeconfig's cluster is of that server; tls-server-name, its name"
            return self._wrong(f"TLS with {server} failed: {reason}", hint, "FP6282")
        hint = "kubectl --context NAME get nodes, does it answer? HTTPS_PROXY and NO_PROXY are followed"
        return self._wrong(f"{server} does not answer: {reason}", hint, "FP6282")

    def _refused(self, what: str, status: int, body: str) -> FormatError:
        """An answer that is an error, with the server's own words."""
        words = _message_of(body) or f"status {status}"
        if status == 401:
            hint = (
                "the token or certificate of the kubeconfig's user has expired or is of another cluster; log in again"
            )
            return self._wrong(f"the server does not know who asks for {what}: {words}", hint, "FP6283")
        if status == 403:
            ways = "pods: false counts what pods hold as free" if what == "pods" else "or kubectl's nodes as path:"
            return FormatError(
                f"the right is missing to list {what} in the whole cluster: {words}",
                file=self.cluster.label,
                notes=_ROLE,
                hint=f"the notes have what grants it; {ways}",
                code="FP6283",
            )
        return self._wrong(f"asked for {what}, the server answers {status}: {words}", _IS_IT)


_IS_IT = "is the server of the context an API server of Kubernetes?"


class _GoneError(Exception):
    """The server has given up the view of a list."""


def _client_of(cluster: KubernetesCluster) -> tuple[Any, Any]:
    """A client for the cluster, and its calls."""
    try:
        from kubernetes import client, config
    except ImportError:
        raise MissingProgramError(
            "the package kubernetes is not installed, which asks the cluster",
            hint="pip install 'fabric-planner[kubernetes]'; or kubectl get nodes,pods -A -o json, which path: names",
            code="FP6280",
        ) from None
    settings, reading = client.Configuration(), cast(Any, config)  # its modules are typed in part
    try:
        if cluster.context == IN_CLUSTER:
            reading.load_incluster_config(client_configuration=settings)
        else:
            _check_context(cluster, reading)
            reading.load_kube_config(
                config_file=cluster.kubeconfig,
                context=cluster.context,
                client_configuration=settings,
                persist_config=False,
            )
    except FormatError:
        raise
    except Exception as error:  # the client raises what its YAML, its files and its plug-ins raise
        raise _no_config(cluster, error) from None
    settings.retries = 0
    made = client.ApiClient(configuration=settings)
    return made, client.CoreV1Api(made)


def _check_context(cluster: KubernetesCluster, config: Any) -> None:
    """Refuse a context that is not there; which one is current does not matter."""
    files = config.kube_config
    merged = files.KubeConfigMerger(cluster.kubeconfig or files.KUBE_CONFIG_DEFAULT_LOCATION).config
    if merged is None:
        raise config.ConfigException("there is none, or nothing is in it")
    names = [str(one["name"]) for one in merged.value.get("contexts") or ()]
    if cluster.context not in names:
        raise FormatError(
            f"the kubeconfig has no context {cluster.context!r}",
            file=cluster.kubeconfig or "kubeconfig",
            hint=nearest_hint(cluster.context, names, "contexts"),
            code="FP6281",
        )


def _no_config(cluster: KubernetesCluster, error: Exception) -> FormatError:
    if cluster.context == IN_CLUSTER:
        hint = "in-cluster is for pods with a service account; elsewhere name a context of the kubeconfig"
        return FormatError(f"not in a cluster: {error}", file=cluster.label, hint=hint, code="FP6281")
    text = str(error).split("\n")[0][:200] or type(error).__name__
    hint = "kubeconfig: names the file, relative to the scenario; else KUBECONFIG or ~/.kube/config is read"
    return FormatError(
        f"cannot use the kubeconfig: {text}", file=cluster.kubeconfig or "kubeconfig", hint=hint, code="FP6281"
    )


def _reason(error: BaseException) -> str:
    """The innermost reason of an error of the client's HTTP library, in words."""
    inner: object = error
    while isinstance(inner, BaseException) and getattr(inner, "reason", None):
        inner = vars(inner).get("reason", str(inner))
    text = str(inner)
    return re.sub(r"^(?:<[^>]*>|HTTPS?Connection(?:Pool)?\([^)]*\)): ", "", text)


def _message_of(body: str) -> str:
    """The message of a Status, cut short."""
    try:
        return parse_json(body, "answer").get("message").text("")[:300]
    except FormatError:
        return " ".join(body.split())[:120]


# ---- what is kept ----

_Kept = dict[str, Any]


def _kept(value: JsonValue, *keys: str) -> _Kept:
    return {key: value.get(key).value for key in keys if not value.get(key).absent}


def _node(entry: JsonValue) -> _Kept:
    """What placing needs of a node."""
    metadata, status = entry.need("metadata"), entry.get("status")
    metadata.need("name")
    conditions = [_kept(one, "type", "status") for one in status.get("conditions").each()]
    return {
        "kind": "Node",
        "metadata": _kept(metadata, "name", "labels", "deletionTimestamp"),
        "spec": _kept(entry.get("spec"), "unschedulable", "taints"),
        "status": {**_kept(status, "capacity", "allocatable"), "conditions": conditions},
    }


def _pod(entry: JsonValue) -> _Kept:
    """What placing needs of a pod: its node and what it asks for."""
    spec, status = entry.get("spec"), entry.get("status")

    def containers(key: str) -> list[_Kept]:
        return [
            {**_kept(one, "restartPolicy"), "resources": _kept(one.get("resources"), "requests", "limits")}
            for one in spec.get(key).each()
        ]

    kept = _kept(spec, "nodeName", "overhead")
    if not spec.get("resources").absent:
        kept["resources"] = _kept(spec.get("resources"), "requests", "limits")
    if list(spec.get("resourceClaims").each()):
        kept["resourceClaims"] = [{} for _ in spec.get("resourceClaims").each()]
    kept["containers"] = containers("containers")
    if list(spec.get("initContainers").each()):
        kept["initContainers"] = containers("initContainers")
    return {
        "kind": "Pod",
        "metadata": _kept(entry.need("metadata"), "name", "namespace"),
        "spec": kept,
        "status": _kept(status, "phase"),
    }
