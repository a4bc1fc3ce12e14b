"""OpenSSH's server on loopback, as the place that archives are pushed to."""

import os
import pathlib
import pwd
import shutil
import subprocess

import pytest

from harness.ports import free_port
from harness.processes import Process, accepts_connections, wait_until

SSHD = "/usr/sbin/sshd"


class SshServer:
    """OpenSSH's server for whoever runs the tests, with keys and a folder of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.inbox = directory / "in"
        self.inbox.mkdir(parents=True)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / key], check=True)
        shutil.copy(directory / "user.pub", directory / "authorized")
        shown = subprocess.run(["ssh-keygen", "-l", "-f", directory / "host.pub"], check=True, capture_output=True, text=True)
        self.fingerprint = shown.stdout.split()[1]
        (directory / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {directory}/host\n"
            f"AuthorizedKeysFile {directory}/authorized\nPidFile none\nUsePAM no\nStrictModes no\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        )
        self.process = Process([SSHD, "-D", "-e", "-f", directory / "config"], directory / "log")
        wait_until(lambda: accepts_connections(self.port), "the SSH server")

    def options(self, fingerprint=None):
        return [
            "--scp-host", "127.0.0.1", "--scp-port", str(self.port), "--scp-user", pwd.getpwuid(os.geteuid()).pw_name,
            "--scp-key-file", str(self.directory / "user"), "--scp-directory", str(self.inbox),
            "--scp-host-key", fingerprint or self.fingerprint,
        ]  # fmt: skip


def start_ssh_server(directory):
    if not os.path.exists(SSHD):
        pytest.skip("openssh-server is not installed")
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # the server wants it when root starts it
    return SshServer(directory)
