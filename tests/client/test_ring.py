import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.client.ring import Ring


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.integers(0, 400), st.data())
def test_what_is_kept_can_be_read_from_anywhere(pieces: list[bytes], forgotten: int, data: st.DataObject) -> None:
    ring = Ring(10**6)
    for piece in pieces:
        ring.add(piece)
    whole = b"".join(pieces)
    assert ring.end == len(whole)
    ring.forget(forgotten)
    assert ring.start <= forgotten
    position = start = data.draw(st.integers(ring.start, ring.end))
    read = b""
    while part := ring.read(position):
        read, position = read + part, position + len(part)
    assert read == whole[start:]


def test_what_was_forgotten_cannot_be_read() -> None:
    ring = Ring(10)
    ring.add(b"0123")
    ring.add(b"4567")
    ring.forget(4)
    with pytest.raises(ValueError, match="begins at 4"):
        ring.read(3)


def test_a_full_ring_has_no_room_until_something_is_safe() -> None:
    ring = Ring(6)

    def room_after(data: bytes, safe: int) -> bool:
        ring.add(data)
        ring.forget(safe)
        return ring.has_room

    assert [room_after(b"0123", 0), room_after(b"4567", 0), room_after(b"", 4)] == [True, False, True]
