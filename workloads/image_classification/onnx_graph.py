"""The network as an ONNX graph, built from the weights in memory, and its int8 form."""

import tempfile
from pathlib import Path
from typing import Any, cast

import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from workloads.image_classification.model import DigitNet, ResidualBlock

OPSET = 21
IR_VERSION = 10  # what ONNX Runtime has read since 1.18, whatever the onnx package writes


class _Graph:
    """Nodes and weights as they are added; each method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def weight(self, values: Tensor) -> str:
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.detach().numpy(), name))
        return name

    def conv(self, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
        """A convolution with its normalisation folded in."""
        folded = fuse_conv_bn_eval(conv, norm)
        padding = cast(tuple[int, int], folded.padding)
        return self.node(
            "Conv",
            [x, self.weight(folded.weight), self.weight(cast(Tensor, folded.bias))],
            pads=[*padding, *padding],
            strides=list(folded.stride),
        )

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def block(self, x: str, block: ResidualBlock) -> str:
        y = self.relu(self.conv(x, block.conv1, block.norm1))
        y = self.conv(y, block.conv2, block.norm2)
        shortcut = x
        if len(block.shortcut):
            conv, norm = block.shortcut
            shortcut = self.conv(x, cast(nn.Conv2d, conv), cast(nn.BatchNorm2d, norm))
        return self.relu(self.node("Add", [y, shortcut]))


def graph(net: DigitNet, side: int) -> onnx.ModelProto:
    """``net`` as a graph from ``images`` (n, 1, side, side) to logits (n, 10); any n."""
    made = _Graph()
    x = made.relu(made.conv("images", net.stem, net.norm))
    for block in net.blocks:
        x = made.block(x, cast(ResidualBlock, block))
    x = made.node("Flatten", [made.node("GlobalAveragePool", [x])])
    x = made.node("Gemm", [x, made.weight(net.head.weight), made.weight(net.head.bias)], transB=1)
    inputs = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, side, side])
    outputs = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", 10])
    model = helper.make_model(
        helper.make_graph(made.nodes, "DigitNet", [inputs], [outputs], made.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


def quantised(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with int8 arithmetic in convolutions and the head, scales found as it runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(model)  # nothing is left to fold; else it logs an advice to do so
    with tempfile.TemporaryDirectory() as folder:  # it writes to a file and nowhere else
        path = Path(folder) / "int8.onnx"
        # Unsigned weights: with signed ones ConvInteger has no fast kernel, 4 times slower.
        quantize_dynamic(model, path, weight_type=QuantType.QUInt8)
        return onnx.load(path)
