"""A file of a request on its way through a session that is kept."""

import os
from contextlib import ExitStack

from fastapi import UploadFile

from dragoman.domain.caller import Caller
from dragoman.runtime import Recording, Wishes
from dragoman.serving import KeptTranscription, Serving


async def begin(server: Serving, file: UploadFile, wishes: Wishes, caller: Caller) -> KeptTranscription:
    """Begin to transcribe a file.

    Raises:
        DragomanError: as ``Serving.transcribe``.
    """
    # The work may outlive the request's own file.
    with ExitStack() as stack:
        copy = stack.enter_context(os.fdopen(os.dup(file.file.fileno()), "rb"))
        kept = await server.transcribe(Recording(copy, name=file.filename), wishes, caller, file.size or 0)
        kept.when_over(stack.pop_all().close)
    return kept
