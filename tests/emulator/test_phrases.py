from dragoman.domain.audio import Span
from dragoman.domain.language import Locale
from dragoman.domain.recognition import RecognitionOptions
from dragoman.domain.speech import Hypothesis
from dragoman.emulator.operation import Mode, Operation
from dragoman.emulator.phrases import phrase

SAID = Hypothesis(Span(0, 16_000), Span(0, 16_000), "Good morning.", Locale("en-US"), speaker="Guest-1")


def test_who_speaks_is_said_to_who_asks_if_the_engine_knows() -> None:
    asked = Operation(Mode.CONVERSATION, (Locale("en-US"),), recognition=RecognitionOptions(speakers=True))
    assert phrase(SAID, asked)["SpeakerId"] == "Guest-1"
    assert "SpeakerId" not in phrase(SAID, Operation(Mode.CONVERSATION, (Locale("en-US"),)))
