import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli.keys import keys
from dragoman.domain.caller import Quota
from dragoman.domain.errors import KeyUnknownError, SettingsError
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


def test_a_machine_that_is_set_up_again_gets_no_second_key(tmp_path: Path) -> None:
    first = run(tmp_path, "create", "laptop", "--if-none")
    again = run(tmp_path, "create", "laptop", "--if-none")
    assert first.stdout.startswith("dgm_")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "There is a key that works" in again.stderr
    run(tmp_path, "revoke", first.stdout[4:12])
    assert run(tmp_path, "create", "laptop", "--if-none").stdout.startswith("dgm_")


def test_keys_are_listed_with_what_they_allow(tmp_path: Path) -> None:
    key = run(tmp_path, "create", "a", "--scope", "metrics", "--scope", "admin").stdout
    key_id = key[4:12]
    run(tmp_path, "create", "b")
    done = run(tmp_path, "revoke", key_id)
    assert (done.exit_code, done.stdout) == (0, "")
    head, *rows = run(tmp_path, "list").stdout.splitlines()
    assert head.split() == ["id", "name", "tenant", "scopes", "created", "expires", "revoked"]
    day = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"{key_id}  a     default  admin, metrics       {day} +{day}", rows[0])
    assert re.fullmatch(rf"[0-9a-f]{{8}}  b     default  stream, transcripts  {day}", rows[1])


def test_a_key_is_rotated_and_both_are_good_for_a_while(tmp_path: Path) -> None:
    old = run(tmp_path, "create", "a", "--tenant", "acme", "--scope", "metrics", "--streams", "3").stdout.strip()
    new = run(tmp_path, "rotate", old[4:12], "--overlap-hours", "1").stdout.strip()
    keys_of = KeyStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}")
    for key in (old, new):
        record = keys_of.verify(key)
        assert record is not None
        assert (record.tenant, record.scopes, record.quota) == ("acme", frozenset({Scope.METRICS}), Quota(streams=3))
    ended = run(tmp_path, "rotate", new[4:12], "--overlap-hours", "0").stdout.strip()
    assert keys_of.verify(new) is None
    assert keys_of.verify(ended) is not None
    with pytest.raises(KeyUnknownError, match="rotated"):
        run(tmp_path, "rotate", new[4:12])


def test_a_key_lasts_as_long_as_was_said(tmp_path: Path) -> None:
    key = run(tmp_path, "create", "a", "--days", "0.0000001").stdout.strip()
    time.sleep(0.02)
    assert KeyStore.open(f"sqlite:///{tmp_path / 'dragoman.db'}").verify(key) is None


def test_a_tenant_has_a_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no name of a tenant"):
        run(tmp_path, "create", "a", "--tenant", "../b")


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
    assert CliRunner().invoke(keys, ["list"]).stdout.splitlines() == [
        "id  name  tenant  scopes  created  expires  revoked"
    ]
    assert (tmp_path / "other.db").exists()
