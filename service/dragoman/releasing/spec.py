"""What is released, where to, and how carefully: ``release.toml`` of a flow."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from dragoman.domain.errors import ReleaseInvalidError
from dragoman.domain.validation import first_problem
from dragoman.releasing.rules import RolloutRules
from dragoman.settings import Settings, settings_elsewhere

SPEC: Final = "release.toml"

_NAME: Final = r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$"
"""Names of endpoints, as Azure ML takes them: 3 to 32 characters."""

_NOT_OF_A_FLOW: Final = ("azureml_", "data", "release_", "spool", "tracking_uri", "webhook_")
"""Beginnings of settings of servers, of evaluations and of whoever releases; URLs of databases hold passwords."""

Setting = str | int | float | bool


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Instances(_Value):
    """The machines of a deployment, and how many requests each takes at once.

    Azure ML's own defaults, one request at once and five seconds for it, are too small for a language model.
    """

    type: str = "Standard_DS3_v2"
    count: Annotated[int, Field(ge=1, le=100)] = 2
    concurrency: Annotated[int, Field(ge=1, le=500)] = 16
    timeout_s: Annotated[float, Field(gt=0, le=180)] = 60


class ImageOf(_Value):
    """The environment of a deployment: an ``image`` by its digest, or a ``context`` that one is built from.

    Of a context the ``lock`` is what evidence speaks of: it pins every package by its hash.
    """

    image: Annotated[str, Field(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")] | None = None
    context: Path | None = None
    dockerfile: str = "flows/Dockerfile"
    lock: Path | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "ImageOf":
        if (self.image is None) == (self.context is None) or (self.context is None) != (self.lock is None):
            raise ValueError("the environment is an image (NAME@sha256:…), or a context and its lock")
        return self


class Release(_Value):
    """What a file says; folders in it are relative to it.

    ``settings`` are Dragoman's, by name; they become the environment of the deployment, and may hold no secret:
    deployments have an identity. ``flow_folder`` holds the words; the folder of the file, if not given.
    """

    flow: Literal["insight", "answer"]
    endpoint: Annotated[str, Field(pattern=_NAME)]
    flow_folder: Path = Path()
    shots: Annotated[int, Field(ge=0)] = 1
    settings: Mapping[str, Setting] = {}
    instances: Instances = Instances()
    environment: ImageOf
    rollout: RolloutRules = RolloutRules()
    evidence_days: Annotated[float, Field(gt=0, le=365)] = 14
    """So old an evaluation may be when it is released."""

    @model_validator(mode="after")
    def _keeps_no_secret(self) -> "Release":
        for name in self.settings:
            field = Settings.model_fields.get(name)
            if field is None:
                raise ValueError(f"there is no setting '{name}'")
            if SecretStr in getattr(field.annotation, "__args__", (field.annotation,)):
                raise ValueError(f"'{name}' is a secret, and a deployment has an identity instead")
            if name in ("flow_folder", "flow_shots"):
                raise ValueError(f"'{name}' is not for settings to say: write it beside them")
            if name.startswith(_NOT_OF_A_FLOW):
                raise ValueError(f"'{name}' means nothing to a flow, and a deployment keeps nothing: leave it out")
        return self

    @property
    def deployed_settings(self) -> Settings:
        """The settings that the process of a deployment will have.

        Raises:
            SettingsError: naming a value that is wrong.
        """
        return settings_elsewhere({name: _plain(value) for name, value in self.settings.items()})

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a deployment."""
        chosen = {f"DRAGOMAN_{name.upper()}": _plain(value) for name, value in self.settings.items()}
        return {**chosen, "DRAGOMAN_FLOW_SHOTS": str(self.shots), "FLOW": self.flow}


def read_release(file: Path) -> Release:
    """Return what a TOML file, or the ``release.toml`` of a folder, says.

    Raises:
        ReleaseInvalidError: naming what is wrong with it.
    """
    file = file / SPEC if file.is_dir() else file
    try:
        release = Release.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReleaseInvalidError(f"The release in '{file}' cannot be read: {error}.") from error
    except ValidationError as error:
        raise ReleaseInvalidError(f"The release in '{file}' is wrong: {first_problem(error)}.") from error
    release.deployed_settings  # noqa: B018 - a wrong value is named now, and not on a machine in the cloud
    beside, environment = file.parent, release.environment
    placed = environment.model_copy(
        update={
            "context": beside / environment.context if environment.context else None,
            "lock": beside / environment.lock if environment.lock else None,
        }
    )
    return release.model_copy(update={"flow_folder": beside / release.flow_folder, "environment": placed})


def evaluated_settings(release: Release, settings: Settings) -> Settings:
    """Return the settings that a release is evaluated with: those that it will have, reached as this machine can.

    Keys and identities are of this machine; they change nothing about an answer.
    """
    ours = ("data", "chat_key", "azure_key", "azure_identity", "azure_client_id", "tracking_uri")
    return release.deployed_settings.model_copy(update={name: getattr(settings, name) for name in ours})


def default_evidence(release: Release) -> Path:
    """Return where evidence is written and looked for, if nothing is said: beside the report of the flow's stage."""
    return Path("evaluation") / release.flow / "evidence.dsse.json"


def _plain(value: Setting) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
