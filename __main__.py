"""Read the stack's settings, build the cluster, export what people need."""

import pulumi

import config
from components.cluster import Cluster
from components.lookups.aws_queries import LookupFailedError

try:
    settings = config.load()
    cluster = Cluster(settings)
except (config.ConfigError, LookupFailedError) as error:
    raise pulumi.RunError(str(error)) from None

pulumi.log.info(cluster.context.placement.quorum(settings).describe())
for name, value in cluster.outputs.by_name().items():
    pulumi.export(name, value)
