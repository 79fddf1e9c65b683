"""A small certificate authority of its own for Engines with TLS, by the openssl program: names.pem beside each other in one folder."""
from pathlib import Path

from .base import run


class Authority:
    """Keeps ca.pem and ca.key in its folder; made there when it is new."""

    def __init__(self, folder: Path, name: str = "slipway-dev"):
        self.folder = folder
        self.ca = folder / "ca.pem"
        self._key = folder / "ca.key"
        if not self.ca.exists():
            folder.mkdir(parents=True, exist_ok=True)
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                 "-addext", "keyUsage=critical,keyCertSign", "-keyout", self._key, "-out", self.ca])

    def issue(self, folder: Path, name: str, address: str | None = None) -> Path:
        """ca.pem, cert.pem and key.pem in `folder`: a server's for `address`, else a client's. Returns the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        request, extensions = folder / "request.pem", folder / "extensions"
        use = f"serverAuth\nsubjectAltName=IP:{address}" if address else "clientAuth"
        extensions.write_text(f"extendedKeyUsage={use}\n")
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", folder / "key.pem",
             "-out", request])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", "30", "-extfile", extensions,
             "-out", folder / "cert.pem"])
        (folder / "ca.pem").write_bytes(self.ca.read_bytes())
        request.unlink()
        extensions.unlink()
        return folder
