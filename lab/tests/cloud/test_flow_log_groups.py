"""Flow logs are delivered to the log group that their ARN names."""

import pytest


@pytest.mark.parametrize("suffix", ["", ":*"])
def test_delivery_to_a_log_group_by_its_arn(aws, ec2, network, suffix):
    logs, name = aws("logs"), f"/flow/{network.vpc}"
    logs.create_log_group(logGroupName=name)
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]

    made = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[network.vpc],
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogDestination=group["arn"].removesuffix(":*") + suffix,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow-logs",
    )

    assert made["Unsuccessful"] == []
    (found,) = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert found["DeliverLogsStatus"] == "SUCCESS"
    assert found["LogGroupName"] == name
