"""What components are built from when they are built alone."""

import base64
import gzip

import pytest


@pytest.fixture(scope="session")
def user_data():
    """The text that cloud-init of an instance reads."""

    def decoded(instance):
        return gzip.decompress(base64.b64decode(instance["userDataBase64"])).decode()

    return decoded
