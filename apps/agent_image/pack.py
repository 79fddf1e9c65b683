#!/usr/bin/env python3
"""Packs the Machine Agent into an image FROM nothing, as an archive that `docker load` accepts.

Holds slipway-agent, every shared library that it needs, and the static slipway-probe in a folder of its own that can
populate a volume. Reproducible: no times, no owners of this machine, sorted names. The image's key is a digest over
its content; it stands in the label `slipway.image`, in the name `slipway/agent:<version>-<12 of the key>` and in
agent-<arch>.json, by which the server knows what it has without asking an Engine.
"""
import argparse
import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

AGENT_USER = 65531  # never a service's user: it could signal services and read their environment
SPOOL = "var/lib/slipway-agent"
PROBE = "probe/slipway-probe"
TEXTS = {
    # librdkafka looks names up through the C library: /etc/hosts, then DNS, both built into it.
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/passwd": f"slipway-agent:x:{AGENT_USER}:{AGENT_USER}:Slipway Machine Agent:/:/slipway-agent\n",
    "etc/group": f"slipway-agent:x:{AGENT_USER}:\n",
}


def parse_ldd(text: str) -> list[str]:
    """The paths of the libraries and of the loader. A library that is not found is an error."""
    paths = []
    for line in text.splitlines():
        if "not found" in line:
            raise SystemExit(f"pack: a shared library is missing:{line}")
        match = re.search(r"=> (/\S+) \(", line) or re.match(r"\s*(/\S+) \(", line)
        if match:
            paths.append(match.group(1))
    return sorted(set(paths))


def stripped(program: Path, strip: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / program.name
        subprocess.run([strip, "--strip-all", "-o", out, program], check=True)
        return out.read_bytes()


def add_folder(tar: tarfile.TarFile, name: str, owner: int, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
    tar.addfile(entry)


def make_layer(files: dict[str, tuple[bytes, int]], folders: dict[str, tuple[int, int]]) -> bytes:
    """One layer of `files` {path: (content, mode)} and `folders` {path: (owner, mode)}; parents are added."""
    wanted = dict(folders)
    for name in [*files, *folders]:
        for parent in Path(name).parents:
            if str(parent) != ".":
                wanted.setdefault(str(parent), (0, 0o755))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted([*wanted, *files]):
            if name in wanted:
                add_folder(tar, name, *wanted[name])
                continue
            content, mode = files[name]
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def canonical(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def make_config(layer: bytes, version: str, arch: str) -> tuple[str, bytes]:
    """The image's key and its configuration."""
    config = {
        "architecture": arch,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": f"{AGENT_USER}:{AGENT_USER}",
            "Entrypoint": ["/slipway-agent"],
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Labels": {"slipway.agent_version": version},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer)}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "slipway agent_image"}],
    }
    key = sha256(canonical(config))
    config["config"]["Labels"]["slipway.image"] = key
    return key, canonical(config)


def make_archive(layer: bytes, config: bytes, name: str) -> bytes:
    """A docker-archive as `docker save` writes it (image-spec v1.2: manifest.json, a config, layer.tar files)."""
    config_id, layer_id = sha256(config), sha256(layer)
    manifest = [{"Config": f"{config_id}.json", "RepoTags": [name], "Layers": [f"{layer_id}/layer.tar"]}]
    files = {
        "manifest.json": (canonical(manifest), 0o644),
        f"{config_id}.json": (config, 0o644),
        f"{layer_id}/layer.tar": (layer, 0o644),
    }
    return make_layer(files, {})


def replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(path.suffix + ".new")
    new.write_bytes(content)
    new.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("agent", "probe", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("version", "arch", "strip"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()

    ldd = subprocess.run(["ldd", options.agent], check=True, capture_output=True, text=True).stdout
    probe = stripped(options.probe, options.strip)
    files = {path.lstrip("/"): (Path(path).read_bytes(), 0o755) for path in parse_ldd(ldd)}
    files |= {name: (text.encode(), 0o644) for name, text in TEXTS.items()}
    files["slipway-agent"] = (stripped(options.agent, options.strip), 0o755)
    files[PROBE] = (probe, 0o755)
    layer = make_layer(files, {SPOOL: (AGENT_USER, 0o755), "run/slipway": (0, 0o755)})
    key, config = make_config(layer, options.version, options.arch)
    name = f"slipway/agent:{options.version}-{key[:12]}"
    archive = make_archive(layer, config, name)
    facts = {
        "image": name,
        "key": key,
        "id": f"sha256:{sha256(config)}",
        "version": options.version,
        "arch": options.arch,
        "archive": f"agent-{options.arch}.tar",
        "archive_sha256": sha256(archive),
        "probe": {"path": f"/{PROBE}", "sha256": sha256(probe)},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    replace(options.out / facts["archive"], archive)
    replace(options.out / f"agent-{options.arch}.json", json.dumps(facts, indent=2).encode() + b"\n")


if __name__ == "__main__":
    main()
