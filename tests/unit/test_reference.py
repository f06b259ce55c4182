import json

import jsonschema
import pytest
import yaml

from config import ClusterSettings
from config.reference import PAGE_FILE, SCHEMA_FILE, configuration_page, stack_file_schema


def test_the_page_is_current():
    assert PAGE_FILE.read_text() == configuration_page(), "run `make reference`"


def test_the_schema_is_current():
    assert SCHEMA_FILE.read_text() == stack_file_schema(), "run `make reference`"


def test_every_key_has_a_line_and_a_description():
    page = configuration_page()
    for field in ClusterSettings.model_fields.values():
        assert f"| `{field.alias}` |" in page
    for line in page.splitlines():
        if line.startswith("| `"):
            assert line.split("|")[5].strip(), f"no description: {line}"


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_schema_accepts_the_stacks(stack):
    document = yaml.safe_load((SCHEMA_FILE.parent / f"Pulumi.{stack}.yaml").read_text())
    jsonschema.validate(document, json.loads(stack_file_schema()))


@pytest.mark.parametrize(
    "config",
    [
        {"ha-kubernetes:etcd": {"size": 4}},
        {"ha-kubernetes:etcd": {"sizes": 3}},
        {"ha-kubernetes:api": {"shutdownDelay": "soon"}},
        {"ha-kubernetes:colour": "blue"},
        {"ha-kubernetes:workers": {"General": {"min": 1}}},
        {"ha-kubernetes:workers": {"general": {"max": 1}}},
        {"ha-kubernetes:artifacts": {"images": {"pause": "registry.k8s.io/pause:3.10.2"}}},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(config):
    document = {"config": {"aws:region": "eu-central-1", **config}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(stack_file_schema()))
