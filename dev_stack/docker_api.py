"""The few calls to an Engine's HTTP API that the stack itself needs, over a unix socket or TCP, with TLS where credentials are given. No docker client is involved."""
import concurrent.futures
import http.client
import json
import socket
import ssl
import urllib.parse
from pathlib import Path


class EngineError(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """`endpoint` is unix:///path or tcp://host:port; `credentials` a folder with ca.pem, cert.pem and key.pem. Paths are without version: the Engine
    answers with its own."""

    def __init__(self, endpoint: str, credentials: Path | None = None):
        self.endpoint = endpoint
        self.tls = None
        if credentials:
            self.tls = ssl.create_default_context(cafile=str(credentials / "ca.pem"))
            self.tls.load_cert_chain(credentials / "cert.pem", credentials / "key.pem")

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        kind, _, rest = self.endpoint.partition("://")
        if kind == "unix":
            return _UnixConnection(rest, timeout)
        if kind != "tcp":
            raise OSError(f"the dev stack speaks to unix:// and tcp:// Engines only, not to {self.endpoint}")
        host, _, port = rest.rpartition(":")
        if self.tls:
            return http.client.HTTPSConnection(host, int(port), timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(host, int(port), timeout=timeout)

    def stream(self, method: str, path: str, query: dict | None = None, body=None, timeout: float = 60,
               content_type: str = "application/json") -> http.client.HTTPResponse:
        """One call; the answer is read (and closed) by the caller. `body`: bytes, a file, or something for JSON."""
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        headers = {"Content-Type": content_type} if body is not None else {}
        if body is not None and not isinstance(body, bytes) and not hasattr(body, "read"):
            body = json.dumps(body).encode()
        chunked = hasattr(body, "read")
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        connection = self._connect(timeout)
        connection.request(method, path, body=body, headers=headers, encode_chunked=chunked)
        response = connection.getresponse()
        if response.status >= 400:
            text = response.read().decode(errors="replace")
            try:
                text = json.loads(text).get("message", text)
            except ValueError:
                pass
            raise EngineError(response.status, text)
        return response

    def call(self, method: str, path: str, query: dict | None = None, body=None, timeout: float = 60, content_type: str = "application/json"):
        """One call; returns the JSON of the answer, a list of it where the answer is JSON lines, or None where there is none."""
        with self.stream(method, path, query, body, timeout, content_type) as response:
            raw = response.read()
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            pass
        try:
            return [json.loads(line) for line in raw.splitlines() if line.strip()]
        except ValueError:
            return raw.decode(errors="replace")

    def answers(self) -> bool:
        try:
            return self.call("GET", "/_ping", timeout=5) == "OK"
        except (OSError, EngineError, http.client.HTTPException):
            return False

    def containers(self, label: str | None = None, running_only: bool = False) -> list[dict]:
        filters = {"label": [label]} if label else {}
        return self.call("GET", "/containers/json", {"all": str(not running_only).lower(), "filters": json.dumps(filters)})

    def inspect(self, container: str) -> dict:
        return self.call("GET", f"/containers/{container}/json")

    def remove_container(self, container: str) -> None:
        try:
            self.call("DELETE", f"/containers/{container}", {"force": "true", "v": "true"})
        except EngineError as e:
            if e.status not in (404, 409):  # gone already, or being removed
                raise

    def image(self, name: str) -> dict | None:
        try:
            return self.call("GET", f"/images/{name}/json")
        except EngineError as e:
            if e.status == 404:
                return None
            raise

    def copy_image_to(self, other: "Api", name: str) -> None:
        """Ships an image to another Engine without a registry, unless the same one is there."""
        mine, theirs = self.image(name), other.image(name)
        if mine is None:
            raise EngineError(404, f"no image {name} on {self.endpoint}")
        if theirs is None or theirs["Id"] != mine["Id"]:
            with self.stream("GET", f"/images/{name}/get", timeout=300) as archive:
                other.call("POST", "/images/load", {"quiet": "true"}, archive, 300, "application/x-tar")

    def stop_all(self, instance: str) -> int:
        """Stops this instance's running containers, so that they do not come back with the Engine; returns how many."""
        found = self.containers(f"slipway.instance={instance}", running_only=True)

        def stop(container: dict) -> None:
            self.call("POST", f"/containers/{container['Id']}/update", body={"RestartPolicy": {"Name": "no"}})
            self.call("POST", f"/containers/{container['Id']}/stop", {"t": 5})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(stop, found))
        return len(found)

    def purge(self, instance: str) -> int:
        """Removes the containers and volumes that carry this instance's label; returns how many containers that were."""
        found = self.containers(f"slipway.instance={instance}")
        for container in found:
            self.remove_container(container["Id"])
        for volume in (self.call("GET", "/volumes") or {}).get("Volumes") or []:
            # A named volume that a mount brought into being has no label, but the instance in front of its name.
            if (volume["Labels"] or {}).get("slipway.instance") != instance and not volume["Name"].startswith(f"{instance}."):
                continue
            try:
                self.call("DELETE", f"/volumes/{volume['Name']}", {"force": "true"})
            except EngineError as e:
                if e.status not in (404, 409):
                    raise
        self._remove_networks(instance)
        return len(found)

    def _remove_networks(self, instance: str) -> None:
        """An Engine has addresses for about thirty."""
        for network in self.call("GET", "/networks", {"filters": json.dumps({"label": [f"slipway.instance={instance}"]})}) or []:
            try:
                self.call("DELETE", f"/networks/{network['Id']}")
            except EngineError as e:
                if e.status not in (403, 404):  # in use by somebody else's container, or gone
                    raise
