"""The axes that a run is a product of: dataset, network, method, mixing, schedule, choices, numerics.

Ids leave out what equals its default, so a default in this file must never change.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from benchmark.runs.catalogue import (
    DATASETS,
    DatasetFacts,
    Family,
    depth_problem,
    own_dataset,
    stage_channels,
    stage_sides,
    width_meaning,
)
from benchmark.runs.schema import MANY, MANY_RUNS, Frozen, refuse, suggestion


class Dataset(Frozen):
    """Which images a run sees.

    ``official`` are the publisher's files; ``folder`` is a folder ``train/<class>/*, test/<class>/*`` of that
    name below the data directory, of a known set or of one's own; ``standin`` are generated images of the
    same shape and class count, for smoke runs only. ``train_images`` and ``test_images`` take a
    class-balanced part. ``classes`` is for sets of one's own alone.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    source: Literal["official", "folder", "standin"] = "official"
    train_images: int | None = Field(default=None, ge=1, le=100 * MANY)
    test_images: int | None = Field(default=None, ge=1, le=100 * MANY)
    input_size: int | None = Field(default=None, ge=8, le=4096)
    classes: int | None = Field(default=None, ge=2, le=MANY)

    @property
    def facts(self) -> DatasetFacts:
        """The catalogue's entry of this dataset, or what the spec says of a set of one's own."""
        if self.name in DATASETS:
            return DATASETS[self.name]
        assert self.classes is not None
        assert self.input_size is not None
        return own_dataset(self.name, self.classes, self.input_size)

    @property
    def image_size(self) -> int:
        """Side of the square the network sees, in pixels."""
        return self.input_size or self.facts.input_size

    @model_validator(mode="after")
    def _check(self) -> "Dataset":
        known = self.name in DATASETS
        if not known and self.source == "official":
            hint = suggestion(self.name, list(DATASETS))
            raise refuse("name", f"there is no dataset {self.name!r}; {hint} (a folder of your own: source: folder)")
        for field in ("classes", "input_size"):
            if not known and getattr(self, field) is None:
                raise refuse(field, f"{self.name} is not in the catalogue; say its {field}")
        if known and self.classes is not None:
            raise refuse("classes", f"{self.facts.title} has {self.facts.classes}; leave it out")
        for split in ("train_images", "test_images"):
            wanted, whole = getattr(self, split), getattr(self.facts, split)
            if self.source == "standin" and wanted is None:
                raise refuse(split, "say how many stand-in images to generate")
            if wanted is not None and self.source == "official" and wanted >= whole:
                raise refuse(
                    split, f"{self.facts.title} has {whole}; for all leave it out, or --set dataset.{split}=null"
                )
        if (
            known
            and self.input_size is not None
            and (self.facts.crop_padding or self.input_size == self.facts.input_size)
        ):
            remedy = "leave it out, or --set dataset.input_size=null"
            raise refuse("input_size", f"{self.facts.title} is used at {self.facts.input_size}; {remedy}")
        return self


class Network(Frozen):
    """A backbone: a family and its dimensions (``width`` is WRN's factor, DenseNet's growth, PyramidNet's α)."""

    family: Family
    depth: int = Field(le=10_000)
    width: int | None = Field(default=None, ge=1, le=10_000)

    @property
    def stage_channels(self) -> tuple[int, ...]:
        """Channels of each stage's feature, first to last."""
        return stage_channels(self.family, self.depth, self.width)

    def stage_sides(self, image_size: int) -> tuple[int, ...]:
        """Side of each stage's feature in pixels, first to last."""
        return stage_sides(self.family, image_size)

    @property
    def label(self) -> str:
        """Short name, for instance ``wrn28-10``."""
        family = self.family.removesuffix("_imagenet")
        return f"{family}{self.depth}" + (f"-{self.width}" if self.width and self.family != "densenet" else "")

    @model_validator(mode="after")
    def _check(self) -> "Network":
        if problem := depth_problem(self.family, self.depth):
            raise refuse("depth", problem)
        meaning = width_meaning(self.family)
        if meaning and self.width is None:
            raise refuse("width", f"{self.family} needs one: its {meaning}")
        if not meaning and self.width is not None:
            raise refuse("width", f"{self.family} has none; leave it out")
        return self


class Masks(Frozen):
    """SFE's internal pretext task: k masked views beside the original, K = k + 1.

    Without ``carry_from`` every tapped stage masks its own feature just before its classifier. With it
    (Table 6) the views are made after that stage and go through the remaining ones as one batch.
    """

    views: int = Field(ge=2, le=MANY)
    carry_from: int | None = Field(default=None, ge=1, le=MANY)
    grouping: Literal["random", "contiguous"] = "random"
    masked_fraction: float = Field(default=1.0, gt=0, le=1)
    groups_per_channel: int = Field(default=1, ge=1, le=MANY)

    def maskable(self, channels: int) -> int:
        """How many of a feature's channels take part; rounded down, but 0.57 of 300 is 171."""
        return _part(channels, self.masked_fraction)

    @model_validator(mode="after")
    def _check(self) -> "Masks":
        if self.groups_per_channel >= self.views:
            raise refuse("groups_per_channel", f"must be below views ({self.views}), or a view would lose every group")
        return self


class Discard(Frozen):
    """Figure 1: a plain network whose last feature is without one group of its channels, in training and testing.

    The channels are cut in ``groups`` as SFE's masks cut them; ``group`` counts from 1. Runs of one seed that
    differ in ``group`` alone share one cut.
    """

    groups: int = Field(ge=2, le=MANY)
    group: int = Field(ge=1, le=MANY)

    @model_validator(mode="after")
    def _check(self) -> "Discard":
        if self.group > self.groups:
            raise refuse("group", f"must be one of the {self.groups} groups, 1 to {self.groups}")
        return self


class Method(Frozen):
    """The objective as a product of axes; with every default it is the baseline.

    Attributes:
        classifiers: c, one on each of the last c stages.
        beta: weight of the earlier classifiers' losses, Eq. 6; only with more than one classifier.
        masks: SFE's pretext task; None for none.
        rotations: SLA's M input rotations; 1 for none.
        distillation: train a plain classifier on the aggregate as well (SFE - SD).
        discard: leave a group of the last feature's channels out; only without all of the above.
    """

    classifiers: int = Field(default=1, ge=1, le=MANY)
    beta: float | None = Field(default=None, ge=0, le=1)
    masks: Masks | None = None
    rotations: Literal[1, 4] = 1
    distillation: bool = False
    discard: Discard | None = None

    @property
    def views(self) -> int:
        """V = M·K: how many labelled versions of an image a joint classifier tells apart."""
        return self.rotations * (self.masks.views + 1 if self.masks else 1)

    @property
    def carried_views(self) -> int:
        """Masked views of an image that go through the last stage; 1 where they are made behind it."""
        return self.masks.views + 1 if self.masks and self.masks.carry_from else 1

    @property
    def label(self) -> str:
        """Short name, for instance ``sla-sfe``."""
        parts = [name for name, used in (("sla", self.rotations > 1), ("sfe", self.masks)) if used]
        if not parts:
            parts = [f"{self.classifiers}heads" if self.classifiers > 1 else "baseline"]
        if self.discard:
            parts = [f"discard{self.discard.group}of{self.discard.groups}"]
        return "-".join([*parts, *(["sd"] if self.distillation else [])])

    @model_validator(mode="after")
    def _check(self) -> "Method":
        if self.classifiers > 1 and self.beta is None:
            raise refuse("beta", f"{self.classifiers} classifiers need one, between 0 and 1")
        if self.classifiers == 1 and self.beta is not None:
            raise refuse("beta", "has no meaning with one classifier; leave it out")
        if self.masks and self.masks.carry_from is not None and self.classifiers > 1:
            raise refuse(
                "masks.carry_from",
                "views are carried to one classifier at the network's end; set classifiers: 1",
            )
        if self.distillation and self.views * self.classifiers == 1:
            raise refuse("distillation", "needs several predictions to distil from: masks, rotations or classifiers")
        if self.discard and self.views * self.classifiers > 1:
            raise refuse("discard", "is for a plain network: one classifier, no masks, no rotations")
        return self


class Mixing(Frozen):
    """Input mixing, each part optional; Cutout comes first when both are there.

    Attributes:
        cutout_size: side of the one square of zeros per image, in pixels (DeVries and Taylor 2017).
        mixup_alpha: pairs are mixed with one λ ~ Beta(alpha, alpha) a batch (Zhang et al. 2018).
    """

    cutout_size: int | None = Field(default=None, ge=1, le=MANY)
    mixup_alpha: float | None = Field(default=None, gt=0, le=MANY)

    @property
    def label(self) -> str:
        """Short name: ``cutout``, ``mixup``, ``cutout-mixup`` or empty."""
        return "-".join(
            name for name, used in (("cutout", self.cutout_size), ("mixup", self.mixup_alpha)) if used is not None
        )


class Schedule(Frozen):
    """SGD and its step-wise learning rate. Milestones are fractions of the epochs, rounded down; 0.58 of 200 is 116."""

    epochs: int = Field(ge=1, le=MANY)
    batch_size: int = Field(ge=2, le=MANY)
    learning_rate: float = Field(gt=0, le=MANY)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=1e-4, ge=0, le=MANY)
    decay_at: list[Annotated[float, Field(gt=0, lt=1)]] = Field(default=[0.5, 0.75], max_length=MANY_RUNS)
    decay_factor: float = Field(default=0.1, gt=0, le=1)

    @property
    def milestones(self) -> tuple[int, ...]:
        """Epochs before which the rate drops; none in a run of under 4 epochs."""
        return tuple(_part(self.epochs, fraction) for fraction in self.decay_at) if self.epochs >= 4 else ()


class Choices(Frozen):
    """What the paper leaves open, as docs/paper-notes.md explains it. One value means: recorded, no switch."""

    beta_on: Literal["penultimate", "last"] = "penultimate"
    distill_from: Literal["logits", "probabilities"] = "logits"
    mask_draw: Literal["once"] = "once"
    penultimate_pool: Literal["global"] = "global"
    head_init: Literal["torch_linear"] = "torch_linear"
    nesterov: bool = False
    decay_on: Literal["all"] = "all"
    last_batch: Literal["kept"] = "kept"
    tiny_input: Literal["64x64"] = "64x64"
    epoch_reported: Literal["last"] = "last"


class Numerics(Frozen):
    """Everything that changes digits but not the method. Nothing of it is picked by the device.

    Attributes:
        precision: of convolutions and products; weights, batch-norm statistics and loss stay fp32.
        threads: of the processor.
        deterministic: forbid operations that may sum in another order the next time.
        carried_views: how Table 6's views go on, as masked copies of a feature or, where the stage behind begins
            with 1×1 convolutions, as partial sums of those; equal up to rounding.
        compiled: whether torch.compile fuses the step, in CUDA graphs on a GPU.
    """

    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    threads: int = Field(default=1, ge=1, le=1024)
    deterministic: bool = True
    carried_views: Literal["copies", "partial_sums"] = "copies"
    compiled: bool = False


def _part(whole: int, fraction: float) -> int:
    """Rounded down, but not for what floating point lacks: 0.57 * 300 is 170.99999999999997."""
    return int(round(whole * fraction, 9))
