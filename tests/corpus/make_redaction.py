# ruff: noqa: E501 a sample reads best on one line
"""Make the redaction corpus: `python tests/corpus/make_redaction.py` writes redaction/{secrets,personal,clean}.jsonl.

Every line is one text of agent traffic with what must vanish from it (`hidden`, empty for clean lines) and its class.
Secrets are random characters behind a known prefix: none of them ever opened a door.
`held_out` is decided by a hash of the text: patterns are tuned without looking at those lines.
"""

import argparse
import hashlib
import json
import random
import string
from collections.abc import Callable
from pathlib import Path

ALNUM = string.ascii_letters + string.digits
FOLDER = Path(__file__).parent / "redaction"
Draw = Callable[[random.Random], str]
# Joined at run time, so that no line of this file looks like a credential to a scanner.
JOIN = "".join


def chars(r: random.Random, n: int, alphabet: str = ALNUM) -> str:
    return JOIN(r.choices(alphabet, k=n))


def digits(r: random.Random, n: int) -> str:
    return chars(r, n, string.digits)


def token(*parts: str, n: int, alphabet: str = ALNUM) -> Draw:
    return lambda r: JOIN(parts) + chars(r, n, alphabet)


def jwt(r: random.Random) -> str:
    return ".".join(("ey" + "J" + chars(r, 20), "ey" + "J" + chars(r, 40), chars(r, 43, ALNUM + "_-")))


def pem(r: random.Random) -> str:
    kind = r.choice(("RSA PRIVATE", "PRIVATE", "EC PRIVATE", "OPENSSH PRIVATE"))
    lines = "\n".join(chars(r, 64, ALNUM + "+/") for _ in range(4))
    return f"-----BEGIN {kind} KEY-----\n{lines}\n-----END {kind} KEY-----"


def luhn(r: random.Random, prefix: str, length: int) -> str:
    body = prefix + digits(r, length - len(prefix) - 1)
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def card(r: random.Random) -> str:
    prefix, length = r.choice(
        (("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("3528", 16))
    )
    number = luhn(r, prefix, length)
    cuts = (4, 10, 15) if length == 15 else (4, 8, 12, 16)
    sep = r.choice(("", " ", "-"))
    return sep.join(number[a:b] for a, b in zip((0, *cuts), cuts, strict=False))


def iban(r: random.Random) -> str:
    country, shape = r.choice(
        (
            ("DE", "n18"),
            ("FR", "n20"),
            ("NL", "a4n10"),
            ("GB", "a4n14"),
            ("ES", "n20"),
            ("IT", "a1n22"),
            ("CH", "n17"),
            ("AT", "n16"),
            ("PL", "n24"),
            ("NO", "n11"),
            ("BE", "n12"),
            ("SE", "n20"),
        )
    )
    bban, kind, count = "", "", ""
    for c in shape + "e":
        if c.isalpha():
            if kind:
                bban += digits(r, int(count)) if kind == "n" else chars(r, int(count), string.ascii_uppercase)
            kind, count = c, ""
        else:
            count += c
    number = JOIN(str(int(c, 36)) for c in bban + country + "00")
    whole = f"{country}{98 - int(number) % 97:02d}{bban}"
    return whole if r.random() < 0.5 else " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))


def email(r: random.Random) -> str:
    first, last = (
        r.choice(("maria", "jürgen", "chen", "o'neil", "ana", "Sam", "lee_k")),
        r.choice(("garcia", "lopez", "Wang", "smith", "k", "müller")),
    )
    local = r.choice((f"{first}.{last}", f"{first}{digits(r, 2)}", f"{first}+orders", f"{first}-{last}"))
    return f"{local}@{r.choice(('example.com', 'mail.example.org', 'corp.example.co.uk', 'example.de', 'exämple.de'))}"


def shaped(*shapes: str) -> Draw:
    """`#` is any digit, `+` stays, `N` is 2 to 9, `A` a letter."""

    def draw(r: random.Random) -> str:
        made = {"#": string.digits, "N": "23456789", "A": "ABCEGHJKLM"}
        return JOIN(r.choice(made[c]) if c in made else c for c in r.choice(shapes))

    return draw


def national_id(r: random.Random) -> str:
    day, month, year = f"{r.randint(1, 28):02d}", f"{r.randint(1, 12):02d}", f"{r.randint(50, 99)}"
    return r.choice((
        f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}",
        f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}",
        f"AB {digits(r, 2)} {digits(r, 2)} {digits(r, 2)} C", f"JK{digits(r, 6)}D",
        f"{digits(r, 3)}.{digits(r, 3)}.{digits(r, 3)}-{digits(r, 2)}",
        f"1 {year} {month} {digits(r, 2)} {digits(r, 3)} {digits(r, 3)} {digits(r, 2)}",
        f"2{year}{month}{digits(r, 10)}",
        f"RSSMRA{year}T{day}H{digits(r, 3)}S", f"{digits(r, 8)}Z", f"X{digits(r, 7)}L",
        f"{year}{month}{day}-{r.randint(1, 4)}{digits(r, 6)}", f"19{year}{month}{day}-{digits(r, 4)}",
        f"{day}{month}{year}-{digits(r, 3)}N", f"110101{1900 + int(year)}{month}{day}{digits(r, 3)}X",
        f"{r.randint(2, 9)}{digits(r, 3)} {digits(r, 4)} {digits(r, 4)}",
    ))  # fmt: skip


TOKENS: dict[str, Draw] = {
    "aws": lambda r: r.choice(("AKI", "ASI")) + "A" + chars(r, 16, string.ascii_uppercase + "234567"),
    "gcp": lambda r: r.choice((JOIN(("AI", "za")) + chars(r, 35), JOIN(("ya", "29.")) + chars(r, 60), "GOC" + "SPX-" + chars(r, 28))),
    "azure": lambda r: chars(r, 3) + "8" + "Q~" + chars(r, 34),
    "openai": lambda r: "sk" + "-" + r.choice(("proj-", "", "svcacct-")) + chars(r, 44, ALNUM + "_"),
    "anthropic": token("sk", "-ant-", "api03-", n=80, alphabet=ALNUM + "_-"),
    "openrouter": token("sk", "-or-", "v1-", n=64, alphabet="0123456789abcdef"),
    "langfuse": lambda r: r.choice(("sk", "pk")) + "-lf-" + "-".join(chars(r, n, "0123456789abcdef") for n in (8, 4, 4, 4, 12)),
    "groq": token("gs", "k_", n=52),
    "xai": token("xa", "i-", n=80),
    "huggingface": token("h", "f_", n=34),
    "replicate": token("r", "8_", n=37),
    "github": lambda r: r.choice(("gh" + "p_", "gh" + "o_", "gh" + "s_")) + chars(r, 36) if r.random() < 0.7 else "github" + "_pat_" + chars(r, 22) + "_" + chars(r, 59),
    "gitlab": token("gl", "pat-", n=20, alphabet=ALNUM + "_-"),
    "slack": lambda r: "xo" + r.choice(("xb", "xp")) + f"-{digits(r, 12)}-{digits(r, 12)}-{chars(r, 24)}",
    "stripe": lambda r: r.choice(("sk", "rk")) + r.choice(("_live_", "_test_")) + chars(r, 24),
    "twilio": token("S", "K", n=32, alphabet="0123456789abcdef"),
    "sendgrid": lambda r: "S" + "G." + chars(r, 22, ALNUM + "_-") + "." + chars(r, 43, ALNUM + "_-"),
    "npm": token("np", "m_", n=36),
    "pypi": token("py", "pi-", "AgEIcHlwaS5vcmc", n=60, alphabet=ALNUM + "_-"),
    "jwt": jwt,
    "pem": pem,
}  # fmt: skip
# Where a thing may stand. {} is the thing; every context is also wrapped into JSON, once or twice.
AROUND = (
    "I pasted {} by mistake, can you remove it?", 'Traceback (most recent call last):\n  File "app/run.py", line 41, in call\nValueError: rejected {}',
    "curl -H 'X-Trace: 1' https://api.example.com/v1/run?key={}", "result={};status=ok", "value: {}\nnext: 2", "- {}\n- other", "(see {})", "Mein Wert lautet {}.",
    "mi clave es {}, gracias", "我的密钥是 {} 请保存", "const v = '{}';", "<b>{}</b>", "[{}]", "{}", 'config["x"] = "{}"', "| name | {} |",
)  # fmt: skip
NAMES = (
    "password", "api_key", "apiKey", "client_secret", "access_token", "refresh_token", "AWS_SECRET_ACCESS_KEY", "MISTRAL_API_KEY",
    "CO_API_KEY", "AZURE_OPENAI_API_KEY", "db_password", "x-api-key", "private_key", "TWILIO_AUTH_TOKEN", "secret", "passwd", "DB_PASSWORD",
)  # fmt: skip
NAMED = (
    "{n}={v}",
    '{{"{n}": "{v}"}}',
    '{{"{n}":"{v}","user":"svc"}}',
    "{n}: {v}",
    '{n} = "{v}"',
    "export {n}={v}",
    "{{'{n}': '{v}'}}",
    "set {n}:{v}\nok",
)
HEADERS = (
    "Authorization: Bearer {}", "authorization: Basic {}==", "{{'Authorization': 'Bearer {}'}}", "Cookie: session={}; theme=dark", '{{"Set-Cookie": "sid={}; Path=/"}}',
    '{{"headers":{{"authorization":"Bearer {}"}}}}', "GET /v1 HTTP/1.1\r\nHost: example.com\r\nAuthorization: Bearer {}\r\nAccept: */*",
)  # fmt: skip
STRINGS = (
    "postgres://app:{}@db.example.internal:5432/agents", "redis://:{}@cache:6379/0", "mongodb+srv://svc:{}@cluster0.example.net/?w=majority", "amqp://guest:{}@mq:5672//",
    "DefaultEndpointsProtocol=https;AccountName=demo;AccountKey={}==;EndpointSuffix=example.net", "Server=db;Database=x;User Id=sa;Password={};",
    "https://user:{}@git.example.com/repo.git", "https://demo.blob.example.net/c?sv=2024-01-01&sig={}%3D",
)  # fmt: skip
PHONES = shaped(
    "+49 171 #######",
    "+1 (NNN) NNN-####",
    "+1-NNN-NNN-####",
    "(NNN) NNN-####",
    "NNN-NNN-####",
    "NNN.NNN.####",
    "+33 6 ## ## ## ##",
    "06 ## ## ## ##",
    "020 7946 ####",
    "+86 138 #### ####",
    "+44 20 7946 ####",
    "0171 #######",
    "+919876######",
    "+55 11 9####-####",
    "0049 171 #######",
)
ABOUT = (
    "Please contact {} about the refund.",
    "Kunde: {}",
    "customer {} confirmed",
    '{{"customer":"{}","ok":true}}',
    "send it to {}; then close",
    "nom, {}\nsuite",
    "El cliente {} llamó",
    "<{}>",
    "{}",
    'lookup("{}")',
    "row: 1|{}|x",
    "お客様 {} です",
)


def clean(r: random.Random) -> tuple[str, str]:
    hexa, word = "0123456789abcdef", r.choice(("order", "invoice", "ticket", "job"))
    uuid = "-".join(chars(r, n, hexa) for n in (8, 4, 4, 4, 12))
    date = f"20{r.randint(20, 29)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"
    kinds: dict[str, tuple[str, ...]] = {
        "version": (f"upgraded to v{r.randint(0, 20)}.{r.randint(0, 30)}.{r.randint(0, 99)}-rc.{r.randint(1, 9)}", f"python {r.randint(3, 9)}.{r.randint(0, 14)}.{r.randint(0, 20)} on 6.8.0-45-generic", f"package@{r.randint(1, 9)}.{r.randint(0, 9)}.{r.randint(0, 9)} installed"),
        "uuid": (f"run {uuid} finished", f'{{"id":"{uuid}"}}', f"https://example.com/runs/{uuid}?page=2"),
        "order": (f"{word} {digits(r, 8)} shipped", f"{word}-{digits(r, 10)}", f"{word} no. {digits(r, 3)}-{digits(r, 7)}-{digits(r, 7)}", f'{{"{word}_id":{digits(r, 9)}}}', f"SKU-{chars(r, 4, string.ascii_uppercase)}-{digits(r, 6)}"),
        "price": (f"total {r.randint(1, 9)},{digits(r, 3)},{digits(r, 3)}.{digits(r, 2)} EUR", f"${digits(r, 4)}.{digits(r, 2)} for {r.randint(1, 9)} items", f"R$ {digits(r, 3)}.{digits(r, 3)},{digits(r, 2)}"),
        "date": (f"due {date}", f"at {date}T12:{digits(r, 2)}:07.{digits(r, 6)}Z", f"{date} 08:15:00,{digits(r, 3)} INFO ready", f"from {date} to {date}"),
        "address": (f"host 10.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}:8080", f"2001:db8::{chars(r, 4, hexa)}:{chars(r, 4, hexa)}", f"mac 00:1a:{chars(r, 2, hexa)}:{chars(r, 2, hexa)}:5e:01"),
        "hash": (f"commit {chars(r, 40, hexa)}", f"sha256:{chars(r, 64, hexa)}", f"traceparent 00-{chars(r, 32, hexa)}-{chars(r, 16, hexa)}-01", f'etag W/"{chars(r, 32, hexa)}"', f"index {chars(r, 7, hexa)}..{chars(r, 7, hexa)} 100644"),
        "place": (f"lat {r.randint(-89, 89)}.{digits(r, 6)}, lon {r.randint(-179, 179)}.{digits(r, 6)}", f"POINT({r.randint(1, 90)}.{digits(r, 7)} {r.randint(1, 90)}.{digits(r, 7)})"),
        "number": (f"{digits(r, 12)} rows scanned", f"epoch 17{digits(r, 8)}", f"epoch_ms 17{digits(r, 11)}", f"ns={17}{digits(r, 17)}", f"score 0.{digits(r, 16)}", f"offset {digits(r, 7)} length {digits(r, 6)}", f"[{digits(r, 5)}, {digits(r, 5)}, {digits(r, 5)}]"),
        "code": ("@pytest.fixture\ndef app(): ...", f"@app.route('/v{r.randint(1, 9)}/items')", "@dataclass(frozen=True)", "import { x } from '@scope/pkg'", f"a @ b.T  # {r.randint(1, 99)}", f"see @{word}.lead in docs", f"token_count = {digits(r, 4)}", f"max_tokens={digits(r, 4)}, n=1", "password = getpass()", "api_key=os.environ['KEY']", f"def secret_santa(n={r.randint(1, 9)}): pass", "if token is None: raise", "key: value", f"sort_key={word}", f"cache_key: {word}", "password: str", f"tokenizer={word}"),
        "model": (f"gpt-4.{r.randint(1, 5)}-mini-2025-04-14", "claude-sonnet-4-5-20250929", "models/gemini-2.5-flash-preview-05-20", f"mistral-large-{digits(r, 4)}", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "task-risk-assessment-v2-production-eu"),
        "prose": ("The password must be changed every quarter.", "A basic understanding of bearer bonds is enough.", "Cookies are baked at 180 degrees for 12 minutes.", f"Meeting moved to room {digits(r, 3)}, call me at noon.", "Basic authentication is deprecated; use tokens.", f"Section {r.randint(1, 9)}.{r.randint(1, 9)}.{r.randint(1, 9)} covers keys: public and private.", "Der Schlüssel liegt unter der Matte.", f"secret of success: practice {r.randint(1, 99)} times", "authorization is checked by the gateway"),
        "url": (f"https://example.com:8443/a/b?x={r.randint(1, 9)}#top", f"https://docs.example.org/page/{digits(r, 6)}", "http://localhost:8080/health", f"s3://bucket/{date}/part-{digits(r, 5)}.parquet", "https://medium.example.com/@writer/post-" + chars(r, 12, hexa)),
        "id": (f"resp_{chars(r, 48, hexa)}", f"call_{chars(r, 24)}", f"chatcmpl-{chars(r, 29)}", f"toolu_01{chars(r, 22)}", f"msg_{chars(r, 24)}", f"pod agents-{chars(r, 10, hexa)}-{chars(r, 5)}", f"ISBN 978-3-16-{digits(r, 6)}-{r.randint(0, 9)}", f"tracking 1Z{chars(r, 16, string.ascii_uppercase + string.digits)}"),
    }  # fmt: skip
    kind = r.choice(sorted(kinds))
    return kind, r.choice(kinds[kind])


def wrapped(r: random.Random, text: str, hidden: str) -> tuple[str, str]:
    """The text as it is, or as JSON inside JSON; `hidden` takes the same escapes."""
    for _ in range(r.choice((0, 0, 1, 1, 2))):
        text = json.dumps([{"role": "user", "content": text}], ensure_ascii=r.random() < 0.5)
        hidden = json.dumps(hidden, ensure_ascii="\\u" in text)[1:-1]
    return text, hidden


def line(kind: str, text: str, hidden: str) -> dict[str, object]:
    held = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 3 == 0
    return {"class": kind, "text": text, "hidden": hidden, "held_out": held}


def secrets(r: random.Random) -> list[dict[str, object]]:
    made = []
    for kind, draw in TOKENS.items():
        for _ in range(10):
            value = draw(r)
            made.append(line(kind, *wrapped(r, r.choice(AROUND).replace("{}", value), value)))
    for name in NAMES:
        for _ in range(4):
            value = "Synth" + chars(r, r.choice((8, 16, 32)), ALNUM)
            made.append(line("named", *wrapped(r, r.choice(NAMED).format(n=name, v=value), value)))
    for kind, shapes in (("header", HEADERS), ("connection", STRINGS)):
        for _ in range(36):
            value = "Synth" + chars(r, r.choice((16, 32)))
            made.append(line(kind, *wrapped(r, r.choice(shapes).format(value), value)))
    return made


def personal(r: random.Random) -> list[dict[str, object]]:
    made = []
    for kind, draw, count in (
        ("email", email, 70),
        ("phone", PHONES, 70),
        ("card", card, 60),
        ("iban", iban, 50),
        ("national_id", national_id, 70),
    ):
        for _ in range(count):
            value = draw(r)
            made.append(line(kind, *wrapped(r, r.choice(ABOUT).format(value), value)))
    return made


def cleans(r: random.Random) -> list[dict[str, object]]:
    made = []
    for _ in range(600):
        kind, text = clean(r)
        made.append(line(kind, wrapped(r, text, "")[0], ""))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20251)
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    for name, make in (("secrets", secrets), ("personal", personal), ("clean", cleans)):
        lines = make(random.Random(f"{options.seed}-{name}"))
        unique = {str(item["text"]): item for item in lines}.values()
        (options.to / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in unique))


if __name__ == "__main__":
    main()
