"""Keys of a ``config.json``: what each does to our answers, and which are one key under several names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field

# Other names of a key, in other families.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "hidden_size": ("n_embd", "n_embed", "d_model"),
    "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
    "num_attention_heads": ("n_head", "n_heads"),
    "num_key_value_heads": ("num_kv_heads", "n_head_kv", "multi_query_group_num", "attn_config.kv_n_heads"),
    "head_dim": ("kv_channels",),
    "vocab_size": ("padded_vocab_size",),
    "sliding_window_pattern": ("_sliding_window_pattern", "global_attn_every_n_layers"),
    "num_experts": ("num_local_experts", "n_routed_experts", "moe_num_experts", "ffn_config.moe_num_experts"),
    "num_experts_per_tok": (
        "num_experts_per_token", "experts_per_token", "moe_k", "moe_topk", "ffn_config.moe_top_k",
    ),
    "num_shared_experts": ("n_shared_experts", "num_shared_expert", "moe_num_shared_experts"),
    "shared_expert_intermediate_size": ("shared_intermediate_size", "moe_shared_expert_intermediate_size"),
    "first_k_dense_replace": ("num_dense_layers",),
    "n_group": ("num_expert_group",),
    "mamba_expand": ("expand",),
    "mamba_d_state": ("state_size", "ssm_state_size"),
    "mamba_d_conv": ("conv_kernel",),
    "mamba_dt_rank": ("time_step_rank",),
    "mamba_n_heads": ("mamba_num_heads", "num_heads"),
    "mamba_d_head": ("mamba_head_dim",),
    "mamba_n_groups": ("n_groups",),
    "mamba_conv_bias": ("use_conv_bias",),
    "mamba_bias": ("mamba_proj_bias",),
    "linear_num_heads": ("linear_attn_config.num_heads",),
    "linear_head_dim": ("linear_attn_config.head_dim",),
    "linear_conv_kernel_dim": ("linear_attn_config.short_conv_kernel_size",),
}  # fmt: skip

NESTED = ("attn_config", "ffn_config", "linear_attn_config")  # parts whose keys are read one by one
TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config")  # where a wrapper keeps its decoder

_MODELLED = {
    "model_type": "the family; a family that is not known is refused by name",
    **dict.fromkeys(TEXT_PARTS, "the decoder of a model with pictures or sound"),
    "num_hidden_layers": "layers",
    "hidden_size": "width of the residual stream",
    "intermediate_size": "width of the MLP; of an expert in some families",
    "intermediate_size_mlp": "width of the MLP in layers without experts",
    "expansion_ratio": "width of the MLP in hidden sizes",
    "num_attention_heads": "attention heads",
    "num_key_value_heads": "heads of keys and values",
    "head_dim": "width of a head",
    "vocab_size": "entries of the vocabulary",
    "tie_word_embeddings": "the output head shares the embedding",
    "n_positions": "learned positions, in families that have them",
    "max_position_embeddings": "learned positions, in families that have them; else it changes nothing",
    "attention_bias": "biases of attention",
    "attention_out_bias": "biases of attention's output",
    "mlp_bias": "biases of the MLP",
    "bias": "biases",
    "use_bias": "biases",
    "use_qkv_bias": "biases of queries, keys and values",
    "qkv_bias": "biases of queries, keys and values",
    "add_qkv_bias": "biases of queries, keys and values",
    "add_bias_linear": "biases of all other matrices",
    "lm_head_bias": "a bias of the output head",
    "enable_bias": "biases",
    "use_routing_bias": "a correction per expert",
    "multi_query_attention": "fewer heads of keys and values",
    "layer_norm_elementwise_affine": "norms with parameters; without is refused",
    "use_qk_norm": "norms of queries and keys",
    "qk_layernorm": "norms of queries and keys",
    "multi_query": "one head of keys and values",
    "new_decoder_architecture": "Falcon's two norms side by side, and its key-value heads",
    "parallel_attn": "attention and MLP side by side, with one norm",
    "num_ln_in_parallel_attn": "norms of Falcon's layers",
    "use_parallel_residual": "attention and MLP side by side",
    "word_embed_proj_dim": "an embedding of another width, which is refused",
    "do_layer_norm_before": "norms before each block; after is refused",
    "sliding_window": "tokens that windowed attention looks back: FLOPs and cache",
    "sliding_window_pattern": "every n-th layer has full attention",
    "use_sliding_window": "whether windows are used at all",
    "max_window_layers": "layers at the start with full attention",
    "attention_chunk_size": "blocks that attention stays in",
    "no_rope_layers": "layers without rotary positions, which have full attention",
    "layer_types": "attention, windowed attention or state of each layer",
    "mlp_layer_types": "plain MLP or experts of each layer",
    "kv_lora_rank": "width of compressed keys and values",
    "q_lora_rank": "width of compressed queries",
    "qk_nope_head_dim": "elements of a head without position",
    "qk_rope_head_dim": "elements of a head with position",
    "v_head_dim": "elements of a head's values",
    "index_topk": "tokens that each token attends to, picked by an indexer",
    "index_n_heads": "heads of the indexer",
    "index_head_dim": "width of an indexer's head",
    "num_experts": "routed experts of a layer",
    "num_experts_per_tok": "experts that a token visits",
    "moe_intermediate_size": "width of an expert",
    "ffn_config.ffn_hidden_size": "width of an expert",
    "num_shared_experts": "experts that every token visits",
    "shared_expert_intermediate_size": "width of the shared experts",
    "n_group": "groups of experts that limit the routing, together with topk_group",
    "topk_group": "groups that a token's experts may be in, where n_group is above 1",
    "topk_method": "whether the groups limit the routing",
    "first_k_dense_replace": "layers at the start without experts",
    "moe_layer_freq": "which layers have experts",
    "decoder_sparse_step": "every n-th layer has experts",
    "mlp_only_layers": "layers without experts",
    "moe_layer_start_index": "first layer with experts",
    "moe_layer_end_index": "last layer with experts",
    "moe_layer_interval": "every n-th layer has experts",
    "moe_layers": "layers with experts",
    "interleave_moe_layer_step": "every n-th layer has experts",
    "expert_layer_period": "every n-th layer has experts",
    "expert_layer_offset": "first layer with experts",
    "moe_router_enable_expert_bias": "a correction per expert",
    "use_expert_bias": "a correction per expert",
    "moe_latent_size": "experts of a latent width, which are refused",
    "use_mla": "latent attention; without it the family is refused",
    "use_cla": "keys shared between layers, which is refused",
    "attn_layer_period": "every n-th layer has attention",
    "attn_layer_offset": "first layer with attention",
    "attn_layer_indices": "layers with attention",
    "attn_type_list": "attention or linear attention of each layer",
    "full_attention_interval": "every n-th layer has full attention",
    "full_attn_idxs": "layers with attention",
    "linear_attn_config.full_attn_layers": "layers with attention, from 1",
    "hybrid_override_pattern": "one letter a layer: state space, attention, MLP or experts",
    "layers_block_type": "block of each layer: state space, attention, MLP or experts",
    "mamba_expand": "width of the state-space mixer in hidden sizes",
    "mamba_inner": "width of the state-space mixer",
    "mamba_d_ssm": "width of the state-space mixer",
    "mamba_d_state": "elements of state of a channel",
    "mamba_d_conv": "tokens of the convolution",
    "mamba_dt_rank": "rank of the step's projection",
    "mamba_n_heads": "heads of the state-space mixer",
    "mamba_d_head": "width of such a head",
    "mamba_n_groups": "groups of heads with common maps",
    "mamba_conv_bias": "a bias of the convolution",
    "mamba_bias": "biases of the mixer's projections",
    "mamba_rms_norm": "a norm inside the mixer",
    "linear_num_heads": "heads of linear attention",
    "linear_head_dim": "width of such a head",
    "linear_num_key_heads": "key heads of linear attention",
    "linear_num_value_heads": "value heads of linear attention",
    "linear_key_head_dim": "width of a key head",
    "linear_value_head_dim": "width of a value head",
    "linear_conv_kernel_dim": "tokens of the convolution",
    "conv_L_cache": "tokens of the convolution",
    "conv_bias": "biases of the convolution's mixer",
    "block_auto_adjust_ff_dim": "the MLP is two thirds as wide as said",
    "block_multiple_of": "what that width is rounded up to a multiple of",
    "block_ffn_dim_multiplier": "a factor of that width",
}
_REFUSED = {
    "is_encoder_decoder": "an encoder beside the decoder is not counted",
    "add_cross_attention": "cross attention is not counted",
    "cross_attention_layers": "cross attention is not counted",
    "pruned_heads": "pruned heads are not counted",
    "_remove_final_layer_norm": "a model without its last norm is not counted",
    "num_kv_shared_layers": "keys shared between layers are not counted",
    "hidden_size_per_layer_input": "embeddings in each layer are not counted",
    "per_layer_config": "layers that all differ are not counted",
    "zero_expert_num": "experts that do nothing are not counted",
    "block_configs": "layers that all differ are not counted",
    "swa_num_key_value_heads": "windowed layers with other heads are not counted",
    "add_swa_attention_sink_bias": "sinks of windowed layers are not counted",
    "use_qkvbias_in_experts": "biases in experts are not counted",
}
_MTP = "layers that predict further tokens are not counted; training with them adds their parameters and work"
_STORED = "how the weights were saved; bytes of the job follow precision, or params of inference"
_BESIDE = "parameters and work beside the decoder are not counted"
_REPORTED = {
    "torch_dtype": _STORED,
    "dtype": _STORED,
    "quantization_config": _STORED,
    "compression_config": _STORED,
    "num_nextn_predict_layers": _MTP,
    "num_mtp_modules": _MTP,
    "mtp_num_hidden_layers": _MTP,
    "mtp_num_layers": _MTP,
    "num_mtp_layers": _MTP,
    "use_mtp": _MTP,
    "vision_config": _BESIDE,
    "audio_config": _BESIDE,
    "img_processor": _BESIDE,
    "talker_config": _BESIDE,
    "code2wav_config": _BESIDE,
    "perceiver_config": _BESIDE,
    "projector_config": _BESIDE,
    "dual_chunk_attention_config": "attention in chunks is not followed; attention work is of full length",
    "sparse_attention_config": "attention to picked blocks is not followed; attention work is of full length",
}
_HARMLESS = {
    "linear_attn_config.kda_layers": "layers without attention; those with it are listed beside",
    "qk_norm_type": "norms of queries and keys; one for all heads together",
    "auto_map": "code beside the weights; the family is model_type",
    "architectures": "the class; the family is model_type",
    "_name_or_path": "where it came from",
    "transformers_version": "the library's version",
}
_HARMLESS_KINDS = {
    "tokens": "bos_token_id eos_token_id pad_token_id sep_token_id unk_token_id eod_token_id eos_token_ids im_end_id "
    "decoder_start_token_id image_token_id video_token_id audio_token_id image_token_index video_token_index "
    "vision_start_token_id vision_end_token_id vision_token_id boi_token_index eoi_token_index image_token "
    "image_start_token_id image_end_token_id video_start_token_id video_end_token_id audio_start_token_id "
    "audio_end_token_id boi_token_id eoi_token_id media_placeholder_token_id im_start_token_id pad_id eod_id",
    "how weights begin": "initializer_range init_std init_method_std init_device initializer_factor embedding_init_std "
    "rescale_prenorm_residual",
    "dropout": "attention_dropout attn_pdrop resid_pdrop resid_dropout embd_pdrop emb_pdrop embd_dropout dropout "
    "hidden_dropout residual_dropout embedding_dropout classifier_dropout activation_dropout layerdrop "
    "hidden_dropout_prob attention_probs_dropout_prob ffn_dropout output_dropout classifier_dropout_prob "
    "summary_first_dropout attention_dropout_prob embedding_dropout_prob",
    "rotary positions": "rope_theta rope_scaling rope_parameters rope_interleave rope_local_base_freq rotary_pct "
    "rotary_emb_base rotary_dim partial_rotary_factor rope_ratio original_max_position_embeddings rope_pct "
    "position_embedding_type nope_layer_interval no_rope_layer_interval rotary_base use_rope attn_rotary_emb n_ctx "
    "mrope_section use_nope alibi alibi_bias_max max_seq_len seq_length max_sequence_length seq_len "
    "initial_context_length model_max_length max_window_size position_embedding rotary_percent mla_use_nope "
    "kv_lora_use_nope rope_dim original_rope swa_rope_theta local_rope_theta global_rope_theta rope_type "
    "rotary_type attn_temperature_tuning attn_scale floor_scale learned_pos_emb",
    "the function between matrices": "hidden_act hidden_activation activation_function activation mlp_hidden_act "
    "mamba_hidden_act ffn_act_fn swiglu_limit swiglu_alpha swiglu act_fn activation_func is_swiglu expert_act",
    "numeric details": "rms_norm_eps layer_norm_eps layer_norm_epsilon layernorm_epsilon norm_epsilon norm_eps "
    "norm_type attention_softmax_in_fp32 scale_attention_softmax_in_fp32 scale_attn_weights "
    "scale_attn_by_inverse_layer_idx reorder_and_upcast_attn query_pre_attn_scalar attn_logit_softcapping "
    "final_logit_softcapping logit_scale logits_scaling embedding_multiplier residual_multiplier "
    "attention_multiplier lm_head_multiplier mlp_multipliers key_multiplier attention_out_multiplier "
    "attention_in_multiplier ssm_multipliers ssm_in_multiplier ssm_out_multiplier clip_qkv softmax_scale "
    "fp32_residual_connection residual_in_fp32 attention_type apply_residual_connection_post_layernorm "
    "apply_query_key_layer_scaling apply_residual_connection_post_layernorm post_layer_norm rmsnorm "
    "layernorm_full_attention_alpha layernorm_full_attention_beta layernorm_linear_attention_alpha "
    "layernorm_linear_attention_beta layernorm_mlp_alpha layernorm_mlp_beta full_attn_alpha_factor "
    "full_attn_beta_factor linear_attn_alpha_factor linear_attn_beta_factor mlp_alpha_factor mlp_beta_factor "
    "block_size scale_emb scale_depth dim_model_base use_cache_quantization mup_enabled "
    "mamba_norm_before_gate mamba_chunk_size chunk_size chunk_size_feed_forward time_step_limit time_step_min "
    "time_step_max time_step_floor time_step_scale time_step_init_scheme mamba_ssm_cache_dtype mamba_dt_limit "
    "mamba_dt_min mamba_dt_max mamba_dt_init_floor mixer_rms_eps "
    "attention_scale use_logn_attn normalization_type fp32_logits use_fp32_router "
    "bias_dropout_fusion masked_softmax_fusion hidden_dropout_rate slow_but_exact "
    "keep_fp32_in_norm linear_allow_neg_eigval linear_a_log_min "
    "linear_a_log_max linear_dt_min linear_dt_max linear_dt_init_floor num_logits_to_keep zero_centered_gamma "
    "z_loss_coefficient embedding_fraction no_bias",
    "how the router scores; every token still visits as many experts": "routed_scaling_factor scoring_func "
    "norm_topk_prob router_aux_loss_coef aux_loss_alpha seq_aux router_jitter_noise input_jitter_noise "
    "output_router_logits ep_size router_z_loss_coef moe_aux_loss_coeff moe_norm_min moe_use_aux_free "
    "router_scaling_factor route_scale route_norm score_func score_function moe_renormalize "
    "moe_router_activation_func moe_router_topk_scaling_factor router_dtype norm_head norm_softmax "
    "moe_use_hard_gate moe_layer_num_warmup ffn_config.moe_loss_weight "
    "ffn_config.moe_jitter_eps ffn_config.moe_normalize_expert_weights ffn_config.ffn_act_fn "
    "attn_config.clip_qkv attn_config.attn_pdrop router_score_function use_grouped_topk "
    "moe_loss_weight moe_loss_type load_balance_coeff aux_loss_coef "
    "attn_config.rope_theta attn_config.model_type ffn_config.model_type "
    "moe_drop_tokens moe_random_routing_dropped_token "
    "expert_bias_update_rate router_bias_update_speed moe_router_score_function",
    "how it runs": "use_cache pretraining_tp output_attentions output_hidden_states return_dict torchscript "
    "attn_implementation _attn_implementation use_flash_attn use_flash_attention use_mamba_kernels use_mambapy "
    "use_associative_scan cache_implementation is_decoder use_bfloat16 tf_legacy_loss gradient_checkpointing "
    "_flash_attn_2_enabled use_dynamic_ntk tokenizer_class mamba_use_kernels kda_use_kernels batch_size "
    "_commit_hash enable_moe_fp32_combine",
    "other tasks, and sampling": "task_specific_params problem_type id2label label2id num_labels finetuning_task "
    "prefix summary_type summary_use_proj summary_activation summary_proj_to_labels temperature top_p top_k "
    "do_sample max_length min_length num_beams repetition_penalty length_penalty no_repeat_ngram_size "
    "forced_bos_token_id forced_eos_token_id begin_suppress_tokens suppress_tokens bad_words_ids "
    "early_stopping diversity_penalty encoder_no_repeat_ngram_size exponential_decay_length_penalty "
    "num_beam_groups num_return_sequences output_scores remove_invalid_values return_dict_in_generate typical_p "
    "cross_attention_hidden_size tie_encoder_decoder use_bidirectional_attention",
    "pictures and sound": "image_size image_grid_pinpoints vision_feature_layer vision_feature_select_strategy "
    "vision_tower_pretrained projector_hidden_act multimodal_projector_bias spatial_merge_size mm_tokens_per_image "
    "tokens_per_second max_image_size vision_tower select_layer dynamic_image_size min_dynamic_patch "
    "max_dynamic_patch use_thumbnail downsample_ratio force_image_size ps_version template pad2square "
    "image_seq_length use_image_newline_parameter ignore_index image_aspect_ratio "
    "tie_projector_weights scale_factor deepstack_visual_indexes tile_tag global_view_pos candidate_resolutions "
    "use_backbone_lora use_llm_lora vision_hidden_size",
}


def _declared() -> Iterator[Field]:
    named = {other: name for name, others in ALIASES.items() for other in others}
    for name, effect in _MODELLED.items():
        yield Field(name, MODELLED, effect)
    for other, name in named.items():
        yield Field(other, MODELLED, f"{_MODELLED[name]}; {name} in other families")
    for name, effect in _REFUSED.items():
        yield Field(name, REFUSED, effect)
    for name, effect in _REPORTED.items():
        yield Field(name, REPORTED, effect)
    for kind, names in _HARMLESS_KINDS.items():
        for name in dict.fromkeys(names.split()):
            yield Field(name, HARMLESS, kind)
    for name, effect in _HARMLESS.items():
        yield Field(name, HARMLESS, effect)


FIELDS = DeclaredFields("model", "hf-config", "transformers 5.24, the configuration class of each family", _declared())

# Modelled keys that change nothing in families that do not read them.
IDLE = frozenset({
    "max_position_embeddings", "n_positions", "topk_method", "n_group", "num_expert_group", "topk_group",
    "max_window_layers", "use_sliding_window", "no_rope_layers", "sliding_window_pattern", "_sliding_window_pattern",
    "moe_layer_freq", "expansion_ratio",
})  # fmt: skip


def is_neutral(value: object) -> bool:
    """Whether a value says that there is nothing of what its key is for.

    >>> is_neutral(0), is_neutral(None), is_neutral([]), is_neutral("bfloat16"), is_neutral(4096)
    (True, True, True, True, False)
    """
    return value in (None, False, 0, "", "bfloat16") or value == [] or value == {}
