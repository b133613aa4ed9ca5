"""A file of a request, what is wished for it, and its way through a session that is kept."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

from fastapi import Form, UploadFile
from pydantic import ValidationError

from dragoman.domain.caller import Caller
from dragoman.domain.errors import RequestInvalidError
from dragoman.domain.language import LidMode, split_tags
from dragoman.domain.messages import MOST_SUBJECTS, SessionWishes
from dragoman.domain.recognition import choose_recognition
from dragoman.runtime import Recording, Wishes
from dragoman.serving.kept import KeptTranscription
from dragoman.serving.records import digests
from dragoman.serving.server import Serving


def wishes_of_form(
    languages: Annotated[str | None, Form(description="Candidates, with commas.", examples=["en-US,de-DE"])] = None,
    lid: Annotated[LidMode, Form()] = LidMode.CONTINUOUS,
    translate: Annotated[str, Form(description="Target languages, with commas.", examples=["en,fr"])] = "",
    word_times: Annotated[bool, Form()] = False,
    phrases: Annotated[str, Form(description="Words to expect, with commas.", examples=["Contoso"])] = "",
    speakers: Annotated[bool, Form(description="Say who speaks.")] = False,
    dictation: Annotated[bool, Form(description="Punctuation is spoken.")] = False,
    end_silence_ms: Annotated[int | None, Form(ge=100, le=5_000, description="Silence that ends an utterance.")] = None,
    insight: Annotated[str | None, Form(description="Say what follows, in this language.", examples=["en"])] = None,
    polish: Annotated[bool, Form(description="Have finals read again.")] = False,
) -> Wishes:
    """Return what a form wishes: a dependency of the routes that take files.

    Raises:
        DragomanError: if it does not fit together.
    """
    recognition = choose_recognition(split_tags(phrases), speakers, dictation, end_silence_ms)
    return Wishes(split_tags(languages), lid, split_tags(translate) or (), word_times, recognition, insight, polish)


def subjects_of_form(
    subjects: Annotated[str, Form(description="Whose data it is: opaque ids with commas, to be erased together.")] = "",
) -> tuple[str, ...]:
    """Return the ids of people: a dependency of the routes that take files.

    Raises:
        RequestInvalidError: if one is none.
    """
    try:
        return SessionWishes(subjects=split_tags(subjects) or ()).subjects
    except ValidationError:
        raise RequestInvalidError(
            f"A subject is an opaque id of letters, digits and _.:@=+-, at most 128; {MOST_SUBJECTS} at most."
        ) from None


async def begin(
    server: Serving,
    file: UploadFile,
    wishes: Wishes,
    caller: Caller,
    channel: int | None = None,
    subjects: Sequence[str] = (),
) -> KeptTranscription:
    """Begin to transcribe a file.

    Raises:
        DragomanError: as ``Serving.transcribe``.
    """
    # The work may outlive the request's own file.
    with ExitStack() as stack:
        copy = stack.enter_context(os.fdopen(os.dup(file.file.fileno()), "rb"))
        recording = Recording(copy, name=file.filename, channel=channel)
        whose = digests(caller.tenant, subjects)
        kept = await server.transcribe(recording, wishes, caller, file.size or 0, whose)
        kept.when_over(stack.pop_all().close)
    return kept
