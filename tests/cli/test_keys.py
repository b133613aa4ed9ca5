import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.keys import keys
from dragoman.domain.errors import KeyUnknownError
from dragoman.settings import read_settings
from dragoman.store.keys import KeyStore, Scope


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(keys, [*arguments, "--data", str(data)], catch_exceptions=False)


def test_a_new_key_stands_alone_on_standard_output_and_works(tmp_path: Path) -> None:
    done = run(tmp_path, "create", "call centre")
    assert done.exit_code == 0
    key = done.stdout.removesuffix("\n")
    assert re.fullmatch(r"dgm_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key)
    assert "call centre" in done.stderr
    assert key not in done.stderr
    found = KeyStore.open(read_settings(data=tmp_path).effective_database_url).verify(key)
    assert found is not None
    assert found.name == "call centre"
    assert found.scopes == {Scope.STREAM, Scope.TRANSCRIPTS}


def test_keys_are_listed_with_what_they_allow(tmp_path: Path) -> None:
    key = run(tmp_path, "create", "a", "--scope", "metrics", "--scope", "admin").stdout
    key_id = key[4:12]
    run(tmp_path, "create", "b")
    done = run(tmp_path, "revoke", key_id)
    assert (done.exit_code, done.stdout) == (0, "")
    head, *rows = run(tmp_path, "list").stdout.splitlines()
    assert head.split() == ["id", "name", "scopes", "created", "revoked"]
    day = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"{key_id}  a     admin, metrics       {day}  {day}", rows[0])
    assert re.fullmatch(rf"[0-9a-f]{{8}}  b     stream, transcripts  {day}", rows[1])


def test_an_unknown_key_cannot_be_revoked(tmp_path: Path) -> None:
    with pytest.raises(KeyUnknownError, match="keys list"):
        run(tmp_path, "revoke", "00000000")


def test_an_unknown_scope_is_wrong_usage(tmp_path: Path) -> None:
    done = run(tmp_path, "create", "a", "--scope", "everything")
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_without_a_folder_the_settings_say_where_the_keys_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert CliRunner().invoke(keys, ["create", "a"]).exit_code == 0
    assert (tmp_path / "home" / "dragoman" / "dragoman.db").exists()
    monkeypatch.setenv("DRAGOMAN_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert CliRunner().invoke(keys, ["list"]).stdout.splitlines() == ["id  name  scopes  created  revoked"]
    assert (tmp_path / "other.db").exists()
