"""Writes `torch_cnn.safetensors`: a small PyTorch CNN's state dict, an input and its output. Needs torch, safetensors.

python tests/golden/torch_cnn.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.PReLU(4), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, groups=2)
        )
        self.hidden = nn.Linear(6 * 2 * 1, 5)
        self.norm = nn.LayerNorm(5)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.features(x).flatten(1)
        return self.head(self.norm(torch.relu(self.hidden(y))))


torch.manual_seed(0)
net = Net()
for _ in range(3):  # moving averages that are not those of the beginning
    net(torch.randn(16, 2, 8, 6) * 2 + 1)
with torch.no_grad():
    for parameter in net.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
net.eval()
x = torch.randn(4, 2, 8, 6)
state = {**net.state_dict(), "input": x, "output": net(x).detach()}
save_file({k: v.contiguous() for k, v in state.items()}, Path(__file__).with_suffix(".safetensors"), {"format": "pt"})
