"""A real PostgreSQL on this machine, of its own, run by somebody who is not root."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql

from tests.api.server import free_port

_PROGRAMS: Final = ("initdb", "pg_ctl")


class PostgresServer:
    """A server that syncs what it commits. Every test has a database of its own in it."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        self.port = free_port()
        self.password = secrets.token_hex(16)

    def create(self) -> None:
        """Make the cluster, and start it."""
        secret = self._folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)  # in a folder of its own
        who = ["--username=dragoman", f"--pwfile={secret}", "--auth=scram-sha-256"]
        self._run("initdb", *who, "--encoding=UTF8", "--locale=C", f"--pgdata={self._folder / 'data'}")
        secret.unlink()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -p {self.port}"
        self._control("start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def stop(self, how: str = "immediate") -> None:
        """Stop it; immediately, which for PostgreSQL means as in a crash."""
        self._control("stop", "-w", "-m", how)

    def crash(self) -> None:
        """End it as in a crash, and start it again."""
        self.stop()
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://dragoman:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def over_tls(self, certificate: Path, key: Path) -> Iterator[None]:
        """Take connections over TLS too, with this certificate."""
        for name, source in (("cert", certificate), ("key", key)):
            kept = self._folder / f"{name}.pem"
            kept.write_bytes(source.read_bytes())
            kept.chmod(0o600)
            if self._user:
                shutil.chown(kept, self._user)
            self._execute(sql.SQL(f"ALTER SYSTEM SET ssl_{name}_file = {{}}").format(str(kept)))
        self._execute(sql.SQL("ALTER SYSTEM SET ssl = on"))
        self._execute(sql.SQL("SELECT pg_reload_conf()"))
        try:
            yield
        finally:
            self._execute(sql.SQL("ALTER SYSTEM RESET ssl"))
            self._execute(sql.SQL("SELECT pg_reload_conf()"))

    @contextmanager
    def owned(self, name: str, role: str, password: str) -> Iterator[None]:
        """Make a database of this name that belongs to a role of its own."""
        named = {"name": sql.Identifier(name), "role": sql.Identifier(role), "password": sql.Literal(password)}
        self._execute(sql.SQL("CREATE ROLE {role} LOGIN PASSWORD {password}").format(**named))
        self._execute(sql.SQL("CREATE DATABASE {name} OWNER {role}").format(**named))
        try:
            yield
        finally:
            self._execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**named))
            self._execute(sql.SQL("DROP ROLE {role}").format(**named))

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database like another one, and give its name."""
        name = f"d_{secrets.token_hex(4)}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield name
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def pages(self, database: str) -> bytes:
        """Return what the files of a database hold, once it is all written to them."""
        with psycopg.connect(self.url(database).replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [database]).fetchone()
        assert row is not None
        folder = self._folder / "data" / "base" / str(row[0])
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        url = self.url().replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", *arguments, "-D", str(self._folder / "data"))

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        user = pwd.getpwnam(self._user) if self._user else None
        subprocess.run(
            command,
            cwd=self._folder,
            check=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=() if user else None,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server; without PostgreSQL the test is skipped."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    # Not in pytest's folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        if user:
            shutil.chown(name, user)
        server = PostgresServer(programs, Path(name), user)
        server.create()
        try:
            yield server
        finally:
            server.stop()


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's programs: on the path, or where Debian keeps them, the newest first."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in folders if all((each / program).exists() for program in _PROGRAMS)), None)
