"""Read the stack's settings, build the cluster, export what people need."""

import pulumi

import config
from components.cluster import Cluster
from components.lookups.aws_context import LookupFailedError, look_up

try:
    settings = config.load()
    environment = look_up(settings)
except (config.ConfigError, LookupFailedError) as error:
    raise pulumi.RunError(str(error)) from None

pulumi.log.info(environment.placement.quorum(settings).describe())
Cluster(settings.cluster_name, settings, environment).outputs.export()
