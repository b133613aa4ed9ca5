"""All rules, on all that the files of parameters deploy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.check.bicep.deployment import deploy
from infra.check.bicep.source import BicepError
from infra.check.problem import Deployment, Problem, Rule
from infra.check.rules.kept import kept
from infra.check.rules.keyless import keyless
from infra.check.rules.names import names
from infra.check.rules.roles import roles
from infra.check.rules.safety import safety
from infra.check.rules.served import served
from infra.check.rules.told import told
from infra.check.rules.watched import watched

RULES: Final[tuple[Rule, ...]] = (names, keyless, roles, safety, kept, watched, served, told)

_TRIED: Final = {
    "AZURE_PRINCIPAL_ID": "00000000-0000-4000-8000-0000000000aa",
    "DRAGOMAN_ALERT_EMAILS": "operators@example.org",
    "DRAGOMAN_ENTRA_AUDIENCE": "11111111-2222-3333-4444-555555555555",
}
CASES: Final[tuple[dict[str, str], ...]] = (
    _TRIED,
    {
        **_TRIED,
        "DRAGOMAN_INSIGHT_AT_ENDPOINT": "true",
        "DRAGOMAN_LIVE_REVISION": "ca--0000001",
        "DRAGOMAN_WEBHOOK_HOSTS": "hooks.example.org",
        "DRAGOMAN_WEBHOOK_SECRET_NAME": "webhooks",
        "SERVICE_API_IMAGE_NAME": "registry.example.org/dragoman:1",
    },
)
"""What azd's environment may hold: before the first image was built, and with everything switched on."""


def work_out(folder: Path, project: Path) -> tuple[list[Deployment], list[Problem]]:
    """Return what each file of parameters deploys, in each case, and what cannot be worked out."""
    deployments, problems = list[Deployment](), list[Problem]()
    for parameters in sorted(folder.glob("*.bicepparam")):
        for variables in CASES:
            try:
                deployment = Deployment(parameters, deploy(parameters, variables), folder, project)
                assert deployment.template.resources
                assert deployment.template.outputs
            except BicepError as error:
                problems.append(Problem(parameters.name, "bicep", str(error)))
            else:
                deployments.append(deployment)
    return deployments, problems


def check_templates(deployments: list[Deployment]) -> Iterator[Problem]:
    """Find what is wrong with what is deployed."""
    for deployment in deployments:
        for rule in RULES:
            yield from rule(deployment)
