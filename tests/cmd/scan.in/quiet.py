import logging


def answer(prompt):
    logging.info("%d characters", len(prompt))
