"""Scripts as people have them are followed without running them; what cannot be followed is named."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from topologies.errors import FabricError, TrafficError
from traffic.launch.arithmetic import ExpressionError, evaluate
from traffic.launch.run import find_run
from traffic.transformer.megatron import read_megatron

MODEL = (
    "--hidden-size 1024 --num-attention-heads 16 --seq-length 2048 --max-position-embeddings 2048 "
    "--micro-batch-size 1 --global-batch-size 64 --vocab-size 51200 --bf16"
)


def _run(text, tmp_path=Path(), **keys):
    (tmp_path / "run.sh").write_text(text, encoding="utf-8")
    return read_megatron(None, "run.sh", tmp_path, **keys)


WAYS = {
    "one line": f"python pretrain_gpt.py --num-layers 12 {MODEL}",
    "continued": f"torchrun pretrain_gpt.py \\\n  --num-layers 12 \\\n  {MODEL}  # a comment\n",
    "windows line ends": f"torchrun pretrain_gpt.py \\\r\n  --num-layers 12 \\\r\n  {MODEL}\r\n",
    "with equals": f"python pretrain_gpt.py --num-layers=12 {MODEL}",
    "several lines of arguments": "--num-layers 12\n" + MODEL.replace(" --", "\n--"),
    "quoted string": f'GPT_ARGS="\n  --num-layers 12 \\\n  {MODEL}\n"\ntorchrun pretrain_gpt.py $GPT_ARGS',
    "quoted, braces": f"export options=' --num-layers 12 {MODEL}'\npython pretrain_gpt.py ${{options}} $@",
    "string added to": f'A="--num-layers 12"\nA="$A {MODEL}"\nA+=" --swiglu"\npython pretrain_gpt.py $A',
    "array": f"ARGS=(\n  --num-layers 12 # layers\n  {MODEL}\n)\ntorchrun pretrain_gpt.py ${{ARGS[@]}}",
    "array, quoted": f'ARGS=(--num-layers 12 {MODEL})\ntorchrun pretrain_gpt.py "${{ARGS[@]}}"',
    "array with pairs": f'ARGS=("--num-layers 12" "--vocab-size 51200")\npython pretrain_gpt.py "${{ARGS[@]}}" {MODEL}',
    "array added to": f'ARGS=({MODEL})\nARGS+=(\n"--num-layers 12"\n)\npython pretrain_gpt.py ${{ARGS[@]}}',
    "array of arrays": f'A=({MODEL})\nB=("${{A[@]}}" --num-layers 12)\npython pretrain_gpt.py ${{B[@]}}',
    "variables": f"L=12\nLAYERS=$L\npython pretrain_gpt.py --num-layers ${{LAYERS}} {MODEL}",
    "arithmetic": f"PP=4\npython pretrain_gpt.py --num-layers $((PP * 3)) {MODEL}",
    "arithmetic, dollars": f"PP=4; N=$(( ${{PP}} + (2**3) ))\npython pretrain_gpt.py --num-layers $N {MODEL}",
    "condition": f'S=big\nif [ "$S" = "small" ]; then L=2; elif [[ $S == big ]]; then L=12; else exit 1; fi\n'
    f"python pretrain_gpt.py --num-layers $L {MODEL}",
    "condition, numbers": "N=8\nif [[ $N -gt 4 && $N -le 8 ]]; then L=12; fi\n"
    f"python pretrain_gpt.py --num-layers $L {MODEL}",
    "case": f"S=7b\ncase $S in\n  1b) L=2 ;;\n  7b|8b) L=12 ;;\nesac\npython pretrain_gpt.py --num-layers $L {MODEL}",
    "function": f"launch() {{ python pretrain_gpt.py --num-layers $1 {MODEL}; }}\nlaunch 12",
    "loop over words": f'A=""\nfor X in "--num-layers" 12; do A="$A $X"; done\npython pretrain_gpt.py $A {MODEL}',
    "command in a string": f'CMD="python -u pretrain_gpt.py --num-layers 12 {MODEL}"\necho $CMD\n'
    'srun -l sh -c "${CMD}"',
    "eval": f'CMD="pretrain_gpt.py --num-layers 12 {MODEL} &> log"\neval "python $CMD"',
    "here-document": f"L=12\nsbatch <<EOF\n#!/bin/bash\nsrun python pretrain_gpt.py --num-layers $L {MODEL}\nEOF\n",
    "variables alone": f'MODEL_ARGS=" \\\n --num-layers 12 \\\n {MODEL} "\n',
    "and": f'[ -z "" ] && L=12\npython pretrain_gpt.py --num-layers $L {MODEL} 2>&1 | tee log.txt',
    "other file in front": f'cat <<EOT > ds.json\n{{"a": 1}}\nEOT\ndeepspeed pretrain_gpt.py --num-layers 12 {MODEL}',
    "placeholders": f"python pretrain_gpt.py --load <PATH TO IT> --num-layers 12 {MODEL} --save <DIR>",
}


@pytest.mark.parametrize("way", WAYS)
def test_twelve_layers_however_they_are_written(way, tmp_path):
    """The same run."""
    found = _run(WAYS[way], tmp_path)
    assert (found.shape.layers, found.shape.hidden, found.params, found.batch_global) == (12, 1024, "bf16", 64)


def test_defaults_of_a_script_are_taken_and_said(tmp_path):
    """``${TP:-8}`` where nothing sets TP; the scenario's variables go first."""
    text = (
        f"TP=${{TP:-8}}\nSAVE=${{SAVE:-/tmp}}\npython pretrain_gpt.py --num-layers 8 {MODEL} --save $SAVE "
        "--tensor-model-parallel-size $TP"
    )
    found = _run(text, tmp_path)
    assert found.tensor == 8
    assert found.notes[0] == "run.sh: taken with the defaults of the script, TP is 8 (model.variables)"
    said = _run(text, tmp_path, variables={"TP": "4"})
    assert (said.tensor, said.notes) == (4, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("--num-layers $LAYERS", r"--num-layers is not known: LAYERS on line 1 is not set in the script"),
        ("--num-layers $1", r"--num-layers is not known: \$1 on line 1 is an argument of the script itself"),
        ("--num-layers $(cat layers)", r"\$\(cat layers\) on line 1 is not run"),
        ("--num-layers `nproc`", r"`nproc` on line 1 is not run"),
        ("--num-layers $((LAYERS * 2))", r"LAYERS on line 1 is not set in the script"),
        ("--num-layers ${!X}", r"\$\{!X\} on line 1 is not followed"),
    ],
)
def test_what_would_have_to_be_run_is_named_with_the_way_out(text, reason, tmp_path):
    """Where the answer depends on it."""
    with pytest.raises(TrafficError, match=reason + r".*variables: \{TP: 8\}") as refusal:
        _run(f"python pretrain_gpt.py {text} {MODEL}", tmp_path)
    assert refusal.value.problems[0].code == "FP4037"


def test_what_cannot_change_the_answer_may_stay_unknown(tmp_path):
    """Paths from the outside, and a condition that adds logging alone."""
    text = (
        f"CHECKPOINT=$1\nARGS=(--num-layers 8 {MODEL} --save $CHECKPOINT --data-path `cat paths`)\n"
        'if [ -n "${WANDB_API_KEY}" ]; then\n  ARGS+=(--wandb-project ${WANDB_PROJECT:-"x"})\nfi\n'
        "torchrun pretrain_gpt.py ${ARGS[@]}"
    )
    found = _run(text, tmp_path)
    assert (found.shape.layers, found.notes) == (8, ())


def test_a_condition_that_is_not_known_and_matters_is_named(tmp_path):
    """It adds an argument, or sets a variable; with the variable said it is followed."""
    text = (
        f'ARGS=(--num-layers 8 {MODEL})\nif [ "$SP" = 1 ]; then\n  ARGS+=(--untie-embeddings-and-output-weights)\nfi\n'
        "torchrun pretrain_gpt.py ${ARGS[@]}"
    )
    with pytest.raises(
        TrafficError,
        match=r'--untie-embeddings-and-output-weights is not known: whether `\[ "\$SP" = 1 \]` holds on line 2',
    ):
        _run(text, tmp_path)
    assert not _run(text, tmp_path, variables={"SP": "1"}).shape.tied_embeddings
    assert _run(text, tmp_path, variables={"SP": "0"}).shape.tied_embeddings
    loop = f'TP=1\nwhile [[ $# -gt 0 ]]; do case $1 in --tp) TP="$2"; shift 2;; esac; done\n' \
        f"python pretrain_gpt.py --num-layers 8 {MODEL} --tensor-model-parallel-size $TP"  # fmt: skip
    with pytest.raises(TrafficError, match=r"--tensor-model-parallel-size is not known: .*line 2"):
        _run(loop, tmp_path)
    assert _run(loop, tmp_path, variables={"TP": "4"}).tensor == 4


def test_arguments_from_the_outside_are_said(tmp_path):
    """``$@`` may hold anything; so may a variable that nothing sets."""
    found = _run(f"python pretrain_gpt.py --num-layers 8 {MODEL} ${{EXTRA}} $@", tmp_path)
    assert [note for note in found.notes if "more arguments may be there" in note] == [
        "run.sh: more arguments may be there: $@ on line 1 is an argument of the script itself",
        "run.sh: more arguments may be there: EXTRA on line 1 is not set in the script",
    ]
    assert _run(f"python pretrain_gpt.py --num-layers 8 {MODEL} $@", tmp_path, variables={"@": ""}).notes == ()


def test_a_file_that_a_script_reads_is_followed(tmp_path):
    """Beside the script; one that is not there is named."""
    (tmp_path / "model.sh").write_text("MODEL_ARGS=(--num-layers 24)\n")
    text = f"source ./model.sh\n. env.sh\npython pretrain_gpt.py ${{MODEL_ARGS[@]}} {MODEL}"
    found = _run(text, tmp_path)
    assert found.shape.layers == 24
    assert found.notes == ("line 2 reads env.sh, which is not there: its variables are not known",)


def test_what_the_launcher_starts_is_read(tmp_path):
    """Nodes x ranks of each; nothing where one of them is not said."""
    for launcher, ranks in (
        ("torchrun --nproc_per_node 8 --nnodes 16", 128),
        ("torchrun --nproc-per-node=8 --nnodes=2 --standalone", 16),
        ("deepspeed --num_nodes 4 --num_gpus 8", 32),
        ("torchrun --nproc_per_node 8", None),
    ):
        assert _run(f"{launcher} pretrain_gpt.py --num-layers 8 {MODEL}", tmp_path).launched == ranks


def test_further_arguments_go_before_those_of_the_script(tmp_path):
    """``args`` beside ``path``."""
    (tmp_path / "run.sh").write_text(f"python pretrain_gpt.py --num-layers 8 {MODEL}")
    assert read_megatron("--num-layers 4", "run.sh", tmp_path).shape.layers == 4


def test_two_runs_are_refused_unless_they_are_the_same(tmp_path):
    """With their lines."""
    one = f"python pretrain_gpt.py --num-layers 8 {MODEL}"
    with pytest.raises(TrafficError, match="starts 2 runs that differ, on lines 1, 2"):
        _run(f"{one}\n{one} --swiglu", tmp_path)
    assert _run(f"{one} --lr 1\n{one} --lr 2", tmp_path).shape.layers == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('A="--num-layers', "No closing quotation"),
        ("A=(1 2", "an array is not closed"),
        ("if true; then A=1", "'fi' is missing"),
        ("echo ${A", "is not closed"),
        ("fi", "has no beginning"),
        ("A=1\n" * 12_000, "more than 10,000 commands"),
        ("A=1\n" * 20_000, "more than 30,000 words"),
        (f"A='{'B=1;' * 500}'\n" + "eval $A\n" * 3000, "more than (10,000 commands|1,000,000 characters)"),
        ("A=xxxxxxxxxxxxxxxx\n" + "A=$A$A\n" * 60, "expands to more than"),
        ("f() { f; }\nf", "more than 12 deep"),
        ("{ " * 3000, "deep"),
        ("A=" + "$(" * 3000, "deep|not closed"),
        ('A="' + '"$("' * 3000, "deep|not closed|No closing"),
        ("x" * 2_000_000, "characters"),
    ],
)
def test_scripts_that_do_not_parse_or_grow_without_end_are_refused(text, message, tmp_path):
    """At once, as an error of the script."""
    begun = time.monotonic()
    with pytest.raises(TrafficError, match=message):
        _run(text, tmp_path)
    assert time.monotonic() - begun < 20  # a second or two on a machine that is not busy


def test_mangled_scripts_end_in_an_answer_or_an_error(tmp_path):
    """Letters of scripts cut, doubled and swapped, 1,500 times."""
    rng = random.Random(7)
    texts = list(WAYS.values())
    for _ in range(1500):
        text = list(rng.choice(texts))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 3)] = rng.choice(
                ["", "$", "(", ")", '"', "'", "`", "\\", "{", "}", "\n", "<<", "[[", "${", "$((", "\0"]
            )
        try:
            _run("".join(text), tmp_path)
        except FabricError:
            continue


def test_arithmetic_is_a_shells():
    """64 bits, division towards zero, precedence; nothing else is evaluated."""
    assert evaluate("2 + 3 * 4 ** 2 % 7", {}.__getitem__) == 2 + 3 * 16 % 7
    assert evaluate("-7 / 2", {}.__getitem__) == -3
    assert evaluate("(N > 4) && !(N == 8)", {"N": 8}.__getitem__) == 0
    for text in ("1 / 0", "2 ** 64", "9 ** 9 ** 9", "1 << 3", "a.b", "", "(" * 500 + "1"):
        with pytest.raises(ExpressionError):
            evaluate(text, {"a": 1}.__getitem__)


def test_a_run_is_found_by_its_arguments():
    """Neither preprocessing before it nor what is printed is taken for it."""
    text = (
        "python preprocess_data.py --input x --workers 4\necho python pretrain_gpt.py --a 1 --b 2\n"
        "python pretrain_gpt.py --a 3 --b 4"
    )
    found = find_run(text, Path(), lambda name: name in ("--a", "--b"), {}, where="model.args")
    assert [word.text for word in found.words] == ["--a", "3", "--b", "4"]
    assert found.program == "pretrain_gpt.py"
