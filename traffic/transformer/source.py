"""The ``model:`` key: a shape written out, a Hugging Face ``config.json``, or a Megatron-LM argument line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from topologies.errors import nearest
from topologies.registry import Spec
from topologies.units import Count
from traffic.transformer.shape import ModelShape, check_shape

if TYPE_CHECKING:
    from traffic.transformer.megatron import MegatronRun


class HfConfigFile(Spec):
    """A model described by the ``config.json`` of a Hugging Face repository."""

    source: Literal["hf-config"] = Field(alias="from", description="Where the shape comes from")
    path: str = Field(description="The config.json, relative to the scenario")


class MegatronArguments(Spec):
    """A model and its layout described by the arguments of a Megatron-LM run: a script, a line, or both."""

    source: Literal["megatron"] = Field(alias="from", description="Where the shape comes from")
    path: str | None = Field(
        default=None,
        description="The script that starts the run, or a file with its arguments, relative to the scenario; its plain "
        "assignments are followed, nothing is executed",
    )
    args: str | None = Field(
        default=None,
        description="The arguments, such as --num-layers 80 --hidden-size 8192; beside path further ones, which go "
        "before those of the script",
    )
    vocab: Count | None = Field(
        default=None, description="Entries of the vocabulary before padding, which a run takes from its tokenizer"
    )
    variables: Mapping[str, str | int | float] = Field(
        default={},
        description="Variables of the script as they are when it runs, and its own arguments by number; they go before "
        "what the script assigns",
    )
    ignore: tuple[str, ...] = Field(
        default=(), description="Arguments that are left out knowingly, such as --mtp-num-layers"
    )


def _model_tag(value: Any) -> str:
    """Which way of describing a model is meant: ``from:`` decides, so that a typo is reported for one way only."""
    if isinstance(value, MegatronArguments | HfConfigFile):
        return value.source
    if isinstance(value, Mapping) and "from" in value:
        return nearest(str(value["from"]), ("hf-config", "megatron")) or "hf-config"
    return "inline"


ModelSpec = Annotated[
    Annotated[ModelShape, Tag("inline")]
    | Annotated[HfConfigFile, Tag("hf-config")]
    | Annotated[MegatronArguments, Tag("megatron")],
    Discriminator(_model_tag),
]


@dataclass(frozen=True)
class ModelSource:
    """A model's shape, and what was made of the file or line that described it."""

    shape: ModelShape
    origin: str = "inline"  # inline, hf-config or megatron
    recognised: Mapping[str, str] = field(default_factory=dict)  # name there -> value
    ignored: tuple[str, ...] = ()  # arguments that change no traffic
    run: MegatronRun | None = None  # layout and batch, where the line has them
    notes: tuple[str, ...] = ()  # what the answer leaves out, or takes as something


def read_model(model: ModelShape | HfConfigFile | MegatronArguments, directory: Path) -> ModelSource:
    """The shape behind a ``model:`` key, checked.

    Parameters
    ----------
    model : ModelShape, HfConfigFile or MegatronArguments
        What the scenario says.
    directory : Path
        Directory of the scenario; a file's path is relative to it.

    Raises
    ------
    TrafficError
        When heads do not divide evenly, the file describes a family that is not known or cannot be read, or the
        arguments lack what makes a model (FP4030 to FP4036).
    FormatError
        When the file is not JSON, or a value in it is not what its key needs.
    """
    if isinstance(model, HfConfigFile):
        from traffic.transformer.huggingface import read_hf_config

        found = read_hf_config(directory / model.path)
        return ModelSource(check_shape(found.shape), "hf-config", found.recognised, notes=found.notes)
    if isinstance(model, MegatronArguments):
        from traffic.transformer.megatron import read_megatron

        run = read_megatron(
            model.args,
            model.path,
            directory,
            vocab=model.vocab,
            variables={name: str(value) for name, value in model.variables.items()},
            ignore=model.ignore,
        )
        return ModelSource(check_shape(run.shape), "megatron", run.recognised, run.ignored, run, run.notes)
    return ModelSource(check_shape(model))
