"""An API server of Kubernetes on loopback (kmock), a kubeconfig for it, and what is asked of it."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import kmock


def node(name, gpus=8, **spec):
    """A node as the API has it."""
    amounts = {"cpu": "96", "memory": "1Ti", "ephemeral-storage": "3500G", "nvidia.com/gpu": str(gpus)}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"zone": "a"}, "annotations": {"secret": "not kept"}},
        "spec": spec,
        "status": {
            "capacity": amounts, "allocatable": {**amounts, "cpu": "95500m"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }  # fmt: skip


def pod(name, host, requests, phase="Running", **spec):
    """A pod with one container."""
    container = {"name": "c", "env": [{"name": "TOKEN", "value": "not kept"}], "resources": {"requests": requests}}
    return {
        "kind": "Pod", "metadata": {"name": name, "namespace": "jobs"},
        "spec": {"nodeName": host, "containers": [container], **spec}, "status": {"phase": phase},
    }  # fmt: skip


class Emulator:
    """Serves nodes and pods in pages; ``answers`` says what else than a page some requests get.

    Parameters
    ----------
    answers : dict
        By (resource, number of the request for it, from 0): a status, or a callable that makes the payload.
    """

    def __init__(self, folder: Path, nodes=(), pods=(), *, page=500, answers=None) -> None:
        self.nodes, self.pods, self.page, self.answers = list(nodes), list(pods), page, answers or {}
        self.asked = []  # (method, resource, query)
        self.config = Path(folder) / "kubeconfig"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.config.write_text(
            json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "elsewhere",
                "clusters": [{"name": "c", "cluster": {"server": self.url}}],
                "users": [{"name": "u", "user": {"token": "a-token"}}],
                "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
            })
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._server.__aexit__(None, None, None), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        handler = kmock.RawHandler()
        for resource in ("nodes", "pods"):
            handler[f"/api/v1/{resource}"] << (lambda request, resource=resource: self._answer(request, resource))
        self._server = kmock.Server(handler)
        await self._server.__aenter__()
        self.url = str(self._server.url).rstrip("/")

    def _answer(self, request, resource):
        number = sum(one[1] == resource for one in self.asked)
        self.asked.append((str(request.method.value), resource, dict(request.params)))
        given = self.answers.get((resource, number))
        if callable(given):
            return given()
        if given is not None:
            message = f'{resource} is forbidden: User "u" cannot list resource "{resource}"' if given == 403 else "no"
            return kmock.Response(
                status=given, payload={"kind": "Status", "status": "Failure", "message": message, "code": given}
            )
        items = self.nodes if resource == "nodes" else self.pods
        first = int(request.params.get("continue", 0))
        after = first + self.page
        metadata = {"resourceVersion": "1", **({"continue": str(after)} if after < len(items) else {})}
        kind = "NodeList" if resource == "nodes" else "PodList"
        page = {"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items[first:after]}
        return kmock.Response(status=200, payload=page)  # else the status of an error before stays
