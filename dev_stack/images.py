"""Base images made without a registry. Each carries the hash of its recipe as a label: unchanged means nothing to do."""
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from .base import Failed, as_root, machine_lock
from .docker_api import Api

PYTHON = "slipway-base-python:3.11"
NODE = "slipway-base-node:18"
NODE_BUILD = "slipway-base-node-build:18"  # with npm, which brings 300 packages: only build stages start from it
CPP = "slipway-base-cpp:12"  # also for binaries
CPP_BUILD = "slipway-base-cpp-build:12"
MINIMAL = "slipway-base-minimal:1"
LABEL = "slipway.base.recipe"

_LEAN = ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
         "--aptopt=Acquire::Languages \"none\""]
# name: Debian packages, settings of the image. No mirror is named, so none of this machine's own sources gets in: node is Debian's 18.
_DEBIAN = {
    PYTHON: ("ca-certificates,python3,python3-pip,python3-venv,python-is-python3", ["CMD [\"python3\"]", "ENV PYTHONUNBUFFERED=1"]),
    NODE: ("ca-certificates,nodejs", ["CMD [\"node\"]"]),
    NODE_BUILD: ("ca-certificates,nodejs,npm", []),
    CPP: ("ca-certificates,librdkafka1,librdkafka++1", []),
    CPP_BUILD: ("ca-certificates,cmake,g++,librdkafka-dev,make,nlohmann-json3-dev,pkg-config", []),
}
RUNTIMES = {"python": [PYTHON], "node": [NODE, NODE_BUILD], "cpp": [CPP, CPP_BUILD], "binary": [CPP]}
_MINIMAL_FILES = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", "etc/group": "root:x:0:\nnogroup:x:65534:\n"}
_BUSYBOX = Path("/bin/busybox")


def _key(recipe) -> str:
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


def _has(api: Api, name: str, key: str) -> bool:
    found = api.image(name)
    return found is not None and (found["Config"].get("Labels") or {}).get(LABEL) == key


def _import(api: Api, name: str, key: str, tar, changes: list[str]) -> None:
    repo, _, tag = name.partition(":")
    lines = api.call("POST", "/images/create", {"fromSrc": "-", "repo": repo, "tag": tag, "changes": [*changes, f"LABEL {LABEL}={key}"]},
                     tar, 600, "application/x-tar")
    for line in lines if isinstance(lines, list) else [lines]:
        if isinstance(line, dict) and "error" in line:
            raise Failed(f"the Engine did not take the image {name}: {line['error']}")


def ensure(api: Api, name: str) -> bool:
    """An image of Debian packages; false if it was there."""
    packages, changes = _DEBIAN[name]
    recipe = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", *_LEAN, "bookworm", "-"]
    key = _key(recipe)
    if _has(api, name, key):
        return False
    with machine_lock(name.partition(":")[0].removeprefix("slipway-")):
        if _has(api, name, key):
            return False
        maker = subprocess.Popen(as_root(recipe), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            _import(api, name, key, maker.stdout, changes)
        finally:
            maker.stdout.close()
            errors = maker.stderr.read().decode(errors="replace")
            code = maker.wait()
        if code != 0:
            api.call("DELETE", f"/images/{name}", {"force": "true"})
            raise Failed(f"mmdebstrap ended with {code}: {errors[-800:]}", "it fetches Debian packages: is the network there?")
    return True


def ensure_runtimes(api: Api, runtimes: list[str]) -> list[str]:
    """The images of these runtimes, one after the other; which were made."""
    wanted = dict.fromkeys(name for runtime in runtimes for name in RUNTIMES[runtime])
    return [name for name in wanted if ensure(api, name)]


def ensure_minimal(api: Api) -> bool:
    """busybox alone, about 2 MB, for tests that need a container but no runtime."""
    key = _key([_MINIMAL_FILES, _BUSYBOX.stat().st_size])
    if _has(api, MINIMAL, key):
        return False
    applets = subprocess.run([_BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "proc", "sys", "dev"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        for path, text in _MINIMAL_FILES.items():
            info = tarfile.TarInfo(path)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
        data = _BUSYBOX.read_bytes()
        info = tarfile.TarInfo("bin/busybox")
        info.size, info.mode = len(data), 0o755
        tar.addfile(info, io.BytesIO(data))
        for applet in applets:
            if applet == "busybox":
                continue
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(info)
    out.seek(0)
    _import(api, MINIMAL, key, out, ["CMD [\"sh\"]", "ENV PATH=/bin"])
    return True
