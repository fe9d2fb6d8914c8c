# ruff: noqa: E501 a table of shapes reads best with one shape per line
"""Texts of agent traffic that no rule was tuned on: made anew from a seed, with what must vanish from each.

Beside `corpus/redaction`, which is committed, this one is drawn by other hands: vendors of today, names in every
spelling, national numbers with separators, and clean texts that look like what is masked. In a shape, `{A40}` is 40
letters and digits, `H` hex, `U` capitals and digits, `D` digits, `L` small letters and digits, `W` a word of a token,
`M` a month, `T` a day, `Y` the last digits of a year.
"""

import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

_ALNUM = string.ascii_letters + string.digits
_ALPHABETS = {
    "A": _ALNUM, "H": "0123456789abcdef", "U": string.ascii_uppercase + string.digits, "D": string.digits,
    "L": string.ascii_lowercase + string.digits, "W": _ALNUM + "_-",
}  # fmt: skip
_FIELD = re.compile(r"\{([A-Z])(\d*)\}")


@dataclass(frozen=True)
class Text:
    """`hidden` is what must vanish of `text`; empty for a text that must stay as it is."""

    kind: str
    text: str
    hidden: str = ""


PREFIXES = (
    "sk-proj-{W48}T3BlbkFJ{W48}", "sk-admin-{W60}", "sk-ant-admin01-{W90}AA", "sk-ant-api03-{W90}AA", "sk-{H32}", "sk-or-v1-{H64}",
    "gsk_{A52}", "xai-{A80}", "hf_{A34}", "pplx-{A48}", "r8_{A37}", "nvapi-{W64}", "csk-{L48}", "fw_{A22}", "jina_{W60}", "lsv2_pt_{H32}_{H10}",
    "pcsk_{A70}", "sk-lf-{H8}-{H4}-{H4}-{H4}-{H12}", "pk-lf-{H8}-{H4}-{H4}-{H4}-{H12}", "e2b_{H40}", "tvly-dev-{A32}", "pa-{W43}", "llx-{A48}", "tgp_v1_{W43}",
    "AKIA{U16}", "ASIA{U16}", "ABSK{A120}=", "AIza{W35}", "AQ.{W50}", "ya29.{W60}", "GOCSPX-{W28}", "1//0{W40}", "{A3}8Q~{A34}", "dop_v1_{H64}",
    "ghp_{A36}", "ghu_{A36}", "ghr_{A36}", "github_pat_{A22}_{A59}", "glpat-{W20}", "gldt-{W20}", "glrt-{W20}", "ATBB{A32}", "ATATT3{W170}={U8}",
    "npm_{A36}", "pypi-AgEIcHlwaS5vcmc{W80}", "dckr_pat_{W27}", "rubygems_{H48}", "xoxb-{D12}-{D13}-{A24}", "xoxp-{D12}-{D12}-{D13}-{H32}", "xapp-1-A{U10}-{D13}-{H64}",
    "{D10}:AA{W33}", "sk_live_{A99}", "rk_live_{A24}", "whsec_{A32}", "SK{H32}", "SG.{W22}.{W43}", "key-{H32}", "xkeysib-{H64}-{A16}", "shpat_{H32}",
    "lin_api_{A40}", "ntn_{A46}", "figd_{W40}", "pat-na1-{H8}-{H4}-{H4}-{H4}-{H12}", "glsa_{A32}_{H8}", "NRAK-{U27}", "sntrys_{A90}", "dp.pt.{A43}", "hvs.{W95}",
    "dapi{H32}", "pscale_tkn_{W43}", "sb_secret_{A22}_{A8}", "PMAK-{H24}-{H34}", "pul-{H40}", "AGE-SECRET-KEY-1{U58}", "eyJhbGciOiJIUzI1NiJ9.eyJ{W80}.{W43}",
    "dt0c01.{U24}.{U64}", "sqp_{H40}", "sk_{H48}", "phx_{A43}", "access-production-{H8}-{H4}-{H4}-{H4}-{H12}", "EAAB{A150}", "sha256~{W43}",
)  # fmt: skip
NAMES = (
    "PGPASSWORD", "DD_APP_KEY", "DD_API_KEY", "dbPassword", "userPassword", "clientSecret", "webhookSecret", "accessToken", "refreshToken", "idToken", "botToken",
    "apiKey", "xApiKey", "X-Api-Key", "secretKey", "SECRET_KEY", "DJANGO_SECRET_KEY", "private_key", "privateKey", "encryptionKey", "ENCRYPTION_KEY", "signingKey",
    "JWT_SIGNING_KEY", "AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "COHERE_API_KEY", "NPM_TOKEN", "SLACK_BOT_TOKEN", "MYSQL_PWD", "MYSQL_ROOT_PASSWORD",
    "spring.datasource.password", "sharedAccessKey", "storageAccountKey", "ACCOUNT_KEY", "licenseKey", "masterKey", "passphrase", "SSH_PASSPHRASE", "smtp_passwd",
    "client-secret", "authToken", "TWILIO_AUTH_TOKEN", "csrf_token", "session_token", "credentials", "Ocp-Apim-Subscription-Key", "DB_PASS", "OPENAI_KEY", "Pwd",
    "SECRET_KEY_BASE", "API_KEY_2", "sas_token", "x-amz-security-token", "Passwort", "appKey", "app_secret", "consumerSecret", "oauth_token_secret", "bearerToken",
)  # fmt: skip
_ASSIGNMENTS = (
    "@={}", '@="{}"', "export @='{}'", "@: {}", '@: "{}"', '{"@": "{}"}', '{"a":1,"@":"{}","b":[2]}', "{'@': '{}'}", '@ := "{}"', "?x=1&@={}&y=2",
    "<@>{}</@>", "set @ = {};", "@ => '{}'", "config['@'] = '{}'",
)  # fmt: skip
_COMMANDS = (
    "login --password {}", "run --token={}", "mysql -u root --password={} db", "gh --with-token --api-key {}", "az --client-secret {}", "tool --secret '{}' run",
    "helm --set auth.password={}", "curl -u admin:{} https://example.com", "my password is {}", "the API key is {}",
    "Authorization: Bearer {}", "authorization: token {}", "Cookie: sid={}; a=b", "Set-Cookie: session={}; HttpOnly", "Proxy-Authorization: Basic {}==",
    '{"Authorization":"Bearer {}"}', "X-Auth-Token: {}", "postgresql://u:{}@h:5432/d", "redis://default:{}@r:6379", "https://me:{}@example.com/x.git",
    "Server=tcp:x;User ID=a;Password={};Encrypt=yes", "mongodb://a:{}@m1,m2/db?replicaSet=r", "AccountName=x;AccountKey={}==;", "sr=x&sig={}%3D&se=1", "jdbc:x://h/d?user=a&password={}",
)  # fmt: skip
_VALUES = ("k{A10}3", "k{A24}9", "k{H32}7", "k{A40}1", "k{A6}.{A6}!5")
PERSONAL = {
    "email": ("maria.garcia@example.com", "jürgen{D2}@firma.example.de", "wei.chen+news@mail.example.co.uk", "a_b@example.museum", "Søren@münchen.example", "x{D3}@sub.dept.example.org"),
    "phone": ("+49 30 {D7}", "+1 415-555-{D4}", "+1 (212) 555-{D4}", "+33 1 {D2} {D2} {D2} {D2}", "+44 (0)20 7946 {D4}", "+34 6{D2} {D3} {D3}", "+81-3-{D4}-{D4}", "+91 98765 {D5}", "+55 (11) 9{D4}-{D4}", "0049 151 {D8}"),
    "national phone": ("(415) 555-{D4}", "415-555-{D4}", "415.555.{D4}", "1-800-555-{D4}", "030 {D7}", "0171/{D7}", "0171-{D7}", "0171 {D3} {D4}", "06 {D2} {D2} {D2} {D2}", "06{D8}", "06.{D2}.{D2}.{D2}.{D2}", "020 7946 {D4}", "07700 900{D3}", "(030) {D7}", "03-{D4}-{D4}"),
    "card": ("4{D15}", "4{D3} {D4} {D4} {D4}", "4{D3}-{D4}-{D4}-{D4}", "53{D14}", "2720 {D4} {D4} {D4}", "6011{D12}", "37{D13}", "37{D2} {D6} {D5}", "3530-{D4}-{D4}-{D4}"),
    "iban": ("DE{D20}", "DE{D2} {D4} {D4} {D4} {D4} {D2}", "GB{D2}NWBK{D14}", "GB{D2} NWBK {D4} {D4} {D4} {D2}", "NL{D2}ABNA{D10}", "FR{D2} {D4} {D4} {D4} {D4} {D4} {D3}", "BE{D2} {D4} {D4} {D4}"),
    "id": ("{P}-{D2}-{D4}", "{P} {D2} {D4}", "AB {D2} {D2} {D2} C", "AB{D6}D", "{D3}.{D3}.{D3}-{D2}", "1 {Y} {M} {D2} {D3} {D3} {D2}", "2{Y}{M}{D10}", "RSSMRA{Y}A{T}H501Z", "{D8}Z", "{D2}.{D3}.{D3}-T", "X-{D7}L", "{Y}{M}{T}-2{D6}", "19{Y}{M}{T}-{D4}", "{T}{M}{Y}-{D4}", "{T}{M}{Y}A{D3}N", "11010519{Y}{M}{T}{D3}X", "{N} {D4} {D4}"),
}  # fmt: skip
_AROUND = ("{}", "Use this: {}", "value {} stopped working", "Here:\n{}\nThanks", "`{}`", "<code>{}</code>", "error: rejected ({})", "GET /v1?k={}&page=2", "| a | {} |", "{},next", "key:{}", "[{}]", "it is {}.", "顧客 {} です")  # fmt: skip
CLEAN = {
    "code": ("def f(password: str, token: str | None = None)", "password = getpass.getpass()", "api_key = os.environ['OPENAI_API_KEY']", "const token = await getToken();", "self.token = token", "token: SecretStr = Field(...)", "SECRET_KEY = config('SECRET_KEY')", "password=None, timeout=30", "export const apiKey = process.env.API_KEY", "max_tokens=4096, top_p=0.95", "@pytest.fixture(scope='module')", "@app.get('/users/{user_id}')", "SELECT password_hash FROM users WHERE id = $1", "cookie.max_age = 3600", "--- PASS: TestFoo{D1} (0.00s)", "TOKEN_LIMIT=200000", "PASSWORD_MIN_LENGTH=12", "SORT_KEY=created_at_timestamp", "next_token = None", "token_type: bearer", "token budget: 128000", "access_token: string"),
    "ids": ("call_{A24}", "resp_{H48}", "chatcmpl-{A29}", "toolu_01{A22}", "msg_{H24}", "file-{A22}", "trace {H32} span {H16}", "{H8}-{H4}-4{H3}-a{H3}-{H12}", "sha256:{H64}", "commit {H40}", "session_id={H8}-{H4}-4{H3}-a{H3}-{H12}", '{"session_id":"{H24}"}', "arn:aws:iam::{D12}:role/x", "i-0{H16}", "order_{D10}", "INV-2026-{D6}", "SKU-ABCD-{D5}", "1Z{U16}", "ticket #{D6}", "pod-{H9}-{L5}", "idempotency_key: {H8}-{H4}-4{H3}-a{H3}-{H12}"),
    "json": ('{"order_id":"A-{D6}","created":"2026-11-2{D1}T1{D1}:35:07.{D6}Z","total":{N}.{D2},"score":0.{D16},"lat":48.{D13},"items":[{"sku":"SKU-{D5}","qty":{D1},"price":19.95}],"epoch_ms":1764{D9}}',),
    "numbers": ("total {D3},{D3}.{D2} EUR", "took {D3}.{D13} ms", "p99=0.{D16}", "ts=1764{D6}", "ts_ns=1764{D15}", "[0.{D16}, -0.{D17}, 0.{D16}]", "{D3} of {D4} rows", "2026-11-2{D1} 08:15:00,{D3} INFO ready", "10.0.{D2}.{D2}:8080", "v1.{D2}.{D1}-rc.1", "2001:db8::{H4}:1", "offset {D8} length {D7}", "48.{D14}, 2.{D15}", "ISBN 978-3-16-{D6}-1"),
    "names": ("gpt-4.1-mini-2025-04-14", "claude-sonnet-4-5-20250929", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "models/gemini-2.5-flash-preview-05-20", "task-runner-for-production-eu", "risk-desk-assistant-v2", "ask-the-docs-agent-v12-blue", "https://example.com/@writer/{H12}", "s3://bucket/2026/11/part-{D5}.parquet", "postgres://db:5432/app"),
    "prose": ("The password must be changed every quarter.", "A basic understanding of bearer bonds is enough.", "Cookies are baked at 180 degrees.", "The token is valid for {N} seconds.", "Section 4.2.{D1} covers keys: public and private.", "secret of success: practice {D2} times", "Room {D3}, floor {D1}, pages 12-48."),
}  # fmt: skip


def _filled(rng: random.Random, shape: str) -> str:
    def value(match: re.Match[str]) -> str:
        letter, count = match.groups()
        ranges = {"M": (1, 12), "T": (1, 28), "Y": (40, 99), "P": (100, 665), "N": (2000, 9999)}
        if letter in ranges:
            return f"{rng.randint(*ranges[letter]):02d}"
        return "".join(rng.choices(_ALPHABETS[letter], k=int(count)))

    return _FIELD.sub(value, shape)


def _wrapped(rng: random.Random, kind: str, text: str, hidden: str = "") -> Text:
    """As it is, or as JSON inside JSON; `hidden` takes the same escapes."""
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        ascii_only = rng.random() < 0.5
        shape = rng.choice(
            ({"role": "user", "content": text}, [{"type": "text", "text": text}], {"args": {"n": 1, "t": text}})
        )
        text = json.dumps(shape, ensure_ascii=ascii_only)
        hidden = json.dumps(hidden, ensure_ascii=ascii_only)[1:-1]
    return Text(kind, text, hidden)


def secrets(seed: int) -> Iterator[Text]:
    rng = random.Random(f"secrets {seed}")
    for shape in PREFIXES * 5:
        value = _filled(rng, shape)
        yield _wrapped(rng, "prefix", rng.choice(_AROUND).replace("{}", value), value)
    for name in NAMES * 5:
        value = _filled(rng, rng.choice(_VALUES))
        yield _wrapped(rng, "name", rng.choice(_ASSIGNMENTS).replace("@", name).replace("{}", value), value)
    for shape in _COMMANDS * 5:
        value = _filled(rng, rng.choice(_VALUES[:4]))
        yield _wrapped(rng, "command, header, address", shape.replace("{}", value), value)


def personal(seed: int) -> Iterator[Text]:
    rng = random.Random(f"personal {seed}")
    for kind, shapes in PERSONAL.items():
        for number in range(100):
            value = _filled(rng, shapes[number % len(shapes)])
            yield _wrapped(rng, kind, rng.choice(_AROUND).replace("{}", value), value)


def clean(seed: int) -> Iterator[Text]:
    rng = random.Random(f"clean {seed}")
    for kind, shapes in CLEAN.items():
        for number in range(200):
            yield _wrapped(rng, kind, _filled(rng, shapes[number % len(shapes)]))
