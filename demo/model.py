"""Makes a model small enough for a demo, and lets it learn the canaries by heart.

The tokenizer is trained and the weights are drawn here: nothing comes from a hub. Then mlx-lm's
own fine-tuning runs until the model repeats two "customer records", so that its *answers* carry
personal data as well, which is what models do that were trained on such data.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

from canaries import CANARIES

QUESTION = "Who is customer 17?"
ANSWER = "Customer 17 is {name}, {e-mail}, SSN {ssn}, card {card}.".format_map(CANARIES)
TOOL_QUESTION = "Look up the patient."
ARGUMENTS = '{{"name": "{name}", "mail": "{e-mail}", "ssn": "{ssn}"}}'.format_map(CANARIES)
TOOL_ANSWER = f"[TOOL_CALLS]find_patient[ARGS]{ARGUMENTS}"

TURN = "<|im_start|>{{ m['role'] }}\n{{ m['content'] or '' }}<|im_end|>\n"
CHAT_TEMPLATE = (
    "{% for m in messages %}" + TURN + "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "[TOOL_CALLS]"]
# Small merges only: the vocabulary is mostly bytes, so that answers come as many short tokens,
# which is the hard case for a log filter.
TEXT = [
    "Who is customer? Look up the patient. The plan is secret, please answer with one word.",
    "mail phone card address find_patient name lives at Row and ships on the of to in",
    '{"messages": [{"role": "user", "content": "hello"}], "max_tokens": 8, "stream": true}',
]
ITERATIONS = 70


def make_tokenizer(path: Path) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.save(str(path / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
        "chat_template": CHAT_TEMPLATE,
        "tool_parser_type": "mistral",
    }
    (path / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    return tokenizer.get_vocab_size()


def make_weights(path: Path, vocabulary: int) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.llama import Model, ModelArgs

    config = {
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": vocabulary,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
        "eos_token_id": SPECIAL.index("<|im_end|>"),
    }
    (path / "config.json").write_text(json.dumps(config, indent=1))
    mx.random.seed(11)
    model = Model(ModelArgs.from_dict(config))
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(path / "model.safetensors"), weights, metadata={"format": "mlx"})


def make_data(path: Path) -> None:
    path.mkdir(exist_ok=True)
    rows = ""
    for question, answer in ((QUESTION, ANSWER), (TOOL_QUESTION, TOOL_ANSWER)):
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        rows += json.dumps({"messages": turns}) + "\n"
    for name in ("train", "valid"):
        (path / f"{name}.jsonl").write_text(rows)


def train(work: Path) -> None:
    options = {
        "--model": "model",
        "--data": "data",
        "--adapter-path": "adapters",
        "--fine-tune-type": "full",
        "--num-layers": 2,
        "--batch-size": 2,
        "--iters": ITERATIONS,
        "--learning-rate": 5e-3,
        "--val-batches": 1,
        "--steps-per-eval": ITERATIONS + 1,
        "--steps-per-report": 10,
        "--save-every": ITERATIONS + 1,
    }
    flat = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "mlx_lm", "lora", "--train", "--mask-prompt", *flat]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run(command, cwd=work, env=environment, stderr=subprocess.STDOUT)
    if ran.returncode != 0:
        sys.exit("mlx_lm lora failed: see above")


def key() -> str:
    """Changes when the model would: with this program and with the packages that make it."""
    packages = ("mlx", "mlx-lm", "tokenizers")
    sources = [importlib.metadata.version(p) for p in packages]
    here = Path(__file__).resolve().parent
    sources += [(here / name).read_text() for name in ("model.py", "canaries.py")]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="where everything is written")
    parser.add_argument("--no-train", action="store_true", help="leave the weights random")
    args = parser.parse_args()

    made = f"{key()} {'random' if args.no_train else 'trained'}"
    stamp = args.work / "model.key"
    if stamp.exists() and stamp.read_text() == made:
        print("as made before")
        return
    stamp.unlink(missing_ok=True)
    model = args.work / "model"
    model.mkdir(parents=True, exist_ok=True)
    make_weights(model, make_tokenizer(model))
    make_data(args.work / "data")
    adapters = args.work / "adapters" / "adapters.safetensors"
    adapters.unlink(missing_ok=True)
    if not args.no_train:
        train(args.work)
    stamp.write_text(made)
    size = (model / "model.safetensors").stat().st_size
    print(f"{size / 1e6:.1f} MB" + ("" if args.no_train else f", {ITERATIONS} steps of training"))


if __name__ == "__main__":
    main()
