"""What opens a home: a token that somebody made for it, or, for this Home Assistant, a user of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.models import User
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context

from .core.errors import ConnectionLost, InvalidToken
from .source import Access

USER_NAME = "Metastore"
TOKEN_LIFETIME = timedelta(minutes=30)  # only the moment of signing in needs it


class ClientCertificateDemanded(InvalidToken):
    """This Home Assistant lets nobody in without a certificate, not even itself."""


def access_to_another(data: Mapping[str, Any]) -> Access:
    """From what a person gave: the URL, a long-lived token, and whether the certificate has to be right."""
    context = get_default_context() if data.get(CONF_VERIFY_SSL, True) else get_default_no_verify_context()
    return Access(data[CONF_URL], data[CONF_TOKEN], context)


async def access_to_this(hass: HomeAssistant, user: User) -> Access:
    """Raises ConnectionLost while the server is not there yet, ClientCertificateDemanded."""
    refresh = next(iter(user.refresh_tokens.values()), None) or await hass.auth.async_create_refresh_token(
        user, access_token_expiration=TOKEN_LIFETIME
    )
    # The certificate is for the name by which others know this server, and not for the address that we use.
    return Access(own_url(hass), hass.auth.async_create_access_token(refresh), get_default_no_verify_context())


async def own_user(hass: HomeAssistant, user_id: str | None) -> User:
    """The integration's own user, which is made (again) where it is missing, was switched off or lost its rights.

    Only an administrator may list webhooks, and only from the local network may this one sign in.
    """
    user = await hass.auth.async_get_user(user_id) if user_id else None
    if user is not None and not (user.is_active and user.is_admin):
        await hass.auth.async_remove_user(user)
        user = None
    return user or await hass.auth.async_create_system_user(USER_NAME, group_ids=[GROUP_ID_ADMIN], local_only=True)


async def remove_own_user(hass: HomeAssistant, user_id: str | None) -> None:
    if user_id and (user := await hass.auth.async_get_user(user_id)):
        await hass.auth.async_remove_user(user)


def own_url(hass: HomeAssistant) -> str:
    """Where this Home Assistant's server reaches itself."""
    server = getattr(hass, "http", None)
    if server is None:
        raise ConnectionLost("this Home Assistant has no web server")
    if server.ssl_peer_certificate:
        raise ClientCertificateDemanded("this Home Assistant's web server demands a certificate from everybody")
    scheme = "https" if server.ssl_certificate else "http"
    return f"{scheme}://{reachable_host(server.server_host)}:{server.server_port}"


def reachable_host(hosts: Sequence[str] | str | None) -> str:
    """The address at which a server that listens on these can be reached from its own machine, for a URL.

    Loopback where it listens there or everywhere, else its first address; IPv6 in brackets.
    """
    listening = [hosts] if isinstance(hosts, str) else list(hosts or ["0.0.0.0"])  # noqa: S104  # what it listens on
    reachable = [_reachable(host) for host in listening]
    return next((host for host in reachable if host in ("127.0.0.1", "[::1]", "localhost")), reachable[0])


def _reachable(host: str) -> str:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host
    if address.is_unspecified:
        return "[::1]" if isinstance(address, IPv6Address) else "127.0.0.1"
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
