"""Zstandard on every Python: the standard library has it from 3.14, and the same module is on PyPI for those before.

https://docs.python.org/3.14/library/compression.zstd.html
"""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["SUFFIX", "zstd"]

SUFFIX = ".zst"
