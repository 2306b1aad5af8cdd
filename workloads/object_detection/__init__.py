"""Object detection: a centre-point detector on generated scenes of noisy shapes."""
