"""Where the images of a split are kept while a run trains; plans ask too, so without NumPy."""

#: Images of a split lie on a GPU where they take less than this part of all its memory, else in the machine's. What is
#: free would be another number to every run, and nobody could estimate by it.
_PART_OF_A_GPU = 1 / 4


def lies_on_gpu(image_bytes: float, gpu_bytes: float) -> bool:
    """Whether a split's images, as bytes, are kept on a GPU with so much memory."""
    return image_bytes < _PART_OF_A_GPU * gpu_bytes
