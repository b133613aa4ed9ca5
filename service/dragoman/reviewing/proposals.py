"""A drift alert → what to do about it: which data to add, which training to run, which gates it has to pass. Pure.

A proposal changes nothing. A person reads it, and what comes of it is a candidate like any other: it is evaluated and
judged before it is released.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from dragoman.domain.errors import FeedbackInvalidError
from dragoman.domain.language import base_language
from dragoman.domain.validation import first_problem
from dragoman.reviewing.entries import Entry

DRIFT: Final = "drift"

Kind = Literal["speech", "translation", "steps", "service"]
"""What would have to learn: what hears, what translates, the LLM steps; or nothing, where time or capacity drifts."""

KINDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("utterance_s", "speech_rate", "lid_margin", "confidence", "suppressed"), "speech"),
    **dict.fromkeys(("language_changes", "no_speech", "languages"), "speech"),
    **dict.fromkeys(("untranslated", "length_ratio"), "translation"),
    **dict.fromkeys(("groundedness", "injections"), "steps"),
    **dict.fromkeys(("final_ms", "decode_ms", "lost", "engines"), "service"),
}
_GATES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "speech": ("speech", "live"),
    "translation": ("translation", "speech"),
    "steps": ("insight", "answer", "polish", "orders"),
    "service": ("live",),
}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drift(_Value):
    """A figure that is unlike before: ``where`` is its language and engine, as far as it has any."""

    signal: str
    where: tuple[str, ...]
    message: str
    since_ms: int

    @classmethod
    def of_alert(cls, alert: Mapping[str, JsonValue]) -> Self | None:
        """Return what an alert (as it is told to webhooks) says; ``None`` if it is no drift that lasts.

        Raises:
            FeedbackInvalidError: if it is no alert.
        """
        if alert.get("rule") != DRIFT or alert.get("state", "fired") != "fired":
            return None
        signal, *where = str(alert.get("subject", "")).split("/")
        try:
            return cls.model_validate(
                {
                    "signal": signal,
                    "where": tuple(filter(None, where)),
                    "message": alert.get("message"),
                    "since_ms": alert.get("since_ms"),
                }
            )
        except ValidationError as error:
            raise FeedbackInvalidError(f"This is no alert: {first_problem(error)}") from error

    @property
    def kind(self) -> Kind:
        """What would have to learn."""
        return KINDS.get(self.signal, "service")


class Act(_Value):
    """One thing to do, and the command that does it, if one does."""

    what: str
    command: str | None = None


class Gate(_Value):
    """A gate that the candidate has to pass, and whether it did; ``None``: nobody has tried."""

    stage: str
    is_passed: bool | None = None


class Proposal(_Value):
    """What to do about drift of one kind; the same drifts have the same ``id``."""

    schema_version: Literal["proposal/1"] = "proposal/1"
    id: str
    kind: Kind
    drifts: tuple[Drift, ...]
    acts: tuple[Act, ...]
    gates: tuple[Gate, ...]

    @property
    def state(self) -> Literal["open", "passed", "stopped"]:
        """Whether the candidate passed every gate, or was stopped at one."""
        if any(gate.is_passed is False for gate in self.gates):
            return "stopped"
        return "passed" if all(gate.is_passed for gate in self.gates) else "open"


def propose(
    drifts: Iterable[Drift], entries: Sequence[Entry], corrections: str = "corrections"
) -> tuple[Proposal, ...]:
    """Return a proposal for every kind of drift; ``corrections`` is how the dataset of accepted ones is called."""
    by_kind: dict[Kind, list[Drift]] = {}
    for drift in sorted(drifts, key=lambda each: (each.signal, each.where)):
        by_kind.setdefault(drift.kind, []).append(drift)
    return tuple(
        Proposal(
            id=_id(kind, found),
            kind=kind,
            drifts=tuple(found),
            acts=_acts(kind, found, entries, corrections),
            gates=tuple(Gate(stage=stage) for stage in _GATES[kind]),
        )
        for kind, found in sorted(by_kind.items())
    )


def as_markdown(proposal: Proposal) -> str:
    """Return a proposal for people: for an issue, or a pull request."""
    drifted = [f"- {drift.message}" for drift in proposal.drifts]
    acts = [
        f"{number}. {act.what}" + (f"\n\n   ```sh\n   {act.command}\n   ```" if act.command else "")
        for number, act in enumerate(proposal.acts, 1)
    ]
    marks = {None: " ", True: "x", False: " "}
    gates = [
        f"- [{marks[gate.is_passed]}] `{gate.stage}`{' was stopped' if gate.is_passed is False else ''}"
        for gate in proposal.gates
    ]
    return "\n\n".join(
        [
            f"# {proposal.id}: {proposal.kind} drifts ({proposal.state})",
            "## What drifted",
            "\n".join(drifted),
            "## What to do",
            *acts,
            "## Gates that the candidate has to pass",
            "\n".join(gates),
            f"They are judged by: `dragoman feedback reenter {proposal.id}`\n",
        ]
    )


def _id(kind: Kind, drifts: Sequence[Drift]) -> str:
    told = [kind, *(f"{drift.signal}/{'/'.join(drift.where)}@{drift.since_ms}" for drift in drifts)]
    return f"p_{sha256('/'.join(told).encode()).hexdigest()[:12]}"


def _acts(kind: Kind, drifts: Sequence[Drift], entries: Sequence[Entry], corrections: str) -> tuple[Act, ...]:
    if kind == "service":
        return (
            Act(what="Nothing has to be taught: look at engines, capacity and endpoints.", command="dragoman doctor"),
            Act(
                what="If nothing is wrong there, find out what this machine bears.",
                command="dragoman doctor --calibrate",
            ),
        )
    about = [entry for entry in entries if _is_about(entry, kind, drifts)]
    waiting = sum(entry.state == "open" for entry in about)
    accepted = sum(entry.state == "accepted" for entry in about)
    return (
        Act(what=f"Review what people said of it: {waiting} wait.", command="dragoman feedback list"),
        Act(
            what=f"Make a version of what was accepted: {accepted} so far.",
            command=f'dragoman feedback build {corrections} --consent "…"',
        ),
        *_training(kind, drifts, corrections),
    )


def _training(kind: Kind, drifts: Sequence[Drift], corrections: str) -> tuple[Act, ...]:
    engines = {place for drift in drifts for place in drift.where}
    match kind:
        case "speech":
            azure = Act(
                what="Teach Custom Speech, and name its endpoint in DRAGOMAN_AZURE_ENDPOINTS.",
                command=f"dragoman data export {corrections} speech --to custom-speech --avoid samples/audio",
            )
            own = Act(
                what="Train the bundled model further, from where it stopped.", command="make train-whisper FURTHER=60"
            )
            return (azure,) if "azure" in engines else (own,) if "whisper" in engines else (own, azure)
        case "translation":
            command = f"dragoman data export {corrections} translations --to custom-translator --avoid samples/audio"
            own = Act(what="Or train the bundled translator anew.", command="make train-translate")
            return Act(what="Teach Custom Translator.", command=command), own
        case _:
            return (
                Act(
                    what="Choose other examples for the prompts.",
                    command=f"dragoman data shots insight {corrections}-insight --avoid flows/insight -o prompts",
                ),
                Act(
                    what="Or fine-tune the language model.",
                    command=f"dragoman data export {corrections}-insight chats --to azure-openai --step insight",
                ),
            )


def _is_about(entry: Entry, kind: Kind, drifts: Sequence[Drift]) -> bool:
    parts = {"speech": ("transcript",), "translation": ("translation",), "steps": ("insight",)}
    languages = {base_language(place) for drift in drifts for place in drift.where if "-" in place}
    spoken = base_language(entry.locale) if entry.locale else None
    return entry.record.said.part in parts.get(kind, ()) and (not languages or spoken is None or spoken in languages)
