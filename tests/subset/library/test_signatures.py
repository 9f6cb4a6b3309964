"""Signatures made by ssh-keygen, with a key of the test's own."""

import shutil
import subprocess

import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.subset.library.signatures import NAMESPACE, Signature
from flasheval.subset.library.verifying import verify

needs_ssh = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


@pytest.fixture
def signed(tmp_path, published):
    """A function: signed(namespace) -> the signature of made-clip-5 and who may sign."""
    key, path = tmp_path / "key", published / "pets-clip-5.json"

    def sign(namespace=NAMESPACE):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
        if not key.exists():
            subprocess.run(words, check=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), str(path)],
            check=True,
            capture_output=True,
        )
        signature = path.with_name(f"{path.name}.sig").replace(tmp_path / "pets.sig")
        signers = tmp_path / "signers"
        signers.write_text(f"me@example.org {key.with_suffix('.pub').read_text()}")
        return Signature(signature, signers, "me@example.org"), path

    return sign


@needs_ssh
def test_a_signature_holds_for_the_bytes_it_was_made_of_and_no_others(signed):
    signature, path = signed()
    signature.check(path)
    assert verify("pets-clip-5", {}, signature).faults == ()
    path.write_text(path.read_text() + "\n")  # the same subset, with the same hashes
    assert verify(path, {}).faults == ()
    (fault,) = verify(path, {}, signature).faults
    assert "pets.sig is no signature of" in fault
    assert "by me@example.org" in fault
    assert "\n" not in fault


@needs_ssh
def test_a_signature_by_another_or_for_another_use_does_not_pass(signed, tmp_path):
    signature, path = signed()
    with pytest.raises(DataError, match=r"no signature of .* by you@example\.org"):
        Signature(signature.file, signature.signers, "you@example.org").check(path)
    with pytest.raises(DataError, match="no signature"):
        Signature(path, signature.signers, "me@example.org").check(path)
    mail, _ = signed("email")
    with pytest.raises(DataError, match="no signature"):
        mail.check(path)


def test_what_is_missing_is_named(published, tmp_path, monkeypatch):
    path = published / "pets-clip-5.json"
    (tmp_path / "a.sig").write_text("x")
    (tmp_path / "signers").write_text("x")
    with pytest.raises(DataError, match=r"no\.sig does not exist; expected a signature"):
        Signature(tmp_path / "no.sig", tmp_path / "signers", "me").check(path)
    with pytest.raises(DataError, match="no does not exist; expected a file of allowed signers"):
        Signature(tmp_path / "a.sig", tmp_path / "no", "me").check(path)
    for identity in ("", " ", "a\0b"):
        with pytest.raises(SettingError, match="identity is no name"):
            Signature(tmp_path / "a.sig", tmp_path / "signers", identity).check(path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="ssh-keygen is not installed"):
        Signature(tmp_path / "a.sig", tmp_path / "signers", "me").check(path)
    (fault,) = verify("hf://me/x@y/z", {}, Signature("a", "b", "c")).faults
    assert "is not a file here" in fault
