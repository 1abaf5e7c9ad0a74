"""Architectures only: ``nn.Module`` in, tensors out."""

from skywright.nets.polar import PolarResNet as PolarResNet
from skywright.nets.resnet import ResNet as ResNet
