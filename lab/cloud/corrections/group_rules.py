# ruff: noqa: SLF001 - moto has no public name for what is corrected here
"""Security-group rules.

Stock moto drops the description of a rule whose peer is a security group or a prefix list (a
difference in every first plan), and deletes a group that is still used, where AWS refuses with
DependencyViolation.
"""

from collections.abc import Iterator

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule

from lab.cloud.corrections.patching import Method, extends

Peers = list[dict[str, str]] | None


def _authorize(
    original: Method,
    backend: EC2Backend,
    *args: object,
    source_groups: Peers = None,
    prefix_list_ids: Peers = None,
    **kwargs: object,
) -> tuple[list[SecurityGroupRule], SecurityGroup]:
    # A group's description must not stay in the peer: moto compares peers to find duplicates.
    of_group = {peer.get("GroupId"): peer.pop("Description", None) for peer in source_groups or []}
    of_list = {peer.get("PrefixListId"): peer.get("Description") for peer in prefix_list_ids or []}
    answer: tuple[list[SecurityGroupRule], SecurityGroup] = original(
        backend, *args, source_groups=source_groups, prefix_list_ids=prefix_list_ids, **kwargs
    )
    for rule in answer[0]:
        description = of_group.get(rule.source_group.get("GroupId")) or of_list.get(
            rule.prefix_list_id
        )
        if description:
            # Where moto keeps the description of a rule by address range.
            rule.ip_range = {**rule.ip_range, "Description": description}
    return answer


for _name in ("authorize_security_group_ingress", "authorize_security_group_egress"):
    extends(EC2Backend, _name)(_authorize)


def _uses(backend: EC2Backend, group_id: str) -> Iterator[str]:
    for interface in list(backend.enis.values()):
        if group_id in {group.id for group in interface._group_set}:
            yield interface.id
    for groups in list(backend.groups.values()):
        for group in list(groups.values()):
            peers = {
                rule.source_group.get("GroupId")
                for rule in [*group.ingress_rules, *group.egress_rules]
            }
            if group.id != group_id and group_id in peers:
                yield group.id


@extends(EC2Backend, "delete_security_group")
def delete_security_group(
    original: Method, backend: EC2Backend, name: str | None = None, group_id: str | None = None
) -> None:
    """DeleteSecurityGroup. Raises DependencyViolation while an interface or another group's rule
    names it."""
    if group_id and any(_uses(backend, group_id)):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    original(backend, name, group_id)
