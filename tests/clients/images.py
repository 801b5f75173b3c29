"""Container images that hold a folder of zips, saved in the forms that people carry."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

REPOSITORY = "docker.elastic.co/package-registry/distribution"
INSIDE = "packages/package-storage"
LABEL = ("BRANCH_NAME", "v1.31.1")


def docker_archive(zips, image, tag):
    """As `podman save` writes it: built by umoci, saved by skopeo."""
    _umoci_and_skopeo(zips, image, tag, f"docker-archive:{image}:{REPOSITORY}:{tag}")


def oci_archive(zips, image, tag):
    """Its layers are under gzip."""
    _umoci_and_skopeo(zips, image, tag, f"oci-archive:{image}:{tag}")


def docker_save(zips, image, tag):
    """As `docker save` wrote it before version 25: a folder for each layer, and what says their order at the end."""
    base, packages = image.with_suffix(".base"), image.with_suffix(".packages")
    with tarfile.open(base, "w") as layer:
        _add(layer, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    with tarfile.open(packages, "w") as layer:
        layer.add(zips, INSIDE, recursive=False)
        for file in sorted(zips.iterdir()):
            layer.add(file, f"{INSIDE}/{file.name}")
    # A layer's folder has the digest of its layer and of what it lies on; anything of that form will do.
    layers = {hashlib.sha256(layer.name.encode()).hexdigest(): layer for layer in (base, packages)}
    digests = [_digest(layer) for layer in layers.values()]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": dict([LABEL])},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = {
        "Config": config_name,
        "RepoTags": [f"{REPOSITORY}:{tag}"],
        "Layers": [f"{identity}/layer.tar" for identity in layers],
    }
    repositories = {REPOSITORY: {tag: list(layers)[-1]}}
    with tarfile.open(image, "w") as saved:
        # Sorted by name, as docker does: the upper layer may well come first.
        for name in sorted([*layers, config_name]):
            if name == config_name:
                _add(saved, name, config)
                continue
            _add(saved, f"{name}/VERSION", b"1.0")
            _add(saved, f"{name}/json", json.dumps({"id": name}).encode())
            saved.add(layers[name], f"{name}/layer.tar")
            layers[name].unlink()
        _add(saved, "manifest.json", json.dumps([manifest]).encode())
        _add(saved, "repositories", json.dumps(repositories).encode())


FORMS = {"docker-archive": docker_archive, "oci-archive": oci_archive, "docker-save": docker_save}


def _umoci_and_skopeo(zips, image, tag, destination):
    layout = image.with_suffix(".layout")
    system = image.with_suffix(".system")
    system.mkdir()
    Path(system, "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    to = ["--image", f"{layout}:{tag}"]
    _run("umoci", "init", "--layout", layout)
    _run("umoci", "new", *to)
    _run("umoci", "insert", "--rootless", *to, system, "/etc")
    _run("umoci", "insert", "--rootless", *to, zips, f"/{INSIDE}")
    _run("umoci", "config", *to, "--config.label", "=".join(LABEL))
    _run("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{layout}:{tag}", destination)
    shutil.rmtree(layout)
    shutil.rmtree(system)


def _run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stdout.decode()}")


def _add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _digest(file):
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
