"""``python -m infra.check``: what can be known of a deployment without Azure. Exit 1 if something is wrong."""

import sys
from pathlib import Path

from infra.check.azd import check_azd
from infra.check.azureml import check_azureml
from infra.check.images import check_images
from infra.check.judges import judge
from infra.check.problem import Problem
from infra.check.templates import check_templates, work_out


def check(project: Path) -> list[Problem]:
    """Return what is wrong with the deployment of a project, each once."""
    folder = project / "infra"
    deployments, problems = work_out(folder, project)
    problems += judge(folder)
    problems += check_templates(deployments)
    problems += check_azd(project, deployments)
    problems += check_azureml(project)
    problems += check_images(project)
    return sorted(set(problems))


def main() -> int:
    """Print the problems of the project that this file belongs to."""
    problems = check(Path(__file__).parents[2])
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{len(problems)} problems\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
