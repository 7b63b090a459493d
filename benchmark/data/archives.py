"""Where the publishers keep their sets, and how to know that one got the right bytes.

Sizes and md5 sums stand here only where two public sources that don't copy each other agree; docs/datasets.md
names the terms of use.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file of a publisher.

    Attributes:
        file: its name.
        md5: of the whole file, in hex.
        url: where it is; empty where the address is dead.
        size: in bytes; None where it isn't known for sure.
    """

    file: str
    md5: str
    url: str = ""
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A set as it is published.

    Attributes:
        home: the publisher's page.
        archives: what has to be fetched.
        inside: True where the archives hold what lies in the set's folder, False where they hold the folder.
    """

    home: str
    archives: tuple[Archive, ...]
    inside: bool = False

    @property
    def size(self) -> int | None:
        """Bytes to fetch; None where a part isn't known."""
        sizes = [archive.size for archive in self.archives]
        return None if None in sizes else sum(size or 0 for size in sizes)


_TORONTO = "https://www.cs.toronto.edu/~kriz"
_DOGS = "http://vision.stanford.edu/aditya86/ImageNetDogs"

PUBLICATIONS: Mapping[str, Publication] = {
    "cifar10": Publication(
        home=f"{_TORONTO}/cifar.html",
        archives=(
            Archive(
                file="cifar-10-python.tar.gz",
                url=f"{_TORONTO}/cifar-10-python.tar.gz",
                size=170_498_071,
                md5="c58f30108f718f92721af3b95e74349a",
            ),
        ),
    ),
    "cifar100": Publication(
        home=f"{_TORONTO}/cifar.html",
        archives=(
            Archive(
                file="cifar-100-python.tar.gz",
                url=f"{_TORONTO}/cifar-100-python.tar.gz",
                size=169_001_437,
                md5="eb9058c3a382ffc7106e4002c42a8d85",
            ),
        ),
    ),
    "tiny-imagenet": Publication(
        home="http://cs231n.stanford.edu",
        archives=(
            Archive(
                file="tiny-imagenet-200.zip",
                url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                size=248_100_043,
                md5="90528d7ca1a48142e341f4ef8d21d0de",
            ),
        ),
    ),
    "cub200": Publication(
        home="https://www.vision.caltech.edu/datasets/cub_200_2011/",
        archives=(
            Archive(
                file="CUB_200_2011.tgz",
                url="https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz?download=1",
                size=1_150_585_339,
                md5="97eceeb196236b17998738112f37df78",
            ),
        ),
    ),
    "stanford_dogs": Publication(
        home=f"{_DOGS}/main.html",
        archives=(
            Archive(
                file="images.tar",
                url=f"{_DOGS}/images.tar",
                size=793_579_520,
                md5="1bb1f2a596ae7057f99d7d75860002ef",
            ),
            Archive(
                file="lists.tar",
                url=f"{_DOGS}/lists.tar",
                size=481_280,
                md5="edbb9f16854ec66506b5f09b583e0656",
            ),
        ),
        inside=True,
    ),
    "stanford_cars": Publication(
        home="https://ai.stanford.edu/~jkrause/cars/car_dataset.html (dead)",
        archives=(
            Archive(file="car_devkit.tgz", md5="c3b158d763b6e2245038c8ad08e45376"),
            Archive(file="cars_train.tgz", md5="065e5b463ae28d29e77c1b4b166cfe61"),
            Archive(file="cars_test.tgz", md5="4ce7ebf6a94d07f1952d94dd34c4d501"),
            Archive(file="cars_test_annos_withlabels.mat", md5="b0a2b23655a3edd16d84508592a98d10"),
        ),
        inside=True,
    ),
}
