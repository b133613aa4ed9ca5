"""Tokens of Entra open doors; forged ones do not."""

import asyncio
import base64
import json
import time
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dragoman.api.entra import EntraOptions, EntraTokens
from dragoman.domain.caller import Caller
from dragoman.domain.errors import KeyRefusedError, TokenKeysMissingError
from dragoman.store.scope import Scope

AUDIENCE = "11111111-2222-3333-4444-555555555555"
TENANT, STRANGE = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
OPTIONS = EntraOptions(AUDIENCE, (TENANT,))
Json = dict[str, object]

OURS = rsa.generate_private_key(65_537, 2_048)
NEXT = rsa.generate_private_key(65_537, 2_048)
FORGED = rsa.generate_private_key(65_537, 2_048)


def published(**keys: rsa.RSAPrivateKey) -> bytes:
    found = []
    for name, key in keys.items():
        given = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
        found.append({**given, "kid": name, "use": "sig"})
    return json.dumps({"keys": found}).encode()


class Tenant:
    """What a tenant publishes, and how often it was asked."""

    def __init__(self, answer: bytes | OSError) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.now_s = 1_000.0

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer

    def tokens(self) -> EntraTokens:
        return EntraTokens(OPTIONS, self.fetch, lambda: self.now_s)


def claims(**changed: object) -> Json:
    now = int(time.time())
    given: Json = {
        "aud": AUDIENCE,
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "tid": TENANT,
        "iat": now,
        "nbf": now,
        "exp": now + 3_600,
        "oid": "cccccccc-0000-4000-8000-000000000003",
        "roles": ["Dragoman.Stream", "Dragoman.Transcripts", "Elsewhere.Read"],
    }
    return {name: value for name, value in (given | changed).items() if value is not None}


def signed(key: rsa.RSAPrivateKey = OURS, kid: str | None = "k1", algorithm: str = "RS256", **changed: object) -> str:
    return jwt.encode(claims(**changed), key, algorithm, {"kid": kid} if kid else None)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def verified(token: str, scope: Scope = Scope.STREAM, tenant: Tenant | None = None) -> Caller:
    return asyncio.run((tenant or Tenant(published(k1=OURS))).tokens().verify(token, scope))


def test_a_token_of_the_tenant_opens_what_its_roles_say() -> None:
    caller = verified(signed(exp=(end := int(time.time()) + 3_600)))
    assert caller == Caller(TENANT, "cccccccc-0000-4000-8000-000000000003", until_s=end + 60)
    v1 = signed(iss=f"https://sts.windows.net/{TENANT}/", aud=f"api://{AUDIENCE}", oid=None, appid="an-app")
    assert verified(v1, Scope.TRANSCRIPTS).owner == "an-app"
    for scope in (Scope.METRICS, Scope.ADMIN):
        with pytest.raises(KeyRefusedError, match="needs the role"):
            verified(signed(), scope)


def public_pem() -> bytes:
    return OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def with_shared_secret() -> str:
    """A token whose secret is our public key: who lets tokens choose the algorithm takes it for signed."""
    import hashlib
    import hmac

    text = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(claims())}"
    seal = hmac.new(public_pem(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def tampered() -> str:
    head, _, seal = signed().split(".")
    return f"{head}.{part(claims(roles=['Dragoman.Admin']))}.{seal}"


def of_another_curve() -> str:
    return jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "k1"})


FORGERIES: dict[str, Callable[[], str]] = {
    "no signature": lambda: f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims())}.",
    "no signature, spelt otherwise": lambda: f"{part({'alg': 'nOnE', 'kid': 'k1'})}.{part(claims())}.",
    "an empty signature": lambda: signed().rpartition(".")[0] + ".",
    "our public key as a secret": with_shared_secret,
    "another's key under our name": lambda: signed(FORGED),
    "a key that nobody publishes": lambda: signed(FORGED, "k9"),
    "no name of a key": lambda: signed(kid=None),
    "a name that is a path": lambda: signed(kid="../../etc/passwd"),
    "another hash": lambda: signed(algorithm="RS512"),
    "another padding": lambda: signed(algorithm="PS256"),
    "another curve": of_another_curve,
    "a key of its own in the header": lambda: jwt.encode(
        claims(), FORGED, "RS256", {"kid": "k9", "jku": "https://evil.example/keys", "jwk": {"kty": "RSA"}}
    ),
    "claims that were changed": tampered,
    "another audience": lambda: signed(aud="somebody-else"),
    "no audience": lambda: signed(aud=None),
    "several audiences, none ours": lambda: signed(aud=["a", "b"]),
    "another issuer": lambda: signed(iss=f"https://evil.example/{TENANT}/v2.0"),
    "the issuer of another tenant": lambda: signed(iss=f"https://login.microsoftonline.com/{STRANGE}/v2.0"),
    "no issuer": lambda: signed(iss=None),
    "another tenant": lambda: signed(tid=STRANGE),
    "no tenant": lambda: signed(tid=None),
    "a tenant that is a list": lambda: signed(tid=[TENANT]),
    "too old": lambda: signed(exp=1_000_000_000),
    "never ending": lambda: signed(exp=None),
    "an end that is no time": lambda: signed(exp="tomorrow"),
    "not yet": lambda: signed(nbf=4_000_000_000),
    "no beginning": lambda: signed(nbf=None),
    "nobody's": lambda: signed(oid=None),
    "somebody who is no text": lambda: signed(oid=["x"]),
    "no roles": lambda: signed(roles=None),
    "roles that are a text": lambda: signed(roles="Dragoman.Stream"),
    "a role nearly ours": lambda: signed(roles=["dragoman.stream"]),
    "nothing": lambda: "",
    "no token": lambda: "a.b.c",
    "two parts": lambda: "a.b",
    "claims that are no object": lambda: f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part([1])}.c2VhbA",
    "a header that is no object": lambda: f"{part([1])}.{part(claims())}.c2VhbA",
    "letters from elsewhere": lambda: "ａ.ｂ.ｃ",
    "very long": lambda: signed(padding="x" * 20_000),
    "very deep": lambda: (
        f"{part({'alg': 'RS256', 'kid': 'k1'})}."
        + base64.urlsafe_b64encode(b"[" * 5_000 + b"]" * 5_000).decode()
        + ".c2VhbA"
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(name: str) -> None:
    with pytest.raises(KeyRefusedError):
        verified(FORGERIES[name]())


def test_keys_rotate_without_a_restart_and_are_not_asked_for_too_often() -> None:
    tenant = Tenant(published(k1=OURS))
    tokens = tenant.tokens()

    async def use() -> None:
        await tokens.verify(signed(), Scope.STREAM)
        await tokens.verify(signed(), Scope.STREAM)
        assert tenant.asked == [f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"]
        tenant.answer = published(k1=OURS, k2=NEXT)
        for _ in range(50):  # whoever makes names up does not make us ask
            with pytest.raises(KeyRefusedError):
                await tokens.verify(signed(FORGED, "made up"), Scope.STREAM)
        assert len(tenant.asked) == 1
        tenant.now_s += 61
        await tokens.verify(signed(NEXT, "k2"), Scope.STREAM)
        assert len(tenant.asked) == 2
        tenant.answer = published(k2=NEXT)
        tenant.now_s += 24 * 3_600
        with pytest.raises(KeyRefusedError, match="does not publish"):
            await tokens.verify(signed(), Scope.STREAM)  # withdrawn
        tenant.answer = OSError("away")
        tenant.now_s += 24 * 3_600
        await tokens.verify(signed(NEXT, "k2"), Scope.STREAM)  # what is known is good while nobody answers

    asyncio.run(use())


@pytest.mark.parametrize("answer", [OSError("away"), b"no json", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}'])
def test_without_keys_nobody_is_let_in(answer: bytes | OSError) -> None:
    with pytest.raises((TokenKeysMissingError, KeyRefusedError)):
        verified(signed(), tenant=Tenant(answer))
