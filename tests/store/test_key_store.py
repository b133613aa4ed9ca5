from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from dragoman.domain.errors import KeyUnknownError
from dragoman.store.database import open_database
from dragoman.store.keys import KeyStore, Scope


@pytest.fixture
def keys(url: str) -> Iterator[KeyStore]:
    engine = open_database(url)
    yield KeyStore(engine)
    engine.dispose()


def test_a_key_opens_what_it_was_made_for(keys: KeyStore) -> None:
    assert not keys.any_active()
    new = keys.create("call centre", [Scope.STREAM, Scope.METRICS])
    assert keys.verify(new.key) == new.record
    assert new.record.scopes == {Scope.STREAM, Scope.METRICS}
    assert keys.list() == (new.record,)
    assert keys.any_active()


@pytest.mark.parametrize(
    "alter",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key.replace("dgm_", "dgm_0")[:56],
        lambda key: f"{key[:4]}00000000{key[12:]}",
    ],
)
def test_an_altered_key_opens_nothing(keys: KeyStore, alter: Callable[[str], str]) -> None:
    key = keys.create("n", [Scope.STREAM]).key
    assert keys.verify(alter(key)) is None


@pytest.mark.parametrize("key", ["", "dgm_", "dgm_12345678", f"dgm_12345678_{'ä' * 43}", f"dgm_12345678_{'a' * 43}\n"])
def test_a_malformed_key_is_refused_without_a_query(keys: KeyStore, key: str) -> None:
    queries: list[object] = []
    event.listen(keys._engine, "begin", queries.append)
    assert keys.verify(key) is None
    assert not queries


def test_a_revoked_key_opens_nothing_and_stays_listed(keys: KeyStore) -> None:
    gone, kept = keys.create("a", [Scope.STREAM]), keys.create("b", [Scope.ADMIN])
    keys.revoke(gone.record.key_id)
    first = keys.list()
    keys.revoke(gone.record.key_id)
    assert keys.list() == first
    assert keys.verify(gone.key) is None
    assert keys.verify(kept.key) == kept.record
    assert {record.name for record in keys.list() if record.revoked_ms is not None} == {"a"}
    keys.revoke(kept.record.key_id)
    assert not keys.any_active()


def test_an_unknown_key_cannot_be_revoked(keys: KeyStore) -> None:
    with pytest.raises(KeyUnknownError, match="00000000"):
        keys.revoke("00000000")


def test_only_a_hash_reaches_the_disk(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'dragoman.db'}")
    new = KeyStore(engine).create("n", [Scope.STREAM])
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    engine.dispose()
    assert new.record.key_id.encode() in stored
    assert new.key.split("_", 2)[2].encode() not in stored
    assert new.key not in repr(new)
