from pathlib import Path

import pytest
from pydantic import SecretStr

from dragoman.domain.errors import SettingsError, SourceFailedError
from dragoman.settings import Settings
from dragoman.storage import database_password, open_spool


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
