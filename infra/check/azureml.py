"""Files of Azure ML, loaded as its SDK does."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from infra.check.problem import Problem


def check_azureml(project: Path) -> Iterator[Problem]:
    """Find files that the SDK does not take, among those that name a schema of Azure ML; but for flows."""
    found = [
        (file, match[1])
        for folder in ("infra", "flows", "service")
        for file in sorted((project / folder).rglob("*.y*ml"))
        if (match := re.search(r"^\$schema: .*azuremlschemas.*/(\w+)\.schema\.json", file.read_text(), re.MULTILINE))
    ]
    with warnings.catch_warnings(), redirect_stderr(StringIO()):  # the SDK tells what in it is experimental, or old
        warnings.simplefilter("ignore")
        yield from [problem for file, schema in found if schema != "Flow" for problem in _load(file, schema)]


def _load(file: Path, schema: str) -> Iterator[Problem]:
    import azure.ai.ml as ml

    loaders: dict[str, Callable[[Path], object]] = {
        "managedOnlineEndpoint": ml.load_online_endpoint,
        "managedOnlineDeployment": ml.load_online_deployment,
        "environment": ml.load_environment,
        "model": ml.load_model,
        "data": ml.load_data,
        "commandComponent": ml.load_component,
        "pipelineJob": ml.load_job,
    }
    if schema not in loaders:
        yield Problem(file.name, "azureml", f"nobody here loads a {schema}")
        return
    try:
        loaders[schema](file)
    except Exception as error:  # noqa: BLE001 - the SDK raises what it likes
        yield Problem(file.name, "azureml", " ".join(str(error).split())[:300])
