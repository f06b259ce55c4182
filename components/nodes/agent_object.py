"""Archive of the node agent, as an object of the cluster's bucket."""

import base64

import pulumi
import pulumi_aws as aws

from components.storage.bucket import ClusterBucket
from components.userdata.agent_archive import agent_archive


def agent_object(
    name: str, *, bucket: ClusterBucket, parent: pulumi.Resource
) -> aws.s3.BucketObjectv2:
    """The agent of this checkout. Another version is another object, and the old one stays.

    It carries no tags: S3 takes 10 on an object, and a stack may have more.
    """
    wanted = agent_archive()
    return aws.s3.BucketObjectv2(
        f"{name}-program",
        bucket=bucket.bucket_name,
        key=wanted.key,
        content_base64=base64.b64encode(wanted.content).decode(),
        content_type="application/zip",
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=bucket.before_objects,
            # An update that stops half-way leaves the old version to be deleted by the next one.
            # Should that one go back to the old version, both would have the same key, and the
            # object that nodes boot from would be gone. Versions are small; the bucket's end is
            # theirs.
            retain_on_delete=True,
        ),
    )
