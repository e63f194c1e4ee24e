"""The clients file: what is read from it, and every reason to refuse the start with one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.errors import SettingsProblem
from cds_service.hooks.clients import Client, OrderCode, Quirks
from cds_service.hooks.clients_file import load_clients

ORDERS = frozenset({"creatinine", "prednisolone"})
NAME, ISSUER = 'name = "example-ehr"\n', 'issuer = "https://ehr.example.org"\n'
KEYS = 'jwks_file = "keys.json"\n'
CLIENT = f"[[client]]\n{NAME}{ISSUER}{KEYS}"
BENCH = 'allow_insecure_loopback = true\nfhir_base_urls = ["http://127.0.0.1:9000/fhir"]\n'
EVERYTHING = """
[[client]]
name = "example-ehr"
issuer = "https://ehr.example.org"
jwks_url = "https://keys.example.org/jwks?set=cds"
algorithms = ["RS256", "ES384"]
audiences = ["https://cds.example.org/cds-services/onasemnogene-order-sign", "legacy"]
subject = "onasemnogene-cds"
tenants = ["Children's Hospital", "west"]
fhir_base_urls = ["https://ehr.example.org/fhir/R4/", "https://EHR.example.org:8443"]
origins = ["https://ehr.example.org", "https://apps.example.org:444"]
smart_client_id = "timeline-42"
authorization_servers = ["https://login.example.org"]
max_token_seconds = 900
allow_insecure_loopback = false

[client.quirks]
one_action_per_suggestion = true
app_context = false
plain_text_detail = true
always_system_actions = true
null_prefetch_is_unknown = true
link_hosts = ["cds.example.org"]

[[client.quirks.order_code]]
order = "creatinine"
system = "urn:example:preference-list"
code = "LAB 66"
display = "Creatinine, our laboratory"
"""
Load = Callable[[str], tuple[Client, ...]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The clients of a file with this content, beside a file of keys."""
    (tmp_path / "keys.json").write_text('{"keys": []}', encoding="utf-8")
    path = tmp_path / "clients.toml"

    def read(content: str) -> tuple[Client, ...]:
        path.write_text(content, encoding="utf-8")
        return load_clients(path, ORDERS)

    return read


def refusal(load: Load, content: str) -> str:
    with pytest.raises(SettingsProblem) as refused:
        load(content)
    message = str(refused.value)
    assert message.startswith("CDS_CLIENTS_FILE: ")
    assert "clients.toml: " in message
    assert "\n" not in message
    return message.partition("clients.toml: ")[2]


def test_without_a_file_there_are_no_clients() -> None:
    assert load_clients(None, ORDERS) == ()


def test_a_client_that_says_no_more_than_it_must_has_the_contracts_defaults(load: Load, tmp_path: Path) -> None:
    assert load(CLIENT) == (
        Client(
            name="example-ehr",
            issuer="https://ehr.example.org",
            jwks_file=tmp_path / "keys.json",
            jwks_url="",
            algorithms=("RS384", "ES384"),
            audiences=(),
            subject="",
            tenants=(),
            fhir_base_urls=(),
            origins=(),
            smart_client_id="onasemnogene-cds",
            authorization_servers=(),
            max_token_seconds=3600,
            allow_insecure_loopback=False,
            quirks=Quirks(
                one_action_per_suggestion=False,
                app_context=True,
                plain_text_detail=False,
                always_system_actions=False,
                null_prefetch_is_unknown=False,
                link_hosts=(),
                order_codes=(),
            ),
        ),
    )


def test_every_key_is_read(load: Load) -> None:
    assert load(EVERYTHING) == (
        Client(
            name="example-ehr",
            issuer="https://ehr.example.org",
            jwks_url="https://keys.example.org/jwks?set=cds",
            algorithms=("RS256", "ES384"),
            audiences=("https://cds.example.org/cds-services/onasemnogene-order-sign", "legacy"),
            subject="onasemnogene-cds",
            tenants=("Children's Hospital", "west"),
            fhir_base_urls=("https://ehr.example.org/fhir/R4", "https://EHR.example.org:8443"),
            origins=("https://ehr.example.org", "https://apps.example.org:444"),
            smart_client_id="timeline-42",
            authorization_servers=("https://login.example.org",),
            max_token_seconds=900,
            quirks=Quirks(
                one_action_per_suggestion=True,
                app_context=False,
                plain_text_detail=True,
                always_system_actions=True,
                null_prefetch_is_unknown=True,
                link_hosts=("cds.example.org",),
                order_codes=(
                    OrderCode("creatinine", "urn:example:preference-list", "LAB 66", "Creatinine, our laboratory"),
                ),
            ),
        ),
    )


def test_several_clients_keep_the_order_of_the_file(load: Load) -> None:
    second = CLIENT.replace("example-ehr", "b").replace("ehr.example", "other.example")
    assert [client.name for client in load(CLIENT + second)] == ["example-ehr", "b"]


def test_only_one_slash_at_the_end_of_a_fhir_base_is_taken_off(load: Load) -> None:
    (client,) = load(CLIENT + 'fhir_base_urls = ["https://ehr.example.org/r4//"]\n')
    assert client.fhir_base_urls == ("https://ehr.example.org/r4/",)


def test_a_test_bench_may_have_everything_on_loopback_and_a_foreign_issuer(load: Load) -> None:
    (client,) = load(
        f'[[client]]\n{NAME}{ISSUER}jwks_url = "http://localhost:9000/jwks"\n{BENCH}'
        'origins = ["http://[::1]:3000", "https://127.0.0.1"]\n'
    )
    assert client.allow_insecure_loopback


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no list of clients; write [[client]] above each"),
        ("client = []\n", "holds no list of clients"),
        (f"[client]\n{NAME}", "holds no list of clients"),
        (f"[[clients]]\n{NAME}", "clients is unknown; use [[client]] tables"),
        (f'mode = "demo"\n{CLIENT}', "mode is unknown; use [[client]] tables"),
        ("[[client]\n", "is not TOML"),
        (f"{CLIENT}{NAME}", "is not TOML"),
        ("client = [1]\n", "client number 1: table: input should be"),
    ],
)
def test_a_file_that_is_no_list_of_clients_is_refused(load: Load, content: str, said: str) -> None:
    assert refusal(load, content).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"[[client]]\n{ISSUER}{KEYS}", "client number 1: name is missing; add it"),
        (f"[[client]]\n{NAME}{KEYS}", "client example-ehr: issuer is missing; add it"),
        (f"[[client]]\n{NAME}{ISSUER}", "client example-ehr: jwks_file and jwks_url are both missing; add one of them"),
        (
            f'{CLIENT}jwks_url = "https://ehr.example.org/jwks"\n',
            "client example-ehr: jwks_file and jwks_url are both given; keep one of them",
        ),
        (CLIENT.replace('"example-ehr"', '"an EHR"'), "client number 1: name is not a short name"),
        (CLIENT.replace('"example-ehr"', '""'), "client number 1: name is not a short name"),
        (CLIENT.replace('"example-ehr"', "7"), "client number 1: name: input should be a valid string; correct it"),
        (f"{CLIENT}{CLIENT.replace(ISSUER, '')}", "client example-ehr: issuer is missing"),
        (CLIENT.replace('"https://ehr.example.org"', '" "'), "client example-ehr: issuer is not one word of text"),
        (CLIENT.replace('"https://ehr.example.org"', '"a b"'), "client example-ehr: issuer is not one word of text"),
        (
            CLIENT.replace('"https://ehr.example.org"', '"a\\u001b[31m"'),
            "client example-ehr: issuer is not one word of text",
        ),
    ],
)
def test_a_client_needs_a_name_an_issuer_and_one_place_of_its_keys(load: Load, content: str, said: str) -> None:
    assert refusal(load, content).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("jwks_uri = 'https://x.example.org'", "jwks_uri is unknown; correct or remove it"),
        ("any_loopback = true", "any_loopback is unknown; correct or remove it"),
        ("Subject = 'x'", "Subject is unknown"),
        ("[client.quirks]\nplain_text = true", "quirks.plain_text is unknown; correct or remove it"),
        ("[client.quirk]\nplain_text_detail = true", "quirk is unknown"),
        ("[client.quirks]\napp_context = 'no'", "quirks.app_context: input should be a valid boolean; correct it"),
        ("[client.quirks]\nalways_system_actions = 1", "quirks.always_system_actions: input should be"),
        ("quirks = true", "quirks: input should be"),
    ],
)
def test_an_unknown_key_or_a_value_of_another_type_is_named(load: Load, line: str, said: str) -> None:
    assert refusal(load, f"{CLIENT}{line}\n").startswith(f"client example-ehr: {said}")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"])
@pytest.mark.spec("R-168")
def test_a_signature_with_two_keys_may_be_allowed(load: Load, algorithm: str) -> None:
    (client,) = load(f'{CLIENT}algorithms = ["{algorithm}"]\n')
    assert client.algorithms == (algorithm,)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "none", "None", "", "rs384", "RS1", "ES256K", "dir"])
@pytest.mark.spec("R-166")
@pytest.mark.spec("R-167")
def test_no_signature_and_a_shared_secret_are_never_allowed(load: Load, algorithm: str) -> None:
    message = refusal(load, f'{CLIENT}algorithms = ["RS384", "{algorithm}"]\n')
    assert message.startswith("client example-ehr: algorithms[1]: input should be 'RS256', 'RS384'")
    assert message.endswith("; correct it")


def test_a_client_without_any_algorithm_is_refused(load: Load) -> None:
    assert refusal(load, f"{CLIENT}algorithms = []\n").startswith("client example-ehr: algorithms: list should have")


@pytest.mark.parametrize(("seconds", "is_fine"), [("1", True), ("0", False), ("-1", False), ("true", False)])
def test_tokens_last_at_least_a_second(load: Load, seconds: str, is_fine: bool) -> None:
    content = f"{CLIENT}max_token_seconds = {seconds}\n"
    if is_fine:
        assert load(content)[0].max_token_seconds == int(seconds)
    else:
        assert refusal(load, content).startswith("client example-ehr: max_token_seconds: input should be")


@pytest.mark.parametrize("seconds", ["3600.0", '"3600"', "1e3", "nan"])
def test_seconds_are_a_whole_number(load: Load, seconds: str) -> None:
    message = refusal(load, f"{CLIENT}max_token_seconds = {seconds}\n")
    assert message.startswith("client example-ehr: max_token_seconds: input should be a valid integer")


@pytest.mark.parametrize(
    "url",
    [
        "ehr.example.org/fhir",
        "ftp://ehr.example.org/fhir",
        "https://",
        "https:///fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir?",
        "https://ehr.example.org/fhir#x",
        "https://user@ehr.example.org/fhir",
        "https://user:word@ehr.example.org/fhir",
        "https://ehr.example.org\\\\fhir",
        "https://ehr.example.org/a b",
        " https://ehr.example.org/fhir",
        "https://ehr.example.org:65536/fhir",
        "https://ehr.example.org:port/fhir",
        "https://ëhr.example.org/fhir",
        "",
    ],
)
def test_a_fhir_base_is_a_plain_address(load: Load, url: str) -> None:
    message = refusal(load, f'{CLIENT}fhir_base_urls = ["https://ok.example.org/r4", "{url}"]\n')
    assert message.startswith("client example-ehr: fhir_base_urls[1] is not a plain FHIR base; write https://host/path")
    assert "word" not in message


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "ehr.example.org",
        "https://ehr.example.org/",
        "https://ehr.example.org/app",
        "https://ehr.example.org?x",
        "https://*.example.org",
        "https://user@ehr.example.org",
    ],
)
@pytest.mark.spec("R-192")
def test_an_origin_is_a_bare_origin(load: Load, origin: str) -> None:
    message = refusal(load, f'{CLIENT}origins = ["{origin}"]\n')
    assert message.startswith("client example-ehr: origins[0] is not a bare origin; write https://host")


def test_an_authorization_server_is_a_bare_origin(load: Load) -> None:
    message = refusal(load, f'{CLIENT}authorization_servers = ["https://login.example.org/oauth2"]\n')
    assert message.startswith("client example-ehr: authorization_servers[0] is not a bare origin; write https://host")


@pytest.mark.parametrize("host", ["https://cds.example.org", "cds.example.org/x", "*", "", "cds.example.org:443"])
def test_a_link_host_is_a_bare_name(load: Load, host: str) -> None:
    message = refusal(load, f'{CLIENT}[client.quirks]\nlink_hosts = ["{host}"]\n')
    assert message.startswith("client example-ehr: quirks.link_hosts[0] is not a bare host name")


@pytest.mark.parametrize(
    "url", ["keys.json", "https://user@ehr.example.org/jwks", "https://ehr.example.org/jwks#k", ""]
)
def test_the_address_of_keys_is_a_web_address(load: Load, url: str) -> None:
    message = refusal(load, f'[[client]]\n{NAME}{ISSUER}jwks_url = "{url}"\n')
    assert message.startswith("client example-ehr: jwks_url is not a web address; write https://host/path")


@pytest.mark.parametrize(
    "key", ["audiences", "tenants", "fhir_base_urls", "origins", "authorization_servers", "algorithms"]
)
def test_a_list_is_written_as_a_list(load: Load, key: str) -> None:
    message = refusal(load, f'{CLIENT}{key} = "RS384"\n')
    assert message.startswith(f"client example-ehr: {key}: input should be a valid list; correct it")


def test_a_file_of_keys_that_is_not_there_is_named(load: Load, tmp_path: Path) -> None:
    message = refusal(load, CLIENT.replace("keys.json", "nowhere.json"))
    assert message.startswith(f"client example-ehr: jwks_file: there is no file {tmp_path / 'nowhere.json'}; correct")


def test_a_folder_is_no_file_of_keys(load: Load) -> None:
    assert "jwks_file: there is no file" in refusal(load, CLIENT.replace("keys.json", "."))


def test_a_file_of_keys_counts_from_the_clients_file(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(CLIENT)[0].jwks_file == tmp_path / "keys.json"


# --- loopback


HTTP_LINES = {
    "jwks_url": 'jwks_url = "http://ehr.example.org/jwks"\n',
    "fhir_base_urls": f'{KEYS}fhir_base_urls = ["https://ehr.example.org/r4", "http://ehr.example.org/r4"]\n',
    "origins": f'{KEYS}origins = ["http://ehr.example.org"]\n',
    "authorization_servers": f'{KEYS}authorization_servers = ["http://ehr.example.org"]\n',
}


@pytest.mark.spec("R-046")
@pytest.mark.parametrize("key", HTTP_LINES)
def test_an_address_without_encryption_is_refused(load: Load, key: str) -> None:
    message = refusal(load, f"[[client]]\n{NAME}{ISSUER}{HTTP_LINES[key]}")
    assert message == f"client example-ehr: {key} is not https; write https://"


@pytest.mark.parametrize("key", HTTP_LINES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_on_loopback_is_for_test_benches_only(load: Load, key: str, scheme: str) -> None:
    lines = HTTP_LINES[key].replace("http://ehr.example.org", f"{scheme}://localhost:9000")
    message = refusal(load, f"[[client]]\n{NAME}{ISSUER}{lines}")
    assert message.startswith(f"client example-ehr: {key} is on loopback; set allow_insecure_loopback = true")


@pytest.mark.parametrize("key", HTTP_LINES)
@pytest.mark.parametrize("host", ["ehr.example.org", "localhost.example.org", "127.0.0.1.example.org", "0.0.0.0"])
def test_a_test_bench_reaches_nothing_beyond_loopback(load: Load, key: str, host: str) -> None:
    lines = HTTP_LINES[key].replace('"https://ehr.example.org/r4", ', "").replace("ehr.example.org", host)
    message = refusal(load, f"[[client]]\n{NAME}{ISSUER}allow_insecure_loopback = true\n{lines}")
    assert message.startswith(f"client example-ehr: {key} is not on loopback, but allow_insecure_loopback is true")


def test_one_address_beyond_loopback_is_enough(load: Load) -> None:
    lines = BENCH.replace("]", ', "https://ehr.example.org/r4"]')
    assert "fhir_base_urls is not on loopback" in refusal(load, CLIENT + lines)


# --- several clients


def test_two_clients_have_two_names(load: Load) -> None:
    second = CLIENT.replace("ehr.example.org", "other.example.org")
    assert refusal(load, CLIENT + second) == ("client example-ehr: name stands twice; give each client its own")


@pytest.mark.parametrize(
    ("first", "second", "is_fine"),
    [
        ("", "", False),
        ('["a"]', "", False),
        ("", '["a"]', False),
        ('["a"]', '["a"]', False),
        ('["a", "b"]', '["c", "b"]', False),
        ("[]", '["a"]', False),
        ('["a"]', '["b"]', True),
        ('["a"]', '["A"]', True),
    ],
)
@pytest.mark.spec("R-180")
def test_a_token_belongs_to_one_client(load: Load, first: str, second: str, is_fine: bool) -> None:
    tables = [CLIENT, CLIENT.replace("example-ehr", "second")]
    content = "".join(
        table + (f"tenants = {tenants}\n" if tenants else "")
        for table, tenants in zip(tables, (first, second), strict=True)
    )
    if is_fine:
        assert len(load(content)) == 2
    else:
        assert refusal(load, content).startswith(
            "client second: issuer and tenants are also those of client example-ehr; give each its own tenants"
        )


# --- codings for created orders

CODED = CLIENT + EVERYTHING[EVERYTHING.index("[[client.quirks.order_code]]") :]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (('"creatinine"', '"creatinin"'), "quirks.order_code: creatinin is no order that a card offers; use one of c"),
        (('"urn:example:preference-list"', '"LOCAL"'), "quirks.order_code[0].system is not the address of a code"),
        (('"urn:example:preference-list"', '"urn: x"'), "quirks.order_code[0].system is not the address of a code"),
        (('"LAB 66"', '" LAB"'), "quirks.order_code[0].code is not a line of text"),
        (('"LAB 66"', "66"), "quirks.order_code[0].code: input should be a valid string"),
        (('display = "Creatinine, our laboratory"\n', ""), "quirks.order_code[0].display is missing; add it"),
        (("display", "name"), "quirks.order_code[0].display is missing; add it"),
    ],
)
def test_a_coding_for_an_order_names_an_order_and_is_complete(load: Load, wrong: tuple[str, str], said: str) -> None:
    assert refusal(load, CODED.replace(*wrong)).startswith(f"client example-ehr: {said}")


def test_an_order_may_need_several_codings(load: Load) -> None:
    again = CODED[CODED.index("[[client.quirks.order_code]]") :].replace("LAB 66", "2")
    (client,) = load(CODED + again)
    assert [code for _, code, _ in client.quirks.codings_of("creatinine")] == ["LAB 66", "2"]
    assert client.quirks.codings_of("prednisolone") == []


# --- files that cannot be read


def test_a_clients_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"CDS_CLIENTS_FILE: .*nowhere\.toml: cannot be read"):
        load_clients(tmp_path / "nowhere.toml", ORDERS)


def test_a_folder_is_no_clients_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="cannot be read"):
        load_clients(tmp_path, ORDERS)


def test_a_clients_file_that_is_not_utf_8_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "clients.toml"
    path.write_bytes("name = 'ü'\n".encode("latin-1"))
    with pytest.raises(SettingsProblem, match="is not TOML"):
        load_clients(path, ORDERS)


# --- networks inside the hospital


def test_networks_are_read(load: Load) -> None:
    (client,) = load(f'{CLIENT}private_networks = ["10.20.0.0/16", "192.168.7.9", "fd12:3456::/32"]\n')
    assert [str(network) for network in client.private_networks] == ["10.20.0.0/16", "192.168.7.9/32", "fd12:3456::/32"]


@pytest.mark.parametrize("network", ["10.20.0.1/16", "10.20.0.0/33", "10.20", "ehr.example.org", ""])
def test_a_network_is_written_as_one(load: Load, network: str) -> None:
    message = refusal(load, f'{CLIENT}private_networks = ["{network}"]\n')
    assert message == "client example-ehr: private_networks[0] is no network; write it like 10.20.0.0/16"


@pytest.mark.parametrize(
    "network",
    [
        "0.0.0.0/0",
        "127.0.0.0/8",
        "127.0.0.1",
        "169.254.169.254/32",
        "169.254.0.0/16",
        "::/0",
        "::1/128",
        "fe80::/10",
        "fd00::/8",
        "::127.0.0.1/128",
        "::ffff:127.0.0.1/128",
        "::ffff:10.20.0.0/112",
        "64:ff9b::7f00:1/128",
        "2002:7f00:1::/48",
    ],
)
def test_this_machine_and_its_link_cannot_be_listed(load: Load, network: str) -> None:
    message = refusal(load, f'{CLIENT}private_networks = ["{network}"]\n')
    assert message.startswith("client example-ehr: private_networks[0] holds addresses that are never asked")


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0.0.0.0", "[fe80::1]", "[::]", "224.0.0.1", "100.100.100.200", "[::ffff:127.0.0.1]", "[::7f00:1]"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["fhir_base_urls", "jwks_url"])
def test_an_address_that_no_hospital_has_is_refused(load: Load, host: str, key: str) -> None:
    written = (
        f'{KEYS}fhir_base_urls = ["https://{host}/r4"]' if key == "fhir_base_urls" else f'jwks_url = "https://{host}/"'
    )
    message = refusal(load, f"[[client]]\n{NAME}{ISSUER}{written}\n")
    assert message.startswith(f"client example-ehr: {key} is an address that is never asked")


@pytest.mark.parametrize("host", ["10.1.2.3", "[fd12::1]", "192.168.1.1:8443"])
def test_an_address_inside_the_hospital_may_be_written(load: Load, host: str) -> None:
    assert load(f'{CLIENT}fhir_base_urls = ["https://{host}/r4"]\n')


# --- several clients of one issuer


@pytest.mark.spec("R-180")
@pytest.mark.parametrize(
    ("first", "second", "is_fine"),
    [
        ('["https://ehr.example.org/a"]', '["https://ehr.example.org/b"]', True),
        ('["https://ehr.example.org/a"]', '["https://ehr.example.org/a"]', False),
        ('["https://ehr.example.org/a"]', '["https://EHR.example.org/a/"]', False),
        ('["https://ehr.example.org/a", "https://ehr.example.org/c"]', '["https://ehr.example.org/c"]', False),
        ('["https://ehr.example.org/a"]', "[]", False),
        ("[]", "[]", False),
    ],
)
def test_clients_of_one_issuer_may_be_told_apart_by_their_fhir_servers(
    load: Load, first: str, second: str, is_fine: bool
) -> None:
    tables = [CLIENT, CLIENT.replace("example-ehr", "second")]
    content = "".join(
        f"{table}fhir_base_urls = {bases}\n" for table, bases in zip(tables, (first, second), strict=True)
    )
    if is_fine:
        assert len(load(content)) == 2
    else:
        assert refusal(load, content).endswith("; give each its own tenants, or FHIR bases of its own")
