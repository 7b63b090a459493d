"""What an image file shows that its RGB bytes do not say.

A published set is read as everybody reads it, by Pillow's ``convert("RGB")``, or its numbers could not be compared.
In a folder of one's own nobody expects that, so a photo is turned upright, and what could be shown in several ways
is refused.
"""

from collections.abc import Mapping

from PIL import Image

_ORIENTATION = 0x0112  # of EXIF
_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def why_unclear(image: Image.Image, *, own: bool) -> str | None:
    """Why an opened image can't be turned into 8-bit RGB in one way alone, as the end of a sentence; None where it can.

    Args:
        image: its pixels are read only where some could be transparent.
        own: False refuses nothing but what ``convert`` would cut off.
    """
    if image.mode[0] in "IF" or (own and _is_deep(image)):
        return f"has more than 8 bits a channel ({image.mode}); save it with 8, scaled as you mean it"
    if not own:
        return None
    if image.format != "MPO" and (frames := getattr(image, "n_frames", 1)) > 1:  # an MPO's others are its previews
        return f"holds {frames} images; save the one that you mean alone"
    if image.has_transparency_data and _least_alpha(image) < 255:
        return "is transparent in places; lay it on the background that you mean"
    return None


def upright(image: Image.Image) -> Image.Image:
    """The image as viewers show it, turned as its EXIF orientation says."""
    image.load()  # a TIFF turns itself
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    return image if turn is None else image.transpose(turn)


def _is_deep(image: Image.Image) -> bool:
    """Whether Pillow drops bits as it decodes: its raw mode is ``RGB;16B``, say, or a PPM's largest value is 65535."""
    return any(
        ";16" in str(tile[3]) or tile[0] == "SGI16" or (tile[0].startswith("ppm") and tile[3][-1] > 255)
        for tile in getattr(image, "tile", ())
    )


def _least_alpha(image: Image.Image) -> int:
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    assert isinstance(least, int)
    return least
