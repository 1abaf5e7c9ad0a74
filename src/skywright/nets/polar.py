"""A small residual network that looks at a cutout in circles around its centre."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

__all__ = ["PolarResNet"]


class PolarResNet(nn.Module):
    """Residual network on the polar map of a cutout, for what is arranged around a centre.

    The cutout is resampled on circles around its centre. There an arc is a ridge along the
    angle, a ring is a line, and a turn of the sky is a shift that circular padding makes
    harmless. Each circle is given twice, as it is and with its median taken away, which removes
    a smooth galaxy; the radius is one more channel.

    Parameters
    ----------
    bands : int
        Number of input bands.
    width : int
        Channels of the stem; each of the two residual stages doubles them.
    angles : int
        Samples on a circle, a multiple of 16.
    outputs : int
        Numbers predicted for each image (1: the logit of a binary classifier).

    References
    ----------
    He et al. 2016, arXiv:1603.05027, figure 4e (full pre-activation); Esteves et al. 2018,
    arXiv:1709.01889 (polar input, circular padding).

    Examples
    --------
    >>> net = PolarResNet(bands=3)
    >>> tuple(net(torch.zeros(2, 3, 48, 48)).shape)
    (2, 1)
    """

    def __init__(self, bands: int, width: int = 16, angles: int = 48, outputs: int = 1) -> None:
        super().__init__()
        if angles < 16 or angles % 16:
            raise ValueError(f"angles is {angles}; expected a multiple of 16")
        self.angles = angles
        self.stem = nn.Conv2d(2 * bands + 1, width, (3, 4), stride=(1, 2), bias=False)
        self.stages = nn.ModuleList([_Stage(width, 2 * width), _Stage(2 * width, 4 * width)])
        self.norm = nn.BatchNorm2d(4 * width)
        self.head = nn.Linear(8 * width, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, bands, y, x) of scaled flux to predictions (n, outputs)."""
        circles = self._circles(images).contiguous(memory_format=torch.channels_last)
        features = self.stem(_pad(circles))
        for stage in self.stages:
            features = stage(features)
        features = torch.relu(self.norm(features))
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        out: Tensor = self.head(pooled)
        return out

    def _circles(self, images: Tensor) -> Tensor:
        """Return (n, 2 bands + 1, radius, angle): circles, the same less their median, radius."""
        n, _, ny, nx = images.shape
        if min(ny, nx) < 16:
            raise ValueError(f"images of {ny} x {nx} pixels; expected at least 16 x 16")
        radius = torch.arange(1, min(ny, nx) // 2).to(images)
        angle = torch.arange(self.angles).to(images) * (2 * math.pi / self.angles)
        # the middle of the grid, which turns and mirror images leave where it is
        x = radius[:, None] * torch.cos(angle) * 2 / (nx - 1)
        y = radius[:, None] * torch.sin(angle) * 2 / (ny - 1)
        grid = torch.stack([x, y], dim=-1).expand(n, -1, -1, -1)
        circles = F.grid_sample(images, grid, align_corners=True)
        # half of the angles is enough for a median, which is slow
        middle = circles[..., ::2].median(dim=-1, keepdim=True).values
        share = (radius / radius[-1])[:, None].expand(n, 1, -1, self.angles)
        return torch.cat([circles, circles - middle, share], dim=1)


class _Stage(nn.Module):
    """Two 3 x 3 convolutions, the first with stride 2, beside a short cut."""

    def __init__(self, channels: int, wider: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, wider, 3, stride=2, bias=False)
        self.norm2 = nn.BatchNorm2d(wider)
        self.conv2 = nn.Conv2d(wider, wider, 3, bias=False)
        self.short_cut = nn.Conv2d(channels, wider, 2, stride=2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, channels, radius, angle) to (n, wider, half, half)."""
        active = torch.relu(self.norm1(features))
        change = self.conv1(_pad(active))
        change = self.conv2(_pad(torch.relu(self.norm2(change))))
        even = F.pad(active, (0, 0, 0, active.shape[2] % 2))
        out: Tensor = change + self.short_cut(even)
        return out


def _pad(features: Tensor) -> Tensor:
    """Pad by one: around the circle along the angle, with zeros along the radius.

    The circular mode of ``pad`` would lose the order of memory that convolutions are fast in.
    """
    around = torch.cat([features[..., -1:], features, features[..., :1]], dim=-1)
    return F.pad(around, (0, 0, 1, 1))
