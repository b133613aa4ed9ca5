"""Takes chance out of espeak-ng: it seeds its breath and flutter with the time of day."""

import ctypes

import espeakng_loader

from training.speech.espeak import espeak


def seed_espeak(seed: int) -> None:
    """Make what this process says from now on depend on ``seed``, and on what it has said already.

    Sounds go on from where the last sentence left them: for the same bytes, say the same sentences in a new process.
    """
    espeak()  # it seeds itself when it starts
    library = ctypes.CDLL(espeakng_loader.get_library_path())  # the one that is loaded already
    library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
    ctypes.CDLL(None).srand(ctypes.c_uint(seed))
