"""Certificates for 127.0.0.1 that sign themselves, in files that can be replaced."""

import pathlib
import subprocess


class CertificateFiles:
    """`certificate` and `key`: what the server is told to read."""

    def __init__(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.certificate = directory / "certificate.pem"
        self.key = directory / "key.pem"
        self._made = 0
        self.install(self.make())

    def make(self, days=30):
        """A pair of PEM texts, valid for so many days; a negative number makes one that has ended."""
        self._made += 1
        key, certificate = self._directory / f"{self._made}.key", self._directory / f"{self._made}.pem"
        common = ["-subj", f"/CN=test {self._made}", "-set_serial", str(self._made)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            + ["-keyout", key, "-out", certificate, "-days", str(max(days, 1)), *common]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:TRUE"],
            check=True,
            capture_output=True,
        )
        if days < 0:
            self._end_in_the_past(key, certificate)
        return certificate.read_text(), key.read_text()

    def _end_in_the_past(self, key, certificate):
        request = self._directory / "request.pem"
        subprocess.run(
            ["openssl", "req", "-new", "-key", key, "-out", request, "-subj", "/CN=ended"], check=True, capture_output=True
        )
        config = self._directory / "ca.cnf"
        (self._directory / "index").write_text("")
        config.write_text(
            f"[ca]\ndefault_ca = c\n[c]\ndatabase = {self._directory}/index\nnew_certs_dir = {self._directory}\n"
            "default_md = sha256\npolicy = p\nrand_serial = yes\n[p]\ncommonName = supplied\n"
        )
        subprocess.run(
            ["openssl", "ca", "-batch", "-selfsign", "-config", config, "-keyfile", key, "-in", request]
            + ["-out", certificate, "-notext", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z"],
            check=True,
            capture_output=True,
        )

    def install(self, pair):
        """As a renewal does it: the certificate, then the key, each in one step."""
        for path, text in zip((self.certificate, self.key), pair):
            new = pathlib.Path(str(path) + ".new")
            new.write_text(text)
            new.replace(path)

    @property
    def options(self):
        return ["--tls-certificate", str(self.certificate), "--tls-key", str(self.key)]
