"""Image generation: flow matching with a small diffusion transformer on handwritten digits."""
