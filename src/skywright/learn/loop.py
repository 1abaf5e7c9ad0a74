"""The pieces that Lightning calls: the module, and the callback that survives a kill."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn

from skywright.learn.gradients import GradientWatch, ends_and_middle, watch

__all__ = ["Classifier", "Keeper", "Loop", "read_state", "train"]


class Loop(LightningModule):
    """A net with AdamW, a one-cycle schedule, and a watch on its gradients.

    Parameters
    ----------
    net : Module
        What is trained.
    learning_rate, weight_decay : float
        Peak rate and decay of AdamW.
    steps : int
        Optimiser steps of the whole training, for the schedule.
    """

    def __init__(
        self, net: nn.Module, learning_rate: float, weight_decay: float, steps: int
    ) -> None:
        super().__init__()
        self.net: nn.Module = net
        self.steps = steps
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.norms: list[Tensor] = []
        self.gradients = watch(net.parameters(), ends_and_middle(steps))

    def on_before_optimizer_step(self, _: Any) -> None:
        """Note the norm of the gradient of the loss."""
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        self.norms.append(nn.utils.get_total_norm(gradients).detach())

    def on_train_epoch_end(self) -> None:
        """Log the mean gradient norm and the rate that the epoch ended with."""
        self.log("gradient_norm", torch.stack(self.norms).mean(), sync_dist=True)
        self.log("learning_rate", float(self.trainer.optimizers[0].param_groups[0]["lr"]))
        self.norms = []

    def configure_optimizers(self) -> Any:
        """Return AdamW whose rate warms up over a fifth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _rate(self, step: int) -> float:
        """Return the share of the peak rate at a step."""
        warm = max(1, self.steps // 5)
        if step < warm:
            return (step + 1) / warm
        left = (step - warm) / max(1, self.steps - warm)
        return 0.5 * (1 + math.cos(math.pi * min(left, 1.0))) + 1e-3

    def keep(self, name: str, value: Tensor, count: int) -> None:
        """Log the mean of a loss over an epoch."""
        self.log(name, value, on_step=False, on_epoch=True, batch_size=count, sync_dist=True)


class Classifier(Loop):
    """A net (n, band, y, x) -> (n, 1) with the loss of binary classification."""

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Return the cross entropy of one augmented batch."""
        loss = self._loss("train_loss", batch)
        self.gradients.note({"cross_entropy": loss})
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Log the cross entropy of one untouched batch."""
        self._loss("validation_loss", batch)

    def _loss(self, name: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        logits = self.net(images)[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        self.keep(name, loss, len(labels))
        return loss


class Keeper(Checkpoint):
    """Write everything that a resumed training needs after each epoch, by an atomic rename.

    Its state holds the learning curves, the best weights and the random state of torch and of
    the loader; weights, optimiser, schedule and early stopping are Lightning's part.

    Parameters
    ----------
    path : Path
        The checkpoint file.
    generator : torch.Generator
        The loader's generator.
    settings : str
        What tells this training from another, kept to refuse the checkpoint of another one.
    gradients : GradientWatch
        The module's.
    progress : callable, optional
        Called with the finished share once an epoch is safe on disk.
    """

    def __init__(
        self,
        path: Path,
        generator: torch.Generator,
        settings: str,
        gradients: GradientWatch,
        progress: Callable[[float], None] | None,
    ) -> None:
        self.path, self.generator, self.settings = path, generator, settings
        self.gradients, self.progress = gradients, progress
        self.history: dict[str, list[float]] = {}
        self.finished = False
        self.best: dict[str, Any] = {"loss": math.inf, "epoch": -1, "weights": {}}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the numbers and weights of the epoch, and save."""
        row = {"epoch": float(trainer.current_epoch)}
        row |= {k: float(v) for k, v in sorted(trainer.callback_metrics.items())}
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)
        loss = row["validation_loss"]
        if loss < self.best["loss"]:
            net = cast(nn.Module, pl_module.net)
            weights = {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}
            self.best = {"loss": loss, "epoch": trainer.current_epoch, "weights": weights}
        self.finished = trainer.should_stop or trainer.current_epoch + 1 >= (
            trainer.max_epochs or 0
        )
        partial = self.path.with_suffix(".partial")
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            os.replace(partial, self.path)
        trainer.strategy.barrier()
        if self.progress is not None:
            self.progress((trainer.current_epoch + 1) / (trainer.max_epochs or 1))

    def state_dict(self) -> dict[str, Any]:
        """Return what Lightning puts into the checkpoint."""
        return {
            "history": self.history,
            "best": self.best,
            "finished": self.finished,
            "settings": self.settings,
            "gradients": self.gradients.state_dict(),
            "torch": torch.get_rng_state(),
            "loader": self.generator.get_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take everything back from a checkpoint."""
        self.history, self.best = state_dict["history"], state_dict["best"]
        self.gradients.load_state_dict(state_dict["gradients"])
        torch.set_rng_state(state_dict["torch"])
        self.generator.set_state(state_dict["loader"])


def read_state(path: Path, settings: str) -> dict[str, Any] | None:
    """Return the keeper's part of a checkpoint, or None where there is none.

    Raises
    ------
    ValueError
        When the checkpoint belongs to a training with other settings.
    """
    if not path.exists():
        return None
    content = torch.load(path, weights_only=True, map_location="cpu")
    state: dict[str, Any] = content["callbacks"][Keeper.__name__]
    if state["settings"] != settings:
        raise ValueError(
            f"{path.parent} holds the checkpoint of another training: give each training a "
            f"scratch folder of its own, or delete {path.name}"
        )
    return state


def train(
    module: Loop,
    batches: Any,
    checks: Any,
    keeper: Keeper,
    training: dict[str, Any],
    hardware: dict[str, Any],
    resume: bool,
) -> None:
    """Train on ``batches`` and judge each epoch on ``checks``; the keeper holds the outcome."""
    callbacks: list[Callback] = [
        EarlyStopping("validation_loss", patience=training["patience"], mode="min"),
        keeper,
    ]
    folder = keeper.path.parent
    # by default Lightning would start the caller's script once more for each further device
    forked = hardware["accelerator"] == "cpu" and hardware["devices"] not in (1, "auto")
    with warnings.catch_warnings(), _quiet():
        # these speak of DataLoader workers, of litlogger and of empty log folders: not of us
        warnings.filterwarnings("ignore", module="lightning")
        trainer = Trainer(
            max_epochs=training["epochs"],
            callbacks=callbacks,
            logger=CSVLogger(folder, name="log"),
            default_root_dir=folder,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10**9,
            strategy="ddp_fork" if forked else "auto",
            **hardware,
        )
        trainer.fit(
            module, batches, checks, ckpt_path=keeper.path if resume else None, weights_only=True
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's notes about hardware out of the caller's log; warnings and errors pass."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
