"""Families of ``config.json``: parameters of published models, defaults, wrappers, and what is refused or said.

``published.jsonl`` has keys of published models that decide their size, ``small.jsonl`` small models of every family
with unusual sizes and flags; the parameters of both are those that transformers 5.24 itself counts when its classes are
built, correction biases of routers included; for families that bring their own code those of the weights.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import FormatError, TrafficError
from traffic.transformer.huggingface import read_hf_config
from traffic.transformer.parameters import Weights, active_parameter_count, embedding, head, layer, parameter_count
from traffic.transformer.shape import check_shape
from traffic.transformer.source import HfConfigFile, read_model
from traffic.transformer.work import cache_bytes, flops_formula, flops_per_token, kv_bytes_per_token

DATA = Path(__file__).parents[1] / "data" / "hf-configs"
CASES = DATA / "cases"
PUBLISHED = [json.loads(line) for line in (DATA / "published.jsonl").read_text().splitlines()]
SMALL = [json.loads(line) for line in (DATA / "small.jsonl").read_text().splitlines()]
MODELS = {entry["model"]: entry["config"] for entry in PUBLISHED}


def read(config: dict, folder: Path):
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    found = read_hf_config(path)
    check_shape(found.shape)
    return found


def parts(shape):
    """All layers, embedding and head, summed by the other way of counting."""
    total = sum((layer(shape, number) for number in range(shape.layers)), Weights())
    return (total + embedding(shape) + head(shape, apart=False)).total


# ---- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", PUBLISHED, ids=[entry["model"] for entry in PUBLISHED])
def test_published_models_have_their_parameters(entry, tmp_path):
    """To the last one; layer by layer it is the same."""
    shape = read(entry["config"], tmp_path).shape
    assert parameter_count(shape) == entry["parameters"] == parts(shape)


def test_small_models_of_every_family_have_their_parameters(tmp_path):
    """Models of more than 80 families with unusual sizes, biases, norms and layers."""
    wrong = {}
    for entry in SMALL:
        shape = read(entry["config"], tmp_path).shape
        if not parameter_count(shape) == entry["parameters"] == parts(shape):
            wrong[json.dumps(entry["config"])] = parameter_count(shape) - entry["parameters"]
    assert wrong == {}
    assert len({entry["config"]["model_type"] for entry in SMALL}) >= 80


@pytest.mark.parametrize(
    ("model", "billions", "active"),
    [
        ("openai/gpt-oss-20b", 20.9, 3.6),  # model card, without the embedding in active ones
        ("openai/gpt-oss-120b", 117, 5.1),
        ("zai-org/GLM-4.5", 355, 32),
        ("zai-org/GLM-4.5-Air", 106, 12),
        ("Qwen/Qwen2-57B-A14B", 57.4, 14),
        ("Qwen/Qwen3-Next-80B-A3B", 80, 3),
        ("databricks/dbrx-base", 132, 36),
        ("moonshotai/Kimi-K2-Instruct", 1040, 32),
        ("MiniMaxAI/MiniMax-Text-01", 456, 45.9),
        ("ai21labs/Jamba-v0.1", 52, 12),
        ("meta-llama/Llama-4-Maverick-17B-128E (text)", 400, 17),
        ("baidu/ERNIE-4.5-300B-A47B-PT", 300, 47),
        ("allenai/OLMoE-1B-7B", 6.9, 1.3),
        ("tencent/Hunyuan-A13B-Instruct", 80, 13),
    ],
)
def test_published_sizes_and_active_parameters(model, billions, active, tmp_path):
    """Names and cards round, and some leave embedding and head out of the active ones."""
    shape = read(MODELS[model], tmp_path).shape
    ends = 2 * shape.vocab * shape.hidden
    assert parameter_count(shape) == pytest.approx(billions * 1e9, rel=0.015)
    assert active * 0.95e9 <= active_parameter_count(shape) <= active * 1.1e9 + ends


# ---- defaults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("llama1", 6_738_415_616),
        ("gptoss", 116_829_156_672),
        ("mistral3", 23_572_403_200),
        ("qwen2moe", 57_408_658_944),
        ("dsv32", 671_877_944_064),
        ("kimi", 1_026_408_232_448),
        ("glm45", 352_797_829_024),
    ],
)
def test_files_as_people_have_them(name, parameters):
    """Absent key-value heads are as many as heads in Llama; families are read by their own shape."""
    source = read_model(HfConfigFile(source="hf-config", path=f"{name}.json"), CASES)
    assert parameter_count(source.shape) == parameters


@pytest.mark.parametrize(("family", "kv_heads"), [("llama", None), ("phi3", None), ("mistral", 8), ("mixtral", 8)])
def test_absent_key_value_heads_are_the_familys(family, kv_heads, tmp_path):
    """As many as heads, or a number of the class's, which is then said."""
    config = {
        "model_type": family, "hidden_size": 256, "num_attention_heads": 32, "num_hidden_layers": 2,
        "intermediate_size": 512, "vocab_size": 1000, "tie_word_embeddings": False, "sliding_window": None,
    }  # fmt: skip
    found = read(config, tmp_path)
    assert found.shape.kv_heads == kv_heads
    said = [note for note in found.notes if "num_key_value_heads" in note]
    assert bool(said) == (kv_heads is not None)
    assert read(config | {"num_key_value_heads": None}, tmp_path).shape.kv_heads is None


def test_a_wrapper_that_says_little_is_read_by_its_decoders_defaults(tmp_path):
    """LLaVA 1.5: text_config names Llama and its vocabulary; all else is Llama 7B's, and said to be."""
    config = {"model_type": "llava", "text_config": {"model_type": "llama", "vocab_size": 32064},
              "vision_config": {"hidden_size": 1024}}  # fmt: skip
    found = read(config, tmp_path)
    assert parameter_count(found.shape) == 6_738_415_616 + 2 * 64 * 4096
    assert any("hidden_size 4096" in note and "transformers' defaults of llama" in note for note in found.notes)
    assert any(note.startswith("vision_config: ") for note in found.notes)


@pytest.mark.parametrize(
    ("wrapper", "key", "inner"),
    [
        ("mistral3", "text_config", "mistral"),
        ("qwen2_5_vl", "text_config", "qwen2_5_vl_text"),
        ("qwen3_vl_moe", "text_config", "qwen3_vl_moe_text"),
        ("gemma3", "text_config", "gemma3_text"),
        ("llama4", "text_config", "llama4_text"),
        ("internvl_chat", "llm_config", "qwen2"),
        ("kimi_vl", "text_config", "deepseek_v3"),
        ("glm4v", "text_config", "glm4v_text"),
        ("deepseek_vl_v2", "language_config", "deepseek_v2"),
        ("a_wrapper_of_next_month", "text_config", "llama"),
    ],
)
def test_wrappers_are_read_as_their_decoders(wrapper, key, inner, tmp_path):
    """Whatever is around it, and whatever the wrapper is called, as long as the decoder is known."""
    keys = {"model_type": inner, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8,
            "vocab_size": 1000, "num_experts_per_tok": 2, "num_key_value_heads": 4}  # fmt: skip
    plain = read(keys, tmp_path).shape
    assert read({"model_type": wrapper, key: keys}, tmp_path).shape == plain


def test_a_flat_config_with_pictures_is_its_decoder(tmp_path):
    """Qwen2-VL's keys are beside vision_config, and an embedding may be tied at the outer level."""
    keys = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 8, "vocab_size": 1000,
            "intermediate_size": 512, "num_key_value_heads": 2}  # fmt: skip
    flat = read({"model_type": "qwen2_vl", "vision_config": {}, "tie_word_embeddings": True, **keys}, tmp_path).shape
    nested = {"model_type": "qwen2_vl", "tie_word_embeddings": True, "text_config": keys}
    assert flat == read(nested, tmp_path).shape == read({"model_type": "qwen2", "tie_word_embeddings": True, **keys},
                                                        tmp_path).shape  # fmt: skip


def test_two_names_of_one_key_must_agree(tmp_path):
    """gpt_oss files have both names of one number."""
    config = MODELS["openai/gpt-oss-20b"]
    assert read(config | {"experts_per_token": 4}, tmp_path).shape == read(config, tmp_path).shape
    with pytest.raises(TrafficError, match="says num_experts_per_tok: 4 and experts_per_token: 8, which are one key"):
        read(config | {"experts_per_token": 8}, tmp_path)


# ---- routing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "keys", "groups", "limit"),
    [
        ("deepseek_v3", {"n_group": 8, "topk_group": 4}, 8, 4),
        ("deepseek_v3", {"n_group": 1, "topk_group": 1}, None, None),
        ("deepseek_v2", {"n_group": 8, "topk_group": 3, "topk_method": "group_limited_greedy"}, 8, 3),
        ("deepseek_v2", {"n_group": 8, "topk_group": 3, "topk_method": "greedy"}, None, None),
        ("deepseek_v2", {"n_group": 8, "topk_group": 3}, None, None),  # greedy is the class's default
        ("glm4_moe", {"n_group": 1, "topk_group": 1}, None, None),
        ("mixtral", {}, None, None),
    ],
)
def test_groups_limit_the_routing_only_together(family, keys, groups, limit, tmp_path):
    """One group is none; greedy routing has no groups, whatever else is said."""
    config = {"model_type": family, "num_experts_per_tok": 2, "num_local_experts": 64, "head_dim": 128, **keys}
    experts = read(config, tmp_path).shape.experts
    assert (experts.groups, experts.group_limit) == (groups, limit)


def test_one_expert_group_sends_to_as_many_hosts_as_there_are_experts_on():
    """Case 07: 384 experts over 64 ranks on 8 hosts: 4.62/8 of 56.4 GB, not an eighth."""
    source = read_model(HfConfigFile(source="hf-config", path="one-group.json"), CASES)
    job = run("training", cluster(8), model=source.shape, batch={"global": 64, "sequence": 4096},
              parallelism={"ep": 64}, collectives={"all_to_all": "node-deduplicated"})  # fmt: skip
    found = phase(job, "ep.dispatch")
    assert found.payload_bytes_per_rank == pytest.approx(56.4e9, rel=1e-3)
    assert found.sent_bytes_per_rank / found.payload_bytes_per_rank == pytest.approx(4.620 / 8, abs=1e-4)
    assert "C(E - E / m, k) / C(E, k)" in found.sent.expression


# ---- attention, windows and states -----------------------------------------------------------------------------------


def test_windows_are_counted_in_work_and_cache(tmp_path):
    """gpt-oss 20B: 12 of 24 layers look back 128 tokens: 128·(2 − 128/8192) in place of 8192, and keep 128."""
    shape = read(MODELS["openai/gpt-oss-20b"], tmp_path).shape
    scores = flops_per_token(shape, 8192, attention="causal") - 6 * active_parameter_count(shape)
    assert scores == pytest.approx(6 * 64 * 64 * (12 * 8192 + 12 * 128 * (2 - 128 / 8192)))
    assert flops_per_token(shape, 8192) - 6 * active_parameter_count(shape) == 12 * 64 * 64 * 12 * (8192 + 128)
    assert kv_bytes_per_token(shape, 2) == 24 * 2 * 8 * 64 * 2
    assert cache_bytes(shape, 8192, 2) == 2 * 8 * 64 * 2 * (12 * 8192 + 12 * 128)
    assert flops_formula(shape, 128).expression == "(6 * P + 12 * L * h * s) * T"


def test_states_are_counted_in_place_of_keys(tmp_path):
    """Jamba: 4 of 32 layers have attention; 28 states of 8192 x 16 elements and 3 tokens of 8192 channels."""
    shape = read(MODELS["ai21labs/Jamba-v0.1"], tmp_path).shape
    assert shape.attention_layers == 4
    assert kv_bytes_per_token(shape, 2) == 4 * 2 * 8 * 128 * 2
    assert cache_bytes(shape, 1000, 2) == 1000 * 4 * 2 * 8 * 128 * 2 + 28 * 8192 * (16 + 3) * 2
    work = flops_per_token(shape, 4096) - 6 * active_parameter_count(shape)
    assert work == 12 * 4 * 4096 * 4096 + 6 * 2 * 28 * 8192 * (16 + 3)


def test_sparse_attention_scores_all_tokens_and_attends_to_some(tmp_path):
    """DeepSeek-V3.2 at 32,768 tokens: 61 layers attend to 2,048; the indexer has 64 heads of 128."""
    shape = read(MODELS["deepseek-ai/DeepSeek-V3.2"], tmp_path).shape
    work = flops_per_token(shape, 32768, attention="causal") - 6 * active_parameter_count(shape)
    heads = 128 * (192 + 128) / 2
    assert work == pytest.approx(61 * (6 * heads * 2048 * (2 - 2048 / 32768) + 3 * 64 * 128 * 32768))
    assert kv_bytes_per_token(shape, 2) == 61 * (512 + 64 + 128) * 2


def test_a_layer_that_is_one_block_is_reduced_once():
    """As in Nemotron-H: one block a layer, one all-reduce forward and backward where others have two."""
    model = {"layers": 4, "hidden": 64, "ffn_hidden": 128, "heads": 8, "vocab": 96, "norms_per_layer": 1,
             "mixers": ["recurrent", "none", "attention", "none"], "feeds": ["none", "mlp", "none", "mlp"],
             "recurrent": {"parameters": 1000, "state": 512}}  # fmt: skip
    plain = {"layers": 4, "hidden": 64, "ffn_hidden": 128, "heads": 8, "vocab": 96}
    keys = {"batch": {"global": 16, "sequence": 128}, "parallelism": {"tp": 8}}
    once, twice = (phase(run("training", cluster(2), model=shape, **keys), "tp.all_reduce") for shape in (model, plain))
    assert once.sent_bytes_per_rank == twice.sent_bytes_per_rank / 2


def test_a_state_between_context_parallel_ranks_is_refused():
    """It is passed along the sequence."""
    model = {"layers": 2, "hidden": 64, "ffn_hidden": 128, "heads": 8, "vocab": 96,
             "mixers": ["recurrent", "attention"], "recurrent": {"parameters": 1000, "state": 512}}  # fmt: skip
    with pytest.raises(TrafficError, match=r"parallelism\.cp: layers with a state"):
        run("training", cluster(2), model=model, batch={"global": 16, "sequence": 128}, parallelism={"cp": 2})


def test_serving_moves_windows_and_states(tmp_path):
    """gpt-oss 20B: a prompt of 4,096 tokens leaves them in 12 layers and 128 of them in the others."""
    shape = read(MODELS["openai/gpt-oss-20b"], tmp_path).shape
    job = run("inference", cluster(4), model=shape, requests_per_s=1, prompt={"mean": 4096}, output={"mean": 10},
              prefill={"gpus": 16, "tp": 8}, decode={"gpus": 16, "tp": 8})  # fmt: skip
    moved = next(one for one in job.phases if one.name == "kv.transfer")
    assert moved.rate_gbps == pytest.approx(cache_bytes(shape, 4096, 2) * 8e-9)


# ---- what is said and refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        ("zamba2", "weights several layers share"),
        ("gemma3n", "embeddings in each layer"),
        ("mllama", "cross attention"),
        ("deepseek_v4", "compressed attention"),
        ("t5", "an encoder"),
    ],
)
def test_families_that_are_not_counted_are_refused_by_name(family, reason, tmp_path):
    """With the keys that a scenario needs in their place."""
    with pytest.raises(TrafficError, match=rf"'{family}', which is not counted: it has .*{reason}.*layers, hidden"):
        read({"model_type": family, "hidden_size": 1024}, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 1_000_000_000}, r"num_hidden_layers: a whole number from 1 to 10,000 is expected"),
        ({"num_hidden_layers": None}, r"lacks num_hidden_layers"),
        ({"hidden_size": 10**18}, r"hidden_size: a whole number from 1 to"),
        ({"num_attention_heads": 2**39, "num_key_value_heads": 1}, r"model\.heads: .* is more than any model has"),
        ({"num_hidden_layers": True}, r"num_hidden_layers: a whole number is expected, not True"),
        ({"tie_word_embeddings": "yes"}, r"tie_word_embeddings: true or false is expected"),
        ({"layer_types": "full"}, r"layer_types: a list"),
        ({"layer_types": ["full_attention"] * 5}, r"has 5 entries in layer_types for 32 layers"),
        ({"layer_types": ["warp_attention"]}, r"has layers of type warp_attention in layer_types"),
        ({"cross_attention_layers": [3]}, r"cross_attention_layers: cross attention is not counted"),
        ({"model_type": ["llama"]}, r"model_type: a text is expected"),
        ({"text_config": [1]}, r"text_config: a mapping"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(change, message, tmp_path):
    """In under a second, whatever the size."""
    config = json.loads((CASES / "llama1.json").read_text()) | change
    with pytest.raises((FormatError, TrafficError), match=message):
        read(config, tmp_path)


def test_deep_nesting_is_refused(tmp_path):
    """2,000 lists in lists."""
    path = tmp_path / "config.json"
    path.write_text('{"model_type": ' + "[" * 2000 + "]" * 2000 + "}")
    with pytest.raises(FormatError, match="nested more than 100 deep"):
        read_hf_config(path)


def test_what_is_left_out_is_said(tmp_path):
    """How weights are stored, further prediction, a key of another family, and one that nobody knows."""
    config = json.loads((CASES / "llama1.json").read_text())
    more = {"torch_dtype": "float32", "quantization_config": {"bits": 4}, "num_nextn_predict_layers": 1,
            "q_lora_rank": 5, "zz_unheard_of": 1, "rope_theta": 5e5, "sliding_window": 4096}  # fmt: skip
    found = read(config | more, tmp_path)
    assert found.shape == read(config, tmp_path).shape
    text = "\n".join(found.notes)
    for key in ("torch_dtype", "quantization_config", "num_nextn_predict_layers", "q_lora_rank", "zz_unheard_of",
                "sliding_window"):  # fmt: skip
        assert key in text
    assert "rope_theta" not in text


def test_notes_reach_the_workload(tmp_path):
    """They are said by the job that uses the file."""
    (tmp_path / "config.json").write_text(json.dumps(MODELS["zai-org/GLM-4.5-Air"]))
    source = read_model(HfConfigFile(source="hf-config", path="config.json"), tmp_path)
    assert any("num_nextn_predict_layers" in note for note in source.notes)
