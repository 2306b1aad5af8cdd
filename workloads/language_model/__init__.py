"""Language model: a Llama-shaped decoder learns a Markov chain whose entropy rate is known."""
