"""Azurite, the emulator of Azure Storage, as a process on this machine."""

import base64
import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import pytest
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.npm import installed

ACCOUNT: Final = "devstoreaccount1"
KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""What every Azurite in the world has; source: its README, "Default storage account"."""


@contextmanager
def azurite(folder: Path, *options: str) -> Iterator[str]:
    """Give the address of its account; nothing that is written to it outlives the context."""
    packages = installed(Path(__file__).parent / "azurite")
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed, so Azurite cannot run")
    program = str(packages / "azurite" / "dist" / "src" / "blob" / "main.js")
    plain = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"]
    command = [node, program, *plain, "--skipApiVersionCheck", "--silent", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            found = next((found for line in lines if (found := re.search(r"listens on (\S+)", line))), None)
            if found is None:
                pytest.skip("Azurite did not start")
            yield f"{found[1]}/{ACCOUNT}"
        finally:
            process.terminate()
            process.stdout.read()  # it says good-bye, and is upset if nobody listens


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    ssl.create_default_context(cafile=str(pem))  # it is one
    return pem, secret


class Somebody:
    """Gives tokens such as Microsoft Entra does, but for the signature, at which Azurite does not look."""

    def __init__(self, audience: str = "https://storage.azure.com") -> None:
        self._audience = audience

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """Return a token of this audience."""
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3_600,
        }
        parts = [{"alg": "none", "typ": "JWT"}, claims, {}]
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return AccessToken(token, now + 3_600)
