"""What the id of a session looks like, where it becomes a name in storage."""

import re
from typing import Final

_SESSION_ID: Final = re.compile(r"s_[0-9a-f]+")


def is_session_id(name: str) -> bool:
    """Return whether a name is the id of a session."""
    return _SESSION_ID.fullmatch(name) is not None


def check_session_id(session_id: str) -> None:
    """Let nothing become a path that is not the id of a session.

    Raises:
        ValueError: if it is none.
    """
    if not is_session_id(session_id):
        raise ValueError("a session id is s_ and hexadecimal digits")
