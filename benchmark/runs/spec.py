"""The frozen description of one run, and its id.

A run is named by its content: the id is a hash of the spec without the fields that equal their default,
so a new field with a no-op default renames nothing.
"""

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from benchmark.runs.axes import Choices, Dataset, Method, Mixing, Network, Numerics, Schedule
from benchmark.runs.catalogue import STAGES_BEGIN_WITH_1X1
from benchmark.runs.schema import MANY, MANY_RUNS, Frozen, refuse

#: Raised whenever the numbers of an unchanged spec would change; part of every id.
PROTOCOL = 1

Prediction = Literal[
    "single",
    "aggregated",
    "aggregated_probabilities",
    "aggregated_final_head",
    "aggregated_final_head_probabilities",
    "distilled",
]


class TrainSpec(Frozen):
    """One seeded training.

    ``activation_maps`` is of how many test images the result keeps class activation maps: the beginning of
    the test split's class-balanced part, or all of a smaller split.
    """

    kind: Literal["train"] = "train"
    protocol: int = Field(ge=1, le=MANY)
    dataset: Dataset
    network: Network
    method: Method
    mixing: Mixing = Mixing()
    schedule: Schedule
    choices: Choices = Choices()
    numerics: Numerics = Numerics()
    activation_maps: int = Field(default=0, ge=0, le=1_000)
    seed: int = Field(default=0, ge=0, le=MANY)

    @property
    def label(self) -> str:
        """Readable head of the run id."""
        source = "standin-" if self.dataset.source == "standin" else ""
        parts = [source + self.dataset.name, self.network.label, self.method.label, self.mixing.label]
        return "-".join([part for part in parts if part] + [f"s{self.seed}"])

    @property
    def trains_single_images(self) -> bool:
        """Whether a batch may have one image; without views, batch norm can't take one where features are 1 × 1."""
        masks = self.method.masks
        plain = self.network.stage_sides(self.dataset.image_size)[: masks.carry_from if masks else None]
        return self.method.rotations > 1 or min(plain) > 1

    @model_validator(mode="after")
    def _check(self) -> "TrainSpec":
        channels, method = self.network.stage_channels, self.method
        if method.classifiers > len(channels):
            raise refuse("method.classifiers", f"{self.network.label} has {len(channels)} stages to put one on")
        if method.discard and method.discard.groups > channels[-1]:
            raise refuse(
                "method.discard.groups",
                f"the last stage of {self.network.label} has {channels[-1]} channels, "
                f"too few for {method.discard.groups} groups",
            )
        if self.mixing.cutout_size is not None and self.mixing.cutout_size > self.dataset.image_size:
            raise refuse("mixing.cutout_size", f"is larger than the image, {self.dataset.image_size} pixels")
        if self.mixing.cutout_size is not None and self.mixing.cutout_size % 2:
            reason = "should be even: the public code of Cutout takes an odd side for one pixel less"
            raise refuse("mixing.cutout_size", reason)
        for choice, matters in (("beta_on", method.classifiers > 1), ("distill_from", method.distillation)):
            if not matters and getattr(self.choices, choice) != Choices.model_fields[choice].default:
                raise refuse(f"choices.{choice}", f"has no meaning for method {method.label}; leave it out")
        return self

    @model_validator(mode="after")
    def _check_masks(self) -> "TrainSpec":
        if self.method.masks is None:
            return self
        channels, masks = self.network.stage_channels, self.method.masks
        last = len(channels)
        if masks.carry_from is not None and masks.carry_from >= last:
            raise refuse(
                "method.masks.carry_from",
                f"must be a stage before the last ({self.network.label} has {last}); "
                "to mask the last stage's feature leave it out",
            )
        masked = [masks.carry_from] if masks.carry_from else range(last - self.method.classifiers + 1, last + 1)
        for stage in masked:
            maskable = masks.maskable(channels[stage - 1])
            if masks.views > maskable:
                raise refuse(
                    "method.masks.views",
                    f"stage {stage} of {self.network.label} has {maskable} channels to mask, "
                    f"too few for {masks.views} views; take at most {maskable}",
                )
        return self

    @model_validator(mode="after")
    def _check_numerics(self) -> "TrainSpec":
        if self.numerics.carried_views == "partial_sums":
            if self.method.masks is None or self.method.masks.carry_from is None:
                raise refuse("numerics.carried_views", "has no meaning without method.masks.carry_from; leave it out")
            if self.network.family not in STAGES_BEGIN_WITH_1X1:
                families = " or ".join(STAGES_BEGIN_WITH_1X1)
                raise refuse("numerics.carried_views", f"partial_sums needs a {families}; take copies")
        return self


class CostVariant(Frozen):
    """One row of a cost table; ``listing1`` makes SFE's views as the paper's Listing 1 does."""

    name: str
    method: Method
    listing1: bool = False


#: Steps of a cost run that one reading takes in a row, by the kind of device. A GPU is waited for behind the last one
#: only, as a training does at an epoch's end: else each step would begin by itself, and nothing be done while its calls
#: are handed out.
STEPS_IN_A_ROW = {"cpu": 1, "cuda": 10}


class CostSpec(Frozen):
    """One measurement of several variants, interleaved on one named device (Table 3); ``steps`` are its readings."""

    kind: Literal["cost"] = "cost"
    protocol: int = Field(ge=1, le=MANY)
    dataset: Dataset
    network: Network
    batch_size: int = Field(ge=2, le=MANY)
    steps: int = Field(ge=1, le=MANY)
    device: str
    variants: list[CostVariant] = Field(min_length=1, max_length=MANY_RUNS)
    numerics: Numerics = Numerics()

    @property
    def label(self) -> str:
        """Readable head of the run id."""
        return f"cost-{self.dataset.name}-{self.network.label}"


_RUN_ID = re.compile(r"(.+?)(?:-s(\d+))?-[0-9a-f]{12}")

RunSpec = Annotated[TrainSpec | CostSpec, Field(discriminator="kind")]
RUN_SPEC: TypeAdapter[TrainSpec | CostSpec] = TypeAdapter(RunSpec)


def canonical(spec: TrainSpec | CostSpec) -> str:
    """The spec as one line of JSON: sorted keys, without what equals its default."""
    tree: dict[str, Any] = {"kind": spec.kind, **spec.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def run_id(spec: TrainSpec | CostSpec) -> str:
    """The run's name: what it is in words, then 12 hex digits of the canonical spec's SHA-256."""
    digest = hashlib.sha256(canonical(spec).encode()).hexdigest()[:12]
    return f"{re.sub(r'[^a-z0-9.-]+', '_', spec.label.lower())}-{digest}"


def words_and_seed(name: str) -> tuple[str, int | None]:
    """A run id without its hash: what it is in words, and its seed if it is a training's."""
    match = _RUN_ID.fullmatch(name)
    return (match[1], int(match[2]) if match[2] else None) if match else (name, None)


def with_seed(spec: TrainSpec | CostSpec, seed: int) -> TrainSpec | CostSpec:
    """The trial of an entry with this seed; a cost run has none."""
    return spec if isinstance(spec, CostSpec) else spec.model_copy(update={"seed": seed})
