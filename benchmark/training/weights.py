"""The final weights of a training as a file of their own, and back into its network."""

import json
import sys
from pathlib import Path

from torch import nn

from benchmark.data.packed import ImageSet
from benchmark.errors import UserError
from benchmark.methods.network import JointNetwork, build_network
from benchmark.runs.spec import RUN_SPEC, TrainSpec, run_id
from benchmark.system.files import open_regular, write_atomic


def weights_path(folder: Path, name: str) -> Path:
    """Where ``--keep-weights`` leaves those of a run."""
    return folder / f"{name}.safetensors"


def save_weights(folder: Path, spec: TrainSpec, images: ImageSet, model: nn.Module) -> Path:
    """Write parameters and buffers as safetensors, whole or not at all, with the spec beside them.

    Args:
        folder: where to; the file is called after the run.
        spec: what was trained.
        images: on what.
        model: :func:`~benchmark.methods.network.build_network`'s, trained.

    Raises:
        OSError: it can't be written.
    """
    from safetensors.torch import save

    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    about = {"run_id": run_id(spec), "spec": spec.model_dump_json(), "classes": str(images.classes)}
    about["data_digest"] = images.digest
    path = weights_path(folder, run_id(spec))
    write_atomic(path, save(state, about))
    return path


def load_network(path: Path | str) -> tuple[JointNetwork, TrainSpec]:
    """The network of a file that ``--keep-weights`` wrote, with its weights, on the CPU and in evaluation mode.

    ``network(images)`` takes ``[B, 3, H, W]``, normalised as the run's images were; of what it gives
    :func:`benchmark.methods.objective.predictions` makes class scores ``[B, N]`` by prediction.

    Args:
        path: the file.

    Returns:
        The network, and the run's spec.

    Raises:
        UserError: there is no such file, or it is none of this project's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        with open_regular(path, sys.maxsize) as file:
            data = file.read()
        about = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        spec = RUN_SPEC.validate_json(about["spec"])
        assert isinstance(spec, TrainSpec)
        network = build_network(spec, int(about["classes"]))
        state, kept = network.state_dict(), load(data)
        if state.keys() != kept.keys():
            raise ValueError("they are another network's")
        state.update(kept)  # in place: it also knows the version of each layer, which the file does not
        network.load_state_dict(state)
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}; name a file that --keep-weights wrote") from None
    except (SafetensorError, ValueError, KeyError, TypeError, AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: holds no weights of a run ({reason}); --keep-weights writes such files") from None
    return network.eval(), spec
