"""The few-pixel attack on a net that was really trained, beside random search at equal queries.

Run ``python verify/few_pixel.py``; it writes docs/measured/few_pixel.json.

A small net learns to tell ellipticals, spirals and lenses apart (verify/small_galaxies.py). Sixty
test images that it gets right are attacked with one pixel of any value of the data, and within
budgets in electrons and in signal to noise. Evolution has to succeed at least 1.3 times as often as
as many random draws, and never to change more pixels than stated. Draws with most values at an end
of the budget, as evolution begins, are the stronger rival and stand beside. Around it stand the
other judges on the same net: the shift suite, gradients, latent distance, abstention, symmetry,
attributions.
"""

from __future__ import annotations

import copy
import sys
import time
from functools import partial
from typing import Any

import numpy as np
import torch
from record import record
from scipy.special import softmax
from small_galaxies import FAINT, KINDS, SKY, draw_galaxies, scale, scores, train
from torch import nn

from skywright.data import Images
from skywright.find import attack_gradient, attribute_net
from skywright.sky import shift_suite
from skywright.sky.perturbations.suite import SEVERITIES, UNITS
from skywright.trust import (
    attack_few_pixels,
    decide_classification,
    judge_abstention,
    judge_attributions,
    judge_classification,
    judge_shift,
    judge_symmetry,
    latent_distance,
    pixel_budget,
)
from skywright.trust.few_pixel import SEARCHES
from skywright.trust.resampling import wilson

ATTACKED, TRAINED, TESTED = 60, 3000, 1000
LEAST_RATIO = 1.3
RMS = np.sqrt(SKY)
# pixels, and the largest change of each in every band
BUDGETS: dict[str, dict[str, Any]] = {
    "1 pixel, any value of the data": {"pixels": 1},
    "1 pixel, 3,000 electrons": {"pixels": 1, "electrons": 3e3, "gain": 1.0},
    "1 pixel, S/N 10": {"pixels": 1, "snr": 10.0, "rms": RMS},
    "3 pixels, 3,000 electrons": {"pixels": 3, "electrons": 3e3, "gain": 1.0},
    "5 pixels, S/N 10": {"pixels": 5, "snr": 10.0, "rms": RMS},
}


def attack(
    net: nn.Module,
    flux: np.ndarray,
    kinds: np.ndarray,
    data: np.ndarray,
    budgets: dict[str, dict[str, Any]],
) -> list[Any]:
    """Return a row for every budget; evolution and both draws with the same most queries."""
    rows, classify = [], partial(scores, net)
    for name, options in budgets.items():
        budget = pixel_budget(data, **options)
        row: dict[str, Any] = {"quantity": name, "images": len(flux)}
        for search in SEARCHES:
            rng = np.random.default_rng(1)
            result = attack_few_pixels(classify, flux, kinds, budget, rng, search=search)
            success = result["success"]
            row |= {f"{search}": success["value"], f"{search}_low": success["low"]}
            row |= {f"{search}_high": success["high"], f"{search}_pixels": result["changed"].max()}
            row[f"{search}_mean_queries"] = result["queries"].mean()
            row[f"{search}_most_queries"] = result["queries"].max()
            if search == "evolution":
                row["images_changed"] = result["images"]
                row["largest_change_electrons"] = result["largest_change"].max()
                peak = np.abs(result["images"] - flux) / RMS[:, None, None]
                row["largest_change_snr"] = peak.max()
        for rival in SEARCHES[1:]:
            row[f"over_{rival}"] = row["evolution"] / row[rival] if row[rival] else None
        rows.append(row)
        print({k: v for k, v in row.items() if k != "images_changed"}, flush=True)
    return rows


def attack_faint(rng: np.random.Generator) -> list[Any]:
    """Return the attack with one pixel on a net of fainter galaxies, where chance does more."""
    images, kinds = draw_galaxies(TRAINED, rng, FAINT)
    test, truth = draw_galaxies(TESTED, rng, FAINT)
    net, flux = train(images, kinds), np.asarray(test.flux)
    correct = scores(net, flux).argmax(axis=1) == truth
    right = np.flatnonzero(correct)[:ATTACKED]
    name = "1 pixel, any value of the data"
    rows = attack(net, flux[right], truth[right], flux, {name: BUDGETS[name]})
    row = {name: value for name, value in rows[0].items() if name != "images_changed"}
    return [{**row, "accuracy": correct.mean()}]


def latents(net: nn.Module, flux: np.ndarray) -> np.ndarray:
    """Return what the last layer sees, (n, latent)."""
    kept: list[np.ndarray] = []
    hook = net.head.register_forward_hook(lambda _, inputs, __: kept.append(inputs[0].numpy()))
    scores(net, flux)
    hook.remove()
    return np.concatenate(kept)


def shifts(net: nn.Module, test: Images, kinds: np.ndarray) -> list[dict[str, Any]]:
    """Return accuracy at every severity of the suite, added sky among them."""
    severities = {**SEVERITIES, "background": (5.0, 20.0, 100.0)}
    found: dict[str, dict[float, np.ndarray]] = {kind: {} for kind in severities}
    for kind, severity, images in shift_suite(
        test, np.random.default_rng(2), severities=severities
    ):
        found[kind][severity] = scores(net, np.asarray(images.flux))
    clean = scores(net, np.asarray(test.flux))
    rows = judge_shift(clean, found, kinds, np.random.default_rng(3))
    return [{"quantity": r["kind"], "unit": UNITS.get(r["kind"], ""), **r} for r in rows]


def gradients(net: nn.Module, flux: np.ndarray, kinds: np.ndarray) -> list[dict[str, Any]]:
    """Return the share of images that projected gradients turn, by budget a pixel."""
    rows = []
    for snr in (0.03, 0.1, 0.3):
        rng = torch.Generator().manual_seed(0)
        changed = attack_gradient(net, flux, kinds, RMS[None, :, None, None], rng, snr=snr)
        fooled = float((scores(net, changed).argmax(axis=1) != kinds).mean())
        low, high = wilson(fooled, len(kinds))
        row = {"quantity": f"all pixels, S/N {snr}", "value": fooled, "low": low, "high": high}
        rows.append({**row, "electrons_in_g": snr * RMS[0], "n": len(kinds)})
    return rows


def judges(net: nn.Module, test: Images, kinds: np.ndarray) -> dict[str, Any]:
    """Return what the other judges say of the same net."""
    flux, rng = np.asarray(test.flux), np.random.default_rng(4)
    logits = scores(net, flux)
    p = softmax(logits, axis=1)
    turned = {
        "rotation by 90 degrees": scores(net, np.rot90(flux, axes=(2, 3)).copy()),
        "parity": scores(net, flux[..., ::-1].copy()),
        "translation by a pixel": scores(net, np.roll(flux, 1, axis=3)),
    }
    random = copy.deepcopy(net)
    with torch.no_grad():
        for weight in random.parameters():
            weight.copy_(weight.flatten()[torch.randperm(weight.numel())].reshape(weight.shape))
    rows = np.flatnonzero(kinds == KINDS.index("lens"))[:60]
    inputs, target = scale(flux[rows]).numpy(), KINDS.index("lens")

    @torch.inference_mode()
    def lens_score(batch: np.ndarray) -> np.ndarray:
        return np.asarray(net(torch.from_numpy(batch.astype(np.float32))).numpy()[:, target])

    maps = [attribute_net(one, inputs, target) for one in (net, random)]
    wrong = (logits.argmax(axis=1) != kinds).astype(float)
    return {
        "classification": judge_classification(p, kinds, rng=rng),
        "confidence": decide_classification(p, kinds),
        "symmetry": judge_symmetry(logits, turned, tolerance=0.1),
        "abstention": judge_abstention(p.max(axis=1), wrong, rng),
        "attributions": judge_attributions(*maps, lens_score, inputs, rng),
    }


def main() -> None:
    torch.set_num_threads(1)
    start = time.perf_counter()
    rng = np.random.default_rng(0)
    images, kinds = draw_galaxies(TRAINED, rng)
    test, truth = draw_galaxies(TESTED, rng)
    drawn = time.perf_counter()
    net = train(images, kinds)
    seconds = {"draw": drawn - start, "train": time.perf_counter() - drawn}
    print(seconds, flush=True)
    flux = np.asarray(test.flux)
    right = np.flatnonzero(scores(net, flux).argmax(axis=1) == truth)[:ATTACKED]
    rows = attack(net, flux[right], truth[right], flux, BUDGETS)
    clean = latents(net, flux[right])
    for row in rows:
        changed = latents(net, row.pop("images_changed"))
        moved = latent_distance(clean, changed, truth[right], np.random.default_rng(5))
        row |= {"latent_distance": moved["value"]}
        row |= {f"latent_distance_{end}": moved[end] for end in ("low", "high")}
    figures = {
        "seconds": seconds,
        "attack": rows,
        "attack_faint": attack_faint(rng),
        "gradients": gradients(net, flux[right], truth[right]),
        "shift": shifts(net, test, truth),
        **judges(net, test, truth),
    }
    record("few_pixel", figures)
    one = rows[0]
    print(one)
    if one["evolution"] < LEAST_RATIO * one["random"]:
        sys.exit(f"evolution succeeds {one['evolution']}, random search {one['random']}")
    for row, options in zip(rows, BUDGETS.values(), strict=True):
        if max(row[f"{search}_pixels"] for search in SEARCHES) > options["pixels"]:
            sys.exit(f"{row['quantity']}: more pixels were changed")


if __name__ == "__main__":
    main()
