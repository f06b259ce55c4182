"""ApiServerTier: stateless API servers behind the load balancer, unaware of each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.api.load_balancer import ApiLoadBalancer
from components.api.server import ApiNode, ApiNodeArgs
from components.naming import ApiServer
from components.nodes.foundation import Foundation
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class ApiServerTierArgs:
    """What an ApiServerTier is built from."""

    foundation: Foundation
    """What all nodes share."""
    nodes: tuple[ApiServer, ...]
    """The API servers, in the order in which they are created and replaced."""
    group_id: pulumi.Input[str]
    """Security group."""
    endpoint: ApiLoadBalancer
    """The balancer to stand behind."""


class ApiServerTier(pulumi.ComponentResource):
    """API servers, each replaced by a successor that is registered before it goes."""

    instance_ids: Mapping[str, pulumi.Output[str]]
    """Instance id by node name."""
    addresses: Mapping[str, pulumi.Output[str]]
    """Private address by node name."""

    def __init__(
        self, name: str, args: ApiServerTierArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ApiServerTier", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        foundation = args.foundation
        placement = aws.ec2.PlacementGroup(
            f"{name}-api",
            strategy="spread",
            tags=named(foundation.tags, f"{name}-api"),
            opts=child,
        )
        self.instance_ids, self.addresses = {}, {}
        earlier: list[pulumi.Resource] = []
        for node in args.nodes:
            machine = ApiNode(
                f"{name}-{node.name}",
                ApiNodeArgs(
                    foundation=foundation,
                    node=node,
                    group_id=args.group_id,
                    placement_group=placement.name,
                    endpoint=args.endpoint,
                    after=[*foundation.boot_after, *earlier],
                ),
                child,
            )
            # One successor at a time, each registered before the next: never all of them new.
            earlier = [machine.instance, machine.target]
            self.instance_ids[node.name] = machine.instance.id
            self.addresses[node.name] = machine.instance.private_ip
        self.register_outputs(
            {"instance_ids": dict(self.instance_ids), "addresses": dict(self.addresses)}
        )
