"""Labelled log lines for measuring accuracy, made from templates and Faker's providers.

    python benches/accuracy/samples.py DIRECTORY

Writes `values.jsonl` (identifiers with their check digits, contacts, names and addresses in the
lines that applications write), `credentials.jsonl` and `clean.jsonl` (ids, hashes, times, tensors
and other look-alikes). Each line is an object with `text` and `spans` of `start`, `end` (in
characters) and `type`. The same seed gives the same lines. Every value is invented.
"""

import base64
import hashlib
import json
import random
import string
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from faker import Faker

SEED = 20261121
PER_KIND = 12

Row = dict[str, Any]

# Of each country: the provider, the label, words that people put before the number, the key.
IDENTIFIERS = [
    ("en_US", "ssn", "US_SSN", "SSN", "ssn"),
    ("en_US", "itin", "US_ITIN", "ITIN", "itin"),
    ("en_GB", "ssn", "GB_NINO", "National Insurance number", "nino"),
    ("en_CA", "ssn", "CA_SIN", "SIN", "sin"),
    ("en_IN", "aadhaar_id", "IN_AADHAAR", "Aadhaar", "aadhaar_number"),
    ("pt_BR", "cpf", "BR_CPF", "CPF", "cpf"),
    ("pt_BR", "cnpj", "BR_CNPJ", "CNPJ", "cnpj"),
    ("fr_FR", "ssn", "FR_NIR", "numéro de sécurité sociale", "nir"),
    ("it_IT", "ssn", "IT_FISCAL_CODE", "codice fiscale", "codice_fiscale"),
    ("es_ES", "nif", "ES_NIF", "DNI", "dni"),
    ("es_ES", "nie", "ES_NIE", "NIE", "nie"),
    ("nl_NL", "ssn", "NL_BSN", "BSN", "bsn"),
    ("pl_PL", "pesel", "PL_PESEL", "PESEL", "pesel"),
    ("pl_PL", "nip", "PL_NIP", "NIP", "nip"),
    ("sv_SE", "ssn", "SE_PERSONNUMMER", "personnummer", "personnummer"),
    ("no_NO", "ssn", "NO_FODSELSNUMMER", "fødselsnummer", "fodselsnummer"),
    ("fi_FI", "ssn", "FI_HETU", "henkilötunnus", "hetu"),
    ("et_EE", "ssn", "EE_ISIKUKOOD", "isikukood", "isikukood"),
    ("ro_RO", "ssn", "RO_CNP", "CNP", "cnp"),
    ("cs_CZ", "birth_number", "CZ_RODNE_CISLO", "rodné číslo", "rodne_cislo"),
    ("sk_SK", "birth_number", "SK_RODNE_CISLO", "rodné číslo", "rodne_cislo"),
    ("el_GR", "ssn", "GR_AMKA", "AMKA", "amka"),
    ("he_IL", "ssn", "IL_ID", "Teudat Zehut", "teudat_zehut"),
    ("ko_KR", "ssn", "KR_RRN", "resident registration number", "rrn"),
    ("zh_CN", "ssn", "CN_ID", "身份证", "id_card_number"),
    ("zh_TW", "ssn", "TW_ID", "national id", "national_id"),
    ("th_TH", "ssn", "TH_ID", "Thai national id", "national_id"),
    ("tr_TR", "ssn", "TR_TCKN", "TC kimlik no", "tc_kimlik_no"),
    ("de_AT", "ssn", "AT_SVNR", "Sozialversicherungsnummer", "svnr"),
    ("de_CH", "ssn", "CH_AHV", "AHV-Nummer", "ahv_number"),
    ("nl_BE", "ssn", "BE_RRN", "rijksregisternummer", "rijksregisternummer"),
    ("hr_HR", "ssn", "HR_OIB", "OIB", "oib"),
    ("ru_RU", "snils", "RU_SNILS", "СНИЛС", "snils"),
    ("ru_RU", "individuals_inn", "RU_INN", "ИНН", "inn"),
    ("es_MX", "curp", "MX_CURP", "CURP", "curp"),
    ("es_CL", "rut", "CL_RUT", "RUT", "rut"),
]

OTHERS: list[tuple[str, str, str, str, str]] = [
    ("en_US", "ascii_safe_email", "EMAIL", "mail", "email"),
    ("en_US", "credit_card_number", "CREDIT_CARD", "card", "card_number"),
    ("en_GB", "iban", "IBAN", "IBAN", "iban"),
    ("de_DE", "iban", "IBAN", "account", "account"),
    ("fr_FR", "iban", "IBAN", "compte", "iban"),
    ("en_US", "ipv4_public", "IP", "from", "client_ip"),
    ("en_US", "ipv6", "IP", "peer", "remote_addr"),
    ("en_US", "mac_address", "MAC", "device", "mac"),
    *((place, "phone_number", "PHONE", "phone", "phone") for place in ("en_US", "en_GB", "de_DE")),
    *((place, "phone_number", "PHONE", "call", "mobile") for place in ("fr_FR", "en_IN", "ja_JP")),
    *((place, "name", "PERSON", "patient", "customer_name") for place in ("en_US", "en_GB")),
    *((place, "name", "PERSON", "Dear", "full_name") for place in ("de_DE", "fr_FR", "es_ES")),
    ("en_US", "street_address", "ADDRESS", "ships to", "street_address"),
    ("en_GB", "street_address", "ADDRESS", "lives at", "address"),
    ("de_DE", "street_address", "ADDRESS", "Anschrift", "street"),
]

# {word} is what people call the value, {key} its name in data, {value} the value.
LINES = [
    "{time} INFO app.users: registered, {word} {value}, plan=basic",
    "{time},123 - ERROR - refused: {word}: {value}",
    '{{"ts": "{time}", "level": "info", "{key}": "{value}", "n": {small}}}',
    "{time} DEBUG handler user_id={small} {key}={value} took=0.{small}s",
    'INFO:     127.0.0.1:5{small} - "POST /v1/chat HTTP/1.1" 200 {key}={value}',
    "{time} prompt: Please note my {word} {value} and answer in one line.",
    "Traceback ... ValueError: invalid record {{'{key}': '{value}', 'n': {small}}}",
]

WORD = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"


def body(draw: random.Random, alphabet: str, length: int) -> str:
    return "".join(draw.choice(alphabet) for _ in range(length))


def tokens(draw: random.Random) -> Iterator[tuple[str, str]]:
    """Keys of providers, by their published forms."""

    def token(prefix: str, alphabet: str, length: int, suffix: str = "") -> str:
        return prefix + body(draw, alphabet, length) + suffix

    yield "aws", token("AKIA", string.ascii_uppercase + "234567", 16)
    yield "gcp", token("AIza", WORD + "-_", 35)
    yield "gitlab", token("glpat-", WORD, 20)
    yield (
        "slack",
        f"xoxb-{draw.randrange(10**11, 10**12)}-{draw.randrange(10**12, 10**13)}-"
        + body(draw, WORD, 24),
    )
    yield "stripe", token("sk_live_", WORD, 24)
    yield "openai", token("sk-proj-", WORD, 74) + "T3BlbkFJ" + body(draw, WORD, 74)
    yield "anthropic", token("sk-ant-api03-", WORD + "-_", 93, "AA")
    yield "huggingface", token("hf_", string.ascii_letters, 34)
    yield "sendgrid", token("SG.", WORD, 22) + "." + body(draw, WORD, 43)
    yield "digitalocean", token("dop_v1_", HEX, 64)
    yield "shopify", token("shpat_", HEX, 32)
    yield "linear", token("lin_api_", WORD, 40)
    yield "notion", token("ntn_", string.digits, 11) + body(draw, WORD, 35)
    yield "databricks", token("dapi", HEX, 32)
    yield "doppler", token("dp.pt.", WORD, 43)
    yield "postman", f"PMAK-{body(draw, HEX, 24)}-{body(draw, HEX, 34)}"
    yield "groq", token("gsk_", WORD, 52)
    yield "replicate", token("r8_", WORD, 37)
    yield "perplexity", token("pplx-", WORD, 48)
    yield "telegram", f"{draw.randrange(10**9, 10**10)}:AA" + body(draw, WORD + "-_", 33)
    yield "jwt", jwt(draw)
    yield "terraform", token("", WORD, 14) + ".atlasv1." + body(draw, WORD, 60)
    yield "vault", token("hvs.", WORD, 96)
    yield "new-relic", token("NRAK-", string.ascii_uppercase + string.digits, 27)
    yield "grafana", token("glc_", WORD, 40)
    yield "age", token("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)


def jwt(draw: random.Random) -> str:
    def part(value: Row) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": str(draw.randrange(10**6)), "iat": 1_700_000_000}
    return ".".join([part({"alg": "HS256", "typ": "JWT"}), part(claims), body(draw, WORD, 43)])


TOKEN_LINES = [
    "{time} DEBUG http: headers={{'Authorization': 'Bearer {value}'}}",
    "export {name}_KEY={value}",
    '{{"level": "error", "config": {{"{name}_token": "{value}"}}}}',
    "{time} ERROR request refused for key {value} (401)",
    "GET /v1/models?api_key={value} HTTP/1.1",
    '"{{\\"auth\\": \\"{value}\\", \\"retry\\": {small}}}"',
    "args: ['serve', '--api-key', '{value}']",
]

NAMED = ["password", "db_password", "client_secret", "api_secret", "auth_token", "encryption_key"]
NAMED_LINES = [
    "{time} INFO config: {name}={value}",
    '{{"event": "login", "{name}": "{value}"}}',
    "{{'{name}': '{value}', 'retry': {small}}}",
    "connect(host='db', {name}='{value}')",
    "{name}: {value}",
]


def clean(draw: random.Random, fake: Faker) -> Iterator[str]:
    """Lines without a value, each with what is easily taken for one."""
    number = draw.randrange
    yield f"{moment(draw)} INFO request id={uuid.UUID(int=draw.getrandbits(128))} took={number(999)}ms"
    yield f"HEAD is now at {body(draw, HEX, 8)} merge of {body(draw, HEX, 40)}"
    yield f"sha256:{hashlib.sha256(draw.randbytes(8)).hexdigest()} pulled in {number(60)}s"
    yield f"Loaded shard model-0000{number(9)}-of-00009.safetensors ({number(10**9)} bytes)"
    yield f"step {number(10**6)}: loss={draw.random():.6f} lr={draw.random() / 1e4:.2e} tok/s={number(9999)}"
    yield f"mlx {number(3)}.{number(40)}.{number(9)} on macOS {number(27)}.{number(9)} (build 25A{number(999)})"
    yield f"peak memory {draw.random() * 99:.3f} GB, {number(10**6)} tokens at {draw.random() * 99:.3f} tokens-per-sec"
    yield f"epoch={1_700_000_000 + number(10**8)} offset={number(10**12)} seq={number(10**15)}"
    yield f"order {number(10**9)} of invoice INV-{number(10**6)} shipped, tracking 1Z{body(draw, LOWER.upper(), 16)}"
    yield f'INFO:     127.0.0.1:{number(65535)} - "GET /v1/models HTTP/1.1" 200 OK'
    yield f"\r Fetching {number(20)} files: {number(100)}%|████      | {number(9)}/{number(20)} [00:{number(60):02}<00:{number(60):02}, {draw.random() * 9:.2f}it/s]"
    yield f"trace_id={body(draw, HEX, 32)} span_id={body(draw, HEX, 16)} flags=01"
    yield f'  File "/usr/lib/python3.{number(14)}/asyncio/runners.py", line {number(999)}, in run'
    yield f"cache key prompt:{body(draw, HEX, 16)} hit, {number(4096)} of {number(4096)} tokens reused"
    yield f'ETag: "{body(draw, HEX, 32)}" Last-Modified: {fake.day_of_week()[:3]}, {number(1, 29):02} Nov 2026 10:{number(60):02}:00 GMT'
    yield f"retry {number(9)} of 10 after {draw.random() * 9:.1f}s: connection to localhost:{number(65535)} refused"
    yield f"isbn 978-{number(10)}-{number(10, 99)}-{number(10**6):06}-{number(10)}, page {number(999)}"
    yield f"python-{number(3)}.{number(20)}.{number(9)}+cu{number(100, 130)}.post{number(9)} wheel {number(10**7)} kB"
    yield f"worker[{number(10**5)}]: pid {number(10**7)} rss={number(10**10)} fds={number(1000)} max_tokens={number(4096)}"
    yield f"matched rule R{number(1000)} in section {number(9)}.{number(9)}.{number(9)}, see RFC {number(1000, 9999)}"
    yield f"{fake.word().title()} {fake.word().title()} finished: {number(100)} passed, {number(9)} skipped"
    yield f"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{number(90, 160)}.0.{number(9999)}.{number(200)} Safari/537.36"


def moment(draw: random.Random) -> str:
    clock = f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
    return f"2026-11-{draw.randrange(1, 29):02} {clock}"


def row(template: str, value: str, label: str, draw: random.Random, **words: object) -> Row:
    """The template with the value in its place, and where that is."""
    mark = "\0"
    small = draw.randrange(100, 999)
    text = template.format(value=mark, time=moment(draw), small=small, **words)
    start = text.index(mark)
    spans = [{"start": start, "end": start + len(value), "type": label}]
    return {"text": text.replace(mark, value), "spans": spans}


def values(draw: random.Random, fakers: Callable[[str], Faker]) -> Iterator[Row]:
    for place, provider, label, word, key in IDENTIFIERS + OTHERS:
        for number in range(PER_KIND):
            value = str(getattr(fakers(place), provider)()).replace("\n", ", ")
            template = LINES[number % len(LINES)]
            yield row(template, value, label, draw, word=word, key=key)


def credentials(draw: random.Random) -> Iterator[Row]:
    for number in range(PER_KIND):
        for name, value in tokens(draw):
            template = TOKEN_LINES[number % len(TOKEN_LINES)]
            yield row(template, value, f"SECRET:{name}", draw, name=name.replace("-", "_"))
        for name in NAMED:
            value = body(draw, WORD + "!%+", 16) + "7x"
            template = NAMED_LINES[number % len(NAMED_LINES)]
            yield row(template, value, "SECRET:named", draw, name=name)


def main() -> None:
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    draw = random.Random(SEED)
    made: dict[str, Faker] = {}

    def fakers(place: str) -> Faker:
        if place not in made:
            made[place] = Faker(place)
            made[place].seed_instance(SEED)
        return made[place]

    lines = (line for _ in range(10 * PER_KIND) for line in clean(draw, fakers("en_US")))
    files: dict[str, Iterator[Row]] = {
        "values.jsonl": values(draw, fakers),
        "credentials.jsonl": credentials(draw),
        "clean.jsonl": ({"text": line, "spans": []} for line in lines),
    }
    for name, rows in files.items():
        with (directory / name).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    main()
