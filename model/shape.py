"""The sizes a network is built from, and the names of its tables. Loads without TensorFlow."""

from dataclasses import dataclass

WIDTH_DEPTH_SIZE = {"lite0": (1.0, 1.0, 224), "lite1": (1.0, 1.1, 240), "lite2": (1.1, 1.2, 260)}
"""EfficientNet-Lite variants: width and depth factors, side of the input in pixels."""
EMBEDDING = "semantic_embedding"
EMBEDDING_WIDTH = 512
LEXICAL_TABLE = "lexical_logits/table"
SEMANTIC_TABLE = f"{EMBEDDING}/embeddings"
BIAS = "bias/bias"


@dataclass(frozen=True)
class NetworkShape:
    """The sizes a network is built from."""

    categories: int
    lexical_rows: int
    semantic_rows: int
    backbone: str = "lite0"
    image_head: bool = False
    """Whether the image branch has a linear layer on its features beside the table of ImageNet classes."""

    @property
    def image_size(self) -> int:
        """Side of the square picture, in pixels."""
        return WIDTH_DEPTH_SIZE[self.backbone][2]
