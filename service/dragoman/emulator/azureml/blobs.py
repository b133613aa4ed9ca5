"""Blobs in a folder: content at its own path, so that a person finds it, and what is said about it beside."""

import hashlib
import json
import shutil
import threading
import uuid
from collections.abc import AsyncIterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

_PROPERTIES = ".properties"


class BlobNameError(ValueError):
    """A name that cannot be a path."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob, without its content."""

    name: str
    size: int
    content_type: str
    modified: str
    """In ISO 8601, UTC."""
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    is_appended: bool = False


class Blobs:
    """The containers of one account. Content is replaced at once, and appended to whole lines at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()

    def create_container(self, container: str) -> bool:
        """Make a container; return whether it is new."""
        folder = self._folder / _safe(container)
        is_new = not folder.is_dir()
        folder.mkdir(exist_ok=True)
        return is_new

    def has_container(self, container: str) -> bool:
        """Return whether there is such a container."""
        return (self._folder / _safe(container)).is_dir()

    def get(self, container: str, name: str) -> Blob | None:
        """Return what is said about a blob; ``None`` if there is none."""
        try:
            said = json.loads(self._properties(container, name).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError, BlobNameError):
            return None
        return Blob(**said)

    def path(self, container: str, name: str) -> Path:
        """Return where the content of a blob lies."""
        return self._folder / _safe(container) / _safe(name)

    async def receive(self, content: AsyncIterable[bytes]) -> tuple[Path, bytes]:
        """Write what comes to a file of its own; return where that is, and its MD5."""
        incoming, digest = self._incoming / uuid.uuid4().hex, hashlib.md5(usedforsecurity=False)
        with incoming.open("wb") as file:
            async for piece in content:
                digest.update(piece)
                file.write(piece)
        return incoming, digest.digest()

    def put(
        self, container: str, name: str, content: Path | bytes, content_type: str, metadata: dict[str, str]
    ) -> Blob:
        """Make a blob, in place of what was there; a file is moved to where it belongs."""
        target = self.path(container, name)
        with self._lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                content.replace(target)
            return self._describe(container, name, content_type, metadata, is_appended=False)

    def append(self, container: str, name: str, line: bytes) -> None:
        """Add to a blob; it is made if there is none."""
        target = self.path(container, name)
        with self._lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab") as file:
                file.write(line)
            self._describe(container, name, "application/octet-stream", {}, is_appended=True)

    def describe(self, container: str, blob: Blob, metadata: dict[str, str]) -> Blob:
        """Change the metadata of a blob."""
        with self._lock:
            return self._describe(container, blob.name, blob.content_type, metadata, is_appended=blob.is_appended)

    def delete(self, container: str, name: str) -> None:
        """Forget a blob."""
        with self._lock:
            self._properties(container, name).unlink(missing_ok=True)
            self.path(container, name).unlink(missing_ok=True)

    def below(self, container: str, prefix: str = "") -> Iterator[Blob]:
        """Yield the blobs whose names begin so, by name."""
        root = self._folder / _safe(container)
        names = sorted(file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file())
        for name in names:
            if name.startswith(prefix) and (blob := self.get(container, name)):
                yield blob

    def copy_to(self, folder: Path, container: str, prefix: str) -> list[str]:
        """Copy a blob, or all blobs below a prefix, into a folder; return their names from there.

        The last part of the prefix is the first of the names: ``…/model`` becomes ``model/…``.
        """
        root, copied = PurePosixPath(prefix.rstrip("/")), list[str]()
        for blob in self.below(container, str(root)):
            if blob.name != str(root) and not blob.name.startswith(f"{root}/"):
                continue
            name = PurePosixPath(blob.name).relative_to(root.parent)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.path(container, blob.name), target)
            copied.append(str(name))
        return copied

    def _describe(
        self, container: str, name: str, content_type: str, metadata: dict[str, str], *, is_appended: bool
    ) -> Blob:
        blob = Blob(
            name=name,
            size=self.path(container, name).stat().st_size,
            content_type=content_type,
            modified=datetime.now(UTC).isoformat(timespec="seconds"),
            etag=f'"0x{uuid.uuid4().hex[:15].upper()}"',
            metadata=metadata,
            is_appended=is_appended,
        )
        said = self._properties(container, name)
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(json.dumps(asdict(blob)), "utf-8")
        return blob

    def _properties(self, container: str, name: str) -> Path:
        return self._folder / _PROPERTIES / _safe(container) / f"{_safe(name)}.json"


def _safe(name: str) -> str:
    """Return a name that stays below its folder.

    Raises:
        BlobNameError: if it would not.
    """
    parts = name.split("/")
    if not all(parts) or any(part in (".", "..") or "\0" in part or part.startswith(_PROPERTIES) for part in parts):
        raise BlobNameError(f"The emulator cannot keep a blob by the name '{name}'.")
    return name
