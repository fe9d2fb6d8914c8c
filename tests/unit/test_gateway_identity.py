"""Who a caller is: the header on loopback, a signed token elsewhere; and what proves nobody."""

import asyncio
import base64
import hmac
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from support.gateway_world import code, refused, world

from agentobs.guard import document
from gateway.identity import HEADER, HeaderIdentity, IdentityError
from gateway.run import GatewayError
from gateway.token_identity import Keys, TokenIdentity, identity_of

RSA, EC, STRANGER = (
    RSAKey.generate_key(2048, {"kid": "r"}),
    ECKey.generate_key("P-256", {"kid": "e"}),
    RSAKey.generate_key(2048, {"kid": "r"}),
)
CLAIMS = {"iss": "https://k8s", "sub": "system:serviceaccount:agents:support", "aud": ["agentobs-gateway"]}
EVERYWHERE = "0.0.0.0"  # noqa: S104 nobody listens
POLICY = {
    "version": 1,
    "agents": {"planner": {}, "executor": {}},
    "identities": [{"issuer": "k8s", "subject": CLAIMS["sub"], "agents": ["planner", "executor"]}],
}


@pytest.fixture
def policy(tmp_path):
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(KeySet([RSA, EC]).as_dict(private=False)))
    return document.read(POLICY | {"issuers": {"k8s": {"issuer": "https://k8s", "jwks": str(keys)}}}, "policy.yaml")


def _token(key=RSA, header=None, **claims):
    said = {
        name: value for name, value in (CLAIMS | {"exp": int(time.time()) + 600} | claims).items() if value is not None
    }
    algorithm = {"RSA": "RS256", "EC": "ES256"}[key.key_type]
    return jwt.encode({"alg": algorithm, "kid": key.kid} | (header or {}), said, key)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _by_hand(algorithm, sign):
    """A token that no library would make."""
    said = {"alg": algorithm, "kid": "r"}, CLAIMS | {"exp": int(time.time()) + 600}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in said)
    return f"{text}.{_encoded(sign(text.encode()))}"


def _unsigned():
    return _by_hand("none", lambda _text: b"")


def _swapped():
    """The public key as a secret: an old trick on verifiers that believe the token's own algorithm."""
    return _by_hand("HS256", lambda text: hmac.digest(RSA.as_pem(private=False), text, "sha256"))


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_a_token_says_which_agents_its_bearer_speaks_for(policy, key):
    caller = asyncio.run(TokenIdentity(policy)({"authorization": f"Bearer {_token(key)}"}, "10.0.0.9"))
    assert caller.agents == {"planner", "executor"}
    assert caller.meant == ""


@pytest.mark.parametrize(
    "authorization",
    [
        lambda: "",
        lambda: "Bearer ",
        lambda: "Basic dXNlcjpwYXNz",
        lambda: "Bearer a.b.c",
        lambda: "Bearer " + "x" * 10_000,
        lambda: f"Bearer {_token(aud='other')}",
        lambda: f"Bearer {_token(aud=None)}",
        lambda: f"Bearer {_token(exp=int(time.time()) - 60)}",
        lambda: f"Bearer {_token(exp=None)}",
        lambda: f"Bearer {_token(nbf=int(time.time()) + 600)}",
        lambda: f"Bearer {_token(iss='https://elsewhere')}",
        lambda: f"Bearer {_token(sub='system:serviceaccount:agents:other')}",
        lambda: f"Bearer {_token(sub=['a'])}",
        lambda: f"Bearer {_token(STRANGER)}",
        lambda: f"Bearer {_unsigned()}",
        lambda: f"Bearer {_swapped()}",
        lambda: f"Bearer {_token()[:-4]}AAAA",
    ],
)
def test_what_proves_nobody_is_refused_without_saying_what_was_sent(policy, authorization):
    sent = authorization()
    with pytest.raises(IdentityError) as caught:
        asyncio.run(TokenIdentity(policy)({"authorization": sent}, "127.0.0.1"))
    assert sent.partition(" ")[2][:20] not in str(caught.value) or len(sent) < 10


def test_keys_are_kept_an_hour_when_their_address_falls_silent_and_then_the_door_is_closed(policy):
    now, answers = [0.0], [KeySet([RSA]).as_dict(private=False)]

    def fetch(_address):
        if not answers:
            raise OSError
        return answers[0]

    keys = Keys(policy.issuers["k8s"], fetch=fetch, clock=lambda: now[0])

    async def run():
        await keys.known()
        answers.clear()
        now[0] = 3599.0
        await keys.known()
        now[0] = 3700.0
        with pytest.raises(IdentityError, match="nobody is let in"):
            await keys.known()
        answers.append(KeySet([EC]).as_dict(private=False))
        with pytest.raises(IdentityError):
            await keys.known()  # asked a moment ago
        now[0] = 3711.0
        return [key.kid for key in (await keys.known()).keys]

    assert asyncio.run(run()) == ["e"]


def test_without_issuers_only_this_computer_is_believed(policy):
    plain = document.read({"version": 1}, "policy.yaml")
    assert isinstance(identity_of(plain, "127.0.0.1"), HeaderIdentity)
    assert isinstance(identity_of(policy, EVERYWHERE), TokenIdentity)
    with pytest.raises(GatewayError, match="believe every caller"):
        identity_of(plain, EVERYWHERE)
    for host, asked in (("10.0.0.9", "127.0.0.1"), ("127.0.0.1", "evil.example:8790"), ("127.0.0.1", "")):
        with pytest.raises(IdentityError, match="on this computer only"):
            asyncio.run(HeaderIdentity()({HEADER: "planner", "host": asked}, host))
    for asked in ("127.0.0.1:8790", "localhost:8790", "[::1]:8790"):
        assert asyncio.run(HeaderIdentity()({HEADER: "planner", "host": asked}, "::1")).meant == "planner"


AGENTS = {"executor": {"tools": {"bench/echo": {}}}, "planner": {"tools": {"bench/meta": {}}}}


@pytest.mark.parametrize(
    ("header", "carried", "echo", "meta"),
    [
        ("executor", "", None, -32602),
        ("executor", "executor", None, -32602),
        ("executor", "planner", -32010, -32010),
        ("executor, planner", "planner", -32602, None),
        ("executor, planner", "", -32010, -32010),
        ("executor, planner", "critic", -32010, -32010),
    ],
)
def test_the_baggage_says_which_of_its_agents_a_caller_means(header, carried, echo, meta):
    async def run():
        async with world({}, agents=AGENTS) as here, here.client(agent=header) as client:
            sent = {"baggage": f"gen_ai.agent.name={carried}"} if carried else {}
            found = []
            for name in ("echo", "meta"):
                try:
                    await client.call_tool(name, {}, meta=sent)
                    found.append(None)
                except Exception as error:  # noqa: BLE001 which one is what is asked
                    found.append(code(error))
            return found, len((await client.session.list_tools(params=None)).tools)

    found, listed = asyncio.run(run())
    assert found == [echo, meta]
    assert listed == (1 if header == "executor" else 0)


def test_a_token_opens_the_gateway_and_the_server_behind_never_sees_it(policy):
    async def run():
        token = _token()
        settings = {"identify": TokenIdentity(policy), "agents": AGENTS}
        async with world({}, **settings) as here:
            headers = {"authorization": f"Bearer {token}", HEADER: "executor"}
            async with here.client(agent="executor", headers=headers) as client:
                await client.call_tool("echo", {})
                wrong = await refused(client.call_tool("meta", {}))
            nobody = await here.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
            return (
                code(wrong),
                nobody.status_code,
                nobody.headers["www-authenticate"],
                here.servers["bench"].headers[-1],
            )

    wrong, status, asked, headers = asyncio.run(run())
    assert (wrong, status, asked) == (-32602, 401, 'Bearer realm="agentobs-gateway"')
    assert "authorization" not in headers
