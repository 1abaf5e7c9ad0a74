"""Architectures only: ``nn.Module`` in, tensors out."""
