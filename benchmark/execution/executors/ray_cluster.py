"""What a Ray cluster says when it is asked over HTTP: whether it is there, its nodes, what is in use.

Ray's own client waits for ever on a host that accepts and keeps silent; these questions have an end.
"""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

#: How long an answer may take.
ANSWER_SECONDS = 5.0
#: What Ray calls the resources that runs take, and bytes of a GiB.
CPU, GPU, MEMORY = "CPU", "GPU", "memory"
GIB = 2**30

Amounts = dict[str, float]


class RayError(Exception):
    """The cluster does not answer; the message says why, in a line."""


@dataclass(frozen=True)
class Cluster:
    """What there is.

    Attributes:
        nodes: resources of each node that is alive.
        used: what all jobs take of them together.
    """

    nodes: list[Amounts]
    used: Amounts


def answer(address: str, path: str) -> Any:
    """What a cluster says.

    Raises:
        RayError: nothing, or nothing that can be understood.
    """
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}{path}", timeout=ANSWER_SECONDS) as reply:
            return json.load(reply)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise RayError(f"no Ray answers at {address}: {getattr(why, 'strerror', None) or why}") from None


def look(address: str) -> Cluster:
    """The nodes of a cluster and what is in use.

    Raises:
        RayError: it does not say.
    """
    nodes = answer(address, "/api/v0/nodes?detail=True&limit=10000")
    status = answer(address, "/api/cluster_status")
    try:
        alive = [node for node in nodes["data"]["result"]["result"] if node["state"] == "ALIVE"]
        report = (status["data"]["clusterStatus"].get("loadMetricsReport") or {}).get("usage") or {}
        used = {name: float(amounts[0]) for name, amounts in report.items()}
        return Cluster([{**node["resources_total"]} for node in alive], used)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RayError(f"Ray at {address} says nothing of its nodes that can be understood ({error!r})") from None
