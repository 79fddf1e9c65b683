"""A folder on a disk of its own that is soon full."""
from pathlib import Path

from dev_stack.base import run


class SmallDisk:
    def __init__(self, folder: Path, mib: int):
        self.folder = folder
        self._ballast = folder / "ballast"
        self.close()  # of a run that was killed
        folder.mkdir(parents=True, exist_ok=True)
        run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "slipway", folder], root=True)

    def fill(self) -> None:
        """To the last byte."""
        with open(self._ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError as full:
                assert full.errno == 28, full

    def free(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        if self.folder.is_mount():
            run(["umount", "-l", self.folder], root=True)
