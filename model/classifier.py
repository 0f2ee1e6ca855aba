"""The one way in: products to predictions, and the reasons for them."""

from pathlib import Path

import numpy as np

from model.explanation import Explainer
from model.loading import LoadedBundle, load_bundle
from model.predictor import Predictor
from model.product import Explanation, Product
from model.reading import read_text
from model.smoke import check
from model.tensorflow_runtime import TensorFlowRuntime
from model.versions import active_bundle


class Classifier(Predictor):
    """A loaded bundle that answers. Safe to share between threads: nothing in it changes after loading."""

    bundle: LoadedBundle
    runtime: TensorFlowRuntime

    def __init__(self, bundle: LoadedBundle) -> None:
        super().__init__(bundle, TensorFlowRuntime(bundle))
        self._explainer = Explainer(bundle)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Classifier":
        """Loads a bundle, the active one unless named; raises `model.bundle.BundleError` when refused.

        A bundle that brings smoke predictions has to give them again.
        """
        classifier = cls(load_bundle(folder or active_bundle()))
        check(classifier)
        return classifier

    def warm_up(self) -> None:
        """Traces each function once, so that the first user does not wait for it."""
        size = self.bundle.shape.image_size
        self.runtime.picture(np.zeros((1, size, size, 3), np.float32))
        self.predict([Product(designation="table")])
        self.explain(Product(designation="table"), self.taxonomy.codes[0])
        self._explainer.heatmap(np.zeros((size, size, 3), np.uint8), 0)

    def explain(self, product: Product, code: int) -> Explanation:
        """Why the category ``code`` has the logit it has for this product.

        Raises KeyError for a code outside the taxonomy and `ImageError` for a picture that cannot be read.
        """
        text = read_text(product.designation, product.description)
        prepared = None if product.image is None else self.prepare(product.image)
        return self._explainer.explain(text, self.text_arrays([text])[2], prepared, code)

    def logits(self, product: Product) -> dict[int, float]:
        """Calibrated logits by code, relative to the mean category: what `explain` takes apart."""
        text = read_text(product.designation, product.description)
        row = self.runtime.bias.copy()
        if text.tokens:
            row += self.runtime.text(*self.text_arrays([text]))[0]
        if product.image is not None:
            row += self.runtime.picture(self.prepare(product.image).array[None].astype(np.float32))[0]
        return dict(zip(self.taxonomy.codes, (row - row.mean()).tolist(), strict=True))
