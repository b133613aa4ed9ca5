"""The npm packages that some tests need, installed where their lock lies."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest


def installed(folder: Path) -> Path:
    """Return the packages' folder; without npm, or if it fails, the test is skipped."""
    packages = folder / "node_modules"
    with (folder / "package.json").open() as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)  # several workers, one folder
        if not (packages / ".package-lock.json").exists():
            npm = shutil.which("npm")
            if npm is None:
                pytest.skip("npm is not installed, so its packages cannot be had")
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm ci failed, so packages cannot be had: {done.stderr[-500:]}")
    return packages
