"""Runs of Megatron-LM as they are published: number types, layouts and vocabularies, with what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import FormatError, TrafficError
from traffic.transformer.list_expression import ListExpressionError, listed
from traffic.transformer.megatron import read_megatron
from traffic.transformer.megatron_stages import StageCutError, cut_by_ends, cut_by_layout, cut_evenly
from traffic.transformer.parameters import parameter_count

RUNS = Path(__file__).parent / "megatron"
DENSE = (
    "--num-layers 8 --hidden-size 1024 --num-attention-heads 16 --seq-length 2048 --max-position-embeddings 2048 "
    "--micro-batch-size 1 --global-batch-size 64 --padded-vocab-size 51200 "
)
EXPERTS = (
    DENSE + "--bf16 --num-experts 16 --tensor-model-parallel-size 2 --sequence-parallel "
    "--expert-model-parallel-size 4 --moe-token-dispatcher-type alltoall "
)


def _job(name, hosts, **model):
    return run("training", cluster(hosts), RUNS, model={"from": "megatron", "path": name, **model})


def _read(text, **keys):
    return read_megatron(text, None, Path(), **keys)


# ---- number types ----------------------------------------------------------------------------------------------------


def test_gradients_reduced_in_bf16_are_two_bytes():
    """Case 04: 2.21 GB, 1.66 GB sent; without the argument twice as much."""
    job = _job("04-run.sh", 4)
    reduced = phase(job, "dp.reduce_scatter")
    assert round(reduced.payload_bytes_per_rank / 1e9, 2) == 2.21
    assert round(reduced.sent_bytes_per_rank / 1e9, 2) == 1.66
    text = (RUNS / "04-run.sh").read_text().replace("--grad-reduce-in-bf16", "")
    wide = run("training", cluster(4), model={"from": "megatron", "args": text})
    assert phase(wide, "dp.reduce_scatter").payload_bytes_per_rank == 2 * reduced.payload_bytes_per_rank
    said = run("training", cluster(4), model={"from": "megatron", "args": text}, precision={"grads": "bf16"})
    assert phase(said, "dp.reduce_scatter").payload_bytes_per_rank == reduced.payload_bytes_per_rank


@pytest.mark.parametrize(
    ("arguments", "params", "grads"),
    [
        ("", "fp32", "fp32"),
        ("--bf16", "bf16", "fp32"),  # Megatron-LM turns fp32 gradients on
        ("--bf16 --accumulate-allreduce-grads-in-fp32", "bf16", "fp32"),
        ("--bf16 --grad-reduce-in-bf16", "bf16", "bf16"),
        ("--bf16 --accumulate-allreduce-grads-in-fp32 --grad-reduce-in-bf16", "bf16", "bf16"),
        ("--bf16 --main-grads-dtype bf16", "bf16", "bf16"),
        ("--fp16", "fp16", "fp16"),
        ("--fp16 --accumulate-allreduce-grads-in-fp32", "fp16", "fp32"),
        ("--fp16 --grad-reduce-in-bf16", "fp16", "fp16"),  # for --bf16 only
        ("--bf16 --use-megatron-fsdp", "bf16", "bf16"),  # main gradients are in the parameters' type
        ("--bf16 --use-megatron-fsdp --megatron-fsdp-main-grads-dtype fp32", "bf16", "fp32"),
        ("--bf16 --use-megatron-fsdp --megatron-fsdp-main-grads-dtype fp32 --megatron-fsdp-grad-comm-dtype bf16",
         "bf16", "bf16"),
        ("--bf16 --deepspeed --zero-stage 1", "bf16", "bf16"),
    ],
)  # fmt: skip
def test_types_on_the_wire_are_megatrons(arguments, params, grads):
    """``validate_args`` of megatron/training/arguments.py."""
    found = _read(DENSE + arguments)
    assert (found.params, found.grads) == (params, grads)


def test_fp8_parameters_are_gathered_in_one_byte_but_for_embedding_and_norms():
    """8 layers of matrices 12·h² in one byte, the rest in two; MXFP8 through the gradient buffer in two."""
    base = DENSE + "--bf16 --use-distributed-optimizer --position-embedding-type rope --disable-bias-linear "
    wide = run("training", cluster(1), model={"from": "megatron", "args": base})
    narrow = run(
        "training", cluster(1), model={"from": "megatron", "args": base + "--fp8-format hybrid --fp8-param-gather"}
    )
    matrices = 8 * 12 * 1024**2
    one, other = (phase(job, "dp.all_gather").payload_bytes_per_rank for job in (wide, narrow))
    assert one - other == matrices
    mx = base + "--fp8-format e4m3 --fp8-recipe mxfp8 --fp8-param-gather --reuse-grad-buf-for-mxfp8-param-ag"
    assert (
        phase(
            run("training", cluster(1), model={"from": "megatron", "args": mx}), "dp.all_gather"
        ).payload_bytes_per_rank
        == one
    )


# ---- the model -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["vocab", "args"])
def test_a_vocabulary_is_given_beside_the_script(way):
    """Case 06: GPT-3 175B on 128 GPUs, 174.6e9; 50,257 entries padded to 51,200, and said so."""
    with pytest.raises(
        TrafficError, match=r"--vocab-size is missing.*vocab: 50257 \(--set workloads\.ID\.model\.vocab=50257\)"
    ):
        _job("06-arrays.sh", 16)
    job = _job("06-arrays.sh", 16, **({"vocab": 50257} if way == "vocab" else {"args": "--vocab-size 50257"}))
    assert job.model.parameters == 174_604_259_328 + (51_200 - 50_257) * 12_288
    assert (job.groups["tp"].size, job.groups["pp"].size, job.ranks) == (8, 16, 128)
    found = read_megatron(None, "06-arrays.sh", RUNS, vocab=50257)
    assert any("50,257 is padded to 51,200, a multiple of 1,024" in note for note in found.notes)


def test_quoted_strings_hold_the_same_arguments():
    """Case 06: options="...", expanded in the command."""
    found = read_megatron(None, "06-quoted.sh", RUNS)
    assert (found.tensor, found.pipeline, found.batch_global, found.params) == (8, 16, 1536, "fp16")
    assert parameter_count(found.shape) == 174_604_259_328 + (51_200 - 50_257) * 12_288


def test_uneven_stages_are_those_of_the_script():
    """Case 06: 13 and 14 of 27 layers."""
    found = read_megatron(None, "06-uneven.sh", RUNS)
    assert found.stage_layers == (13, 14)
    assert _job("06-uneven.sh", 4).groups["pp"].size == 2


@pytest.mark.parametrize(
    ("arguments", "padded"),
    [
        ("--vocab-size 50257", 50_304),
        ("--vocab-size 50257 --tensor-model-parallel-size 8", 51_200),
        ("--vocab-size 50257 --make-vocab-size-divisible-by 1", 50_257),
        ("--vocab-size 50257 --no-pad-vocab-size", 50_257),
        ("--vocab-size 50257 --padded-vocab-size 50432", 50_432),
    ],
)
def test_vocabularies_are_padded_as_megatron_does(arguments, padded):
    """To a multiple of 128 x tensor ranks."""
    assert _read(DENSE.replace("--padded-vocab-size 51200 ", "") + arguments).shape.vocab == padded


def test_grouped_queries_without_a_number_are_one_group():
    """argparse: --num-query-groups is 1 by default, and does nothing without --group-query-attention."""
    assert _read(DENSE + "--group-query-attention").shape.kv_heads == 1
    assert _read(DENSE + "--num-query-groups 4").shape.kv_heads is None


@pytest.mark.parametrize(
    ("pattern", "layers"),
    [
        ("2", [0, 2, 4, 6]),
        ('"([0]*1+[1]*7)"', [1, 2, 3, 4, 5, 6, 7]),
        ('"[0,1]*4"', [1, 3, 5, 7]),
        ('"([1]*3+[0]*1)*2"', [0, 1, 2, 4, 5, 6]),
        ("'[0, 0, 0, 1, 0, 0, 0, 1]'", [3, 7]),
    ],
)
def test_layers_with_experts_are_those_of_the_list(pattern, layers):
    """Integers and list expressions, as ``moe_freq_type`` has them."""
    shape = _read(EXPERTS + f"--moe-layer-freq {pattern}").shape
    assert [layer for layer in range(8) if shape.has_experts(layer)] == layers


@pytest.mark.parametrize(
    "text",
    [
        "([0]*999999999999)",
        "[1]*10**9",
        "[0]+[1]",
        "__import__('os')",
        "(" * 5000,
        "[1]*8*9999999999",
        "[2]*8",
        "[[1]]*8",
    ],
)
def test_lists_that_are_none_are_refused_at_once(text):
    """Nothing is evaluated, and nothing is built beyond the layers there can be."""
    with pytest.raises(TrafficError, match=r"--moe-layer-freq .* is neither a number nor a list of 8 zeros and ones"):
        _read(EXPERTS + f"--moe-layer-freq '{text}'" if "'" not in text else EXPERTS + f'--moe-layer-freq "{text}"')


def test_lists_are_counted_before_they_are_built():
    """10^12 entries are refused by their number."""
    with pytest.raises(ListExpressionError, match="has 999,999,999,999 entries, more than 100"):
        listed("([0]*999999999999)", 100)
    assert listed("[0]*2+3*[1]+([2]+[3])*2", 100) == [0, 0, 1, 1, 1, 2, 3, 2, 3]


# ---- stages ----------------------------------------------------------------------------------------------------------


def test_stages_are_cut_as_megatron_core_does():
    """Ends said, ends counted as layers, and layouts written out; chunks in the order of the model."""
    assert cut_by_ends(61, 16, 1, 2, 3) == (2, *[4] * 14, 3)
    assert cut_evenly(30, 16, 2, embedding=True, loss=True) == (0, *[1] * 30, 0)
    assert cut_by_layout("Et*3|(tt|)*29,m|L", 61, 32)[0] == (3, *[2] * 29, 0, 0)
    assert cut_by_layout("Et|t|t|tL", 4, 2) == ((1, 1, 1, 1), 2, True)
    assert cut_by_layout("Ett|m|L", 2, 3)[2] is False


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("Et*8|L*999999999", "comes to more than 100,000"),
        ("E" + "(t|)*99999" * 3 + "L", "comes to more than 100,000"),
        ("t*8L", "the embedding E comes first"),
        ("Et*7L", "7 layers are laid out, and the model has 8"),
        ("Eq*8L", "has other signs"),
    ],
)
def test_layouts_that_are_none_are_refused(layout, message):
    """Before anything is written out that is too long."""
    with pytest.raises(StageCutError, match=message):
        cut_by_layout(layout, 8, 1)


def test_chunks_of_uneven_stages_lie_where_megatron_puts_them():
    """10 layers, pp 2 x 2 chunks, first stage 4: chunks of 2, 3, 2, 3 in the order of the model."""
    text = DENSE.replace("--num-layers 8", "--num-layers 10") + (
        "--pipeline-model-parallel-size 2 --decoder-first-pipeline-num-layers 4 "
        "--num-virtual-stages-per-pipeline-rank 2"
    )
    found = _read(text)
    assert (found.virtual, found.stage_layers) == (2, (2, 3, 2, 3))
    job = run("training", cluster(1), model={"from": "megatron", "args": text})
    layer = 12 * 1024**2 + 13 * 1024
    spread = job.model.parameters_per_rank
    assert spread.max - spread.min == pytest.approx(2 * layer - 2048 * 1024 + 2 * 1024)  # positions against final norm


# ---- layout, sharding, collectives -----------------------------------------------------------------------------------


def test_experts_of_a_run_are_always_folded():
    """Case 05: etp 1; 45.1e9 / 8; four copies, and dispatch on NVLink."""
    job = _job("05-run.sh", 4)
    assert (job.groups["etp"].size, job.groups["ep"].size, job.groups["edp"].size) == (1, 8, 4)
    assert phase(job, "ep.dispatch").fabric is None
    assert round(phase(job, "edp.reduce_scatter").sent_bytes_per_rank / 1e9, 1) == 16.9
    assert round(phase(job, "edp.all_gather").sent_bytes_per_rank / 1e9, 2) == 8.46
    assert _job("05-run-ep16.sh", 4).groups["edp"].size == 2
    found = _read(EXPERTS)  # etp is tp where nothing else is said
    assert (found.expert_tensor, found.expert) == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "sharding", "phases"),
    [
        ("", "none", {"dp.all_reduce": 1}),
        ("--use-distributed-optimizer", "distributed-optimizer", {"dp.reduce_scatter": 1, "dp.all_gather": 1}),
        ("--use-torch-fsdp2", "fsdp", {"dp.reduce_scatter": 8, "dp.all_gather": 16}),
        ("--use-torch-fsdp2 --torch-fsdp2-no-reshard-after-forward", "fsdp",
         {"dp.reduce_scatter": 8, "dp.all_gather": 1}),
        ("--use-megatron-fsdp", "fsdp", {"dp.reduce_scatter": 8, "dp.all_gather": 16}),
        ("--use-megatron-fsdp --data-parallel-sharding-strategy optim", "zero1",
         {"dp.reduce_scatter": 1, "dp.all_gather": 1}),
        ("--use-megatron-fsdp --data-parallel-sharding-strategy no_shard", "none", {"dp.all_reduce": 1}),
        ("--deepspeed --zero-stage 2", "zero2", {"dp.reduce_scatter": 1, "dp.all_gather": 1}),
        ("--deepspeed --zero-stage 3", "zero3", {"dp.reduce_scatter": 1, "dp.all_gather": 16}),
    ],
)  # fmt: skip
def test_sharding_moves_what_its_implementation_does(arguments, sharding, phases):
    """8 ranks, 8 micro-batches: gradients once, or in every one; parameters once, or before forward and backward."""
    text = DENSE + "--bf16 --grad-reduce-in-bf16 --untie-embeddings-and-output-weights " + arguments
    assert _read(text).sharded.kind == sharding
    job = run("training", cluster(1), model={"from": "megatron", "args": text})
    bytes_of = 2 * job.model.parameters
    assert {
        found.name: found.payload_bytes_per_rank / bytes_of for found in job.phases if found.name.startswith("dp.")
    } == pytest.approx(phases)


def test_copies_of_the_optimizer_state_reduce_between_them():
    """2 instances over 16 ranks: scattered over 8 neighbours, an eighth reduced between 2; experts over 4 and 2."""
    text = EXPERTS + "--use-distributed-optimizer --num-distributed-optimizer-instances 2"
    job = run("training", cluster(4), model={"from": "megatron", "args": text})
    assert phase(job, "dp.reduce_scatter").group_size == 8
    between = phase(job, "dp.all_reduce")
    assert between.group_size == 2
    assert between.payload_bytes_per_rank == phase(job, "dp.reduce_scatter").payload_bytes_per_rank / 8
    assert (phase(job, "edp.reduce_scatter").group_size, phase(job, "edp.all_reduce").group_size) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "phases"),
    [
        ("", ["cp.send_recv"]),
        ("--cp-comm-type p2p", ["cp.send_recv"]),
        ("--cp-comm-type allgather", ["cp.all_gather", "cp.reduce_scatter"]),
        ("--cp-comm-type a2a", ["cp.all_to_all"]),
        ("--cp-comm-type a2a a2a a2a a2a a2a a2a a2a a2a", ["cp.all_to_all"]),
    ],
)
def test_context_ranks_exchange_as_said(arguments, phases):
    """Round, gathered, or tokens for heads: 2 passes, s/c tokens, k, v, q and o, 8 layers, 16 micro-batches."""
    text = DENSE + "--bf16 --context-parallel-size 2 " + arguments
    job = run("training", cluster(1), model={"from": "megatron", "args": text})
    found = [entry for entry in job.phases if entry.name.startswith("cp.")]
    assert [entry.name for entry in found] == phases
    if phases == ["cp.all_to_all"]:
        assert found[0].payload_bytes_per_rank == 2 * (2048 / 2) * (4 * 1024) * 2 * 8 * 16


@pytest.mark.parametrize(
    ("arguments", "collective"),
    [
        ("--moe-token-dispatcher-type alltoall", "pxn-all-to-all"),
        ("--moe-token-dispatcher-type flex", "node-deduplicated-all-to-all"),
        ("--moe-token-dispatcher-type allgather", "ring-all-gather"),
    ],
)
def test_tokens_are_dispatched_as_said(arguments, collective):
    """And by an all-gather where nothing is said, which is Megatron-LM's default."""
    base = EXPERTS.replace("--moe-token-dispatcher-type alltoall", arguments)
    keys = {"model": {"from": "megatron", "args": base}}
    assert phase(run("training", cluster(2), **keys), "ep.dispatch").collective == collective
    said = run("training", cluster(2), **keys, collectives={"dispatch": "all-to-all", "all_to_all": "direct"})
    assert phase(said, "ep.dispatch").collective == "all-to-all"
    default = _read(EXPERTS.replace("--moe-token-dispatcher-type alltoall", ""))
    assert default.dispatch == "all-gather"
    assert any("experts gather all tokens" in note for note in default.notes)


def test_recomputed_experts_dispatch_again():
    """--recompute-modules moe: three passes rather than two."""
    base = EXPERTS + "--recompute-granularity selective "
    plain = run("training", cluster(2), model={"from": "megatron", "args": base})
    again = run("training", cluster(2), model={"from": "megatron", "args": base + "--recompute-modules mlp moe"})
    one, other = (phase(job, "ep.dispatch").payload_bytes_per_rank for job in (plain, again))
    assert other == 1.5 * one


def test_a_run_without_a_global_batch_has_a_micro_batch_for_every_rank():
    """micro 2 x 8 data-parallel ranks, as ``validate_args`` sets it."""
    text = DENSE.replace("--global-batch-size 64 ", "").replace("--micro-batch-size 1", "--micro-batch-size 2")
    job = run("training", cluster(2), model={"from": "megatron", "args": text + "--tensor-model-parallel-size 2"})
    assert (job.model.tokens_per_step, job.model.micro_batches) == (2 * 8 * 2048, 1)


# ---- what is not modelled --------------------------------------------------------------------------------------------


def test_what_is_left_out_is_said_and_the_rest_is_silent():
    """A ramp of the batch is said, a learning rate is not; an argument nobody knows is."""
    found = _read(
        DENSE + "--rampup-batch-size 16 16 5859375 --lr 1e-4 --optimizer adam --mtp-num-layers 0 --frobnicate 3"
    )
    assert [note.split(":")[1].strip() for note in found.notes] == [
        "--rampup-batch-size", "not known to the reader of megatron and left out",
    ]  # fmt: skip
    assert "--frobnicate" in found.notes[1]
    assert "lr" in found.ignored


def test_what_would_make_a_wrong_answer_is_refused_until_it_is_left_out_knowingly():
    """A hybrid model, with the key that takes the rest of it."""
    text = DENSE + '--hybrid-layer-pattern "M*M-M*M-"'
    with pytest.raises(
        FormatError, match=r"--hybrid-layer-pattern: .* not modelled .*model\.ignore takes it knowingly"
    ):
        _read(text)
    found = _read(text, ignore=("--hybrid-layer-pattern", "lr"))
    assert any("--hybrid-layer-pattern: left out, as model.ignore says" in note for note in found.notes)
    assert any("names --lr, which the run does not have" in note for note in found.notes)


@pytest.mark.parametrize("program", ["pretrain_bert.py", "pretrain_t5.py", "pretrain_mamba.py", "pretrain_vlm.py"])
def test_programs_of_other_models_are_refused(program):
    """Their arguments look like GPT's, and mean another model."""
    with pytest.raises(TrafficError, match=f"{program} trains another kind of model"):
        _read(f"torchrun {program} {DENSE}")


def test_deepspeed_says_what_it_shards_or_is_asked():
    """The stage stands in DeepSpeed's own file; the scenario may say it."""
    keys = {"model": {"from": "megatron", "args": DENSE + "--deepspeed --deepspeed_config ds.json"}}
    with pytest.raises(TrafficError, match=r"--deepspeed without --zero-stage.*optimizer_sharding: zero1"):
        run("training", cluster(1), **keys)
    assert phase(run("training", cluster(1), **keys, optimizer_sharding="zero1"), "dp.reduce_scatter")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--num-layers 1000000000", r"--num-layers is 1,000,000,000; the most is 10,000"),
        ("--hidden-size 99999999999999999999", r"--hidden-size is '9+', no whole number"),
        ("--bf16 --fp16", "exclude each other"),
        ("--cp-comm-type p2p a2a", "one of p2p, allgather and a2a for all layers"),
        ("--zero-stage 7", "no stage of ZeRO"),
        ("--pipeline-model-parallel-size 3", "8 layers do not split over 3 pipeline stages"),
        ("--hidden-size", "--hidden-size has no value"),
        ("--position-embedding-type relative", "that of T5"),
    ],
)
def test_values_that_make_no_run_are_refused(arguments, message):
    """Each with its name."""
    with pytest.raises(TrafficError, match=message):
        run("training", cluster(3), model={"from": "megatron", "args": DENSE + arguments})
