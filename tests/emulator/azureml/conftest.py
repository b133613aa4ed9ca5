from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.emulator.azureml.emulating import AzureMl


KNOWN = (
    "api-version at $",  # azure-ai-ml sends older previews than the version that was transcribed
    "dataCollectionMode: 'enabled'",  # sent by azure-ai-ml, and answered with "Enabled"
    "Retry-After",  # said in milliseconds instead, see docs/azure-fidelity.md
)
"""What the specification does not forbid and yet does not name. Whatever else there is fails a test."""


@pytest.fixture(scope="session")
def running_azureml(tmp_path_factory: pytest.TempPathFactory) -> Iterator["AzureMl"]:
    from tests.emulator.azureml.emulating import emulating_azureml, environment

    with emulating_azureml(tmp_path_factory.mktemp("azureml")) as azureml:
        azureml.client().environments.create_or_update(environment())
        yield azureml


@pytest.fixture
def azureml(running_azureml: "AzureMl") -> Iterator["AzureMl"]:
    """The emulator; whatever is exchanged must be what the specification allows."""
    running_azureml.faults.clear()
    yield running_azureml
    running_azureml.faults.clear()
    assert running_azureml.violations == []
    assert [each for each in running_azureml.warnings if not any(known in each for known in KNOWN)] == []
