"""Is a file the one that was meant?"""

import hashlib


def check_sha256(content: bytes, expected: str, name: str) -> None:
    """Refuses content whose SHA-256 is not the expected one.

    Args:
        content: the uncompressed bytes.
        expected: 64 hexadecimal digits, lower case.
        name: the file's name, for the error.

    Raises:
        ValueError: the digests differ; both are named.

    >>> check_sha256(b"", hashlib.sha256(b"").hexdigest(), "empty")
    """
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"{name}: its SHA-256 is {found}, expected {expected}: not the original")
