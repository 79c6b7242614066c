"""``fabric nodes``: the nodes of a Kubernetes or Slurm cluster, live or from a file."""

from __future__ import annotations

from pathlib import Path

import click

from fabric.cli.answer import Answer, emit, remember_said
from fabric.cli.options import ANSWER, Duration, FabricCommand, Settings
from fabric.faces.views.row_kinds import NODES

SUMMARY = "List the nodes of a Kubernetes or Slurm cluster, and keep them in a file for scenarios."
ORDER = 24


@click.command("nodes", cls=FabricCommand, takes=ANSWER, rows=(NODES,))
@click.argument("scheduler", type=click.Choice(["kubernetes", "slurm"]))
@click.option("--path", metavar="FILE", help="A file of kubectl or scontrol, in place of the running cluster.")
@click.option("--context", metavar="NAME", help="Of the kubeconfig, or in-cluster: the cluster that is asked.")
@click.option("--kubeconfig", metavar="FILE", help="Default: KUBECONFIG, or ~/.kube/config.")
@click.option("--selector", metavar="LABELS", help="Nodes with these labels, as kubectl -l takes them.")
@click.option("--no-pods", is_flag=True, help="Do not ask for pods; what they hold counts as free.")
@click.option("--resource", default="nvidia.com/gpu", show_default=True, metavar="NAME", help="What counts GPUs.")
@click.option("--live", metavar="WHERE", help="Of Slurm: scontrol, or the address of a slurmrestd.")
@click.option("--partition", metavar="NAME", help="Of Slurm: only nodes of this partition.")
@click.option("--timeout", type=Duration(), default="10 s", show_default=True, metavar="TIME", help="For an answer.")
@click.option("--snapshot", metavar="FILE", help="Keep what was read in FILE, which path: of a scenario names.")
def command(
    scheduler: str,
    settings: Settings,
    path: str | None,
    context: str | None,
    kubeconfig: str | None,
    selector: str | None,
    no_pods: bool,
    resource: str,
    live: str | None,
    partition: str | None,
    timeout: float,
    snapshot: str | None,
) -> None:
    """List the nodes of a cluster of SCHEDULER: GPUs, what is free of them, and why a node is passed over.

    The cluster is read, never changed. With --snapshot FILE later runs read that file, and give the same answer.
    """
    from fabric.faces.answers.nodes_report import nodes_document, nodes_record
    from fabric.faces.views.nodes import node_table
    from fabric.share.schedulers.listed_nodes import list_nodes, write_snapshot
    from traffic.schedulers.live.kubernetes_api import KubernetesCluster
    from traffic.schedulers.live.slurm_api import SlurmCluster

    is_slurm = scheduler == "slurm"
    if is_slurm and (context or kubeconfig or selector or no_pods):
        raise click.UsageError("--context, --kubeconfig, --selector and --no-pods are of kubernetes")
    if (live or partition) and not is_slurm:
        raise click.UsageError("--live and --partition are of slurm; --context names a cluster of Kubernetes")
    asked = live if is_slurm else context
    if (path is None) == (asked is None):
        raise click.UsageError(f"which nodes? --path FILE, or --{'live WHERE' if is_slurm else 'context NAME'}")
    if path is not None and (kubeconfig or selector or no_pods):
        raise click.UsageError("--kubeconfig, --selector and --no-pods are of a running cluster; --path is a file")
    if timeout <= 0:
        raise click.UsageError("--timeout 0 never waits")
    source: KubernetesCluster | SlurmCluster | str = path or ""
    if asked is not None:
        source = (
            SlurmCluster(asked, timeout)
            if is_slurm
            else KubernetesCluster(asked, kubeconfig, selector, timeout, not no_pods)
        )
    listed = list_nodes(scheduler, source, resource=resource, partition=partition)
    if snapshot is not None:
        write_snapshot(listed, Path(snapshot), force=settings.force)
    remember_said(list(listed.said))
    emit(
        Answer(lambda: nodes_record(listed), lambda: nodes_document(listed), lambda: node_table(listed), NODES),
        settings,
    )
