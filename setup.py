"""Packages of the distribution: service/ and training/ are installed as seqserve.service and seqserve.training.

The image is built without training/.
"""

from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = {"seqserve": "seqserve", "seqserve.service": "service", "seqserve.training": "training"}

setup(
    package_dir=FOLDERS,
    packages=[
        name
        for package, folder in FOLDERS.items()
        if Path(folder).is_dir()
        for name in (package, *(f"{package}.{below}" for below in find_packages(folder)))
    ],
)
