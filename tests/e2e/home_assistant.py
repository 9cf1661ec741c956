"""A real Home Assistant as a subprocess: started, onboarded, spoken to over REST and WebSocket, stopped or killed."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parent.parent.parent
DEADLINE_S = 60.0  # for whatever is waited for; nothing is expected to take as long
SCOPES = ("automation", "helpers", "scene", "script", "attic")  # the frontend's, and one of our own

# Metastore is loaded by its config entry. Without the frontend, Home Assistant would start in recovery mode.
CONFIGURATION = """
frontend:
config:
webhook:
logger:
  default: warning
  logs:
    custom_components.metastore: debug
"""

# Whose only purpose is to show everything that there can be, and two doors for others to knock at.
EVERYTHING = """
demo:
kitchen_sink:
automation:
  - id: bell
    alias: Bell
    triggers: {trigger: webhook, webhook_id: the-bell-rings, local_only: false, allowed_methods: [PUT, POST]}
    actions: []
  - id: post
    alias: Post
    triggers: {trigger: webhook, webhook_id: the-post-is-here, local_only: true, allowed_methods: [GET]}
    actions: []
counter: {visitors: {name: Visitors}}
input_boolean: {guests: {name: Guests}}
"""


def wait_for[T](what: str, look: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until there is something to see."""
    until = time.monotonic() + deadline_s
    while not (seen := look()):
        if time.monotonic() > until:
            raise AssertionError(f"within {deadline_s:g} seconds there was no {what}")
        time.sleep(0.1)
    return seen


class CommandFailed(Exception):
    """A WebSocket command was refused; the text is Home Assistant's."""


class HomeAssistant:
    """One installation in one folder. Use it in `with running(...)`, which ends its process whatever happens."""

    def __init__(self, folder: Path, configuration: str = "") -> None:
        self.folder = folder
        self.token = ""
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None
        self._open = ExitStack()
        self._last_id = 0
        folder.mkdir(parents=True)
        self.configure(configuration)
        self._seed_server()
        self._install(ROOT / "custom_components/metastore")
        self._install(Path(__file__).parent / "integrations/crowd")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, configuration: str) -> None:
        """What else configuration.yaml says from the next start on."""
        (self.folder / "configuration.yaml").write_text(CONFIGURATION + configuration)

    def _seed_server(self) -> None:
        """A port given in YAML would be taken back five minutes later."""
        stable = {
            "server_port": self.port,
            "server_host": ["127.0.0.1"],
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": True,
            "ssl_profile": "intermediate_v6",
            "use_x_frame_options": True,
            "created_at": "2026-11-21T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        data = {"stable": stable, "pending": None, "yaml_migration_done": True}
        (self.folder / ".storage").mkdir()
        self.storage("http").write_text(json.dumps({"version": 3, "minor_version": 1, "key": "http", "data": data}))

    def _install(self, integration: Path) -> None:
        ours = self.folder / "custom_components"
        ours.mkdir(exist_ok=True)
        # Without it, the repository's folder of that name, to which Migrator's installation leads, would come first.
        (ours / "__init__.py").touch()
        (ours / integration.name).symlink_to(integration)

    def storage(self, name: str) -> Path:
        return self.folder / ".storage" / name

    def stored(self, name: str) -> Any:
        return json.loads(self.storage(name).read_text())["data"]

    # -- the process ---------------------------------------------------------------------------------------------------

    def start(self, *arguments: str) -> None:
        """Return when it is up; the first time, as its owner."""
        hass = Path(sys.executable).with_name("hass")
        command = [str(hass), "--config", str(self.folder), "--skip-pip", "--log-no-color", *arguments]
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_for("web server", self._answers)
        if not self.token:
            self._onboard()
        wait_for("home that is up", lambda: self.call("get_config")["state"] == "RUNNING")

    def start_safely(self) -> None:
        """In safe mode, which a restart from the frontend asks for by this file."""
        (self.folder / "safe-mode").touch()
        self.start()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()[-4000:]
        try:
            return bool(self.rest("GET", "/api/onboarding"))
        except URLError, ConnectionError:
            return False

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As when the power fails: nothing is said, and nothing is saved."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        self.hang_up()
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def log(self) -> str:
        """Everything that was said since the first start."""
        return (self.folder / "output.log").read_text(errors="replace")

    # -- REST ----------------------------------------------------------------------------------------------------------

    def rest(self, method: str, path: str, data: Any = None, *, form: bool = False) -> Any:
        request = Request(self.url + path, method=method)
        if form:
            request.data = urlencode(data).encode()
        elif data is not None:
            request.data = json.dumps(data).encode()
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urlopen(request, timeout=DEADLINE_S) as answer:
                return json.load(answer)
        except HTTPError as error:
            error.add_note(error.read().decode(errors="replace"))
            raise

    def _onboard(self) -> None:
        person = {"name": "Owner", "username": "owner", "password": "owner", "language": "en"}
        answer = self.rest("POST", "/api/onboarding/users", {"client_id": f"{self.url}/", **person})
        self.token = self._redeem(answer["auth_code"])
        self.token = self.long_lived_token("tests")

    def _redeem(self, code: str) -> str:
        given = {"grant_type": "authorization_code", "code": code, "client_id": f"{self.url}/"}
        return str(self.rest("POST", "/auth/token", given, form=True)["access_token"])

    def long_lived_token(self, client_name: str) -> str:
        self.hang_up()
        return str(self.call("auth/long_lived_access_token", lifespan=365, client_name=client_name))

    def revoke(self, client_name: str) -> None:
        [token] = [each for each in self.call("auth/refresh_tokens") if each["client_name"] == client_name]
        self.call("auth/delete_refresh_token", refresh_token_id=token["id"])

    def token_of_somebody(self) -> str:
        """Of a user who is no administrator."""
        user = self.call("config/auth/create", name="Guest", group_ids=["system-users"])["user"]["id"]
        self.call("config/auth_provider/homeassistant/create", user_id=user, username="guest", password="guest")
        client = f"{self.url}/"
        begun = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        flow = self.rest("POST", "/auth/login_flow", begun)["flow_id"]
        given = {"client_id": client, "username": "guest", "password": "guest"}
        return self._redeem(self.rest("POST", f"/auth/login_flow/{flow}", given)["result"])

    def set_up(self, integration: str, *inputs: dict[str, Any]) -> dict[str, Any]:
        """Go through a config flow as the frontend does, one input for each step; returns its last answer."""
        return self._through("/api/config/config_entries/flow", {"handler": integration}, *inputs)

    def set_options(self, entry_id: str, *inputs: dict[str, Any]) -> dict[str, Any]:
        return self._through("/api/config/config_entries/options/flow", {"handler": entry_id}, *inputs)

    def _through(self, path: str, first: dict[str, Any], *inputs: dict[str, Any]) -> dict[str, Any]:
        answer = self.rest("POST", path, first)
        for given in inputs:
            if answer["type"] in ("abort", "create_entry") or answer.get("errors"):
                break
            answer = self.rest("POST", f"{path}/{answer['flow_id']}", given)
        return dict(answer)

    def mirror_this(self, database_url: str) -> dict[str, Any]:
        return self.set_up("metastore", {"next_step_id": "this"}, {"database_url": database_url})

    def mirror_another(self, url: str, token: str, database_url: str) -> dict[str, Any]:
        where = {"url": url, "token": token, "verify_ssl": True}
        return self.set_up("metastore", {"next_step_id": "another"}, where, {"database_url": database_url})

    def entry_of(self, integration: str) -> dict[str, Any]:
        [entry] = self.call("config_entries/get", domain=integration)
        return dict(entry)

    def has(self, integration: str) -> bool:
        return bool(self.call("config_entries/get", domain=integration))

    def remove_entry(self, entry_id: str) -> None:
        self.rest("DELETE", f"/api/config/config_entries/entry/{entry_id}")

    def reload_entry(self, entry_id: str) -> None:
        self.rest("POST", f"/api/config/config_entries/entry/{entry_id}/reload")

    # -- WebSocket -----------------------------------------------------------------------------------------------------

    def call(self, command: str, **arguments: Any) -> Any:
        """The result of a command. Raises CommandFailed."""
        number = self.send(command, **arguments)
        answer = self.receive()
        assert answer["id"] == number, answer
        if not answer["success"]:
            raise CommandFailed(f"{command}: {answer['error']}")
        return answer["result"]

    def act(self, action: str, **data: Any) -> Any:
        """Perform an action, and return its response."""
        domain, service = action.split(".")
        wants = {"return_response": True} if action == "metastore.sync" else {}
        return self.call("call_service", domain=domain, service=service, service_data=data, **wants).get("response")

    def send(self, command: str, **arguments: Any) -> int:
        """Send without waiting for the answer, and return the command's id."""
        if self._socket is None:
            self._dial()
        assert self._socket is not None
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "type": command, **arguments}))
        return self._last_id

    def receive(self) -> dict[str, Any]:
        assert self._socket is not None
        return dict(json.loads(self._socket.recv(timeout=DEADLINE_S)))

    def _dial(self) -> None:
        self._last_id = 0
        url = f"ws://127.0.0.1:{self.port}/api/websocket"
        self._socket = self._open.enter_context(connect(url, max_size=None))
        self.receive()
        self._socket.send(json.dumps({"type": "auth", "access_token": self.token}))
        assert self.receive()["type"] == "auth_ok"

    def hang_up(self) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed, OSError):
                self._open.close()
            self._socket = None

    # -- what is the case ----------------------------------------------------------------------------------------------

    def listings(self) -> dict[str, list[dict[str, Any]]]:
        """Registry → rows as Home Assistant gives them; entities in the extended form, categories with their scope."""
        found = {
            registry: self.call(f"config/{name}_registry/list")
            for registry, name in {"areas": "area", "floors": "floor", "labels": "label", "devices": "device"}.items()
        }
        found["categories"] = [
            {**row, "scope": scope}
            for scope in SCOPES
            for row in self.call("config/category_registry/list", scope=scope)
        ]
        entity_ids = [row["entity_id"] for row in self.call("config/entity_registry/list")]
        entities = self.call("config/entity_registry/get_entries", entity_ids=entity_ids)
        found["entities"] = [row for row in entities.values() if row]
        found["config_entries"] = self.call("config_entries/get")
        found["webhooks"] = self.call("webhook/list")
        return found


@contextmanager
def running(folder: Path, configuration: str = "") -> Iterator[HomeAssistant]:
    """A home that is up, and gone afterwards, with its folder."""
    home = HomeAssistant(folder, configuration)
    try:
        home.start()
        yield home
        home.stop()
    finally:
        home.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
