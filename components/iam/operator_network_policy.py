"""Policy of whoever runs Pulumi: networks, machines, pools, load balancer and flow logs. Pure."""

from components.iam.policy_document import Document, Statement, allow, document, tagged


def operator_network_policy(cluster: str) -> Document:
    """What the operator of a cluster may do to them."""
    return document(
        [
            *_network(),
            *_machines(cluster),
            *_pools(cluster),
            *_balancer(cluster),
            *_flow_logs(cluster),
        ]
    )


def _network() -> list[Statement]:
    return [
        # Descriptions cannot be restricted to resources, and newer providers ask for more of them.
        allow(
            "Describe",
            ["autoscaling:Describe*", "ec2:Describe*", "elasticloadbalancing:Describe*"],
            ["*"],
        ),
        allow(
            "Network",
            [
                f"ec2:{action}"
                for action in (
                    "AllocateAddress",
                    "AssociateRouteTable",
                    "AttachInternetGateway",
                    "AuthorizeSecurityGroupEgress",
                    "AuthorizeSecurityGroupIngress",
                    "CreateInstanceConnectEndpoint",
                    "CreateFlowLogs",
                    "CreateInternetGateway",
                    "CreateLaunchTemplate",
                    "CreateNatGateway",
                    "CreateNetworkInterface",
                    "CreatePlacementGroup",
                    "CreateRoute",
                    "CreateRouteTable",
                    "CreateSecurityGroup",
                    "CreateSubnet",
                    "CreateSubnetCidrReservation",
                    "CreateTags",
                    "CreateVolume",
                    "CreateVpc",
                    "CreateVpcEndpoint",
                    "DeleteFlowLogs",
                    "DeleteInstanceConnectEndpoint",
                    "DeleteInternetGateway",
                    "DeleteNatGateway",
                    "DeletePlacementGroup",
                    "DeleteRoute",
                    "DeleteRouteTable",
                    "DeleteSecurityGroup",
                    "DeleteSubnet",
                    "DeleteSubnetCidrReservation",
                    "DeleteTags",
                    "DeleteVpc",
                    "DeleteVpcEndpoints",
                    "DetachInternetGateway",
                    "DisassociateAddress",
                    "DisassociateRouteTable",
                    "GetInstanceUefiData",
                    "GetSubnetCidrReservations",
                    "ModifySecurityGroupRules",
                    "ModifyVpcAttribute",
                    "ModifyVpcEndpoint",
                    "ReleaseAddress",
                    "ReplaceRoute",
                    "RevokeSecurityGroupEgress",
                    "RevokeSecurityGroupIngress",
                    "RunInstances",
                )
            ],
            ["*"],
        ),
        allow("PrivateDns", ["route53:AssociateVPCWithHostedZone"], ["*"]),
    ]


def _machines(cluster: str) -> list[Statement]:
    """What ends an instance or touches a disk: only of this cluster, by the tag that all carry."""
    return [
        allow(
            "Machines",
            [
                "ec2:AttachVolume",
                "ec2:DeleteVolume",
                "ec2:DetachVolume",
                "ec2:ModifyInstanceAttribute",
                "ec2:ModifyVolume",
                "ec2:StartInstances",
                "ec2:StopInstances",
                "ec2:TerminateInstances",
            ],
            [f"arn:aws:ec2:*:*:{kind}/*" for kind in ("instance", "security-group", "volume")],
            condition=tagged(cluster),
        )
    ]


def _pools(cluster: str) -> list[Statement]:
    """Groups by their name, and launch templates, whose ids AWS chooses, by their tag."""
    groups = f"autoScalingGroupName/{cluster}-workers-*"
    return [
        allow(
            "LaunchTemplates",
            [
                "ec2:CreateLaunchTemplateVersion",
                "ec2:DeleteLaunchTemplate",
                "ec2:ModifyLaunchTemplate",
            ],
            ["arn:aws:ec2:*:*:launch-template/*"],
            condition=tagged(cluster),
        ),
        allow(
            "Pools",
            [
                f"autoscaling:{action}"
                for action in (
                    "CancelInstanceRefresh",
                    "CreateAutoScalingGroup",
                    "CreateOrUpdateTags",
                    "DeleteAutoScalingGroup",
                    "DeleteLifecycleHook",
                    "DeleteTags",
                    "PutLifecycleHook",
                    "SetDesiredCapacity",
                    "StartInstanceRefresh",
                    "TerminateInstanceInAutoScalingGroup",
                    "UpdateAutoScalingGroup",
                )
            ],
            [f"arn:aws:autoscaling:*:*:autoScalingGroup:*:{groups}"],
        ),
    ]


def _balancer(cluster: str) -> list[Statement]:
    arn = "arn:aws:elasticloadbalancing:*:*"
    return [
        allow(
            "Balancer",
            [
                f"elasticloadbalancing:{action}"
                for action in (
                    "AddTags",
                    "CreateListener",
                    "CreateLoadBalancer",
                    "CreateTargetGroup",
                    "DeleteListener",
                    "DeleteLoadBalancer",
                    "DeleteTargetGroup",
                    "DeregisterTargets",
                    "ModifyLoadBalancerAttributes",
                    "ModifyTargetGroup",
                    "ModifyTargetGroupAttributes",
                    "RegisterTargets",
                    "RemoveTags",
                    "SetSubnets",
                )
            ],
            [
                f"{arn}:listener/*/{cluster}-api-*/*/*",
                f"{arn}:loadbalancer/net/{cluster}-api-*/*",
                f"{arn}:targetgroup/{cluster}-api-*/*",
            ],
        )
    ]


def _flow_logs(cluster: str) -> list[Statement]:
    return [
        allow("FindLogGroups", ["logs:DescribeLogGroups"], ["*"]),
        allow(
            "FlowLogs",
            [
                f"logs:{action}"
                for action in (
                    "CreateLogGroup",
                    "DeleteLogGroup",
                    "ListTagsForResource",
                    "PutRetentionPolicy",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [f"arn:aws:logs:*:*:log-group:{cluster}-flow-logs-*"],
        ),
    ]
