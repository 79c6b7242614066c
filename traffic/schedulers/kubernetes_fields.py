"""What Kubernetes says of a node, and what becomes of it."""

from __future__ import annotations

from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field

_SOURCE = "Kubernetes API reference, Node v1, and its well-known labels, annotations and taints"

# Conditions that keep pods away, with the taint that the control plane adds for them.
CONDITIONS = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
NOT_READY = "node.kubernetes.io/not-ready"
CORDONED = "node.kubernetes.io/unschedulable"
# Taints that keep GPU nodes for pods that ask for GPUs; such pods tolerate them.
GPU_TAINTS = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe", "habana.ai/gaudi")

_ACCELERATORS = (
    ("amd.com/gpu", "GPUs of AMD"),
    ("aws.amazon.com/neuron*", "accelerators of AWS"),
    ("cloud-tpus.google.com/*", "TPUs"),
    ("google.com/tpu", "TPUs"),
    ("gpu.intel.com/*", "GPUs of Intel"),
    ("habana.ai/gaudi*", "accelerators of Intel"),
    ("huawei.com/*", "accelerators of Huawei"),
    ("nvidia.com/gpu", "GPUs of Nvidia"),
    ("nvidia.com/gpu.shared", "GPUs shared by time"),
    ("nvidia.com/mig-*", "slices of GPUs (MIG)"),
)

FIELDS = DeclaredFields(
    "placement",
    "kubernetes",
    _SOURCE,
    [
        Field(
            "kind", MODELLED, "List or NodeList of nodes, with pods or without, or one Node; others are refused by name"
        ),
        Field("Pod", MODELLED, "what it requests of its node is not free; those that have ended do not count"),
        Field("Pod.spec.resourceClaims", REPORTED, "devices that are held by claims are not counted"),
        Field("metadata.name", MODELLED, "the host; nodes that are no hosts of the job are left out, and said"),
        Field("metadata.labels", MODELLED, "sort orders nodes by one"),
        Field("metadata.deletionTimestamp", MODELLED, "a node that is being deleted is passed over"),
        Field("metadata.*", HARMLESS, "annotations, owners, times"),
        Field("spec.unschedulable", MODELLED, "a cordoned node is passed over"),
        Field("spec.taints", MODELLED, "the effects below; GPU taints are tolerated, others by the key tolerations"),
        Field("NoSchedule", MODELLED, "a node with such a taint that is not tolerated is passed over"),
        Field("NoExecute", MODELLED, "a node with such a taint that is not tolerated is passed over"),
        Field("PreferNoSchedule", MODELLED, "nodes with such a taint come after the others"),
        Field("spec.*", HARMLESS, "addresses of pods, identity at a provider"),
        Field("status.allocatable", MODELLED, "resource counts GPUs; absent, it is the capacity"),
        Field("status.capacity", MODELLED, "stands in for allocatable where that is absent"),
        Field(
            "Ready", MODELLED, "a node that is not ready is passed over; where it is not said, it is taken, and said"
        ),
        *(Field(name, MODELLED, "passed over while it is True, unless its taint is tolerated") for name in CONDITIONS),
        *(
            Field(name, REFUSED, f"{what} that the key resource does not name", "resource")
            for name, what in _ACCELERATORS
        ),
        Field("status.*", HARMLESS, "addresses, images, versions and volumes"),
        Field("items", MODELLED, "the nodes of a list"),
        Field("apiVersion", HARMLESS, "v1"),
        Field("metadata", HARMLESS, "of the list"),
    ],
)
