"""Certificates of an authority that exists for a test alone."""

import datetime
import ssl
from pathlib import Path

import trustme

_LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


class Authority:
    """Issues certificates, and lays them down as files where devices find them."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self._issued = 0
        self.file = self._laid_down("ca", self._ca.cert_pem)

    def server(self, *names: str, expired: bool = False, clients: "Authority | None" = None) -> ssl.SSLContext:
        """What a server of these names shows; with `clients` it takes only devices with a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, not_after=_LONG_AGO if expired else None).configure_cert(context)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        return context

    def issued(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate and of its key."""
        leaf = self._ca.issue_cert(name)
        self._issued += 1
        cert = self._laid_down(f"cert-{self._issued}", *leaf.cert_chain_pems)
        return cert, self._laid_down(f"key-{self._issued}", leaf.private_key_pem)

    def _laid_down(self, name: str, *pems: trustme.Blob) -> Path:
        path = self._folder / f"{id(self)}-{name}.pem"
        path.write_bytes(b"".join(pem.bytes() for pem in pems))
        return path
