"""Evidence is believed if it is whole, ours, young, of what is released, and of something that passed."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from dragoman.domain.errors import EvidenceRefusedError, ReleaseInvalidError
from dragoman.evaluation.gate import Rule
from dragoman.releasing.envelope import IN_TOTO, encoded, seal
from dragoman.releasing.evidence import sign, verify
from dragoman.releasing.keys import Trusted, make_pair, read_signer, read_trusted
from dragoman.releasing.subjects import identify
from tests.releasing.made import NOW, RULES, Made, key, make, payload_of, report_of, write_release


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def signed(made: Made) -> bytes:
    return made.signed()


def test_what_passed_is_signed_and_believed(made: Made, signed: bytes) -> None:
    evidence = made.verified(signed)
    assert evidence.evaluation.dataset == "insight@d88b039b8920"
    assert evidence.evaluation.figures["groundedness"].estimate.value == 0.96
    assert evidence.signer == made.signer.id
    names = {each.name for each in evidence.statement.subject}
    assert names == {
        "flow/insight",
        "package/dragoman",
        "candidate/insight",
        "lock/service.txt",
        "dockerfile/Dockerfile",
    }
    told = {each.name for each in evidence.statement.predicate.configuration}
    assert told == {"report", "rules", "dataset/insight", "baseline"}


def test_the_encoding_is_that_of_the_protocol() -> None:
    """The example of DSSE's own protocol.md."""
    assert encoded("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def leaves(value: JsonValue, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from leaves(each, (*path, at))
    else:
        yield path


def changed(value: JsonValue) -> JsonValue:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value[::-1] + "x"
        case _:
            return 1


def test_no_field_can_be_changed_after_it_was_signed(made: Made, signed: bytes) -> None:
    statement = payload_of(signed)
    paths = list(leaves(statement))
    assert len(paths) > 60
    for path in paths:
        copy = json.loads(json.dumps(statement))
        place = copy
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = changed(place[path[-1]])
        envelope = json.loads(signed)
        envelope["payload"] = base64.b64encode(json.dumps(copy, sort_keys=True).encode()).decode()
        with pytest.raises(EvidenceRefusedError, match=r"changed after it was signed.*Sign the report anew"):
            made.verified(json.dumps(envelope).encode())


def test_no_bit_of_the_envelope_can_be_flipped(made: Made, signed: bytes) -> None:
    """What is left of it is either no envelope, or not what was signed. The key's name is a hint, and nothing else."""
    hint = signed.index(b'"keyid"')
    for at in range(0, len(signed), 7):
        if hint <= at < hint + 76:
            continue
        for bit in (1, 64):
            data = bytearray(signed)
            data[at] ^= bit
            with pytest.raises(EvidenceRefusedError):
                made.verified(bytes(data))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_what_was_cut_off_is_refused(made: Made, signed: bytes, share: float) -> None:
    with pytest.raises(EvidenceRefusedError, match="cut off; fetch it again"):
        made.verified(signed[: int(len(signed) * share)])


def test_another_key_is_not_believed(made: Made) -> None:
    theirs = replace(made, signer=key("mallory")).signed()
    with pytest.raises(EvidenceRefusedError, match=r"No key that is trusted.*DRAGOMAN_RELEASE_TRUSTED"):
        made.verified(theirs)
    both = Trusted((*made.trusted.keys, key("mallory").key.public_key()))
    assert verify(theirs, made.identified, RULES, both, NOW).signer == key("mallory").id


def test_a_signature_of_something_else_is_not_one_of_this(made: Made, signed: bytes) -> None:
    other = seal(b"{}", IN_TOTO, made.signer)
    envelope = json.loads(signed)
    envelope["signatures"] = [each.model_dump() for each in other.signatures]
    with pytest.raises(EvidenceRefusedError, match="No key that is trusted"):
        made.verified(json.dumps(envelope).encode())


def test_another_type_of_payload_is_refused(made: Made, signed: bytes) -> None:
    statement = json.dumps(payload_of(signed)).encode()
    with pytest.raises(EvidenceRefusedError, match="of the type 'text/plain'"):
        made.verified(seal(statement, "text/plain", made.signer).model_dump_json().encode())


Change = Callable[[dict[str, JsonValue]], object]


def at(statement: dict[str, JsonValue], *path: str | int) -> dict[str, JsonValue]:
    place: JsonValue = statement
    for step in path:
        place = place[step]  # type: ignore[index]  # a path that is there
    assert isinstance(place, dict)
    return place


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: at(s, "predicate").update(result="FAILED"), "was stopped: FAILED.*mend the candidate"),
        (lambda s: at(s, "predicate").update(failedTests=["wer"]), "was stopped"),
        (lambda s: at(s, "predicate", "evaluation", "checks", 0).update(is_passed=False), "was stopped"),
        (lambda s: at(s, "predicate", "evaluation").update(checks=[]), "no check at all"),
        (lambda s: at(s, "predicate", "evaluation", "checks", 0).update(value=0.5), "does not keep.*did not judge"),
        (lambda s: at(s, "predicate", "evaluation", "checks", 1).update(value=0.5), "does not keep.*did not judge"),
        (lambda s: at(s, "predicate", "evaluation", "checks", 1).update(value=None), "no figure and limit"),
        (lambda s: at(s, "predicate", "evaluation").update(figures={}), "no figure and limit"),
        (lambda s: at(s, "predicate", "evaluation").update(stage="answer"), "of 'answer'"),
        (lambda s: at(s, "subject", 0, "digest").update(sha256="0" * 64), "not what was evaluated"),
        (lambda s: at(s, "subject", 1).update(name="package/other"), "says nothing of 'package/dragoman'"),
        (lambda s: s.update(subject=[]), "no evidence of this version"),
        (lambda s: s.update(_type="https://in-toto.io/Statement/v2"), "no evidence of this version"),
        (lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"), "no evidence of this version"),
        (lambda s: s.pop("predicate"), "no evidence of this version"),
        (lambda s: at(s, "predicate", "configuration", 1, "digest").update(sha256="0"), "other rules"),
        (lambda s: at(s, "predicate", "evaluation").update(evaluated_at="2026-11-01T00:00:00Z"), "21 days old"),
        (lambda s: at(s, "predicate", "evaluation").update(evaluated_at="2026-12-01T00:00:00Z"), "not past"),
        (lambda s: at(s, "predicate", "evaluation").update(signed_at="2027-12-01T00:00:00Z"), "not past"),
        (lambda s: at(s, "predicate", "evaluation").update(signed_at="2026-11-22T00:00:00"), "not past"),
    ],
)
def test_what_is_signed_by_hand_is_read_all_the_same(made: Made, signed: bytes, change: Change, says: str) -> None:
    """Whoever has the key may sign anything; what did not pass, or is of something else, is refused even so."""
    statement = payload_of(signed)
    change(statement)
    forged = seal(json.dumps(statement).encode(), IN_TOTO, made.signer).model_dump_json().encode()
    with pytest.raises(EvidenceRefusedError, match=says):
        made.verified(forged)


def test_old_evidence_is_refused(made: Made, signed: bytes) -> None:
    later = NOW + timedelta(days=15)
    with pytest.raises(EvidenceRefusedError, match="15 days old, and may be 14"):
        verify(signed, made.identified, RULES, made.trusted, later)


def test_evidence_by_other_rules_is_refused(made: Made, signed: bytes) -> None:
    stricter = RULES.model_copy(update={"rules": (*RULES.rules, Rule(metric="coverage", limit=0.9))})
    with pytest.raises(EvidenceRefusedError, match="other rules than those that hold now"):
        verify(signed, made.identified, stricter, made.trusted, NOW)


@pytest.mark.parametrize("file", ["insight_system.jinja2", "insight_user.jinja2", "insight_examples.jsonl"])
def test_a_word_that_was_changed_since_is_noticed(tmp_path: Path, file: str) -> None:
    made = make(tmp_path)
    signed = made.signed()
    with (tmp_path / "insight" / file).open("a") as words:
        words.write("\n")
    swapped = replace(made, identified=identify(made.identified.release))
    with pytest.raises(EvidenceRefusedError, match="'flow/insight' is not what was evaluated"):
        swapped.verified(signed)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("shots = 3", "candidate/insight"),
        ("settings = { chat_endpoint = 'http://127.0.0.1:1/v1', chat_model = 'm' }", "candidate/insight"),
    ],
)
def test_another_candidate_is_noticed(tmp_path: Path, made: Made, signed: bytes, more: str, says: str) -> None:
    other = identify(write_release(tmp_path, more=more))
    with pytest.raises(EvidenceRefusedError, match=f"'{says}' is not what was evaluated"):
        replace(made, identified=other).verified(signed)


def test_other_packages_are_noticed(tmp_path: Path) -> None:
    made = make(tmp_path)
    signed = made.signed()
    (tmp_path / "service.txt").write_text("dragoman==0.2.0\n")
    swapped = replace(made, identified=identify(made.identified.release))
    with pytest.raises(EvidenceRefusedError, match=r"lock/service\.txt"):
        swapped.verified(signed)


def test_evidence_of_one_flow_is_none_of_another(tmp_path: Path, made: Made, signed: bytes) -> None:
    answer = identify(write_release(tmp_path, "answer"))
    with pytest.raises(EvidenceRefusedError, match="says nothing of 'flow/answer'"):
        replace(made, identified=answer).verified(signed)


def test_evidence_of_an_image_is_none_of_another(tmp_path: Path) -> None:
    def released(digest: str) -> Made:
        made = make(tmp_path)
        file = tmp_path / "insight" / "release.toml"
        file.write_text(
            'flow = "insight"\nendpoint = "dragoman-insight"\n[environment]\n'
            f'image = "contoso.example/dragoman@sha256:{digest * 64}"\n'
        )
        from dragoman.releasing.spec import read_release

        return replace(made, identified=identify(read_release(file)))

    one, other = released("1"), released("2")
    with pytest.raises(EvidenceRefusedError, match=r"'image/contoso\.example/dragoman' is not what was evaluated"):
        other.verified(one.signed())


def test_only_what_passed_is_signed(made: Made) -> None:
    stopped = replace(made, report=report_of(made.identified, groundedness=0.5))
    with pytest.raises(EvidenceRefusedError, match=r"Only what passed is signed.*groundedness, all: 0\.5"):
        stopped.signed()


def test_a_report_of_another_candidate_is_not_signed(made: Made) -> None:
    other = made.report.model_copy(update={"candidate": {**made.report.candidate, "prompt": "abc", "more": 1}})
    with pytest.raises(EvidenceRefusedError, match=r"more was 1 and is None; prompt was 'abc'.*dragoman evaluate"):
        replace(made, report=other).signed()


def test_a_report_of_another_stage_is_not_signed(made: Made) -> None:
    rules = RULES.model_copy(update={"stage": "answer"})
    report = made.report.model_copy(update={"stage": "answer"})
    baseline = made.baseline.model_copy(update={"stage": "answer"})
    judged = replace(made.judged, report=report, rules=rules, baseline=baseline)
    with pytest.raises(EvidenceRefusedError, match="The report is of 'answer'"):
        sign(judged, made.identified, made.signer, NOW, "anna")


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    private, public = make_pair(tmp_path / "keys")
    assert private.stat().st_mode & 0o077 == 0
    signer, trusted = read_signer(private), read_trusted([public])
    assert trusted.ids == (signer.id,)
    with pytest.raises(ReleaseInvalidError, match="There are keys"):
        make_pair(tmp_path / "keys")


def test_wrong_keys_are_named(tmp_path: Path) -> None:
    private, public = make_pair(tmp_path)
    with pytest.raises(ReleaseInvalidError, match="DRAGOMAN_RELEASE_KEY"):
        read_signer(None)
    with pytest.raises(ReleaseInvalidError, match="DRAGOMAN_RELEASE_TRUSTED"):
        read_trusted([])
    for read in (lambda: read_signer(public), lambda: read_trusted([private]), lambda: read_signer(tmp_path / "no")):
        with pytest.raises(ReleaseInvalidError, match="keygen"):
            read()
