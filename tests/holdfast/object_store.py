"""A server that speaks S3 on loopback, for tests of what several machines share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3() -> Iterator[str]:
    """The URL of an empty bucket; the environment leads there for the length of the block."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    before = dict(os.environ)
    os.environ.update(KEYS, AWS_ENDPOINT_URL=f"http://{host}:{port}", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    S3FileSystem.clear_instance_cache()  # one that is kept would go on asking an earlier server
    try:
        yield bucket()
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.stop()


def bucket() -> str:
    """Another empty bucket on the server that the environment leads to."""
    import fsspec

    name = f"holdfast-{secrets.token_hex(4)}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return f"s3://{name}"
