"""faster-whisper's models, driven through CTranslate2 directly so that short speech costs little."""

import os

# ONNX Runtime, from 1.29 on, tells its makers what runs on a machine unless it is told not to before it is loaded.
# Source: github.com/microsoft/onnxruntime, pull request 27379. Here nothing leaves a machine that was not asked for.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
