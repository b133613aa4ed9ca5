"""From a deployment's resource to what is run: its model's files, its code, its image's command, its probes."""

import shutil
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlparse

from dragoman.emulator.azureml.arm import ArmError, properties_of
from dragoman.emulator.azureml.blob_door import ROOT
from dragoman.emulator.azureml.cloud import Cloud, container_of
from dragoman.emulator.azureml.durations import seconds
from dragoman.emulator.azureml.instances import Launch, Probe
from dragoman.emulator.azureml.state import Json
from dragoman.emulator.azureml.workspace import DATASTORE

if TYPE_CHECKING:
    from collections.abc import Mapping

MOUNT: Final = "/var/azureml-app"
"""Where Azure ML puts models and code; in values of environment variables it becomes a folder of the emulator."""

_SERVER: Final = (sys.executable, "-m", "dragoman.emulator.azureml.entry", "--port", "{port}")
_FLOW: Final = (sys.executable, "-m", "dragoman", "flows", "serve", "$FLOW", "--host", "127.0.0.1", "--port", "{port}")


@dataclass(frozen=True, slots=True)
class Images:
    """What stands for container images: commands by a pattern of names, ``registry/*:1``; the first that fits is run.

    What fits none is taken for our own image (flows/Dockerfile).
    """

    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def command(self, image: str) -> tuple[str, ...]:
        """Return the command of an image."""
        return next((command for pattern, command in self.commands if fnmatchcase(image, pattern)), _FLOW)


def launch_of(cloud: Cloud, images: Images, deployment: Json, folder: Path) -> Launch:
    """Return what a deployment runs; its files are copied into ``folder``, which is emptied before.

    Raises:
        ArmError: if it names what is not there, or what cannot be run here.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = properties_of(deployment)
    environment = _variables(wanted, folder)
    if model := wanted.get("model"):
        environment["AZUREML_MODEL_DIR"] = str(_place_model(cloud, str(model), folder))
    if isinstance(code := wanted.get("codeConfiguration"), dict):
        return _of_script(cloud, code, wanted, environment, folder)
    return _of_image(cloud, images, wanted, environment, folder)


def _of_script(cloud: Cloud, code: Json, wanted: Json, environment: dict[str, str], folder: Path) -> Launch:
    uri = str(_properties(cloud, str(code.get("codeId"))).get("codeUri"))
    container, prefix = _place_of(cloud, uri, str(code.get("codeId")))
    copied = cloud.blobs.copy_to(folder, container, prefix)
    if not copied:
        raise ArmError(400, "BadArgument", f"The code '{code.get('codeId')}' has no files.")
    root = folder / Path(copied[0]).parts[0]
    script = str(code.get("scoringScript"))
    if not (root / script).is_file():
        raise ArmError(400, "BadArgument", f"The code has no file '{script}'.")
    environment |= {"AML_APP_ROOT": str(root), "AZUREML_ENTRY_SCRIPT": script}
    return Launch(
        _SERVER,
        environment,
        root,
        "/score",
        _probe(wanted, "livenessProbe", "/"),
        _probe(wanted, "readinessProbe", "/"),
    )


def _of_image(cloud: Cloud, images: Images, wanted: Json, environment: dict[str, str], folder: Path) -> Launch:
    known = _properties(cloud, str(wanted.get("environmentId")))
    routes = known.get("inferenceConfig")
    if not isinstance(routes, dict):
        raise ArmError(
            400,
            "BadArgument",
            "A deployment needs a code_configuration, or an environment whose inference_config says its routes.",
        )
    paths = {name: cast("Json", routes.get(f"{name}Route") or {}).get("path") for name in _ROUTES}
    if missing := [name for name, path in paths.items() if not path]:
        raise ArmError(400, "BadArgument", f"The inference_config of the environment has no {missing[0]}_route.")
    return Launch(
        images.command(str(known.get("image", ""))),
        {"FLOW": "insight"} | environment,
        folder,
        str(paths["scoring"]),
        _probe(wanted, "livenessProbe", str(paths["liveness"])),
        _probe(wanted, "readinessProbe", str(paths["readiness"])),
    )


_ROUTES: Final = ("liveness", "readiness", "scoring")


def _variables(wanted: Json, folder: Path) -> dict[str, str]:
    given = cast("Mapping[str, object]", wanted.get("environmentVariables") or {})
    return {name: str(value).replace(MOUNT, str(folder)) for name, value in given.items() if value is not None}


def _place_model(cloud: Cloud, model: str, folder: Path) -> Path:
    """Copy a model's files to where its deployment looks for them; return that folder.

    An uploaded folder keeps its name: ``AZUREML_MODEL_DIR/NAME_OF_FOLDER/…``.
    """
    known = _properties(cloud, model)
    parts = model.split("/")
    place = folder / "azureml-models" / parts[-3] / parts[-1]
    place.mkdir(parents=True)
    container, prefix = _place_of(cloud, str(known.get("modelUri")), model)
    if not cloud.blobs.copy_to(place, container, prefix):
        raise ArmError(400, "BadArgument", f"The model '{model}' has no files in the datastore.")
    return place


def _properties(cloud: Cloud, id: str) -> Json:  # noqa: A002 - ARM's word
    found = cloud.state.get(id.removeprefix("azureml:"))
    if found is None:
        raise ArmError(400, "BadArgument", f"There is no '{id}'.")
    return properties_of(found)


def _place_of(cloud: Cloud, uri: str, owner: str) -> tuple[str, str]:
    """Return the container and the prefix that an asset's URI means.

    Raises:
        ArmError: if it is no place in the emulator.
    """
    if uri.startswith("azureml://") and f"datastores/{DATASTORE}/paths/" in uri:
        workspace = "/".join(owner.removeprefix("azureml:").split("/")[:9])
        return container_of(workspace), uri.partition("/paths/")[2].rstrip("/")
    path = urlparse(uri).path
    if path.startswith(f"{ROOT}/"):
        container, _, prefix = path.removeprefix(f"{ROOT}/").partition("/")
        return container, prefix.rstrip("/")
    raise ArmError(400, "BadArgument", f"The emulator has no files at '{uri}'.")


def _probe(wanted: Json, name: str, path: str) -> Probe:
    given = wanted.get(name)
    told: Json = given if isinstance(given, dict) else {}
    plain = Probe(path)
    return Probe(
        path,
        _seconds(told.get("initialDelay"), plain.initial_delay_s),
        _seconds(told.get("period"), plain.period_s),
        _seconds(told.get("timeout"), plain.timeout_s),
        int(cast("int", told.get("failureThreshold") or plain.failures)),
    )


def _seconds(text: object, otherwise: float) -> float:
    try:
        return seconds(text) if isinstance(text, str) else otherwise
    except ValueError as error:
        raise ArmError(400, "BadArgument", f"{error}.") from error
