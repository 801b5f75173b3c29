"""gnupg with a test key of its own."""

import os
import subprocess
from pathlib import Path


class TestKey:
    """A key in a folder of gnupg's; one that lies there already is used again."""

    USER = "Test key of airlock <nobody@localhost>"

    def __init__(self, home):
        self.environment = {**os.environ, "GNUPGHOME": str(home)}
        if not home.exists():
            home.mkdir(mode=0o700, parents=True)
            # Of the kind that Elastic's is.
            self._gpg("--passphrase", "", "--quick-generate-key", self.USER, "rsa2048", "sign", "never")
        listed = self._gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Else gpg-agent outlives its folder.
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.environment, check=True)

    def export(self, file):
        """Writes the public key, armored."""
        file.write_bytes(self._gpg("--armor", "--export", self.fingerprint))

    def sign(self, file: Path):
        """Writes an armored signature beside `file` and returns its bytes."""
        signature = file.with_name(f"{file.name}.sig")
        self._gpg("--armor", "--output", signature, "--detach-sign", file)
        return signature.read_bytes()

    def agrees(self, content, signature_file):
        """Says whether gpg holds the signature of `content` for one by this key."""
        command = self._command("--trust-model", "always", "--status-fd", "1", "--verify", signature_file, "-")
        said = subprocess.run(command, env=self.environment, input=content, capture_output=True)
        return said.returncode == 0 and f"[GNUPG:] VALIDSIG {self.fingerprint}".encode() in said.stdout

    def _command(self, *arguments):
        return ["gpg", "--batch", "--no-tty", "--quiet", *arguments]

    def _gpg(self, *arguments):
        command = self._command(*arguments)
        done = subprocess.run(command, env=self.environment, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        return done.stdout
