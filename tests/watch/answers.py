"""Answers made up: what a classifier might have said."""

from model.product import Prediction, RankedCategory


def answer(
    code=1560, confidence=0.93, words=8, unknown=0, text=True, image=False, model="m-1", problem=None
) -> Prediction:
    ranked = (RankedCategory(code, confidence), RankedCategory(10, 1 - confidence))
    return Prediction(ranked, text, image, words, (code,), model, problem, unknown)
