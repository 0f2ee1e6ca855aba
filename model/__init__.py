"""The classifier: taxonomy, product types, network, bundle, explanation, training, evaluation."""
