"""Node.js with npm, from PyPI, and what a package-lock.json names."""
import hashlib
import os
import shutil
from pathlib import Path

from . import repository
from .base import STATE, run


def environment() -> dict[str, str]:
    """For commands that need node and npm."""
    tools, _ = repository.virtual_environment("node", Path(__file__).with_name("node.txt"))
    return {"PATH": f"{tools / 'bin'}:{os.environ['PATH']}", "npm_config_update_notifier": "false", "NO_COLOR": "1"}


def install(folder: Path, log: str, hint: str = "") -> None:
    """Fetches what folder/package-lock.json names, checked by its checksums, into folder/node_modules, if it is not there; runs no script of theirs."""
    installed = folder / "node_modules" / ".made-of"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if installed.exists() and installed.read_text() == wanted:
        return
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, env=environment(), log=STATE / "logs" / log,
        hint=f"npm must reach its registry; behind a proxy set npm_config_registry or npm_config_cafile.{hint}")
    installed.write_text(wanted)
