"""The encryption salt comes and goes with the lab."""

import pytest

from lab.stack import stack_config

SALT = "encryptionsalt: v1:abc=:v1:def:ghi=="
CONFIG = "# a comment\nconfig:\n  aws:region: eu-central-1\n"


@pytest.mark.parametrize("text", [f"{SALT}\n{CONFIG}", f"{CONFIG}{SALT}\n", f"{CONFIG}{SALT}"])
def test_only_the_salt_is_taken_out(tmp_path, text):
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(text)
    file.chmod(0o640)

    assert stack_config.encryption_salt(file) == SALT
    assert stack_config.remove_encryption_salt(file) is True
    assert file.read_text() == CONFIG
    assert file.stat().st_mode & 0o777 == 0o640
    assert stack_config.remove_encryption_salt(file) is False


def test_a_file_of_nothing_else_goes(tmp_path):
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(SALT)
    assert stack_config.remove_encryption_salt(file) is True
    assert not file.exists()
    assert stack_config.remove_encryption_salt(file) is False
    assert stack_config.encryption_salt(file) is None


def test_a_salt_within_a_value_stays(tmp_path):
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text("config:\n  note: |\n    encryptionsalt: not this\n")
    assert stack_config.remove_encryption_salt(file) is False
    assert "not this" in file.read_text()


def test_the_labs_own_salt_stays_and_another_goes(tmp_path):
    file, remembered = tmp_path / "Pulumi.local.yaml", tmp_path / "salt"
    file.write_text(CONFIG + SALT)

    stack_config.remember_salt(file, remembered)
    assert stack_config.remove_stale_salt(file, remembered) is False
    assert stack_config.encryption_salt(file) == SALT

    file.write_text(CONFIG + SALT.replace("abc", "xyz"))
    assert stack_config.remove_stale_salt(file, remembered) is True
    assert file.read_text() == CONFIG


def test_a_salt_is_stale_where_none_is_remembered(tmp_path):
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(SALT)
    assert stack_config.remove_stale_salt(file, tmp_path / "salt") is True
