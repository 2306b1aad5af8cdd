"""Image classification: a small residual network on scikit-learn's bundled digits."""
