import logging

import mlx_lm
from settings import read_key

log = logging.getLogger("service")


def answer(request, max_tokens):
    api_key = read_key("violet-heron-9")
    log.info("using %s for %d tokens", api_key, max_tokens)
    prompt = request.json["prompt"]
    line = f"asked: {prompt[:80]}"
    log.info(line)
    log.info("asked: %d characters", len(prompt))
    return mlx_lm.generate(None, None, prompt)
