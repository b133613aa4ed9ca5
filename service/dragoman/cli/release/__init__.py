"""``dragoman release``: from a report that passed to an endpoint, and back."""

import click

from dragoman.cli.release.deploying import apply, plan
from dragoman.cli.release.proving import evidence, keygen
from dragoman.cli.release.rolling import promote, rollback, status, watch


@click.group()
def release() -> None:
    """Release a flow on Azure ML: only what passed its gate, a little at first, and back if it fails.

    \b
    dragoman release keygen keys                    once: who signs, and whom is trusted
    dragoman evaluate --release flows/insight       the candidate, as it will be deployed
    dragoman gate evaluation/insight --sign flows/insight
    dragoman release plan flows/insight             what will be done
    dragoman release apply flows/insight            deployed beside what is live, without traffic
    dragoman release promote flows/insight          mirror, 10 %, 50 %, all; or back at once
    dragoman release rollback flows/insight         all traffic to what was live before
    dragoman release watch flows/insight            on a schedule: does what is live keep its limits

    RELEASE is a release.toml, or a folder that holds one.
    """  # noqa: D301 - \b is click's


for each in (keygen, evidence, plan, apply, promote, rollback, status, watch):
    release.add_command(each)
