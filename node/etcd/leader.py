"""Work of the leading member's node: one change of the membership after the other."""

from dataclasses import replace

from node.aws import ParameterStore
from node.errors import AwsError, NodeError
from node.etcd import local_member, member_status, membership_plan, peers
from node.membership import Member
from node.settings import EtcdSettings, Settings


def step(
    settings: Settings, etcd: EtcdSettings, desired: tuple[Member, ...]
) -> tuple[str, bool] | None:
    """Make the one next change; what it was, and whether to look again soon.

    None when another member leads, or when the membership is the desired one.
    """
    me = local_member.leading(settings, etcd)
    if me is None:
        return None
    try:
        seen = member_status.reports(ParameterStore(settings.region), settings, desired)
    except AwsError as error:
        return f"the membership stays as it is: {error}", False
    # After the reports: a slow AWS takes a minute, and another may have led meanwhile.
    entries = local_member.membership(settings, etcd)
    if entries is None:
        return None
    try:
        cluster = membership_plan.Cluster(me, entries, frozenset({me}), desired, seen)
        if isinstance(membership_plan.decide(cluster), membership_plan.Settled):
            # Whoever is connected. Nobody need be asked, and one without power takes its time.
            return None
        answering = peers.answering(settings, [entry for entry in entries if entry.id != me])
        misjudged = answering - local_member.connected(etcd)
        cluster = replace(cluster, connected=answering | {me}, misjudged=misjudged)
        made = _make(settings, etcd, cluster, membership_plan.decide(cluster))
        return (made, True) if made else None
    except NodeError as error:
        # It knows better: a learner that is not in sync, a quorum that it sees in danger, or a
        # change that another node has just made.
        return f"etcd refuses for now: {error}", True


def _make(
    settings: Settings,
    etcd: EtcdSettings,
    cluster: membership_plan.Cluster,
    decision: membership_plan.Change,
) -> str | None:
    match decision:
        case membership_plan.Add(member):
            local_member.add_learner(settings, etcd, member.peer_url)
            return f"added {member.name} as a learner"
        case membership_plan.Promote(entry):
            local_member.promote(settings, etcd, entry.id)
            return f"promoted {cluster.label(entry)} to a voter"
        case membership_plan.Remove(entry, reason):
            local_member.remove(settings, etcd, entry.id)
            return f"removed {cluster.label(entry)}: {reason}"
        case membership_plan.Transfer(to):
            local_member.transfer(settings, etcd, to.id)
            return f"handed leadership to {to.name}"
        case membership_plan.Pause(reason):
            return reason
        case membership_plan.Settled():
            return None
