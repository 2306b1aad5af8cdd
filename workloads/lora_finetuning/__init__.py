"""LoRA fine-tuning: thin adapters teach a frozen decoder a chain whose symbols were relabelled."""
