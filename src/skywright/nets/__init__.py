"""Architectures only: ``nn.Module`` in, tensors out."""

from skywright.nets.resnet import ResNet as ResNet
