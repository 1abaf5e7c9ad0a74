"""Architectures only: ``nn.Module`` in, tensors out."""

from skywright.nets.dropout import ConcreteDropoutMLP as ConcreteDropoutMLP
from skywright.nets.flipout import FlipoutMLP as FlipoutMLP
from skywright.nets.mlp import MLP as MLP
from skywright.nets.polar import PolarResNet as PolarResNet
from skywright.nets.resnet import ResNet as ResNet
