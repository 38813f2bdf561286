"""Fetch a data set once into the user's cache; nothing else ever downloads.

gradstab data mnist
"""

import argparse
from pathlib import Path

from experiments.datasets.downloads import MNIST_MD5, MNIST_MIRRORS, fetch
from experiments.datasets.mnist import mnist_cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("dataset", choices=["mnist"], help="which data set")
    parser.add_argument("--dir", type=Path, help="another folder than the user's cache")
    parser.add_argument("--mirror", action="append", help="base address to fetch from, ending in a slash; may be repeated")


def execute(args: argparse.Namespace) -> int:
    """Fetch and check the files.

    Returns:
        0.

    Raises:
        UserError: a file cannot be fetched or has the wrong checksum.
    """
    mirrors = tuple(args.mirror) if args.mirror else MNIST_MIRRORS
    for path in fetch(args.dir or mnist_cache(), MNIST_MD5, mirrors):
        print(path)
    return 0
