"""librdkafka, built from the sources that an npm package carries, as one static library: why not Debian's is in docs/decisions/0014."""
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from . import node
from .base import STATE, TOOLS, run

RECIPE = Path(__file__).with_name("librdkafka")
# With C11's threads libtsan of g++ 12 does not know its threads; what else is off asks for libraries that no setting of ours uses.
OPTIONS = ["--disable-c11threads", "--disable-curl", "--disable-gssapi", "--disable-lz4-ext", "--disable-syslog"]


def definition() -> str:
    """Builds it if it is not there, about 30 s on two cores; what CMake is to be told."""
    return f"-DSLIPWAY_LIBRDKAFKA={_installed()}"


def _installed() -> Path:
    key = hashlib.sha256((RECIPE / "package-lock.json").read_bytes() + " ".join(OPTIONS).encode()).hexdigest()[:12]
    target = TOOLS / f"librdkafka-{key}"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / "librdkafka.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (target / "complete").exists():
            return target
        for old in TOOLS.glob("librdkafka-*"):
            shutil.rmtree(old)
        _build(target)
        (target / "complete").touch()
    return target


def _build(target: Path) -> None:
    log = STATE / "logs" / "librdkafka.log"
    work = STATE / "librdkafka"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(RECIPE / name, work / name)
    node.install(work, log.name)
    source = work / "node_modules" / "node-rdkafka" / "deps" / "librdkafka"
    env = {"CC": "ccache gcc", "CXX": "ccache g++"}
    run(["./configure", f"--prefix={target}", *OPTIONS], cwd=source, env=env, log=log)
    run(["make", "-C", "src", f"-j{os.cpu_count()}"], cwd=source, env=env, log=log)
    run(["make", "-C", "src", "install"], cwd=source, env=env, log=log)
    libraries = target / "lib"
    for unused in [*libraries.glob("librdkafka.so*"), *libraries.glob("*rdkafka-static.*"), *libraries.glob("pkgconfig/rdkafka-static.pc")]:
        unused.unlink()
    described = libraries / "pkgconfig" / "rdkafka.pc"  # only the static one is left: whoever links it needs all that it needs
    described.write_text(described.read_text().replace("Requires.private:", "Requires:").replace("\nLibs.private:", ""))
    shutil.rmtree(work)
