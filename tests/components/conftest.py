"""What components are built from when they are built alone."""

import base64
import gzip

import pytest

from tests.recording import run


@pytest.fixture(scope="session")
def deploy_once():
    """Run a callable that registers resources, for a fixture that several tests share."""
    return run


@pytest.fixture(scope="session")
def user_data():
    """The text that cloud-init of an instance reads."""

    def decoded(instance):
        return gzip.decompress(base64.b64decode(instance["userDataBase64"])).decode()

    return decoded
