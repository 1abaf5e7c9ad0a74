"""The model card: what a model is for, and where it is valid."""

from __future__ import annotations

from typing import Any

from astropy.table import QTable

from skywright.data import Model

__all__ = ["list_warnings", "write_card"]


def write_card(config: dict[str, Any]) -> str:
    """Describe a model in Markdown from its configuration.

    Parameters
    ----------
    config : dict
        Configuration of a model of `skywright.learn`.
    """
    domain, training = config["domain"], config["training"]
    what = config["net"]["path"] if "net" in config else config["estimator"]
    lines = [
        f"# {what}",
        "",
        _output(config),
        "",
        "## Domain of validity",
        "",
        *(
            f"- {name.replace('_', ' ')}: {_text(value)}"
            for name, value in domain.items()
            if name != "hull"
        ),
        "",
        "Outside this domain the output means nothing: images of other bands, units, pixel scale "
        "or size are refused; an image outside the hull of the training images (`config.json`) is "
        "judged, and flagged as not in the domain.",
        "",
        "## Training",
        "",
        *(
            f"- {name.replace('_', ' ')}: {_text(value)}"
            for name, value in training.items()
            if name not in ("gradients", "start_rows_sha256")
        ),
        "",
        _use(config),
        "",
    ]
    return "\n".join(lines)


def list_warnings(model: Model) -> QTable:
    """Return what a fit warned of, one row a warning; one empty row where there is none."""
    return QTable({"warnings": list(model.config.get("warnings", [])) or [""]})


def _output(config: dict[str, Any]) -> str:
    if "density" in config:
        return "Density of the training rows: where it is low, no model fitted on them knows much."
    if "likelihood" in config:
        return (
            "Regressor with an uncertainty of its own for every row: a mean, what the data do not "
            "tell (aleatoric) and what the fit does not know (epistemic). "
            + " ".join(config["warnings"])
        )
    if "error" in config:
        return (
            "Regressor of the logarithm of a positive number; the error of every estimate, "
            f"{config['error']:.3g} of it, holds 68 % of the validation rows."
        )
    return (
        "Binary classifier; its output is a logit, divided by the temperature "
        f"{config['temperature']:.3g} that was fitted on the validation rows."
    )


def _use(config: dict[str, Any]) -> str:
    if "density" in config:
        return "The alarm knows inputs alone: what changes behind the same inputs it cannot see."
    if "error" in config or "likelihood" in config:
        return "Errors hold for objects like those of the training; elsewhere they are a promise."
    return (
        f"Logits hold at the training prevalence {config['training']['prevalence']:.4g}; shift "
        "them to the prevalence of the survey (`skywright.learn.correct_prior`) before reading "
        "them as odds."
    )


def _text(value: Any) -> str:
    """Return a value of the configuration as it reads best."""
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    return str(value)
