"""A small residual network for cutouts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ResNet"]


class ResNet(nn.Module):
    """Pre-activation residual network that ends in a global average.

    Works on any cutout of at least 24 pixels. Batch normalisation is used because it is the
    fastest on a CPU and, in evaluation, treats every image by itself.

    Parameters
    ----------
    bands : int
        Number of input bands.
    width : int
        Channels of the first stage; every further stage doubles them.
    blocks : sequence of int
        Residual blocks of each stage. Every stage halves the resolution in its first block,
        the first one only if ``first_stride`` is 2.
    outputs : int
        Numbers predicted for each image (1: the logit of a binary classifier).
    stem_stride : int
        Step of the first convolution, whose kernel is two pixels wider than the step.
    first_stride : int
        Step of the first residual stage.
    radius : bool
        Whether the distance from the centre of the cutout is given as one more band: averaging
        would forget where light was found, and lenses sit in the middle.

    References
    ----------
    He et al. 2016, arXiv:1603.05027, figure 4e (full pre-activation); He et al. 2019,
    arXiv:1812.01187, figure 2c (averaged short cut); Liu et al. 2018, arXiv:1807.03247
    (coordinates as channels).

    Examples
    --------
    >>> net = ResNet(bands=3)
    >>> tuple(net(torch.zeros(2, 3, 48, 48)).shape)
    (2, 1)
    """

    def __init__(
        self,
        bands: int,
        width: int = 16,
        blocks: tuple[int, ...] | list[int] = (1, 1),
        outputs: int = 1,
        stem_stride: int = 2,
        first_stride: int = 2,
        radius: bool = True,
    ) -> None:
        super().__init__()
        if not blocks or min(blocks) < 1:
            raise ValueError(f"blocks is {blocks!r}; expected one positive number for each stage")
        self.radius = radius
        self.stem = nn.Conv2d(
            bands + radius, width, stem_stride + 2, stem_stride, padding=1, bias=False
        )
        layers: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(blocks):
            stride = first_stride if stage == 0 else 2
            wider = width * 2 ** (stage + (first_stride > 1))
            for block in range(count):
                layers.append(_Block(channels, wider, stride if block == 0 else 1))
                channels = wider
        self.body = nn.Sequential(*layers)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, band, y, x) of scaled flux to predictions (n, outputs)."""
        if self.radius:
            images = torch.cat([images, _radius_of(images)], dim=1)
        images = images.contiguous(memory_format=torch.channels_last)
        features = torch.relu(self.norm(self.body(self.stem(images))))
        out: Tensor = self.head(features.mean(dim=(2, 3)))
        return out


class _Block(nn.Module):
    """Two 3 x 3 convolutions, each after normalisation and ReLU, beside a short cut."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, wider, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(wider)
        self.conv2 = nn.Conv2d(wider, wider, 3, padding=1, bias=False)
        self.pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
        # a linear map of the channels, not a 1 x 1 convolution: the gradient of that one crashes
        # torch 2.13 on CPUs with two threads, fewer than 16 channels and an odd batch
        self.widen = nn.Linear(channels, wider, bias=False) if channels != wider else None

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, channel, y, x) to (n, wider, y / stride, x / stride)."""
        active = torch.relu(self.norm1(images))
        change = self.conv2(torch.relu(self.norm2(self.conv1(active))))
        if self.widen is None:
            return torch.add(change, self.pool(images))
        # averaging before widening loses no pixel, as a stride would
        short_cut = self.widen(self.pool(active).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return torch.add(change, short_cut)


def _radius_of(images: Tensor) -> Tensor:
    """Return the distance from the centre, 1 at the middle of an edge, as (n, 1, y, x)."""
    ny, nx = images.shape[-2:]
    y = torch.linspace(-1, 1, ny, dtype=images.dtype, device=images.device)
    x = torch.linspace(-1, 1, nx, dtype=images.dtype, device=images.device)
    return torch.hypot(y[:, None], x).expand(len(images), 1, ny, nx)
