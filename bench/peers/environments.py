"""An environment for each peer, made once under ``build/peers``: their packages do not go together, nor with ours."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "build" / "peers"

_TORCH: Final = ("install", "torch==2.13.0")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: its name, and what pip does in it, step by step."""

    name: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return FOLDER / self.name / "bin" / "python"

    def make(self) -> None:
        """Install it, unless that is done.

        Raises:
            subprocess.CalledProcessError: if pip fails.
        """
        done = FOLDER / self.name / "done"
        if done.exists():
            return
        print(f"Installing {self.name} in {FOLDER / self.name} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER / self.name)], check=True)
        for step in self.steps:
            subprocess.run([str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check", *step], check=True)
        done.touch()


WHISPER_LIVE_KIT: Final = Environment(
    "wlk",
    (
        _TORCH,
        ("install", "whisperlivekit==0.2.26", "faster-whisper==1.2.1"),
        ("uninstall", "--yes", "torchaudio"),  # the one that pip chooses cannot be loaded beside this torch
    ),
)

WHISPER_LIVE: Final = Environment(
    "whisperlive",
    (
        _TORCH,
        # Its own requirements ask for CUDA.
        ("install", "--no-deps", "whisper-live==0.10.0"),
        (
            *("install", "faster-whisper==1.2.1", "openai-whisper==20250625", "fastapi", "kaldialign", "librosa"),
            *("numba", "python-multipart", "scipy", "soundfile", "uvicorn", "websocket-client", "websockets"),
        ),
    ),
)

PLOTS: Final = Environment("plots", (("install", "matplotlib==3.10.8"),))
