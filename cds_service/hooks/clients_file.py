"""The clients file (TOML, interfaces section 6) → clients; whatever is wrong with it stops the start in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cds_service.errors import SettingsProblem
from cds_service.hooks.clients import PATH, PORT, Client, OrderCode, Quirks, host_of, is_loopback
from cds_service.outbound import IpNetwork, is_never_allowed, literal_address
from cds_service.presentation.site_files import read_toml

CLIENTS_FILE = "CDS_CLIENTS_FILE"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_ORIGIN = rf"[Hh][Tt][Tt][Pp][Ss]?://{_HOST}{PORT}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_QUERY = r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_SYSTEM = r"[A-Za-z][A-Za-z0-9+.-]*:\S+"


def _text_of(pattern: str, what: str) -> AfterValidator:
    """Printable text of this shape; `what` says what it must be."""
    shape = re.compile(pattern)

    def check(text: str) -> str:
        if shape.fullmatch(text) is None or not text.isprintable():
            raise ValueError(f"is not {what}")
        return text

    return AfterValidator(check)


def _private_network(written: str) -> IpNetwork:
    try:
        network = ip_network(written)
    except ValueError:
        raise ValueError("is no network; write it like 10.20.0.0/16") from None
    if is_never_allowed(network):
        raise ValueError("holds addresses that are never asked, of this machine or its link; write a smaller network")
    return network


# Signatures with two keys only: with a shared secret whoever can check a token can also forge one.
_Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_Word = Annotated[str, _text_of(r"\S+", "one word of text; write it without spaces")]
_Line = Annotated[str, _text_of(r"\S(?:.*\S)?", "a line of text; write some, without spaces around it")]
_Name = Annotated[str, _text_of(_NAME, "a short name; use letters, digits, dots, hyphens and underscores")]
_KeysUrl = Annotated[str, _text_of(_ORIGIN + PATH + _QUERY, "a web address; write https://host/path")]
_FhirBase = Annotated[
    str, _text_of(_ORIGIN + PATH, "a plain FHIR base; write https://host/path without user, query and fragment")
]
_Origin = Annotated[str, _text_of(_ORIGIN, "a bare origin; write https://host or https://host:port")]
_LinkHost = Annotated[str, _text_of(_HOST, "a bare host name; write it without https:// and path")]
_Network = Annotated[str, AfterValidator(lambda written: str(_private_network(written)))]
_SystemAddress = Annotated[str, _text_of(_SYSTEM, "the address of a code system; write it in full")]


class _Table(BaseModel):
    """A table of the file: no unknown key, no value of another type. None means that the file does not say."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _OrderCodeTable(_Table):
    order: _Word
    system: _SystemAddress
    code: _Line
    display: _Line


class _QuirksTable(_Table):
    one_action_per_suggestion: bool | None = None
    app_context: bool | None = None
    plain_text_detail: bool | None = None
    always_system_actions: bool | None = None
    null_prefetch_is_unknown: bool | None = None
    link_hosts: list[_LinkHost] | None = None
    order_code: list[_OrderCodeTable] | None = None


class _ClientTable(_Table):
    name: _Name
    issuer: _Word
    jwks_file: _Line | None = None
    jwks_url: _KeysUrl | None = None
    algorithms: Annotated[list[_Algorithm], Field(min_length=1)] | None = None
    audiences: list[_Word] | None = None
    subject: _Word | None = None
    tenants: list[_Line] | None = None
    fhir_base_urls: list[_FhirBase] | None = None
    private_networks: list[_Network] | None = None
    origins: list[_Origin] | None = None
    smart_client_id: _Word | None = None
    authorization_servers: list[_Origin] | None = None
    max_token_seconds: Annotated[int, Field(gt=0)] | None = None
    allow_insecure_loopback: bool | None = None
    quirks: _QuirksTable | None = None


def load_clients(path: Path | None, order_names: Collection[str]) -> tuple[Client, ...]:
    """The clients of the file, in its order; none without a file.

    `order_names` are the orders that a card may offer to create. Raises SettingsProblem, one line that names the
    file, the client, the key and the remedy.
    """
    if path is None:
        return ()
    where = f"{CLIENTS_FILE}: {path}"
    tables = _client_tables(where, read_toml(where, path))
    clients = tuple(_client(where, number, table, path) for number, table in enumerate(tables, start=1))
    for client in clients:
        _check(f"{where}: client {client.name}", client, order_names)
    for one, other in combinations(clients, 2):
        _check_apart(where, one, other)
    return clients


def _client_tables(where: str, content: Mapping[str, Any]) -> list[Any]:
    foreign = set(content) - {"client"}
    if foreign:
        raise SettingsProblem(f"{where}: {min(foreign)} is unknown; use [[client]] tables")
    tables = content.get("client", [])
    if not isinstance(tables, list) or not tables:
        raise SettingsProblem(f"{where}: holds no list of clients; write [[client]] above each")
    return tables


def _client(where: str, number: int, table: Any, path: Path) -> Client:
    try:
        read = _ClientTable.model_validate(table)
    except ValidationError as error:
        name = table.get("name") if isinstance(table, dict) else None
        named = name if isinstance(name, str) and re.fullmatch(_NAME, name) else f"number {number}"
        raise SettingsProblem(f"{where}: client {named}: {_one_line(error)}") from error
    apart = {"quirks", "jwks_file", "fhir_base_urls", "private_networks"}
    said = _tuples(read.model_dump(exclude_none=True, exclude=apart))
    return Client(
        **said,
        jwks_file=path.parent / read.jwks_file if read.jwks_file else None,
        fhir_base_urls=tuple(base.removesuffix("/") for base in read.fhir_base_urls or ()),
        private_networks=tuple(ip_network(network) for network in read.private_networks or ()),
        quirks=_quirks(read.quirks),
    )


def _quirks(table: _QuirksTable | None) -> Quirks:
    if table is None:
        return Quirks()
    said = _tuples(table.model_dump(exclude_none=True, exclude={"order_code"}))
    return Quirks(**said, order_codes=tuple(OrderCode(**item.model_dump()) for item in table.order_code or ()))


def _tuples(said: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
    match first["type"]:
        case "missing":
            return f"{key} is missing; add it"
        case "extra_forbidden":
            return f"{key} is unknown; correct or remove it"
        case "value_error":
            return f"{key} {first['ctx']['error']}"
    said = str(first["msg"])
    return f"{key or 'table'}: {said[:1].lower()}{said[1:]}; correct it"


def _check(where: str, client: Client, order_names: Collection[str]) -> None:
    """What no key can say alone. `where` names the file and the client."""

    def refuse(what: str) -> NoReturn:
        raise SettingsProblem(f"{where}: {what}")

    if client.jwks_file is None and not client.jwks_url:
        refuse("jwks_file and jwks_url are both missing; add one of them")
    if client.jwks_file is not None and client.jwks_url:
        refuse("jwks_file and jwks_url are both given; keep one of them")
    if client.jwks_file is not None and not client.jwks_file.is_file():
        refuse(f"jwks_file: there is no file {client.jwks_file}; correct the path, which counts from the clients file")
    _check_addresses(client, refuse)
    for item in client.quirks.order_codes:
        if item.order not in order_names:
            names = ", ".join(sorted(order_names))
            refuse(f"quirks.order_code: {item.order} is no order that a card offers; use one of {names}")


def _check_addresses(client: Client, refuse: Callable[[str], NoReturn]) -> None:
    """On loopback all of them, or none; the issuer is a name, nothing is ever sent there."""
    addresses = [("jwks_url", client.jwks_url)] if client.jwks_url else []
    addresses += [("fhir_base_urls", url) for url in client.fhir_base_urls]
    addresses += [("origins", url) for url in client.origins]
    addresses += [("authorization_servers", url) for url in client.authorization_servers]
    for key, url in addresses:
        if client.allow_insecure_loopback and not is_loopback(url):
            refuse(f"{key} is not on loopback, but allow_insecure_loopback is true; set it to false")
        if not client.allow_insecure_loopback and is_loopback(url):
            refuse(f"{key} is on loopback; set allow_insecure_loopback = true, for a test bench only")
        if not client.allow_insecure_loopback and not url.lower().startswith("https:"):
            refuse(f"{key} is not https; write https://")
        literal = literal_address(host_of(url))
        if literal is not None and not client.allow_insecure_loopback and is_never_allowed(ip_network(literal)):
            refuse(f"{key} is an address that is never asked, of this machine or its link; name another")


def _check_apart(where: str, one: Client, other: Client) -> None:
    """Two clients need two names, and a call must belong to one of them.

    Without tenants a client claims every token of its issuer; then the FHIR server that a call names has to tell.
    """
    if one.name == other.name:
        raise SettingsProblem(f"{where}: client {one.name}: name stands twice; give each client its own")
    if one.issuer != other.issuer:
        return
    told_by_tenant = one.tenants and other.tenants and not set(one.tenants) & set(other.tenants)
    told_by_server = one.fhir_base_urls and other.fhir_base_urls and not any(map(one.has_base, other.fhir_base_urls))
    if not told_by_tenant and not told_by_server:
        raise SettingsProblem(
            f"{where}: client {other.name}: issuer and tenants are also those of client {one.name}; "
            "give each its own tenants, or FHIR bases of its own"
        )
