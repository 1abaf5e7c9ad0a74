"""How far a renderer is from what this core can do: functions per second, FLOP, bandwidth."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from skywright import sky
from skywright.sky.deflectors import sie_shear

CACHED, STREAMED = 16_384, 16_000_000


def distance(
    lens: dict[str, Any],
    source: dict[str, Any],
    galaxy: dict[str, Any],
    fwhm: tuple[float, ...],
    scale: float,
    pixels: int,
    dtype: torch.dtype,
    sets_per_second: float,
) -> dict[str, float]:
    """Print and return the roofs of this core, and the share of them that rendering reaches.

    The least a set can cost is, for each ray, one atan, atanh, root and reciprocal of the
    deflection, and for each profile along it a logarithm and two powers of two, all at the speed
    they have on data in the cache, and the multiplications of the blur at the speed of a matrix
    product. Ordinary additions and multiplications, and moving data, are not counted.
    """
    roofs = measure_roofs(dtype)
    rays = count_rays(lens, source, fwhm, scale, pixels, dtype)
    cells = (pixels + 2 * 7) ** 2
    functions = rays * sum(roofs[k] for k in ("atan", "atanh", "sqrt", "reciprocal"))
    functions += (rays + cells) * (roofs["log2"] + 2 * roofs["exp2"])
    blur = 2 * len(fwhm) * (pixels * cells + pixels**2 * (pixels + 14)) / roofs["matmul_flops"]
    least = functions + blur
    found = {
        **roofs,
        "rays_per_set": rays,
        "least_seconds_per_set": least,
        "seconds_per_set": 1 / sets_per_second,
        "share_of_limit": least * sets_per_second,
    }
    print(
        f"{dtype}: {rays:.0f} rays a set; {1e3 * found['seconds_per_set']:.2f} ms, of which "
        f"special functions and blur need {1e3 * least:.2f} ms, "
        f"{100 * least * sets_per_second:.0f} %; "
        f"triad {roofs['triad_bytes'] / 1e9:.1f} GB/s, matmul {roofs['matmul_flops'] / 1e9:.0f} "
        f"GFLOP/s, exp2 {1e9 * roofs['exp2']:.2f} ns, atan {1e9 * roofs['atan']:.2f} ns"
    )
    return found


def measure_roofs(dtype: torch.dtype) -> dict[str, float]:
    """Return seconds per element of functions, FLOP/s of a product, and bytes/s of a triad."""
    x = torch.rand(CACHED, dtype=dtype) * 0.8 + 0.1
    out = torch.empty_like(x)
    names = ("atan", "atanh", "sqrt", "reciprocal", "log2", "exp2")
    found = {}
    for name in names:
        function = getattr(torch, name)
        found[name] = _seconds(lambda f=function: f(x, out=out), 50) / CACHED
    side = 512
    a, b = (torch.rand(side, side, dtype=dtype) for _ in range(2))
    found["matmul_flops"] = 2 * side**3 / _seconds(lambda: a @ b, 5)
    u, v, w = (torch.rand(STREAMED, dtype=dtype) for _ in range(3))
    seconds = _seconds(lambda: torch.add(u, v, alpha=1.5, out=w), 3)
    found["triad_bytes"] = 3 * STREAMED * u.element_size() / seconds
    return found


def count_rays(
    lens: dict[str, Any],
    source: dict[str, Any],
    fwhm: tuple[float, ...],
    scale: float,
    pixels: int,
    dtype: torch.dtype,
) -> float:
    """Return how many rays are deflected for one system."""
    traced = 0

    def counted(x: torch.Tensor, y: torch.Tensor, **parameters: torch.Tensor) -> Any:
        nonlocal traced
        ax, ay = sie_shear(x, y, **parameters)
        traced += ax.numel()
        return ax, ay

    sky.render(
        {**lens, "deflector": counted},
        source,
        pixels=pixels,
        scale=scale,
        psf=sky.gaussian_psf(list(fwhm)),
        dtype=dtype,
    )
    return traced / len(lens["theta_e"])


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    run()
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        best = min(best, (time.perf_counter() - start) / repeats)
    return best
