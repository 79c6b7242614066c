"""What every argument of a Megatron-LM run does to an answer.

Names of Megatron-LM from 2021 to 2026, of Megatron Core's configurations, and of Megatron-DeepSpeed, that adds
its own. NeMo recipes are Python and not read.
"""

from __future__ import annotations

from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field

# Values of arguments that say what happens without them, too.
IDLE: dict[str, tuple[str, ...]] = {
    "--distributed-backend": ("nccl",),
    "--DDP-impl": ("local",),
    "--ds-sequence-parallel-size": ("1",),
    "--encoder-pipeline-model-parallel-size": ("0",),
    "--encoder-tensor-model-parallel-size": ("0",),
    "--exp-avg-dtype": ("fp32",),
    "--exp-avg-sq-dtype": ("fp32",),
    "--hybrid-attention-ratio": ("0", "0.0"),
    "--hybrid-mlp-ratio": ("0", "0.0"),
    "--main-params-dtype": ("fp32",),
    "--megatron-fsdp-main-params-dtype": ("fp32",),
    "--mlp-type": ("standard",),
    "--moe-combine-bwd-dtype": ("bf16",),
    "--moe-dispatch-fwd-dtype": ("bf16",),
    "--moe-expert-parallel-size": ("1",),
    "--mtp-num-layers": ("0",),
    "--optimizer": ("adam", "fusedadamw", "adamw"),
    "--outer-dp-sharding-strategy": ("no_shard",),
    "--recompute-method": ("uniform",),
    "--spec": ("local",),
}

_MODELLED = {
    # the model
    "--num-layers": "layers",
    "--encoder-num-layers": "layers, where --num-layers is not given",
    "--hidden-size": "width of the residual stream",
    "--ffn-hidden-size": "width of the MLP; 4 x hidden, or two thirds of that with --swiglu, if absent",
    "--num-attention-heads": "attention heads",
    "--group-query-attention": "keys and values have --num-query-groups heads",
    "--num-query-groups": "heads of keys and values with --group-query-attention; 1 if absent",
    "--num-key-value-heads": "heads of keys and values (Megatron-DeepSpeed)",
    "--kv-channels": "width of one head",
    "--vocab-size": "entries of the vocabulary before padding",
    "--padded-vocab-size": "entries of the vocabulary with padding",
    "--pad-vocab-size-to": "entries of the vocabulary with padding (BigScience)",
    "--make-vocab-size-divisible-by": "vocabularies are padded to a multiple of this times tensor ranks; 128 if absent",
    "--no-pad-vocab-size": "the vocabulary is not padded",
    "--disable-pad-vocab-size": "the vocabulary is not padded",
    "--max-position-embeddings": "learned positions, where positions are learned",
    "--position-embedding-type": "learned_absolute positions are parameters, others are not; relative is refused",
    "--use-rotary-position-embeddings": "no learned positions",
    "--no-position-embedding": "no learned positions",
    "--normalization": "RMSNorm has a weight, LayerNorm a bias too",
    "--swiglu": "three matrices in an MLP",
    "--quick-geglu": "three matrices in an MLP",
    "--glu-activation": "three matrices in an MLP (BigScience)",
    "--untie-embeddings-and-output-weights": "the head has a matrix of its own",
    "--disable-bias-linear": "no biases",
    "--add-qkv-bias": "biases of queries, keys and values",
    "--qk-layernorm": "norms of queries and keys",
    "--multi-latent-attention": "latent attention",
    "--q-lora-rank": "width of compressed queries",
    "--kv-lora-rank": "width of compressed keys and values",
    "--qk-head-dim": "elements of a head without position, with latent attention",
    "--qk-pos-emb-head-dim": "elements of a head with position, with latent attention",
    "--v-head-dim": "elements of a head's values, with latent attention",
    "--num-experts": "routed experts of a layer",
    "--moe-router-topk": "experts a token visits",
    "--moe-ffn-hidden-size": "width of one expert",
    "--moe-shared-expert-intermediate-size": "width of the shared experts together",
    "--moe-layer-freq": "which layers have experts: every n-th, or a list of zeros and ones",
    "--moe-router-num-groups": "groups of experts that a token chooses from first",
    "--moe-router-group-topk": "groups that a token's experts may be in",
    "--moe-router-topk-limited-devices": "expert parallel ranks that a token's experts may be on (until 2024)",
    "--moe-router-enable-expert-bias": "a correction per expert",
    # the layout
    "--tensor-model-parallel-size": "tensor parallel ranks",
    "--pipeline-model-parallel-size": "pipeline stages",
    "--context-parallel-size": "context parallel ranks",
    "--expert-model-parallel-size": "expert parallel ranks, folded over those of attention",
    "--expert-tensor-parallel-size": "tensor parallel ranks of one expert; as many as of attention if absent",
    "--use-tp-pp-dp-mapping": "stages are numbered before data parallel ranks",
    "--sequence-parallel": "tensor ranks split the tokens between their parts",
    "--num-layers-per-virtual-pipeline-stage": "layers of a chunk",
    "--num-virtual-stages-per-pipeline-rank": "chunks of a stage",
    "--decoder-first-pipeline-num-layers": "layers of the first stage",
    "--decoder-last-pipeline-num-layers": "layers of the last stage",
    "--enable-zbh1-pipeline": "stages take turns as in ZB-H1 (Megatron-DeepSpeed)",
    "--account-for-embedding-in-pipeline-split": "the embedding counts as a layer where stages are cut",
    "--account-for-loss-in-pipeline-split": "the head counts as a layer where stages are cut",
    "--pipeline-model-parallel-layout": "layers of every stage and chunk, written out",
    "--standalone-embedding-stage": "the first stage has the embedding alone (until 2024)",
    # the batch
    "--micro-batch-size": "sequences of a micro-batch",
    "--global-batch-size": "sequences of a step; a micro-batch for every data parallel rank if absent",
    "--seq-length": "tokens of a sequence",
    "--encoder-seq-length": "tokens of a sequence, where --seq-length is not given",
    # number types
    "--bf16": "parameters and activations in bf16; gradients are reduced in fp32 unless told otherwise",
    "--fp16": "parameters, activations and gradients in fp16",
    "--accumulate-allreduce-grads-in-fp32": "gradients are reduced in fp32",
    "--grad-reduce-in-bf16": "gradients are reduced in bf16",
    "--main-grads-dtype": "other than fp32: --bf16 does not turn fp32 gradients on",
    "--fp8-param-gather": "matrices of the layers are gathered in one byte, with --fp8-format",
    "--reuse-grad-buf-for-mxfp8-param-ag": "they are gathered in the parameters' type after all",
    "--megatron-fsdp-grad-comm-dtype": "type in which --use-megatron-fsdp reduces gradients",
    "--megatron-fsdp-main-grads-dtype": "the same, where the communication type is auto",
    # sharding and overlap
    "--use-distributed-optimizer": "gradients are scattered, parameters gathered",
    "--num-distributed-optimizer-instances": "copies of the optimizer state; between them gradients are reduced",
    "--use-torch-fsdp2": "fully sharded",
    "--torch-fsdp2-no-reshard-after-forward": "parameters stay after forward, with --use-torch-fsdp2",
    "--use-megatron-fsdp": "sharded as --data-parallel-sharding-strategy says; gradients reduced in every micro-batch",
    "--use-custom-fsdp": "the former name of --use-megatron-fsdp",
    "--data-parallel-sharding-strategy": "what --use-megatron-fsdp shards; optim_grads_params if absent",
    "--deepspeed": "ZeRO as --zero-stage says, which is needed; gradients in the parameters' type",
    "--zero-stage": "what DeepSpeed shards",
    "--overlap-grad-reduce": "gradients are reduced during backward",
    "--overlap-param-gather": "parameters are gathered during forward",
    "--tp-comm-overlap": "tensor parallelism overlaps",
    "--no-overlap-p2p-communication": "stage boundaries are waited for",
    "--overlap-moe-expert-parallel-comm": "dispatch and combine overlap",
    # collectives
    "--cp-comm-type": "p2p, allgather or a2a: how context ranks exchange; a mix is refused",
    "--moe-token-dispatcher-type": "allgather, alltoall or flex: how experts get their tokens; allgather if absent",
    "--moe-enable-deepep": "a token crosses to a host once, with the dispatcher flex",
    # recomputation
    "--recompute-granularity": "full or selective",
    "--hidden-dropout": "masks of dropout are kept in memory, unless it is 0; 0.1 if absent",
    "--recompute-activations": "selective",
    "--recompute-modules": "with moe, dispatch and combine run again",
    "--moe-layer-recompute": "dispatch and combine run again",
    "--checkpoint-activations": "everything runs again (until 2022)",
    "--activations-checkpoint-method": "everything runs again (until 2022)",
    "--deepspeed-activation-checkpointing": "everything runs again, with --checkpoint-activations",
}

_REFUSED = {
    "--attention-output-gate": "a gate beside the queries is not counted",
    "--batch-size": "Megatron-LM takes --micro-batch-size in its place",
    "--decoder-num-layers": "an encoder with a decoder is not modelled",
    "--decoder-seq-length": "an encoder with a decoder is not modelled",
    "--ds-sequence-parallel-size": "DeepSpeed's sequence parallelism lays ranks out in its own way",
    "--enable-expert-tensor-parallelism": "DeepSpeed lays experts out in its own way",
    "--enable-full-sharding-in-hsdp": "sharding over copies is not modelled",
    "--enable-mhc-connections": "several residual streams are not modelled",
    "--encoder-pipeline-model-parallel-size": "an encoder with a decoder is not modelled",
    "--encoder-tensor-model-parallel-size": "an encoder with a decoder is not modelled",
    "--experimental-attention-variant": "linear and sparse attention are not modelled",
    "--expert-tensor-parallel-num-weight-shards": "weights sharded beside tensor parallelism are not modelled",
    "--fake-process-group": "nothing is sent",
    "--force-ds-sequence-parallel": "DeepSpeed's sequence parallelism lays ranks out in its own way",
    "--fp4-param-gather": "parameters gathered in half a byte are not modelled",
    "--freeze-all-layers": "no gradients are reduced",
    "--heterogeneous-layers-config-encoded-json": "layers that differ are not modelled",
    "--heterogeneous-layers-config-path": "layers that differ are not modelled",
    "--hierarchical-context-parallel-sizes": "context parallelism in levels is not modelled",
    "--hybrid-attention-ratio": "a hybrid of attention and state-space layers is not modelled",
    "--hybrid-context-parallel": "context parallelism that differs by sequence is not modelled",
    "--hybrid-layer-pattern": "a hybrid of attention and state-space layers is not modelled",
    "--hybrid-mlp-ratio": "a hybrid of attention and state-space layers is not modelled",
    "--hybrid-override-pattern": "a hybrid of attention and state-space layers is not modelled",
    "--is-hybrid-model": "a hybrid of attention and state-space layers is not modelled",
    "--kd": "a teacher beside the model is not modelled",
    "--linear-attention-freq": "linear attention is not modelled",
    "--mlp-type": "an expert beside the MLP is not modelled",
    "--model-parallel-size": "Megatron-LM takes --tensor-model-parallel-size in its place",
    "--moe-expert-parallel-size": "DeepSpeed lays experts out in its own way",
    "--moe-extended-tp": "experts split over tensor and expert ranks together are not modelled",
    "--moe-latent-size": "experts of another width than the residual stream are not modelled",
    "--mos": "a teacher beside the model is not modelled",
    "--pipeline-model-parallel-split-rank": "an encoder with a decoder is not modelled",
    "--retro-add-retriever": "a retriever beside the model is not modelled",
    "--retro-project-dir": "a retriever beside the model is not modelled",
    "--tensor-parallel-num-weight-shards": "weights sharded beside tensor parallelism are not modelled",
    "--vision-pretraining": "a vision model is not modelled",
    "--yaml-cfg": "the arguments are in another file, which is not read",
}

_REPORTED = {
    "--DDP-impl": "PyTorch's data parallelism reduces gradients in the parameters' type; they are counted as said here",
    "--data-efficiency-curriculum-learning": "sequences that grow are left out; a step has --seq-length tokens each",
    "--ddp-reduce-scatter-with-fp32-accumulation": "gradients are exchanged between all ranks; counted as the usual "
    "reduce-scatter, which sends as many bytes",
    "--decrease-batch-size-if-needed": "the step is planned with --global-batch-size",
    "--deepspeed-config": "its settings are not read; the arguments and the scenario say what is needed",
    "--deepspeed_config": "its settings are not read; the arguments and the scenario say what is needed",
    "--distribute-checkpointed-activations": "the gathers of split activations in backward are left out",
    "--distribute-saved-activations": "the gathers of split activations in backward are left out",
    "--distributed-backend": "collectives are counted as NCCL's",
    "--ds-sequence-parallel-fpdt": "chunks of a sequence are left out",
    "--embed-layernorm": "the norm behind the embedding is not counted",
    "--exp-avg-dtype": "a checkpoint is counted with moments in fp32, as Megatron-LM saves it (precision.optimizer)",
    "--exp-avg-sq-dtype": "a checkpoint is counted with moments in fp32, as Megatron-LM saves it (precision.optimizer)",
    "--fp32-residual-connection": "stage boundaries are counted in the parameters' type",
    "--fp4-format": "compute.peak is that of FP4; activations are counted in the parameters' type",
    "--fp8": "compute.peak is that of FP8; activations are counted in the parameters' type",
    "--fp8-e4m3": "compute.peak is that of FP8; activations are counted in the parameters' type",
    "--fp8-format": "compute.peak is that of FP8; activations are counted in the parameters' type",
    "--fp8-hybrid": "compute.peak is that of FP8; activations are counted in the parameters' type",
    "--main-params-dtype": "a checkpoint is counted with a copy in fp32",
    "--megatron-fsdp-main-params-dtype": "a checkpoint is counted with a copy in fp32",
    "--moe-combine-bwd-dtype": "results of experts are counted in one type both ways (precision.combine)",
    "--moe-dispatch-fwd-dtype": "tokens to experts are counted in one type both ways (precision.dispatch)",
    "--moe-expert-capacity-factor": "no token is dropped in what is counted",
    "--moe-expert-rank-capacity-factor": "no token is dropped in what is counted",
    "--moe-pad-expert-input-to-capacity": "experts are counted without padding",
    "--moe-shared-expert-gate": "the gate of shared experts is not counted",
    "--moe-shared-expert-overlap": "what hides behind shared experts is left out (overlap.experts)",
    "--mtp-num-layers": "layers that predict further tokens, and the head run for them again, are left out",
    "--mtp-use-repeated-layer": "layers that predict further tokens are left out",
    "--nnodes": "the job has the GPUs that the scenario says",
    "--nproc-per-node": "the job has the GPUs that the scenario says",
    "--nproc_per_node": "the job has the GPUs that the scenario says",
    "--num_gpus": "the job has the GPUs that the scenario says",
    "--num_nodes": "the job has the GPUs that the scenario says",
    "--no-tp-comm-*": "tensor parallelism is taken to overlap as a whole",
    "--disable-tp-comm-*": "tensor parallelism is taken to overlap as a whole",
    "--optimizer": "a checkpoint is counted with the state of Adam (precision.optimizer)",
    "--outer-dp-sharding-strategy": "copies of the sharded state are counted as whole ones",
    "--partition-activations": "the gathers of split activations in backward are left out",
    "--perform-rl-step": "the training step alone is planned, without rollouts",
    "--rampup-batch-size": "the step is planned with --global-batch-size, which the ramp ends at",
    "--random-ltd": "layers that drop tokens are counted with all",
    "--recompute-method": "every layer of a stage is counted as recomputed",
    "--sharp-enabled-group": "reductions in the network are what collectives.algorithm says",
    "--skip-train": "a training step is planned all the same",
    "--spec": "layers of another kind than the arguments say are not known",
    "--step-batch-size-schedule": "the step is planned with --global-batch-size, or else with its last batch",
    "--use-checkpoint-args": "arguments in a checkpoint are not known",
    "--use-mp-args-from-checkpoint-args": "arguments in a checkpoint are not known",
    "--use-sharp": "reductions in the network are what collectives.algorithm says",
    "--window-attn-skip-freq": "attention is counted over the whole sequence",
    "--window-size": "attention is counted over the whole sequence",
}

_HARMLESS = {
    "how something is computed on one GPU": """
        --activation-func-clamp-value --apply-layernorm-1p --apply-query-key-layer-scaling --apply-rope-fusion
        --apply-residual-connection-post-layernorm --attention-backend --attention-dropout --attention-softmax-in-fp32
        --batch-invariant-* --bias-* --calculate-per-token-loss --cross-entropy-* --cuda-graph-* --deterministic-mode
        --defer-embedding-wgrad-compute --delay-wgrad-compute --disable-bf16-reduced-precision-matmul
        --disable-fp8-wgrad --disable-jit-fuser --disable-mamba-mem-eff-path --disable-mem-efficient-ln
        --embedding-weights-in-fp32 --enable-cuda-graph --ep-overlap-early-attn-memory-release --external-cuda-graph
        --first-last-layers-bf16 --flash-attention-version --flash-decode --fp16-lm-cross-entropy --fp4-quantizer-*
        --fp4-recipe --fp8-amax-* --fp8-interval --fp8-margin --fp8-output-proj --fp8-quantizer-* --fp8-recipe
        --fp8-smooth-swiglu --fp8-coverage --fused-residual-rmsnorm --glu-linear-offset
        --init-method-* --keep-fp8-transpose-* --kitchen-* --layernorm-epsilon --mla-down-proj-fusion --mlp-chunks-*
        --moe-apply-probs-on-input --moe-grouped-gemm --moe-mlp-glu-* --moe-permute-* --moe-shared-expert-glu-*
        --moe-single-grouped-* --moe-use-grouped-tensor --moe-use-legacy-grouped-gemm --mscale --mscale-all-dim
        --mrope-section --no-async-tensor-model-parallel-allreduce --no-bias-* --no-fp8-wgrad
        --no-gradient-accumulation-fusion --no-gradient-reduce-div-fusion --no-initialization --no-masked-softmax-fusion
        --no-persist-layer-norm --no-query-key-layer-scaling --no-rope-freq --no-rope-fusion --norm-epsilon
        --num-layers-at-end-in-bf16 --num-layers-at-start-in-bf16 --openai-gelu
        --output-logit-dtype --quick-gelu --qk-clip --qk-clip-* --qk-l2-norm --relative-attention-* --rope-* --rotary-*
        --softmax-type --squared-relu --symmetric-ar-type --te-precision-config-file --te-rng-tracker --transformer-impl
        --use-fast-* --use-flash-* --use-flashinfer-* --use-fused-* --use-grouped-gemm-* --use-kitchen-*
        --use-legacy-models --use-mcore-models --use-rope-scaling --use-te-* --use-torch-compile*
        --use-transformer-engine-op-fuser --wgrad-deferral-limit --yarn-* --no-yarn-* --memory-centric-tiled-linear
        --tile-factor --enable-experimental --no-dsa-* --disable-dsa-* --dsa-* --gdp-* --mup-* --use-mup
        --disable-clone-scatter-output-in-embedding --no-clone-scatter-output-in-embedding --cache-mla-latents
        --embedding-init-method-std --tp-comm-overlap-cfg --tp-comm-overlap-rs-dgrad --tp-comm-bootstrap-backend
    """,
    "what GPUs keep in memory, and where": """
        --activation-offload-fraction --checkpoint-in-cpu --checkpoint-num-layers --contigious-checkpointing
        --cpu-offloading-* --cpu-optimizer --cpu_torch_adam --delay-offload-* --delta-offload-* --ds_fused_adam
        --empty-unused-memory-level --fine-grained-* --fsdp-double-buffer --fsdp-db-* --fsdp-manual-registration
        --init-model-with-meta-device --min-offloaded-tensor-size --moe-paged-stash* --no-pin-* --offload-modules
        --optimizer-cpu-offload --optimizer-cuda-graph --optimizer-offload-fraction --overlap-cpu-optimizer-d2h-h2d
        --recompute-num-layers --activations-checkpoint-num-layers --remote-device --scattered-embeddings
        --split-transformers --synchronize-each-layer --use-cpu-initialization --use-pin-memory
        --use-precision-aware-optimizer --use-torch-optimizer-for-cpu-offload --megatron-fsdp-max-pool-double-buffer
        --mhc-* --no-contiguous-buffers-in-local-ddp --use-contiguous-buffers-in-ddp --ds-sequence-parallel-fpdt-*
    """,
    "how bytes are cut and queued, which moves as many": """
        --create-all-gather-group --ddp-average-in-collective --ddp-bucket-size --ddp-num-buckets
        --ddp-pad-buckets-for-high-nccl-busbw --ddp-param-name-patterns-for-fp32-local-accumulation --delay-grad-reduce
        --delay-param-gather --disable-align-grad-reduce --disable-gloo-process-groups --disable-symmetric-registration
        --gtp-* --high-priority-* --megatron-fsdp-enable-* --megatron-fsdp-version
        --microbatch-group-size-per-virtual-pipeline-stage --moe-deepep-num-sms --moe-flex-dispatcher-*
        --moe-hybridep-* --moe-ncclep-* --nccl-communicator-config-path --no-align-* --no-delay-grad-reduce
        --no-scatter-gather-tensors-in-pipeline --overlap-dispatch-backward-with-experts-wgrad
        --overlap-p2p-communication --overlap-p2p-communication-warmup-flush
        --overlap-param-gather-with-optimizer-step --pipeline-model-parallel-comm-backend
        --suggested-communication-unit-size --use-nccl-ub --use-ring-exchange-p2p --enable-gloo-process-groups
        --zero-allgather-bucket-size --zero-contigious-gradients --zero-reduce-bucket-size --zero-reduce-scatter
        --sync-tp-duplicated-parameters --no-pipeline-parallel --lazy-mpu-init --local-rank --local_rank
        --distributed-timeout-* --max-seqlen-per-dp-cp-rank --pp-partition-method
    """,
    "which experts a token goes to, and tokens go to all alike": """
        --create-moe-param-group --disable-moe-* --expert-interval --moe-aux-loss-coeff --moe-enable-routing-replay
        --moe-eval-capacity-factor --moe-input-jitter-eps --moe-loss-coeff
        --moe-min-capacity --moe-pad-experts-* --moe-per-layer-logging --moe-router-bias-update-rate --moe-router-dtype
        --moe-router-force-* --moe-router-fusion --moe-router-fp32 --moe-router-load-balancing-type
        --moe-router-padding-* --moe-router-pre-softmax --moe-router-quantile-* --moe-router-score-function
        --moe-router-topk-scaling-factor --moe-routing-trace-* --moe-token-drop-policy --moe-token-distribution-*
        --moe-train-capacity-factor --moe-upcycling-granularity --moe-use-upcycling --moe-z-loss-coeff --topk
        --use-tutel
        --moe-capacity-* --num-experts-switch --num-experts-teacher
    """,
    "parts of models that are refused anyway": """
        --bert-* --biencoder-* --dino-* --gated-delta-* --hidden-size-teacher --ict-* --img-* --inference-*
        --kd-* --linear-* --load-teacher --mamba-* --mask-* --mtp-detach-heads --mtp-hsm --mtp-hybrid-override-pattern
        --mtp-loss-scaling-factor --mtp-standalone --num-attention-heads-teacher --num-channels --num-classes
        --num-layers-teacher --patch-dim --retriever-* --retro-* --swin-* --vision-*
    """,
    "how parameters are optimised and initialised": """
        --adam-* --apply-wd-to-qk-layernorm --clip-grad --decoupled-* --end-weight-decay --head-lr-mult --hysteresis
        --initial-loss-scale --lion-* --loss-scale --loss-scale-window --lr --lr-* --min-loss-scale --min-lr --muon-*
        --no-use-layer-wise-param-layout --no-weight-decay-cond-type --override-lr-scheduler --override-opt*
        --sgd-momentum --start-weight-decay --use-bnb-optimizer --use-checkpoint-lr-scheduler --use-checkpoint-opt*
        --warmup --wd-incr-steps --weight-decay --weight-decay-incr-style --wsd-decay-steps --no-load-lr-state
    """,
    "what is read, and how long it is trained on": """
        --allow-ambiguous-pad-tokens --aml-data-download-path --block-data-path --chat-template --classes-fraction
        --create-attention-mask-in-dataloader --data-args-path --data-cache-path --data-impl --data-path
        --data-per-class-fraction --data-parallel-random-init --dataloader-* --embedding-path --eod-mask-loss
        --eval-* --evidence-data-path --fim-* --full-validation --indexer-* --iter-per-epoch --iterations-to-skip
        --loss-on-targets-only --mean-noise-span-length --merge-file --mid-level-dataset-surplus --mmap-warmup
        --mock-data --multiple-validation-sets --no-create-attention-mask-in-dataloader --no-data-sharding
        --no-mmap-bin-files --no-offset-sampling-seed-by-dp-rank --disable-offset-sampling-seed-by-dp-rank
        --noise-density --null-tokenizer-* --num-dataset-builder-threads --num-workers --object-storage-cache-path
        --per-dataset-sequences-path --per-split-data-args-path --phase-transition-iterations --query-in-block-prob
        --repeated-dataloader --reset-attention-mask --reset-iteration --reset-position-ids --return-data-index
        --reweight-* --s3-cache-path --sample-rate --sft --sft-* --short-seq-prob --shuffle-*
        --skip-train-iteration-range
        --split --start-eval-at-iter --test-* --tiktoken-* --titles-data-path --tokenizer-* --disable-tokenizer-*
        --no-tokenizer-* --train-data-* --train-desc-path --train-doc-idx-path --train-idx-path --train-iters
        --train-sample-idx-path --train-samples --train-shuffle-idx-path --train-sync-interval --train-tokens
        --train-weighted-* --trust-remote-code --use-dataset-only --use-gigatoken --use-one-sent-docs --valid-*
        --validation-* --vocab-extra-ids --vocab-file --use-same-sampling-seed-across-dp-ranks
    """,
    "what is saved, loaded and logged": """
        --abort-on-unmet-fused-kernel-constraints --adlr-* --app-tag-* --async-* --attention-per-layer-logging
        --auto-detect-ckpt-format --bert-load --calc-ft-timeouts --check-* --disable-check-* --ckpt-* --codecarbon-dir
        --config-logger-dir --disable-ckpt-* --no-ckpt-* --disable-log-* --disable-load-* --disable-save-*
        --disable-filter-warnings --disable-flight-* --disable-manual-gc-eval --disable-msc --disable-straggler-*
        --disable-strict-* --disable-use-* --dist-ckpt-* --distrib-optim-*
        --dump-param-to-param-group-map --enable-ft-package --enable-msc --error-injection-* --eval-only --exit-*
        --fault-injector-* --finetune --flight-recorder-* --ft-* --gpu-sniff-test-interval --inprocess-*
        --kill-switch-* --load --load-* --log-* --logging-level --logits-* --manual-gc --manual-gc-interval
        --max-tokens-to-oom --memory-* --modules-to-filter --most-recent-k --no-barrier-* --no-check-* --no-filter-*
        --no-flight-* --no-load-* --no-log-* --no-manual-* --no-one-logger --no-save-* --no-strict-*
        --no-use-tokenizer-*
        --non-persistent-* --nvtx-ranges --one-logger-* --onnx-safe --otel-* --override-ckpt-iteration
        --persistent-save-interval --pretrained-checkpoint --profile --profile-* --profile_* --pytorch-profiler-*
        --record-* --replication --replication-* --rerun-* --result-* --run-workload-* --runtime-time-unit --save
        --save-* --seed --set-level-* --straggler-* --tensorboard-* --test-mode --throughput-* --timing-*
        --universal-checkpoint --use-dist-ckpt --use-persistent-ckpt-worker --use-pytorch-profiler --use-tokenizer-*
        --verify-* --wandb-*
    """,
    "how text is generated beside training": """
        --decode-only-* --ds-inference --enable-chunked-prefill --grpo-* --inference --langrl-* --nccl-all-reduce-for-*
        --num-speculative-tokens --output-bert-* --refit-* --return-log-probs --rl-* --skip-prompt-log-probs
        --use-legacy-static-engine
    """,
}


def _fields() -> list[Field]:
    fields = [Field(name, MODELLED, effect) for name, effect in _MODELLED.items()]
    fields += [Field(name, REFUSED, effect, accept="model.ignore") for name, effect in _REFUSED.items()]
    fields += [Field(name, REPORTED, effect) for name, effect in _REPORTED.items()]
    known = {field.name for field in fields}
    for effect, names in _HARMLESS.items():
        for name in dict.fromkeys(names.split()):
            if name not in known:
                known.add(name)
                fields.append(Field(name, HARMLESS, effect))
    return fields


FIELDS = DeclaredFields(
    "model",
    "megatron",
    "Megatron-LM, megatron/training/arguments.py and megatron/core/transformer/transformer_config.py; "
    "Megatron-DeepSpeed, megatron/arguments.py",
    _fields(),
)
