"""The candidates of the loop. They differ in what a prompt engineer may change, and so do their figures.

The engine that answers offline selects sentences and takes no notice of instructions; it reads the data that a prompt
shows it. So these prompts differ in what they show, and one in who answers.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dragoman.domain.errors import ReleaseInvalidError
from dragoman.releasing.subjects import WORDS
from dragoman.resources import flows_folder

FLOW: Final = "insight"
ENDPOINT: Final = "dragoman-insight"

_PROMPT: Final = """The conversation, one line of JSON between two lines of marks:
<<<CONVERSATION
{shown}
CONVERSATION>>>
Write in the language '{{{{ language }}}}'.
"""
_DATA: Final = (
    """{"language": {{ language | tojson }}, "utterances": [{% for each in utterances %}{"""
    """"id": {{ each.id | tojson }}, "locale": {{ each.locale | tojson }}, "text": {{ each.text | tojson }}MORE"""
    """}{{ "" if loop.last else ", " }}{% endfor %}]}"""
)
_OF_EIGHT: Final = """{% if loop.index <= 8 %}, "translation": {{ each.translation | tojson }}{% endif %}"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate: what it is called, what is new about it, the line that its prompt shows, and settings of its own."""

    name: str
    about: str
    shown: str | None = None
    settings: dict[str, str] = field(default_factory=dict)


FIRST: Final = Candidate(
    "first",
    "to save tokens, its prompt shows the translations of the first eight utterances only",
    _DATA.replace("MORE", _OF_EIGHT),
)
WHOLE: Final = Candidate("whole", "its prompt shows everything")
UNTRANSLATED: Final = Candidate(
    "untranslated", "to save more tokens, its prompt shows no translations", _DATA.replace("MORE", "")
)


def hosted(chat_endpoint: str) -> Candidate:
    """Return the candidate whose model is behind an endpoint, and no longer in its own process."""
    return Candidate(
        "hosted",
        "its model is a deployment of Azure OpenAI (played by the emulator)",
        settings={"chat_endpoint": chat_endpoint, "chat_model": "extractive"},
    )


def write(candidate: Candidate, folder: Path) -> Path:
    """Write a candidate's words and its ``release.toml`` into a folder of its own; return that.

    Raises:
        ReleaseInvalidError: outside a checkout: there is nothing to build an image from.
    """
    checkout = flows_folder().parent
    lock = checkout / "requirements" / "service.txt"
    if not lock.is_file():
        raise ReleaseInvalidError(
            "The loop builds its image's context from a checkout, and this is an installed package; "
            "clone the repository and run: make lifecycle"
        )
    made = folder / candidate.name
    made.mkdir(parents=True)
    for name in WORDS:
        shutil.copy(flows_folder() / FLOW / name.format(flow=FLOW), made)
    if candidate.shown:
        (made / f"{FLOW}_user.jinja2").write_text(_PROMPT.format(shown=candidate.shown), encoding="utf-8")
    settings = "\n".join(f'{name} = "{value}"' for name, value in candidate.settings.items())
    (made / "release.toml").write_text(
        f"""flow = "{FLOW}"
endpoint = "{ENDPOINT}"

[settings]
{settings}

[instances]
count = 1
concurrency = 16
timeout_s = 30

[environment]
context = "{checkout}"
lock = "{lock}"

# As careful as flows/{FLOW}/release.toml, on fewer requests and in seconds: nobody waits for an hour here.
[rollout]
mirror = 50
stages = [10, 50, 100]
errors = {{ limit = 0.05, more_than_live = 0.02 }}
slow = {{ limit = 0.10, more_than_live = 0.10, limit_ms = 5_000, times_live = 3, least_ms = 300 }}
poor = {{ limit = 0.15, more_than_live = 0.10, judged = 80 }}
min_requests = 100
min_answers = 40
least_s = 3
longest_s = 180
poll_s = 1
grain_s = 1
""",
        encoding="utf-8",
    )
    return made
