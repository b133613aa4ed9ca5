"""The one place that reads settings: keyword arguments first, then ``DRAGOMAN_…`` environment variables."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from dragoman.domain.errors import SettingsError


def _data_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "dragoman"


class Settings(BaseSettings):
    """Every setting, with a default that works offline on any machine."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_", frozen=True, extra="forbid")

    model: str = "micro"
    """Whisper model: ``"micro"`` (bundled), a folder, or a hub name such as ``"small"``."""

    translation_models: Annotated[tuple[Path, ...] | None, NoDecode] = None
    """Folders of CTranslate2 translation models; in the environment separated like ``PATH``.

    If not set, the bundled micro model has the bundled translator beside it, and every other model none.
    """

    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where models run."""

    compute_type: str = "int8"
    """CTranslate2 compute type."""

    threads: int = Field(default=0, ge=0, le=256)
    """CPU threads per decoding; 0 chooses by the size of the model."""

    workers: int = Field(default=0, ge=0, le=256)
    """Calls of the model that run at once; 0 chooses: one per core for models that use one thread, else one."""

    beam_size: int = Field(default=1, ge=1, le=20)
    """Beams of transcription; 1 is greedy."""

    max_audio_hours: float = Field(default=4.0, gt=0, le=240)
    """Longest recording that is decoded; what comes after is not accepted, and a warning says so."""

    data: Path = Field(default_factory=_data_folder)
    """Folder of what outlives the process: sessions, API keys, accepted audio."""

    database_url: str | None = None
    """SQLAlchemy URL of the database; if not set, the SQLite file ``dragoman.db`` in ``data``.

    Of PostgreSQL: ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full``.
    """

    database_token: bool = False
    """Whether PostgreSQL is shown a token (``azure_identity``) instead of a password; the URL then has none."""

    @property
    def effective_database_url(self) -> str:
        """SQLAlchemy URL of the database that is used."""
        return self.database_url or f"sqlite:///{self.data / 'dragoman.db'}"

    spool: str | None = None
    """Container of Blob Storage for accepted audio, ``https://ACCOUNT.blob.core.windows.net/CONTAINER``.

    If not set, the folder ``spool`` in ``data``.
    """

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on a server's own log lines are written; of libraries, warnings and errors are."""

    max_sessions: int = Field(default=16, ge=1, le=100_000)
    """Live sessions that a server takes at once; ``dragoman doctor --calibrate`` finds what a machine bears."""

    resume_s: float = Field(default=60.0, gt=0, le=86_400)
    """How long a live session waits for a client that has left, in seconds."""

    azure_endpoints: Annotated[tuple[str, ...], NoDecode] = ()
    """Azure AI Services to work with, best first; several with commas: ``https://NAME.cognitiveservices.azure.com``.

    Without any, the local models do all the work; with some, they do it while none of these can.
    """

    azure_key: SecretStr | None = None
    """Key of the endpoints; without it a token is shown (``azure_identity``), which is the better way."""

    azure_identity: Literal["default", "workload-identity", "managed-identity", "cli"] = "default"
    """Whose token; ``default`` tries the others in this order."""

    azure_client_id: str | None = None
    """Client id of a user-assigned identity."""

    azure_recognizers: int = Field(default=100, ge=1, le=10_000)
    """Recognizers of the Speech SDK that run at once, per endpoint; streams beyond that go to the next engine."""

    do_not_translate: Annotated[tuple[str, ...], NoDecode] = ()
    """Words that Azure Translator leaves as they are; several with commas."""

    chat_endpoint: str | None = None
    """Language model for what follows from a conversation; without one, sentences are selected.

    An Azure OpenAI resource, ``https://NAME.openai.azure.com``, or the base URL of a server that speaks OpenAI's
    protocol, ``http://127.0.0.1:11434/v1``.
    """

    chat_model: str | None = None
    """Name of the deployment, or of the model."""

    chat_key: SecretStr | None = None
    """Key of the endpoint; without it Azure is shown a token (``azure_identity``), and others nothing."""

    chat_temperature: float | None = Field(default=None, ge=0, le=2)
    """Temperature of the model, if it takes one."""

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of other sites whose pages may stream, ``https://captions.example.org``; several with commas."""

    retention_days: float | None = Field(default=None, gt=0)
    """How long things are kept, in days after they began; for ever, if not set. What each class says itself wins."""

    retention_audio_days: float | None = Field(default=None, gt=0)
    """How long accepted audio is kept, if it is (``keep_audio``)."""

    retention_transcript_days: float | None = Field(default=None, gt=0)
    """How long text, translations, insights and feedback are kept; audio never stays longer."""

    retention_job_days: float | None = Field(default=None, gt=0)
    """How long jobs are kept, and files of jobs that nobody works on."""

    retention_audit_days: float | None = Field(default=None, gt=0)
    """How long entries of the audit trail are kept; for ever, if not set, whatever ``retention_days`` is."""

    keep_audio: bool = False
    """Whether accepted audio of live sessions is kept when they have ended; otherwise it is gone then."""

    contact: str | None = None
    """Whom to ask or tell about this service, for its transparency note: ``speech-team@example.org``."""

    job_workers: int = Field(default=1, ge=0, le=64)
    """Jobs that a server works on at once; 0 leaves them to others."""

    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that may be told of jobs, ``hooks.example.org``, or with a port; several with commas."""

    webhook_secret: SecretStr | None = None
    """What such calls are signed with."""

    operator_tenant: str = "default"
    """The tenant that runs the server: its administrators (scope ``admin``) see how every tenant is doing."""

    prices: Path | None = None
    """TOML file of what audio, characters and tokens cost (as ``evaluation/prices.toml``); that one, if not set."""

    monitoring: Path | None = None
    """File (TOML) of what is promised, watched and told; if not set, the rules that ship."""

    alert_webhooks: Annotated[tuple[str, ...], NoDecode] = ()
    """URLs that are told of alerts, at hosts that may be told; several with commas."""

    entra_audience: str | None = None
    """Application id in Microsoft Entra that tokens must be for; then they open doors beside API keys."""

    entra_tenants: Annotated[tuple[str, ...], NoDecode] = ()
    """Ids of the Entra tenants whose tokens do; several with commas. Each sees its own sessions only."""

    entra_authority: str = "https://login.microsoftonline.com"
    """Who issues the tokens; another one in sovereign clouds."""

    acs_resource: str | None = None
    """Immutable id of an Azure Communication Services resource; then the tokens that it signs open ``/v1/acs``."""

    acs_tenant: str = "default"
    """Whose its calls are: the tenant of keys that read them."""

    acs_issuer: str = "https://acscallautomation.communication.azure.com"
    """Who signs these tokens; another one in sovereign clouds."""

    chat_prices: Annotated[tuple[float, ...] | None, NoDecode] = Field(default=None, min_length=2, max_length=2)
    """What a million tokens cost, in US dollars: of prompts, and of answers, ``0.15,0.60``. Then costs are reported."""

    insight_endpoint: str | None = None
    """Where the insight step runs, if not in this process: ``https://NAME.REGION.inference.ml.azure.com/score``."""

    insight_key: SecretStr | None = None
    """Key of that endpoint; without it a token is shown (``azure_identity``), which is the better way."""

    flow_folder: Path | None = Field(
        default=None, validation_alias=AliasChoices("flow_folder", "DRAGOMAN_FLOW_FOLDER", "AZUREML_MODEL_DIR")
    )
    """Folder of the words of the flow that ``dragoman flows serve`` serves, or one that holds it.

    Azure ML says in ``AZUREML_MODEL_DIR`` where it put the model of a deployment; if neither is set, those that ship.
    """

    flow_shots: int | None = Field(default=None, ge=0)
    """Examples that go before what a served flow asks; one, if not set."""

    blob_endpoint: str | None = None
    """Blob Storage at an address of its own, such as an emulator: ``http://127.0.0.1:10000/devstoreaccount1``."""

    blob_key: SecretStr | None = None
    """Key of storage accounts, for emulators; without it a token is shown (``azure_identity``), the better way."""

    azureml_workspace: str | None = None
    """Workspace that datasets are pushed to and flows are released in: ``SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE``."""

    azureml_endpoint: str | None = None
    """Azure Resource Manager at an address of its own, such as an emulator: ``https://127.0.0.1:8443``."""

    azureml_token: SecretStr | None = None
    """Token for such an emulator; Azure itself is shown one of ``azure_identity``."""

    release_key: Path | None = None
    """PEM file of the Ed25519 key that signs what passed the gate."""

    release_trusted: Annotated[tuple[Path, ...], NoDecode] = ()
    """PEM files of the public keys of those whose signature is believed; in the environment separated like ``PATH``."""

    bertscore_model: Path | None = None
    """Folder of an encoder (as transformers saves it) for BERTScore; without one there is none."""

    tracking_uri: str | None = None
    """Where experiments are logged with MLflow; if not set, the SQLite file ``mlflow.db`` in ``data``.

    ``azureml://REGION.api.azureml.ms/mlflow/v1.0/subscriptions/…/workspaces/NAME`` logs to an Azure ML workspace.
    """

    @model_validator(mode="after")
    def _names_its_model(self) -> "Settings":
        if (self.chat_endpoint is None) != (self.chat_model is None):
            raise ValueError("DRAGOMAN_CHAT_ENDPOINT and DRAGOMAN_CHAT_MODEL go together")
        if (self.entra_audience is None) != (not self.entra_tenants):
            raise ValueError("DRAGOMAN_ENTRA_AUDIENCE and DRAGOMAN_ENTRA_TENANTS go together")
        return self

    @field_validator("release_trusted", "translation_models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator(
        "alert_webhooks",
        "allowed_origins",
        "azure_endpoints",
        "entra_tenants",
        "webhook_hosts",
        "do_not_translate",
        "chat_prices",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value

    @field_validator("azure_endpoints")
    @classmethod
    def _without_slash(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each.rstrip("/") for each in value)  # Azure itself writes one, and a path would begin with two


class _Chosen(Settings):
    """Settings that the environment has no say in."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the one source that counts."""
        return (init_settings,)


def settings_elsewhere(chosen: Mapping[str, object]) -> Settings:
    """Return the settings of a process that runs somewhere else, with these and no others; raises as ``read_settings``.

    Nothing of the environment of this process is in them.
    """
    return _read(_Chosen, chosen)


def read_settings(**chosen: object) -> Settings:
    """Return the settings, where what was chosen (and is not ``None``) wins over the environment.

    Raises:
        SettingsError: naming each bad value and its variable.
    """
    return _read(Settings, {name: value for name, value in chosen.items() if value is not None})


def _read(kind: type[Settings], chosen: Mapping[str, object]) -> Settings:
    try:
        return kind.model_validate(chosen)
    except ValidationError as error:
        problems = "; ".join(
            f"{problem['loc'][0]} (DRAGOMAN_{str(problem['loc'][0]).upper()}): {problem['msg']}"
            if problem["loc"]
            else problem["msg"].removeprefix("Value error, ")
            for problem in error.errors()
        )
        raise SettingsError(f"Bad setting: {problems}.") from error
