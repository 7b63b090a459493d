"""What a packed set says of itself: ``meta.json``, which anybody may have edited."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from benchmark.runs.schema import MANY, Frozen
from benchmark.system.files import read_regular

FILE = "meta.json"
_Channels = tuple[float, float, float]
_Image = Annotated[int, Field(ge=0, le=100 * MANY)]


class Meta(Frozen):
    """All of it.

    Attributes:
        format_version: of the files beside it.
        key: names the dataset and the settings it was decoded with.
        origin: fingerprint of the files it was made from; empty where there are none.
        classes: how many classes the labels count.
        mean: of the training pixels scaled to 0 … 1, by channel.
        std: likewise.
        digest: of pixels and labels.
        copies: images that are in both splits.
        files: bytes of each array's file.
    """

    format_version: int
    key: str
    origin: str
    classes: int = Field(ge=1, le=MANY)
    mean: _Channels
    std: _Channels
    digest: str
    copies: tuple[tuple[tuple[_Image, ...], tuple[_Image, ...]], ...]
    files: dict[str, Annotated[int, Field(ge=0, le=2**50)]]

    @property
    def dataset(self) -> str:
        """The name that the key begins with."""
        return self.key.partition(" ")[0]


def read_meta(folder: Path) -> Meta | None:
    """What a packed set's folder says; None where it is no packed set, or of another version."""
    try:
        return Meta.model_validate_json(read_regular(folder / FILE))
    except (OSError, ValidationError):
        return None
