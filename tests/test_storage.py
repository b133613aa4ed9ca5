from pathlib import Path

import pytest
from pydantic import SecretStr

from dragoman.domain.errors import SettingsError, SourceFailedError
from dragoman.settings import Settings
from dragoman.storage import database_password, holder_of, open_spool


@pytest.mark.parametrize("address", ["/srv/spool", "https://example.org/audio", "http://a.blob.core.windows.net/audio"])
def test_a_spool_that_is_no_container_is_a_wrong_setting(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingsError, match="DRAGOMAN_SPOOL"):
        open_spool(Settings(data=tmp_path, spool=address))


def test_a_spool_names_its_container(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, spool="https://a.blob.core.windows.net/", blob_key=SecretStr("eA=="))
    with pytest.raises(SourceFailedError, match="container"):
        open_spool(settings)


def test_a_password_in_the_url_needs_no_token(tmp_path: Path) -> None:
    assert database_password(Settings(data=tmp_path)) is None


def test_a_server_is_one_of_several_where_its_database_is_shared(tmp_path: Path) -> None:
    url = "postgresql+psycopg://db.example.org/dragoman"
    assert holder_of(Settings(data=tmp_path)) is None
    here = holder_of(Settings(data=tmp_path, database_url=url))
    assert here is not None
    assert not here.is_shared
    assert holder_of(Settings(data=tmp_path, database_url=url)) == here  # started again, it has the same audio
    (tmp_path / "server.id").write_text("")
    assert holder_of(Settings(data=tmp_path, database_url=url)) != here
    shared = holder_of(Settings(data=tmp_path, database_url=url, spool="https://a.blob.core.windows.net/audio"))
    assert shared is not None
    assert shared.is_shared
