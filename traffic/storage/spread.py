"""Traffic between clients and servers, spread evenly.

Objects are placed by a hash: over many objects every client exchanges the same with every server, and every server is
the primary of the same share. A replicated write goes from the client to the primary and from the primary to the r−1
replicas, which are other servers.
"""

from __future__ import annotations

import numpy as np

from topologies.columns import Bools, Floats, Ints, column
from traffic.demands import Flows, UniformBlock, merge_flows


def between(clients: Ints, servers: Ints, amount_per_client: Floats, *, reads: bool = False) -> Flows:
    """Every client exchanges its amount with all servers, in equal shares.

    Parameters
    ----------
    clients : ndarray of int, shape (C, a)
        Endpoint node ids of every client host.
    servers : ndarray of int, shape (S, b)
        Endpoint node ids of every server.
    amount_per_client : ndarray, shape (C,)
        Bytes or Gbps of each client host, spread evenly over its endpoints.
    reads : bool
        From servers to clients rather than back.

    Returns
    -------
    Flows
        What a host that is client and server exchanges with itself is left out.
    """
    share = np.repeat(amount_per_client / (clients.shape[1] * servers.size), clients.shape[1])
    near = np.repeat(clients.ravel(), servers.size)
    far = np.tile(servers.ravel(), clients.size)
    amount = np.where(same_host(clients, servers), 0.0, share[:, None]).ravel()
    return Flows.of(far, near, amount) if reads else Flows.of(near, far, amount)


def replicas(servers: Ints, amount: float, copies: int) -> Flows:
    """Primaries pass ``copies - 1`` copies on to other servers, evenly.

    Parameters
    ----------
    servers : ndarray of int, shape (S, b)
        Endpoint node ids of every server.
    amount : float
        What clients write to all servers, bytes or Gbps.
    copies : int
        Size r of the pool; 1 for none.

    Returns
    -------
    Flows
        (r−1) times ``amount`` in all; one block where a server is one endpoint.
    """
    count, width = servers.shape
    if copies < 2 or count < 2 or amount == 0:
        return Flows.none()
    share = (copies - 1) * amount / (count * (count - 1) * width * width)
    if width == 1:
        empty = Flows.none()
        return Flows(
            empty.src, empty.dst, empty.amount, (UniformBlock(column(np.sort(servers[:, 0]), np.int32), share),)
        )
    nodes = servers.ravel()
    apart = ~same_host(servers, servers)
    return Flows.of(np.repeat(nodes, len(nodes)), np.tile(nodes, len(nodes)), np.where(apart, share, 0.0).ravel())


def replicated_write(clients: Ints, servers: Ints, amount_per_client: Floats, copies: int) -> Flows:
    """Writes of all clients with their replicas; see :func:`between` and :func:`replicas`."""
    return merge_flows(
        [
            between(clients, servers, amount_per_client),
            replicas(servers, float(amount_per_client.sum()), copies),
        ]
    )


def same_host(left: Ints, right: Ints) -> Bools:
    """Whether endpoint i of one side is in the same host as endpoint j of the other, shape (left, right)."""
    host_of = {int(node): row for row, nodes in enumerate(right.tolist()) for node in nodes}
    left_host = np.array([host_of.get(int(nodes[0]), -1) for nodes in left], dtype=np.int64).repeat(left.shape[1])
    right_host = np.arange(len(right)).repeat(right.shape[1])
    return np.asarray(left_host[:, None] == right_host[None, :])


def between_hosts(senders: Ints, receivers: Ints, amount: Floats) -> Flows:
    """Flows from a matrix of hosts, spread evenly over the endpoints of both.

    Parameters
    ----------
    senders, receivers : ndarray of int, shapes (S, a) and (R, b)
        Endpoint node ids of every host.
    amount : ndarray, shape (S, R)
        Bytes or Gbps from host to host. Within one host nothing crosses a link.
    """
    each = np.where(same_host(senders, receivers), 0.0, _per_endpoint(senders, receivers, amount))
    tail, head = np.nonzero(each)
    return Flows.of(senders.ravel()[tail], receivers.ravel()[head], each[tail, head])


def _per_endpoint(senders: Ints, receivers: Ints, amount: Floats) -> Floats:
    out, back = senders.shape[1], receivers.shape[1]
    return column(np.repeat(np.repeat(amount, out, axis=0), back, axis=1) / (out * back), np.float64)
