"""Contexts of TLS: made once, and every file that does not fit is one sentence."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from experiments.errors import ParameterError
from experiments.measure.engines import tls
from experiments.measure.engines.tls import Contexts, Tls
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_there_is_one_context_for_each_certificate(authority: Authority) -> None:
    """Devices that show the same one, or none, share it."""
    contexts, one, two = Contexts(Tls(ca=str(authority.file))), authority.issued("one"), authority.issued("two")
    made = [contexts.of(), contexts.of(one), contexts.of(two)]
    assert [contexts.of(), contexts.of(one), contexts.of(two)] == made
    assert len({id(context) for context in made}) == 3
    assert tls.usual() is tls.usual()


def test_everything_is_checked_unless_it_is_said(authority: Authority) -> None:
    """The certificate and its name; by a CA file only those whom it names are trusted."""
    checked, blind = Contexts(Tls(ca=str(authority.file))).of(), Contexts(Tls(verify=False)).of()
    assert (checked.verify_mode, checked.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(checked.get_ca_certs()) == 1
    assert (blind.verify_mode, blind.check_hostname) == (ssl.CERT_NONE, False)
    assert tls.usual().verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(("text", "reason"), [(None, "No such file"), ("certificates", "no certificate or crl found")])
def test_a_ca_file_that_is_none_is_refused(tmp_path: Path, text: str | None, reason: str) -> None:
    """It is not there, or holds something else."""
    file = tmp_path / "own.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ParameterError, match=rf"tls: ca='.*own\.pem' cannot be used \({reason}.*\): give a file"):
        Contexts(Tls(ca=str(file))).of()


def test_a_certificate_without_its_key_is_refused(authority: Authority, tmp_path: Path) -> None:
    """The key of another, one that is encrypted, none at all, and a file that is not there."""
    (cert, key), (_, other) = authority.issued("one"), authority.issued("two")
    private = load_pem_private_key(key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    contexts = Contexts(Tls(ca=str(authority.file)))
    cases = {
        other: "key values mismatch",
        locked: "the key is encrypted",
        None: "nothing of that kind",
        tmp_path / "away": "No such file",
    }
    for wrong, reason in cases.items():
        with pytest.raises(ParameterError, match=rf"tls: cert=.*\({reason}.*\): give a certificate and its private key"):
            contexts.of((cert, wrong))
    contexts.of((cert, key))
