"""Losses and predictions of the joint classifiers, Eq. 3 to 8."""

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.methods.mixing import Mixed
from benchmark.methods.network import Logits
from benchmark.runs.spec import TrainSpec


class Objective:
    """What a run minimises.

    Args:
        spec: its method (β, distillation) and choices (``beta_on``, ``distill_from``).
    """

    def __init__(self, spec: TrainSpec) -> None:
        self.beta = spec.method.beta if spec.method.beta is not None else 1.0
        self.beta_on = spec.choices.beta_on
        self.distill_from = spec.choices.distill_from

    def __call__(self, logits: Logits, batch: Mixed) -> Tensor:
        """The scalar training loss of one batch."""
        losses = [joint_loss(one, batch) for one in logits.joint]
        earlier, last = sum(losses[:-1], losses[0].new_zeros(())), losses[-1]
        # Eq. 6 puts β on the last loss, the text and Figure 4 on the penultimate's; the text is the default.
        total = last + self.beta * earlier if self.beta_on == "penultimate" else earlier + self.beta * last
        if len(losses) == 1:
            total = last
        return total + self._distillation(logits, batch) if logits.plain is not None else total

    def _distillation(self, logits: Logits, batch: Mixed) -> Tensor:
        """Section 4.1: CE(plain, y) + KL(P_agg ‖ plain), the teacher detached, temperature 1."""
        assert logits.plain is not None
        plain = logits.plain.float()
        z = conditional(logits.joint).detach()  # [c, B, N, V]
        # Eq. 8 averages logits, the text probabilities
        teacher = z.mean((0, 3)).softmax(-1) if self.distill_from == "logits" else z.softmax(2).mean((0, 3))
        divergence = F.kl_div(plain.log_softmax(-1), teacher, reduction="batchmean")
        return joint_loss(plain[None], batch) + divergence


def joint_loss(logits: Tensor, batch: Mixed) -> Tensor:
    """Eq. 5: cross-entropy over all N·V joint labels, averaged over views and batch; mixed if the batch is.

    Args:
        logits: ``[V, B, N·V]``.
        batch: its labels ``[B]``, and the partners' where Mixup mixed.
    """
    flat = logits.float().flatten(0, 1)  # [V·B, N·V]
    loss = F.cross_entropy(flat, joint_labels(batch.labels, len(logits)))
    if batch.partner_labels is None:
        return loss
    other = F.cross_entropy(flat, joint_labels(batch.partner_labels, len(logits)))
    return batch.share * loss + (1 - batch.share) * other


def joint_labels(labels: Tensor, views: int) -> Tensor:
    """``y·V + v`` for every view of every image, ``[B] -> [V·B]``."""
    return (labels * views + torch.arange(views, device=labels.device)[:, None]).flatten()


def conditional(joint: tuple[Tensor, ...]) -> Tensor:
    """Logits of class i for view v given that it is view v: c tensors ``[V, B, N·V]`` to ``[c, B, N, V]``."""
    views = len(joint[0])
    batch = joint[0].shape[1]
    return torch.stack([one.float().reshape(views, batch, -1, views).diagonal(dim1=0, dim2=3) for one in joint])


def predictions(logits: Logits) -> dict[str, Tensor]:
    """Class scores ``[B, N]`` of every way to predict; the largest wins.

    ``single`` is Eq. 7 (last classifier, original view), ``aggregated`` Eq. 8 (mean logits of all views of
    all classifiers); the text of the paper averages probabilities instead, so both stand side by side.
    """
    z = conditional(logits.joint)  # [c, B, N, V]
    p = z.softmax(2)
    scores = {
        "single": z[-1, :, :, 0],
        "aggregated": z.mean((0, 3)),
        "aggregated_probabilities": p.mean((0, 3)),
        "aggregated_final_head": z[-1].mean(2),
        "aggregated_final_head_probabilities": p[-1].mean(2),
    }
    if logits.plain is not None:
        scores["distilled"] = logits.plain.float()
    return scores
