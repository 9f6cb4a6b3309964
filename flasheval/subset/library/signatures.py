"""Detached signatures of manifests, made and checked by OpenSSH's `ssh-keygen`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import require_file

__all__ = ["NAMESPACE", "Signature"]

NAMESPACE = "flasheval"
"""What a signature is said to be for, so that one made for mail or git does not pass."""

_SECONDS = 60


@dataclass(frozen=True)
class Signature:
    """A signature to check, and whose it must be.

    Attributes:
        file: The signature, as ``ssh-keygen -Y sign -n flasheval`` writes it.
        signers: The allowed signers: a line each with an identity and a public key, see "ALLOWED
            SIGNERS" in the manual of ssh-keygen.
        identity: Who must have signed, as the file of signers names them.

    >>> Signature("a.sig", "signers", "").check("a.json")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: identity is no name; say who must have signed, as the file \
of allowed signers does

    """

    file: str | Path
    signers: str | Path
    identity: str

    def check(self, manifest: str | Path) -> None:
        """Check that the identity signed the bytes of a manifest.

        Raises SettingError where there is no identity or no ssh-keygen, and DataError for a file
        that cannot be read and a signature that is not theirs.
        """
        if not self.identity.strip() or "\0" in self.identity:
            raise SettingError(
                "identity is no name; say who must have signed, as the file of allowed signers does"
            )
        signature = require_file(self.file, "signature (ssh-keygen -Y sign)")
        signers = require_file(self.signers, "file of allowed signers")
        message = require_file(manifest, "subset manifest").read_bytes()
        program = shutil.which("ssh-keygen")
        if program is None:
            raise SettingError(
                "ssh-keygen is not installed, and checks signatures; install OpenSSH "
                "(Debian: openssh-client), or leave signature= out"
            )
        words = [program, "-Y", "verify", "-n", NAMESPACE, "-I", self.identity]
        words += ["-f", str(signers.resolve()), "-s", str(signature.resolve())]
        try:
            done = subprocess.run(  # noqa: S603 - no shell; each word is one argument
                words, input=message, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DataError(f"ssh-keygen did not answer: {error}") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise DataError(
                f"{self.file} is no signature of {manifest} by {self.identity}"
                f" ({said or 'ssh-keygen says no more'})"
            )
