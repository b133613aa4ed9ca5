"""After ``azd deploy``: the insight step is built, judged and released, and a call is streamed through all of it.

Without a key to sign with (DRAGOMAN_RELEASE_KEY) and without evidence that was signed elsewhere nothing is released:
then the service runs the step itself, and this says how to get there. Reads what azd sets, the template's outputs too.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx
from azure.identity import AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential

import smoke
from arm import SCOPE, Arm, ArmError, Json, part, text
from image import BuildError, build, commit, source
from preflight import INFRA, models_of

ROOT: Final = INFRA.parent
FLOW: Final = "insight"
EVIDENCE: Final = ROOT / "evaluation" / FLOW / "evidence.dsse.json"
_SECTION: Final = re.compile(r"(?m)^(?=\[)")


class Run(Protocol):
    """Runs a command of Dragoman, and returns its exit status."""

    def __call__(self, *arguments: str) -> int:
        """Run it."""
        ...


class SetUpError(Exception):
    """What is missing in the resource group."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the step goes: the registry, who the deployment is, and what it calls."""

    registry: str
    client_id: str
    endpoint: str
    ai: str
    model: str


def find(arm: Arm, environment: Mapping[str, str], parameters: str) -> Place:
    """Return where the step goes, by what is in the resource group.

    Raises:
        SetUpError: naming what is not there.
        ArmError: if Azure does not say.
    """
    group = (
        f"/subscriptions/{environment['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{environment['AZURE_RESOURCE_GROUP']}"
    )
    identities = arm.list(f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "2024-11-30")
    flow = _only((each for each in identities if "flow" in text(each, "name")), "identity of the step", group)
    registries = arm.list(f"{group}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")
    return Place(
        text(_only(registries, "container registry", group), "id"),
        text(part(flow, "properties"), "clientId"),
        environment["AZUREML_ENDPOINT_NAME"],
        environment["DRAGOMAN_AZURE_ENDPOINTS"],
        models_of(parameters)[0].name,
    )


def _only(found: Iterable[Json], what: str, group: str) -> Json:
    match list(found):
        case [one]:
            return one
        case several:
            raise SetUpError(f"There are {len(several)} of one {what} in {group}. Provision first: azd provision.")


def release_of(shipped: str, place: Place, image: str, flow_folder: str) -> str:
    """Return the ``release.toml`` of this environment, from the one that ships: the rest of it stays as it is."""
    head, *sections = _SECTION.split(shipped)
    head = re.sub(r'(?m)^endpoint = ".*"$', f'endpoint = "{place.endpoint}"\nflow_folder = "{flow_folder}"', head)
    ours = {
        "[settings]": f'[settings]\nchat_endpoint = "{place.ai}"\nchat_model = "{place.model}"\n'
        f'azure_endpoints = "{place.ai}"\nazure_client_id = "{place.client_id}"\n\n',
        "[environment]": f'[environment]\nimage = "{image}"\n\n',
    }
    return head + "".join(ours.get(section.split("]")[0] + "]", section) for section in sections)


def release(folder: Path, evidence: Path, environment: Mapping[str, str], run: Run) -> int:
    """Judge and release what a folder's ``release.toml`` says; return an exit status."""
    has_key = bool(environment.get("DRAGOMAN_RELEASE_KEY"))
    if not has_key and not evidence.exists():
        print(
            "The insight step is not released: there is no evidence that it passed its gate. The service runs the step "
            "itself meanwhile.\n"
            "  Make a key (dragoman release keygen keys), set DRAGOMAN_RELEASE_KEY and DRAGOMAN_RELEASE_TRUSTED, then: "
            "azd deploy",
            file=sys.stderr,
        )
        return 0
    if has_key:
        judged = run("evaluate", "--release", str(folder), "--stage", FLOW) or run(
            "gate", str(evidence.parent), "--sign", str(folder)
        )
        if judged:
            print("The gate stopped it, so nothing was released; what is live stays live.", file=sys.stderr)
            return 1
    return run("release", "apply", str(folder), "--evidence", str(evidence), "--yes")


def dragoman(*arguments: str) -> int:
    """Run a command of Dragoman at the root of the checkout; return its exit status."""
    return subprocess.run([sys.executable, "-m", "dragoman", *arguments], cwd=ROOT, check=False).returncode


def main() -> int:
    """Build, judge, release, and stream a call; 1 if any of it fails."""
    credential = ChainedTokenCredential(AzureDeveloperCliCredential(), AzureCliCredential())
    try:
        with httpx.Client(timeout=120) as http:
            arm = Arm(http, lambda: credential.get_token(SCOPE).token)
            place = find(arm, os.environ, (INFRA / "main.bicepparam").read_text())
            tag = f"dragoman-{FLOW}:{commit(ROOT)}"
            print(f"  the registry builds {tag}; this takes some minutes")
            arguments = {"FLOW": FLOW}
            image = build(
                arm, http, place.registry, source(ROOT), tag, dockerfile="flows/Dockerfile", arguments=arguments
            )
    except KeyError as error:
        print(
            f"{error.args[0]} is not set; azd sets it once the template was deployed: azd provision.", file=sys.stderr
        )
        return 1
    except (ArmError, BuildError, SetUpError) as error:
        print(error, file=sys.stderr)
        return 1
    folder = ROOT / ".azure" / os.environ["AZURE_ENV_NAME"] / FLOW
    folder.mkdir(parents=True, exist_ok=True)
    shipped = (ROOT / "flows" / FLOW / "release.toml").read_text()
    flow_folder = Path(os.path.relpath(ROOT / "flows" / FLOW, folder)).as_posix()
    (folder / "release.toml").write_text(release_of(shipped, place, image, flow_folder))
    released = release(folder, EVIDENCE, os.environ, dragoman)
    return smoke.main() or released


if __name__ == "__main__":
    sys.exit(main())
