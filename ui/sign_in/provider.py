"""What Streamlit knows of a provider (OpenID Connect): which are set up, and whom they spoke for."""

import json
import os
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.auth_util import validate_auth_credentials
from streamlit.errors import StreamlitAuthError

# Streamlit tells a script who signed in, and nobody else: this is how it reads its own cookie.
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks as signed_cookie

from access.errors import AccessError

DEFAULT = "default"


def providers() -> list[str]:
    """Names of the providers in ``[auth]`` of secrets.toml; "default" for one that has no section of its own."""
    auth = st.secrets["auth"] if st.secrets.load_if_toml_exists() and "auth" in st.secrets else {}
    named = [name for name, section in auth.items() if isinstance(section, Mapping) and "client_id" in section]
    return [DEFAULT, *named] if "client_id" in auth else named


def check_providers() -> None:
    """AccessError for secrets that cannot be read, or lack what a provider needs: no sign-in must go missing."""
    if not st.secrets.load_if_toml_exists():
        found = [file for file in config.get_option("secrets.files") if os.path.isfile(file)]
        if found:
            raise AccessError(f"{', '.join(found)} cannot be read: is it TOML?")
        return
    if "auth" not in st.secrets:
        return
    try:
        for name in providers() or [DEFAULT]:
            validate_auth_credentials(name)
    except StreamlitAuthError as error:
        raise AccessError(" ".join(str(error).split())) from error


def claims_of_run() -> Mapping[str, Any] | None:
    """What the provider said of whoever the page is run for; None for nobody."""
    if not providers() or not st.user.get("is_logged_in"):
        return None
    return st.user.to_dict()


def claims_of_cookies(cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The same from the cookies of a request."""
    if USER_COOKIE_NAME not in cookies or not providers():
        return None
    signed = signed_cookie(dict(cookies), USER_COOKIE_NAME)
    try:
        claims = json.loads(signed) if signed else None
    except ValueError:
        return None
    return claims if isinstance(claims, Mapping) and claims.get("is_logged_in") is True else None
