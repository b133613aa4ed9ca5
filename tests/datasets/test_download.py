"""Datasets from the web: a server on this machine, with everything that servers do."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from dragoman.datasets.dataset import CARD, MANIFEST, Dataset
from dragoman.datasets.download import beside, web
from dragoman.datasets.limits import Allowance, Limits
from dragoman.datasets.places import BlobAccess
from dragoman.datasets.sources import Recordings, open_source
from dragoman.domain.errors import SourceFailedError
from tests.datasets.sounds import tone, write_wav
from tests.datasets.test_archive import zipped


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/away":
                self.send_response(302)
                self.send_header("Location", "http://198.51.100.1/secret")
                self.end_headers()
            case "/broken":
                self.send_error(500)
            case _:
                super().do_GET()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Give a folder, and the address at which it is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_archive_is_fetched_and_unpacked(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    wav = write_wav(tmp_path / "a.wav", tone(0.1)).read_bytes()
    zipped(folder / "calls.zip", {"calls/a.wav": wav, "calls/a.txt": b"Hello."})
    url = f"{address}/calls.zip?sig=secret"
    with open_source(url, tmp_path / "scratch", Allowance(Limits()), BlobAccess()) as found:
        assert isinstance(found, Recordings)
        (draft,) = found.drafts
        assert found.locate(draft.file).read_bytes() == wav
        assert draft.given["utterances"] == [{"text": "Hello."}]
    assert not list((tmp_path / "scratch").iterdir())


def test_a_manifest_brings_its_recordings_one_by_one(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    write_wav(folder / "data" / "first call.wav", tone(0.1))
    (folder / "data" / MANIFEST).write_text('{"file": "first call.wav"}\n{"file": "gone.wav"}\n')
    (folder / "data" / CARD).write_text(json.dumps({"name": "web", "license": "CC0-1.0"}))
    url = f"{address}/data/{MANIFEST}"
    with open_source(url, tmp_path / "scratch", Allowance(Limits()), BlobAccess()) as found:
        assert isinstance(found, Recordings)
        assert found.card.license == "CC0-1.0"
        assert found.locate("first call.wav").is_file()
        with pytest.raises(SourceFailedError, match=r"gone\.wav.*404"):
            found.locate("gone.wav")


def test_a_file_of_cases_is_a_dataset(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    (folder / "questions.jsonl").write_text('{"question": "When?"}\n')
    with open_source(f"{address}/questions.jsonl", tmp_path / "s", Allowance(Limits()), BlobAccess()) as found:
        assert isinstance(found, Dataset)
        assert len(found.cases) == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/nothing.zip?sig=secret", "404"),
        ("/broken?sig=secret", "answers 500"),
        ("/away?sig=secret", "198.51.100.1/secret' is not encrypted"),
    ],
)
def test_what_goes_wrong_is_said_without_signatures(
    site: tuple[Path, str], tmp_path: Path, path: str, says: str
) -> None:
    with web(Allowance(Limits())) as opened, pytest.raises(SourceFailedError, match=says) as caught:
        opened.fetch(site[1] + path, tmp_path / "x")
    assert "sig=" not in str(caught.value)
    assert not list(tmp_path.glob("x*"))


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with web(Allowance(Limits(silent_s=2))) as opened, pytest.raises(SourceFailedError, match="ConnectError"):
        opened.fetch("http://127.0.0.1:9/x", tmp_path / "x")


def test_too_much_is_given_up(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    (folder / "large").write_bytes(bytes(100_000))
    with web(Allowance(Limits(max_bytes=50_000))) as opened, pytest.raises(SourceFailedError, match="--max-gb"):
        opened.fetch(f"{address}/large", tmp_path / "x")


def test_too_long_is_given_up(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    (folder / "slow").write_bytes(bytes(10))
    hours = count(0.0, 3_600.0)
    allowance = Allowance(Limits(timeout_s=60), clock=lambda: next(hours))
    with web(allowance) as opened, pytest.raises(SourceFailedError, match="longer than 60 s"):
        opened.fetch(f"{address}/slow", tmp_path / "x")


def test_what_lies_beside_has_the_same_signature() -> None:
    assert beside("https://x.example/a/manifest.jsonl?sig=1", "b c/d.wav") == "https://x.example/a/b%20c/d.wav?sig=1"
