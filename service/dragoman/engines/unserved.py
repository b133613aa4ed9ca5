"""What an engine cannot do of what is asked for."""

from collections.abc import Iterator, Set

from dragoman.domain.recognition import RecognitionOptions
from dragoman.domain.speech import Notice


def unserved(options: RecognitionOptions, served: Set[str], engine: str) -> Iterator[Notice]:
    """Yield a notice that names the options that an engine does without, if there are any."""
    if asked := sorted(options.model_dump(exclude_defaults=True).keys() - served):
        message = f"The engine '{engine}' cannot do this, and goes on without: {', '.join(asked)}."
        yield Notice("option_unserved", message)
