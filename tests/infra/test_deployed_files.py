"""Faults in what is deployed beside templates: ``azure.yaml``, Azure ML's files, images and the compose file."""

import shutil
from pathlib import Path

import pytest

from infra.check.azd import check_azd
from infra.check.azureml import check_azureml
from infra.check.images import check_images
from infra.check.templates import work_out

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with the files that are looked at."""
    left_out = shutil.ignore_patterns("check", "__pycache__")
    shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=left_out)
    (tmp_path / "service").mkdir()
    (tmp_path / "flows").mkdir()
    for name in ("azure.yaml", "docker-compose.yml", "service/Dockerfile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("host: containerapp", "host: containerapps", "host"),
        ("remoteBuild: true", "remoteBuilds: true", "remoteBuilds"),
        ("hooks:", "hook:", "hook"),
        ("infra/hooks/preflight.py", "infra/hooks/before.py", "before.py"),
        ("path: service/Dockerfile", "path: service/Containerfile", "Containerfile"),
        ("  api:\n", "  web:\n", "azd-service-name"),
        ("module: main", "module: all", "all.bicep"),
    ],
)
def test_a_fault_in_what_azd_reads(project: Path, old: str, new: str, says: str) -> None:
    deployments, _ = work_out(project / "infra", ROOT)
    assert list(check_azd(project, deployments)) == []
    file = project / "azure.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(says in each.message for each in check_azd(project, deployments))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("docker-compose.yml", "services:", "servces:", "compose"),
        ("docker-compose.yml", "stop_grace_period:", "stop_grace:", "compose"),
        ("service/Dockerfile", 'ENTRYPOINT ["dragoman"]', "ENTRYPOINT dragoman", "image"),
        ("service/Dockerfile", "WORKDIR /source", "WORKDIR source", "image"),
    ],
)
def test_a_fault_in_an_image(project: Path, file: str, old: str, new: str, code: str) -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert {each.code for each in check_images(project)} == {code}


@pytest.mark.slow
def test_a_fault_in_a_file_of_azure_ml(project: Path) -> None:
    schema = "https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json"
    file = project / "infra" / "endpoint.yml"
    file.write_text(f"$schema: {schema}\nname: insight\nauth_mode: aad_token\n", encoding="utf-8")
    assert list(check_azureml(project)) == []
    file.write_text(f"$schema: {schema}\nname: insight\nauth_mode: password\n", encoding="utf-8")
    (problem,) = check_azureml(project)
    assert "auth_mode" in problem.message
