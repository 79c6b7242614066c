"""Closed forms of transformer shapes, and reading them from Hugging Face files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from topologies.errors import FormatError, TrafficError
from traffic.transformer.huggingface import read_hf_config
from traffic.transformer.parameters import parameter_count, parameter_counts
from traffic.transformer.shape import ModelShape, check_shape
from traffic.transformer.source import HfConfigFile, read_model
from traffic.transformer.work import activation_bytes, flops_per_token

LLAMA_70B = Path(__file__).parents[1] / "data" / "llama3-70b"
SHAPE = ModelShape(layers=80, hidden=8192, ffn_hidden=28672, heads=64, kv_heads=8, vocab=128256)


def test_llama_3_70b_has_its_published_parameter_count():
    """Published: 70,553,706,496."""
    assert parameter_count(SHAPE) == 70_553_706_496


def test_parts_of_llama_3_70b():
    """Attention 80·(2·8192² + 2·8192·1024); MLP 80·3·8192·28672; norms 161·8192; 128256·8192 twice."""
    assert parameter_counts(SHAPE) == {
        "embedding": 1_050_673_152,
        "attention": 80 * 150_994_944,
        "mlp": 80 * 704_643_072,
        "experts": 0,
        "norms": 161 * 8192,
        "head": 1_050_673_152,
    }


def test_the_config_file_gives_the_same_shape_as_the_keys():
    """The file is relative to the directory of the scenario."""
    read = read_model(HfConfigFile(source="hf-config", path="config.json"), LLAMA_70B)
    assert (read.shape, read.origin) == (SHAPE, "hf-config")
    assert read.recognised["num_hidden_layers"] == "80"
    assert read.notes == ()  # the rest is harmless


def test_llama_3_8b_has_its_published_parameter_count():
    """Published: 8,030,261,248."""
    shape = ModelShape(layers=32, hidden=4096, ffn_hidden=14336, heads=32, kv_heads=8, vocab=128256)
    assert parameter_count(shape) == 8_030_261_248


def test_llama_3_2_1b_ties_its_embeddings():
    """Published: 1,235,814,400 with tied embeddings."""
    shape = ModelShape(
        layers=16, hidden=2048, ffn_hidden=8192, heads=32, kv_heads=8, vocab=128256, tied_embeddings=True
    )
    assert parameter_count(shape) == 1_235_814_400


def test_flops_are_six_per_parameter_plus_attention():
    """6·70,553,706,496 + 12·80·8192·8192 = 423,322,238,976 + 64,424,509,440; causal half of the second."""
    assert flops_per_token(SHAPE, 8192) == 487_746_748_416
    assert flops_per_token(SHAPE, 8192, attention="causal") == 455_534_493_696


def test_a_boundary_is_two_bytes_per_token_and_width():
    """2·1·8192·8192."""
    assert activation_bytes(SHAPE, 1, 8192, 2) == 134_217_728


def _config(directory: Path, **changes: object) -> Path:
    config = json.loads((LLAMA_70B / "config.json").read_text())
    config |= changes
    path = directory / "config.json"
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))
    return path


def test_an_unknown_family_names_the_known_ones(tmp_path):
    """A hint that it may be another one would point to a family of another shape."""
    with pytest.raises(TrafficError, match=r"unknown model family 'llamo' in config\.json .*known families: .*llama"):
        read_hf_config(_config(tmp_path, model_type="llamo"))
    with pytest.raises(TrafficError) as refusal:
        read_hf_config(_config(tmp_path, model_type="llamo"))
    assert "did you mean" not in str(refusal.value)


def test_a_file_without_family_is_refused(tmp_path):
    """No ``model_type``."""
    with pytest.raises(TrafficError, match=r"config\.json has no model_type"):
        read_hf_config(_config(tmp_path, model_type=...))


def test_all_missing_keys_are_listed(tmp_path):
    """Two at once, in a family whose class has no defaults of them."""
    with pytest.raises(TrafficError, match="lacks hidden_size, vocab_size"):
        read_hf_config(_config(tmp_path, model_type="baichuan", hidden_size=..., vocab_size=...))


def test_biases_of_attention_are_counted(tmp_path):
    """Queries 8192, keys and values 1024 each, output 8192, per layer."""
    shape = read_hf_config(_config(tmp_path, attention_bias=True)).shape
    assert parameter_count(shape) - parameter_count(SHAPE) == 80 * (8192 + 2 * 1024 + 8192)


def test_biases_of_the_mlp_alone_are_counted(tmp_path):
    """Gate and up 28672 each, down 8192, per layer."""
    shape = read_hf_config(_config(tmp_path, mlp_bias=True)).shape
    assert parameter_count(shape) - parameter_count(SHAPE) == 80 * (2 * 28672 + 8192)


def test_a_count_must_be_a_whole_number(tmp_path):
    """A string where a number belongs."""
    with pytest.raises(FormatError, match=r"config\.json: hidden_size: a whole number is expected, not '8192'"):
        read_hf_config(_config(tmp_path, hidden_size="8192"))


def test_head_dim_is_honoured(tmp_path):
    """64 heads of 64 rather than 128: queries are half as wide."""
    shape = read_hf_config(_config(tmp_path, head_dim=64)).shape
    assert parameter_counts(shape)["attention"] == 80 * 2 * 8192 * (64 * 64 + 8 * 64)


def test_a_broken_file_is_reported_with_its_line(tmp_path):
    """The comma is missing in line 2."""
    path = tmp_path / "config.json"
    path.write_text('{"a": 1\n "b": 2}')
    with pytest.raises(FormatError, match=r"config\.json:2:\d+: not JSON"):
        read_hf_config(path)


def test_a_missing_file_is_reported(tmp_path):
    """The scenario's directory is where to look."""
    with pytest.raises(TrafficError, match=r"model\.path: cannot read .*nowhere\.json: No such file"):
        read_hf_config(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 63, "kv_heads": 7}, r"model\.heads: hidden size 8192 does not split into 63 heads"),
        ({"kv_heads": 7}, r"model\.kv_heads: 64 heads do not share 7 key-value heads"),
    ],
)
def test_heads_must_divide(change, message):
    """A head is a whole number of elements, and query heads share key heads evenly."""
    with pytest.raises(TrafficError, match=message):
        check_shape(SHAPE.model_copy(update=change))
